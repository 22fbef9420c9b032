//! How a [`JwtSession`](crate::JwtSession) is put together, in code or from the environment.

mod builder;
mod client;
mod cookies;
mod env;
mod secrets;
mod store;

pub use builder::JwtSessionBuilder;
pub use client::IntrospectionClient;
pub use cookies::{SameSite, SessionCookies};
pub use env::Environment;

pub(crate) use cookies::Web;
