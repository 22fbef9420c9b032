//! How a [`JwtSession`](crate::JwtSession) is put together, in code or from the environment.

mod builder;
mod env;
mod secrets;

pub use builder::JwtSessionBuilder;
pub use env::Environment;
