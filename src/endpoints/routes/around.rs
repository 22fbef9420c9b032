//! [`WithEndpoints`]: the calls around a service.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::super::{RequestBody, ResponseBody};
use super::Calls;
use crate::BoxFuture;
use crate::error::BoxError;

/// Answers the endpoints, and gives everything else to the inner service.
///
/// Made by [`Endpoints::around`](super::Endpoints::around), where an example stands.
#[derive(Clone)]
#[must_use = "services do nothing unless called"]
pub struct WithEndpoints<S> {
    calls: Calls,
    inner: S,
}

impl<S> WithEndpoints<S> {
    pub(super) fn new(calls: Calls, inner: S) -> Self {
        Self { calls, inner }
    }

    /// The inner service.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, B, R> Service<Request<B>> for WithEndpoints<S>
where
    S: Service<Request<RequestBody>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    R: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone may not be ready, so it is the one that stays to be polled again.
        let fresh = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, fresh);
        let calls = self.calls.clone();
        let (request, unread) = RequestBody::lend(request);
        Box::pin(async move {
            let answer = match calls.answer(request).await {
                Ok(answer) => answer,
                Err(request) => ready.call(request).await?.map(ResponseBody::new),
            };
            unread.drain_for(answer.status()).await;
            Ok(answer)
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for WithEndpoints<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithEndpoints")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
