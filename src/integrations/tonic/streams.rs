//! Streams that end with the session.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame};
use tonic::Status;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::BoxFuture;
use crate::error::BoxError;
use crate::rejection::Rejection;
use crate::revocation::EndReason;
use crate::session::Session;

/// Ends answers that still go on when their session does, with `grpc-status` 16: a layer for inside
/// of a [`JwtSessionLayer`](crate::JwtSessionLayer).
///
/// Requests without a session pass unchanged. What was sent before the end stays sent; the error
/// code of the trailers says whether the token expired, so that a client refreshes and asks again,
/// or the session ended.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct EndStreams(());

/// See [`EndStreams`].
#[derive(Clone, Debug)]
#[must_use = "services do nothing unless called"]
pub struct EndingStreams<S> {
    inner: S,
}

/// A body that goes on for as long as the session does.
struct UntilEnded {
    body: Body,
    session: Session,
    // Asked only once there is something to wait for.
    ended: Option<BoxFuture<'static, EndReason>>,
    over: bool,
}

impl EndStreams {
    /// The layer.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for EndStreams {
    type Service = EndingStreams<S>;

    fn layer(&self, inner: S) -> Self::Service {
        EndingStreams { inner }
    }
}

impl<S, B, R> Service<Request<B>> for EndingStreams<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send + 'static>,
    R: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let session = request.extensions().get::<Session>().cloned();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?.map(Body::new);
            Ok(match session {
                Some(session) => answer.map(|body| UntilEnded::around(body, session)),
                None => answer,
            })
        })
    }
}

impl UntilEnded {
    fn around(body: Body, session: Session) -> Body {
        Body::new(Self {
            body,
            session,
            ended: None,
            over: false,
        })
    }
}

impl HttpBody for UntilEnded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        // First, so that a stream with much to say does not outlive its session either.
        let ended = this
            .ended
            .get_or_insert_with(|| Box::pin(this.session.ended()));
        if let Poll::Ready(reason) = ended.as_mut().poll(cx) {
            this.over = true;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers(reason)?))));
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }
}

fn trailers(reason: EndReason) -> Result<HeaderMap, Status> {
    let rejection = match reason {
        EndReason::Expired => Rejection::TokenExpired,
        EndReason::RolesChanged => Rejection::TokenStale,
        EndReason::Unconfirmed => Rejection::StoreUnavailable {
            retry_after: RETRY_AFTER,
        },
        reason => Rejection::TokenRevoked {
            reason: Some(reason),
        },
    };
    let mut trailers = HeaderMap::new();
    Status::from(rejection).add_header(&mut trailers)?;
    Ok(trailers)
}

const RETRY_AFTER: Duration = Duration::from_secs(1);
