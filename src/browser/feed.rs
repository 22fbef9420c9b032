//! The live feed of events for administrators.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use serde_json::json;
use tokio::time::{Interval, sleep};

use super::form::value;
use super::{Instead, Pages};
use crate::BoxFuture;
use crate::endpoints::{Place, Response, beat, of_stream};
use crate::events::{SeenEvent, Statistics};
use crate::revocation::EndReason;
use crate::session::Session;
use crate::verify::CustomClaims;

/// The body of [`Pages::admin_events`]: server-sent events for as long as the session lasts, or a
/// refusal.
///
/// Dropping it closes the stream.
pub struct EventFeed {
    ready: Option<Full<Bytes>>,
    live: Option<Live>,
}

/// A feed that goes on.
struct Live {
    statistics: Statistics,
    last: u64,
    next: BoxFuture<'static, Vec<SeenEvent>>,
    ended: BoxFuture<'static, EndReason>,
    beat: Interval,
    _place: Place,
}

impl<C: CustomClaims> Pages<C> {
    /// `GET /api/admin/events?after=`: what happened on this node since the event of that number (or
    /// of `Last-Event-ID`), and what happens from now on, as server-sent events. The stream ends with the session, and with
    /// its token; whoever asks again after a refresh goes on where it ended.
    ///
    /// For behind a layer whose requests are
    /// [no activity](crate::middleware::CountAs::Background): pages keep it open by themselves.
    pub async fn admin_events<B>(&self, request: Request<B>) -> http::Response<EventFeed> {
        let (request, _) = request.into_parts();
        match self.feed(&request) {
            Ok(feed) => {
                let mut response = http::Response::new(feed);
                of_stream(response.headers_mut());
                response
            }
            Err(Instead(refusal)) => EventFeed::refusal(*refusal),
        }
    }

    fn feed(&self, request: &Parts) -> Result<EventFeed, Instead> {
        let session = self.admin_for_programs(request)?;
        self.opened(session, last_heard(request))
    }

    fn opened(&self, session: &Session, last: u64) -> Result<EventFeed, Instead> {
        let id = session
            .id()
            .ok_or_else(crate::endpoints::Problem::not_found)?;
        let place = self.feeds.take(id)?;
        let statistics = self.settings.statistics.clone();
        let next = next(statistics.clone(), last, Duration::ZERO);
        Ok(EventFeed {
            ready: Some(Full::new(Bytes::from_static(b"retry: 2000\n: open\n\n"))),
            live: Some(Live {
                statistics,
                last,
                next,
                ended: Box::pin(session.ended()),
                beat: beat(),
                _place: place,
            }),
        })
    }
}

impl EventFeed {
    fn refusal(response: Response) -> http::Response<Self> {
        response.map(|body| Self {
            ready: Some(body),
            live: None,
        })
    }
}

impl Live {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(events) = self.next.as_mut().poll(cx) {
            self.last = events.last().map_or(self.last, |event| event.number);
            self.next = next(self.statistics.clone(), self.last, GAP);
            return Poll::Ready(Some(lines(&events)));
        }
        if self.beat.poll_tick(cx).is_ready() {
            return Poll::Ready(Some(Bytes::from_static(b":\n\n")));
        }
        Poll::Pending
    }
}

impl Body for EventFeed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(mut ready) = self.ready.take() {
            return Pin::new(&mut ready).poll_frame(cx);
        }
        let Some(live) = &mut self.live else {
            return Poll::Ready(None);
        };
        match live.poll(cx) {
            Poll::Ready(Some(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Poll::Ready(None) => {
                self.live = None;
                Poll::Ready(None)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.live.is_none() && self.ready.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.ready, &self.live) {
            (Some(ready), None) => ready.size_hint(),
            (None, None) => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

impl fmt::Debug for EventFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventFeed")
            .field("live", &self.live.is_some())
            .finish_non_exhaustive()
    }
}

/// The number of the last event that the client has: as browsers say it when they come again, or
/// as the page asks for.
fn last_heard(request: &Parts) -> u64 {
    let header = request.headers.get("last-event-id");
    let header = header.and_then(|value| value.to_str().ok()?.parse().ok());
    let asked = || {
        value(request.uri.query()?.as_bytes(), "after")?
            .parse()
            .ok()
    };
    header.or_else(asked).unwrap_or(0)
}

/// What comes after a number, and not before a pause: however much happens, a feed is a few writes
/// a second.
fn next(statistics: Statistics, last: u64, pause: Duration) -> BoxFuture<'static, Vec<SeenEvent>> {
    Box::pin(async move {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        statistics.next_events(last).await
    })
}

fn lines(events: &[SeenEvent]) -> Bytes {
    let mut lines = String::new();
    for event in events {
        // Writing to a string does not fail.
        let _ = write!(lines, "id: {}\ndata: {}\n\n", event.number, json!(event));
    }
    lines.into()
}

const GAP: Duration = Duration::from_millis(250);
