//! Answers that come before the body was read.

use axum::extract::Request;
use axum::middleware::Next;
use axum_core::body::Body;
use axum_core::response::Response;
use http_body::Body as _;

use crate::endpoints::RequestBody;

/// Reads what a handler, a layer or a fallback left of the body before its answer goes out, so that
/// a client that is still sending gets to see the answer: a middleware for
/// [`from_fn`](axum::middleware::from_fn). The routers of this crate have it.
///
/// It is bounded as [`drain`](crate::endpoints::drain) is, and leaves bodies alone that somebody still reads from.
///
/// # Examples
///
/// ```
/// use axum::{Router, middleware, routing::post};
/// use tower_jwt_session::integrations::axum::drain_unread;
///
/// let app: Router = Router::new()
///     .route("/orders", post(|| async { "refused, whatever it was" }))
///     .layer(middleware::from_fn(drain_unread));
/// # let _ = app;
/// ```
pub async fn drain_unread(mut request: Request, next: Next) -> Response {
    let nothing_to_read = request.body().is_end_stream();
    if nothing_to_read || request.extensions_mut().insert(Lent).is_some() {
        return next.run(request).await;
    }
    let (request, unread) = RequestBody::lend(request);
    let response = next.run(request.map(Body::new)).await;
    unread.drain_for(response.status()).await;
    response
}

/// In the extensions of a request whose body comes back.
#[derive(Clone, Copy)]
struct Lent;
