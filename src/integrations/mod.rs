//! Leaves: one for each framework. Nothing else in this crate knows of them.

#[cfg(feature = "axum")]
pub mod axum;
