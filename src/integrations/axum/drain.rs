//! Answers that come before the body was read.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::middleware::Next;
use axum_core::Error;
use axum_core::body::Body;
use axum_core::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::oneshot;

use crate::endpoints::{drain, waits_for_leave};

/// Reads what a handler, a layer or a fallback left of the body before its answer goes out, so that
/// a client that is still sending gets to see the answer: a middleware for
/// [`from_fn`](axum::middleware::from_fn). The routers of this crate have it.
///
/// It is bounded as [`drain`] is, and leaves bodies alone that somebody still reads from.
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
    let (back, mut returned) = oneshot::channel();
    let touched = !waits_for_leave(request.headers());
    let request = request.map(|body| {
        Body::new(Loan {
            body,
            touched,
            back: Some(back),
        })
    });
    let response = next.run(request).await;
    if let Ok(rest) = returned.try_recv() {
        drain(rest).await;
    }
    response
}

/// In the extensions of a request whose body comes back.
#[derive(Clone, Copy)]
struct Lent;

/// A body that goes back when it is dropped.
struct Loan {
    body: Body,
    touched: bool,
    back: Option<oneshot::Sender<Body>>,
}

impl http_body::Body for Loan {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.touched = true;
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(back) = self.back.take().filter(|_| self.touched) {
            // Nobody waits for it when the request was dropped as a whole.
            let _ = back.send(std::mem::take(&mut self.body));
        }
    }
}
