//! [`GuardService`].

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::Guard;
use crate::middleware::{Passage, ResponseFuture};
use crate::rejection::ResponseForRejection;
use crate::session::Session;

/// Calls the inner service for the sessions that the guard lets pass.
///
/// Errors of the inner service pass through unchanged; a refusal is a response, not an error.
///
/// See the [module docs](crate::guard) for an example.
#[must_use = "services do nothing unless called"]
pub struct GuardService<S, J> {
    inner: S,
    guard: Arc<Guard<J>>,
}

impl<S, J> GuardService<S, J> {
    pub(super) fn new(inner: S, guard: Arc<Guard<J>>) -> Self {
        Self { inner, guard }
    }
}

impl<S, J, B, R> Service<Request<B>> for GuardService<S, J>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    J: ResponseForRejection<R>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, J, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let session = request.extensions().get::<Session>();
        let passage = self.guard.policy.passage(session);
        if let Passage::Refuse(rejection) = &passage {
            tracing::debug!(code = rejection.code(), guard = ?self.guard.policy, "request refused");
        }
        passage.enter(&mut self.inner, request, &self.guard.responses, false)
    }
}

impl<S: Clone, J> Clone for GuardService<S, J> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            guard: self.guard.clone(),
        }
    }
}

impl<S: fmt::Debug, J> fmt::Debug for GuardService<S, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardService")
            .field("inner", &self.inner)
            .field("policy", &self.guard.policy)
            .finish()
    }
}
