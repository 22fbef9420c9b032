//! axum: extractors, responses and routers.
//!
//! [`Session`](crate::Session) and [`Device`](crate::Device) are extractors; `Option<Session>` is
//! `None` for an anonymous request, while a token that is present and bad is still refused by the
//! layer. [`Rejection`](crate::Rejection), [`SessionError`](crate::SessionError) and
//! [`Problem`](crate::endpoints::Problem) are responses, so that handlers can use `?`.
//!
//! # Where the routers go
//!
//! Routes that act for somebody bring the layer along, so the routers work wherever they are
//! mounted. The others are public: somebody whose access token has expired has to reach the one
//! that refreshes it. Merge the routers *after* the application's own layer, so that it does not
//! stand around them and turn such a request away:
//!
//! ```
//! use axum::{Router, routing::get};
//! use tower_jwt_session::{JwtSession, Session};
//!
//! async fn me(session: Session) -> String {
//!     format!("hello {}", session.subject())
//! }
//!
//! fn app(auth: &JwtSession) -> Router {
//!     Router::new()
//!         .route("/me", get(me))
//!         .route_layer(auth.layer())
//!         .merge(auth.routes())
//! }
//! # let _ = app;
//! ```

mod drain;
mod extract;
#[cfg(feature = "browser")]
mod pages;
mod respond;
mod routes;

pub use drain::drain_unread;
pub use extract::peer;
