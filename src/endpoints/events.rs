//! The event stream of a session: it says when the session is over, and why.
//!
//! | event | what it means | what a page does |
//! |---|---|---|
//! | `ended` | the session is over | shows why |
//! | `renew` | the token is over, the session perhaps not | refreshes, and opens the stream again |
//! | `unconfirmed` | this node cannot tell any more | opens the stream again, later |
//!
//! Each carries `{"reason","session_id"}` and is the last of its stream. Between them there are
//! comments, so that whoever stands in the middle leaves the connection alone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use serde_json::json;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::{Endpoints, Problem, kept_session, security};
use crate::BoxFuture;
use crate::revocation::EndReason;
use crate::session::Session;
use crate::token::SessionId;
use crate::verify::CustomClaims;

/// The body of [`Endpoints::session_events`]: server-sent events, or a refusal.
///
/// Dropping it closes the stream.
pub struct EventStream {
    ready: Option<Bytes>,
    live: Option<Live>,
}

/// A stream that goes on.
struct Live {
    session: SessionId,
    ended: BoxFuture<'static, EndReason>,
    beat: Interval,
    _place: Place,
}

/// How many streams each session holds open here.
#[derive(Clone)]
pub(crate) struct Streams {
    most: usize,
    open: Arc<Mutex<HashMap<SessionId, usize>>>,
}

/// One of them, until it is dropped.
pub(crate) struct Place {
    session: SessionId,
    streams: Streams,
}

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /sessions/events`: an event stream that ends with the session of the request, and says
    /// why; see [`EventStream`]. 429 where the session holds too many open already.
    ///
    /// For behind a layer whose requests are
    /// [no activity](crate::middleware::CountAs::Background): pages keep it open by themselves.
    pub async fn session_events<B>(&self, request: Request<B>) -> http::Response<EventStream> {
        let (request, _) = request.into_parts();
        let opened = kept_session(&request).and_then(|session| self.streams.open(session));
        match opened {
            Ok(stream) => {
                let mut response = http::Response::new(stream);
                of_stream(response.headers_mut());
                response
            }
            Err(problem) => problem.into_bytes().map(|body| EventStream {
                ready: Some(body),
                live: None,
            }),
        }
    }
}

impl Streams {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    fn open(&self, session: &Session) -> Result<EventStream, Problem> {
        let id = session.id().ok_or_else(Problem::session_not_kept)?;
        let place = self.take(id)?;
        Ok(EventStream {
            ready: Some(Bytes::from_static(b"retry: 3000\n: open\n\n")),
            live: Some(Live {
                session: id,
                ended: Box::pin(session.ended()),
                beat: beat(),
                _place: place,
            }),
        })
    }

    /// Takes a place, where the session holds none too many.
    pub(crate) fn take(&self, session: SessionId) -> Result<Place, Problem> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(session).or_default();
        if *count >= self.most {
            return Err(too_many());
        }
        *count += 1;
        Ok(Place {
            session,
            streams: self.clone(),
        })
    }
}

impl Default for Streams {
    fn default() -> Self {
        Self::new(8)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let open = &self.streams.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = open.entry(self.session) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(ready) = self.ready.take() {
            return Poll::Ready(Some(Ok(Frame::data(ready))));
        }
        let Some(live) = &mut self.live else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(reason) = live.ended.as_mut().poll(cx) {
            let last = last_event(&reason, live.session);
            self.live = None;
            return Poll::Ready(Some(Ok(Frame::data(last))));
        }
        if live.beat.poll_tick(cx).is_ready() {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b":\n\n")))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_none() && self.live.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.ready, &self.live) {
            (Some(ready), None) => Full::new(ready.clone()).size_hint(),
            (None, None) => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("live", &self.live.is_some())
            .finish_non_exhaustive()
    }
}

fn last_event(reason: &EndReason, session: SessionId) -> Bytes {
    let event = match reason {
        EndReason::Expired | EndReason::Replaced | EndReason::RolesChanged => "renew",
        EndReason::Unconfirmed => "unconfirmed",
        _ => "ended",
    };
    let data = json!({ "reason": reason.as_str(), "session_id": session.to_string() });
    Bytes::from(format!("event: {event}\ndata: {data}\n\n"))
}

/// What an answer says that goes on.
pub(crate) fn of_stream(headers: &mut HeaderMap) {
    security::of_data(headers);
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(CACHE_CONTROL, UNTOUCHED);
    headers.insert(X_ACCEL_BUFFERING, NO);
}

/// When a stream says that it is still there.
pub(crate) fn beat() -> Interval {
    let mut beat = interval_at(Instant::now() + BEAT, BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "this session holds too many event streams open",
    )
    .with_header(http::header::RETRY_AFTER, "30")
}

/// Well below the minute after which proxies give a silent connection up.
const BEAT: Duration = Duration::from_secs(15);

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const UNTOUCHED: HeaderValue = HeaderValue::from_static("no-store, no-transform");
const NO: HeaderValue = HeaderValue::from_static("no");
/// nginx collects answers unless it is told not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

#[cfg(test)]
mod tests;
