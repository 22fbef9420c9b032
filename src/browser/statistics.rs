//! What administrators read by a program: counts, now and over time.

use std::time::Duration;

use http::request::Parts;
use http::{Request, StatusCode};
use serde_json::json;

use super::census::Counted;
use super::form::parameter;
use super::{Instead, Pages, either};
use crate::endpoints::{Problem, Response, json};
use crate::events::Counts;
use crate::jwt_session::JwtSession;
use crate::session::{Population, Session};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Pages<C> {
    /// `GET /api/admin/stats?window=`: how many live sessions the store holds, and of how many users
    /// (`live`; null where it has not answered yet); and what was done, by the minute, over a window of `1h` (the
    /// default) up to `24h`, the current minute last: by all nodes as the audit log tells it (`fleet`; null where
    /// there is none), and by this one: `{"live", "fleet": {"as_of", "since", "covers_window",
    /// "has_refreshes", "totals", "minutes"}, "node": {"window_seconds", "totals", "minutes"}}`.
    ///
    /// No more than 20,000 entries of the log are read, once in 15 seconds; `since` says how far back that reached, and
    /// refreshes are counted where `SESSION_AUDIT=all` has each of them written down.
    pub async fn admin_stats<B>(&self, request: Request<B>) -> Response {
        let asked = parameter(&request, "window");
        let (request, _) = request.into_parts();
        either(self.stats(&request, asked.as_deref()).await)
    }

    async fn stats(&self, request: &Parts, asked: Option<&str>) -> Result<Response, Instead> {
        self.admin_for_programs(request)?;
        let minutes = window(asked)?;
        let counts = self.counted(minutes);
        let live = self.population().await;
        let fleet = self.of_fleet().await;
        let answer = json!({
            "live": live.map(|live| json!({
                "sessions": live.what.sessions,
                "users": live.what.users,
                "as_of": live.at.to_string(),
            })),
            "fleet": fleet.map(|fleet| fleet.what.to_json(minutes, fleet.at)),
            "node": {
                "window_seconds": minutes * 60,
                "totals": totals(&counts),
                "minutes": counts,
            },
        });
        Ok(json(StatusCode::OK, &answer))
    }

    pub(super) async fn population(&self) -> Option<Counted<Population>> {
        let count = |auth: JwtSession<C>| async move { auth.sessions().population().await };
        self.census.lately(&self.auth, count).await
    }

    pub(super) fn counted(&self, minutes: usize) -> Vec<Counts> {
        let now = self.auth.clock().now();
        self.settings.statistics.by_minute(now, minutes)
    }

    /// Programs are told, and not led to a page.
    pub(super) fn admin_for_programs<'r>(
        &self,
        request: &'r Parts,
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
