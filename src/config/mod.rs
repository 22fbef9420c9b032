//! How a [`JwtSession`](crate::JwtSession) is put together, in code or from the environment.

mod audit;
mod build;
mod builder;
mod checklist;
mod client;
mod cookies;
mod diagnose;
mod edge;
mod env;
#[cfg(feature = "geoip")]
mod locator;
#[cfg(not(feature = "geoip"))]
#[path = "without_locator.rs"]
mod locator;
mod origins;
mod read;
mod reload;
mod secrets;
mod store;
mod variables;

pub use builder::JwtSessionBuilder;
pub use checklist::{Checklist, Finding, FindingKind};
pub use client::IntrospectionClient;
pub use cookies::{SameSite, SessionCookies};
pub use env::Environment;
pub use origins::AllowedOrigins;
pub use store::open as store_at;
pub use variables::Variable;

pub(crate) use cookies::Web;
pub(crate) use edge::Edge;
