//! What administrators read by a program: counts over time, and the feed of events.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::form::parameter;
use super::{Instead, Pages, either};
use crate::endpoints::{Problem, Response, json};
use crate::events::Counts;
use crate::session::Session;
use crate::verify::CustomClaims;

impl<C: CustomClaims> Pages<C> {
    /// `GET /api/admin/stats?window=`: counts by the minute over a window of `1h` (the default) up
    /// to `24h`: `{"window_seconds", "totals", "minutes"}`, the current minute last.
    pub async fn admin_stats<B>(&self, request: Request<B>) -> Response {
        let asked = parameter(&request, "window");
        let (request, _) = request.into_parts();
        either(self.admin_for_programs(&request).and_then(|_| {
            let minutes = window(asked.as_deref())?;
            let counts = self.counted(minutes);
            let answer = json!({
                "window_seconds": minutes * 60,
                "totals": totals(&counts),
                "minutes": counts,
            });
            Ok(json(StatusCode::OK, &answer))
        }))
    }

    /// `GET /api/admin/events`: what happened since the event of `Last-Event-ID`, as server-sent
    /// events. The answer ends at once and asks to come again in two seconds, so it holds no
    /// connection.
    pub async fn admin_events<B>(&self, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        let last = request.headers.get("last-event-id");
        let last = last.and_then(|value| value.to_str().ok()?.parse().ok());
        either(self.admin_for_programs(&request).map(|_| {
            let mut stream = "retry: 2000\n\n".to_owned();
            for event in self.settings.statistics.events_after(last.unwrap_or(0)) {
                // Writing to a string does not fail.
                let _ = write!(stream, "id: {}\ndata: {}\n\n", event.number, json!(event));
            }
            let mut response = Response::new(Full::new(Bytes::from(stream)));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }))
    }

    pub(super) fn counted(&self, minutes: usize) -> Vec<Counts> {
        let now = self.auth.clock().now();
        self.settings.statistics.by_minute(now, minutes)
    }

    /// Programs are told, and not led to a page.
    fn admin_for_programs<'r>(
        &self,
        request: &'r http::request::Parts,
    ) -> Result<&'r Session, Instead> {
        if request.extensions.get::<Session>().is_none() {
            let missing = crate::rejection::Rejection::MissingToken;
            return Err(Problem::from(missing).into());
        }
        self.admin_session(request)
    }
}

pub(super) fn totals(counts: &[Counts]) -> Counts {
    let mut totals = Counts::default();
    for counted in counts {
        totals += *counted;
    }
    totals
}

/// A window in minutes.
pub(super) fn window(asked: Option<&str>) -> Result<usize, Problem> {
    let Some(asked) = asked else {
        return Ok(60);
    };
    let wrong = || Problem::invalid_input("window is a duration of 1m to 24h, as 1h");
    let window = humantime::parse_duration(asked).map_err(|_| wrong())?;
    if !(Duration::from_secs(60)..=Duration::from_secs(24 * 60 * 60)).contains(&window) {
        return Err(wrong());
    }
    usize::try_from(window.as_secs() / 60).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_minute_to_a_day() {
        assert_eq!(window(None).unwrap(), 60);
        assert_eq!(window(Some("24h")).unwrap(), 1440);
        for wrong in ["", "1s", "25h", "yesterday", "99999999999999999999d"] {
            assert_eq!(window(Some(wrong)).unwrap_err().status(), 422, "{wrong}");
        }
    }
}
