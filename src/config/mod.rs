//! How a [`JwtSession`](crate::JwtSession) is put together, in code or from the environment.

mod builder;
mod client;
mod env;
mod secrets;
mod store;

pub use builder::JwtSessionBuilder;
pub use client::IntrospectionClient;
pub use env::Environment;
