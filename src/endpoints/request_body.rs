//! Bodies of requests, whatever server they came from.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::oneshot;

use super::{drain, waits_for_leave};
use crate::error::BoxError;

type Erased = UnsyncBoxBody<Bytes, BoxError>;

/// The body of a request as the endpoints and what stands [inside of them](super::Endpoints::around)
/// receive it: that of any server.
///
/// What nobody reads of it is read and thrown away before the answer goes out, within the bounds
/// of [`drain`], so that a client that is still sending gets to see the answer.
pub struct RequestBody {
    // Behind a lock that is never contended: some servers want bodies that can be shared.
    body: Mutex<Erased>,
    touched: bool,
    back: Option<oneshot::Sender<Erased>>,
}

/// Where a body comes back to that was lent.
pub(crate) struct Unread(Option<oneshot::Receiver<Erased>>);

impl RequestBody {
    /// Lends the body of a request.
    pub(crate) fn lend<B>(request: Request<B>) -> (Request<Self>, Unread)
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let (parts, body) = request.into_parts();
        let mut lent = Self {
            touched: !waits_for_leave(&parts.headers),
            back: None,
            body: Mutex::new(Erased::default()),
        };
        if body.is_end_stream() {
            return (Request::from_parts(parts, lent), Unread(None));
        }
        let (back, returned) = oneshot::channel();
        lent.back = Some(back);
        lent.body = Mutex::new(body.map_err(Into::into).boxed_unsync());
        (Request::from_parts(parts, lent), Unread(Some(returned)))
    }

    fn body(&mut self) -> &mut Erased {
        self.body.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unread {
    /// Reads what was left of the body before an answer of this status goes out, unless somebody still does, or
    /// has waited for it long enough.
    pub(crate) async fn drain_for(self, answer: StatusCode) {
        if answer == StatusCode::REQUEST_TIMEOUT {
            return;
        }
        if let Some(Ok(rest)) = self.0.map(|mut returned| returned.try_recv()) {
            drain(rest).await;
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.touched = true;
        Pin::new(self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(back) = self.back.take().filter(|_| self.touched) {
            // Nobody waits for it when the request was dropped as a whole.
            let _ = back.send(std::mem::take(self.body()));
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").finish_non_exhaustive()
    }
}
