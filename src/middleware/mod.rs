//! The tower face: [`JwtSessionLayer`], its service and its future.
//!
//! A request reaches the inner service with its [`Session`](crate::Session) in the extensions when
//!
//! 1. its headers carry exactly one token, where the layer looks for one;
//! 2. where a cookie carried it, the request only reads, or a page of this site sent it;
//! 3. the token is genuine, meant for this service, and neither early nor late;
//! 4. neither the token, nor its session, nor everything of its user was ended, by a view of the
//!    revocation log that is fresh enough, or by the store where the view cannot tell.
//!
//! A `Session` that was in the extensions before is taken out first, so whoever finds one there
//! can rely on the innermost layer around them. Everything else is refused, unless the layer says
//! otherwise: see [`Anonymous`] and [`Enforcement`].
//!
//! A refusal is reported to the [`Observer`](crate::events::Observer) with its cause, and its
//! response carries the [`Rejection`](crate::Rejection) in its extensions for outer layers.
//!
//! # Readiness
//!
//! The answer is given at once wherever this node knows it: no future is boxed and the inner
//! service is not cloned. Only when the store has to be asked does the request wait, together
//! with the very instance of the inner service that was polled ready; a clone stays behind.
//!
//! # Examples
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{BoxError, ServiceBuilder, service_fn};
//! use tower_jwt_session::guard::RequireRole;
//! use tower_jwt_session::middleware::Anonymous;
//! use tower_jwt_session::{JwtSessionLayer, Session};
//!
//! # type Body = Full<Bytes>;
//! async fn hello(request: Request<Body>) -> Result<Response<Body>, BoxError> {
//!     let name = match request.extensions().get::<Session>() {
//!         Some(session) => session.subject().to_string(),
//!         None => "stranger".to_owned(),
//!     };
//!     Ok(Response::new(Full::from(format!("hello, {name}"))))
//! }
//!
//! # fn build(layer: JwtSessionLayer) {
//! let public = ServiceBuilder::new()
//!     .layer(layer.clone().with_anonymous(Anonymous::Allow))
//!     .service(service_fn(hello));
//! let admin = ServiceBuilder::new()
//!     .layer(layer)
//!     .layer(RequireRole::new("admin"))
//!     .service(service_fn(hello));
//! # fn ready<S: tower::Service<Request<Body>>>(_: S) {}
//! # ready(public);
//! # ready(admin);
//! # }
//! ```

mod admission;
mod future;
mod knobs;
mod layer;
mod passage;
mod same_origin;
mod service;

pub use future::ResponseFuture;
pub use knobs::{Anonymous, CountAs, Enforcement};
pub use layer::JwtSessionLayer;
pub use service::JwtSessionService;

pub(crate) use layer::Gate;
pub(crate) use passage::Passage;
#[cfg(feature = "endpoints")]
pub(crate) use same_origin::Head;
pub(crate) use same_origin::Origins;

#[cfg(test)]
pub(crate) mod fixtures;
