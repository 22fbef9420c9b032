//! Leaves: one for each framework. Nothing else in this crate knows of them.
//!
//! Plain hyper needs none: [`Endpoints::around`](crate::endpoints::Endpoints::around) makes a tower
//! service, and `hyper_util::service::TowerToHyperService` one of hyper's.

#[cfg(feature = "axum")]
pub mod axum;

#[cfg(feature = "tonic")]
pub mod tonic;

#[cfg(feature = "warp")]
pub mod warp;
