//! [`ResponseFuture`]: a request on its way through.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::passage::{Question, carry};
use crate::rejection::ResponseForRejection;

pin_project! {
    /// The response of the inner service, or a refusal.
    ///
    /// The future of [`JwtSessionService`](super::JwtSessionService) and of the
    /// [guards](crate::guard). Dropping it gives the request up.
    ///
    /// # Panics
    ///
    /// When it is polled again after it was ready.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, J, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, J, B>,
        // Whether the response may depend on a cookie, so that no cache may give it to somebody else.
        is_private: bool,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, J, B>
    where
        S: Service<Request<B>>,
    {
        // Boxed, because it is rare and would make the others as large as itself.
        Asking { asking: Option<Box<Asking<S, J, B>>> },
        Calling { #[pin] future: S::Future },
        Refused { response: Option<S::Response> },
    }
}

/// A request that waits for an answer of the store, with the service that was polled ready for it.
pub(super) struct Asking<S, J, B> {
    pub(super) question: Question,
    pub(super) service: S,
    pub(super) request: Request<B>,
    pub(super) responses: Arc<J>,
}

impl<S, J, B> ResponseFuture<S, J, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn asking(asking: Asking<S, J, B>, is_private: bool) -> Self {
        Self {
            state: State::Asking {
                asking: Some(Box::new(asking)),
            },
            is_private,
        }
    }

    #[inline]
    pub(super) fn calling(future: S::Future, is_private: bool) -> Self {
        Self {
            state: State::Calling { future },
            is_private,
        }
    }

    pub(super) fn refused(response: S::Response, is_private: bool) -> Self {
        Self {
            state: State::Refused {
                response: Some(response),
            },
            is_private,
        }
    }
}

impl<S, J, B, R> Future for ResponseFuture<S, J, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    J: ResponseForRejection<R>,
{
    type Output = Result<Response<R>, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut state = this.state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Calling { future } => {
                    // Where nothing is to be added, the answer is not moved a second time.
                    return if *this.is_private {
                        future.poll(cx).map_ok(kept_private)
                    } else {
                        future.poll(cx)
                    };
                }
                StateProjection::Refused { response } => {
                    let response = response.take().expect("polled after it was ready");
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Asking { asking } => ready!(answered(asking, cx)),
            };
            state.set(next);
        }
    }
}

impl<S, J, B> fmt::Debug for ResponseFuture<S, J, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Asking { .. } => "ResponseFuture::Asking",
            State::Calling { .. } => "ResponseFuture::Calling",
            State::Refused { .. } => "ResponseFuture::Refused",
        })
    }
}

/// Unlike a response to an `Authorization` (RFC 9111, section 3.5), one to a cookie may be kept by a
/// shared cache, unless it says that it may not. What the service itself says of that stands.
fn kept_private<R>(mut response: Response<R>) -> Response<R> {
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
    response
}

fn answered<S, J, B, R>(
    slot: &mut Option<Box<Asking<S, J, B>>>,
    cx: &mut Context<'_>,
) -> Poll<State<S, J, B>>
where
    S: Service<Request<B>, Response = Response<R>>,
    J: ResponseForRejection<R>,
{
    let asking = slot.as_mut().expect("polled after a panic");
    let answer = ready!(asking.question.as_mut().poll(cx));
    let mut asking = slot.take().expect("it was there a line ago");
    Poll::Ready(match answer {
        Ok(session) => {
            carry(session, &mut asking.request);
            State::Calling {
                future: asking.service.call(asking.request),
            }
        }
        Err(rejection) => State::Refused {
            response: Some(rejection.into_response(&*asking.responses)),
        },
    })
}
