//! How a request goes on after it was decided about; the same for the layer and the guards.

use std::mem;
use std::sync::Arc;

use http::{Request, Response};
use tower_service::Service;

use super::future::{Asking, ResponseFuture};
use crate::BoxFuture;
use crate::rejection::{Rejection, ResponseForRejection};
use crate::session::Session;

/// A way on.
pub(crate) enum Passage {
    /// It depends on an answer of the store.
    Ask(Question),
    /// The inner service is called, with this session where it is a new one.
    Open(Option<Session>),
    /// The request is refused.
    Refuse(Rejection),
}

/// Asks the store, once it is polled. The answer is that of [`Passage::Open`] or a refusal.
pub(crate) type Question = BoxFuture<'static, Result<Option<Session>, Rejection>>;

impl Passage {
    /// Goes on. `ready` is the inner service, which was polled ready for this request; a private answer
    /// is one that no shared cache may keep.
    #[inline]
    pub(crate) fn enter<S, J, B, R>(
        self,
        ready: &mut S,
        mut request: Request<B>,
        responses: &Arc<J>,
        is_private: bool,
    ) -> ResponseFuture<S, J, B>
    where
        S: Service<Request<B>, Response = Response<R>> + Clone,
        J: ResponseForRejection<R>,
    {
        match self {
            Self::Ask(question) => {
                // The clone may not be ready, so it is the one that stays to be polled again.
                let fresh = ready.clone();
                let asking = Asking {
                    question,
                    service: mem::replace(ready, fresh),
                    request,
                    responses: responses.clone(),
                };
                ResponseFuture::asking(asking, is_private)
            }
            Self::Open(session) => {
                carry(session, &mut request);
                ResponseFuture::calling(ready.call(request), is_private)
            }
            Self::Refuse(rejection) => {
                ResponseFuture::refused(rejection.into_response(&**responses), is_private)
            }
        }
    }
}

/// Gives a new session to the request that it was made for.
#[inline]
pub(super) fn carry<B>(session: Option<Session>, request: &mut Request<B>) {
    if let Some(session) = session {
        request.extensions_mut().insert(session);
    }
}

#[cfg(test)]
mod tests;
