//! What clients do with their tokens.

use std::time::Duration;

use http::Request;
use http::request::Parts;
use http_body::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cookies::Told;
use super::envelope::{answer, success};
use super::{
    Endpoints, Problem, Response, kept_session, limited, read_json_within, session, user_id,
};
use crate::clock::UnixTime;
use crate::error::BoxError;
use crate::jwt_session::Introspection;
use crate::rejection::Rejection;
use crate::session::{Session, SessionStatistics};
use crate::token::UserId;
use crate::verify::CustomClaims;

#[derive(Deserialize)]
struct Refresh {
    #[serde(rename = "refreshToken", alias = "refresh_token")]
    refresh_token: String,
}

#[derive(Deserialize)]
struct Validate {
    #[serde(rename = "accessToken", alias = "access_token")]
    access_token: String,
}

#[derive(Deserialize)]
struct AutoRefresh {
    #[serde(rename = "accessToken", alias = "access_token")]
    access_token: String,
    #[serde(rename = "refreshToken", alias = "refresh_token")]
    refresh_token: String,
}

/// A pair of tokens in the manner of these endpoints: camel case and milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pair<'t> {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'t str>,
    expires_in: u64,
    session_id: String,
}

/// Whether an access token that is still good should be refreshed by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Remaining {
    millis: u64,
    needs_refresh: bool,
}

impl<C: CustomClaims> Endpoints<C> {
    /// `POST /api/token/refresh`: a new pair for a refresh token, in the transport of its session.
    pub async fn refresh_token<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        self.limited_refresh(request, answer, |request| self.refreshed(request))
            .await
    }

    /// `POST /api/token/validate`: what an access token is worth. One that is worth nothing is a
    /// 200 that says so and no more.
    pub async fn validate_token<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        answer(self.validated(request).await)
    }

    /// `POST /api/token/auto-refresh`: a new pair where the access token has expired, is about to,
    /// or has outdated roles; else nothing happens.
    pub async fn auto_refresh<B>(&self, request: Request<B>) -> Response
    where
        B: Body<Error: Into<BoxError>>,
    {
        self.limited_refresh(request, answer, |request| self.refreshed_if_needed(request))
            .await
    }

    /// `GET /api/token/session-stats/{user}`: a user's live sessions summed up, for that user and
    /// for administrators. Others are refused whether or not there is such a user.
    pub async fn session_stats<B>(&self, user: &str, request: Request<B>) -> Response {
        let (request, _) = request.into_parts();
        answer(self.summed_up(user, &request).await)
    }

    async fn refreshed<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let (parts, presented) = self.presented::<Refresh, _>(request).await?;
        let tokens = self.refresh_with(presented).await?;
        let delivery = self.auth.deliver(&parts, tokens)?;
        Ok(delivery.on(|told| success("Token refreshed successfully", Pair::from(told))))
    }

    async fn validated<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let form: Validate = read_json_within(self.auth.body_timeout(), request).await?;
        let answer = match self.auth.introspect(&form.access_token).await {
            Introspection::Active(session) => {
                let remaining = self.remaining(&session);
                success("Token validated successfully", valid(&session, remaining))
            }
            Introspection::Expired(token) => {
                let expires_at = token.claims().facts().expires_at;
                success("Token has expired", expired(expires_at))
            }
            Introspection::Inactive => success("Token is not valid", invalid()),
            Introspection::Stale => success("Token needs to be refreshed", stale()),
            Introspection::StoreUnavailable { retry_after } => {
                return Err(Problem::store_unavailable(retry_after));
            }
        };
        Ok(answer)
    }

    async fn refreshed_if_needed<B>(&self, request: Request<B>) -> Result<Response, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let device = limited::device(&request);
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let form: AutoRefresh = read_json_within(self.auth.body_timeout(), request).await?;
        match self.auth.introspect(&form.access_token).await {
            Introspection::Active(session) => {
                let remaining = self.remaining(&session);
                if !remaining.needs_refresh {
                    return Ok(success(
                        "Token is still valid",
                        unrefreshed(&session, remaining),
                    ));
                }
            }
            Introspection::Expired(_) | Introspection::Stale => {}
            Introspection::Inactive => return Err(Rejection::InvalidToken.into()),
            Introspection::StoreUnavailable { retry_after } => {
                return Err(Problem::store_unavailable(retry_after));
            }
        }
        let tokens = self.refresh_on(&form.refresh_token, device).await?;
        let delivery = self.auth.deliver(&parts, tokens)?;
        Ok(delivery.on(|told| {
            let mut data = json!(Pair::from(told));
            data["refreshed"] = true.into();
            success("Token refreshed successfully", data)
        }))
    }

    async fn summed_up(&self, user: &str, request: &Parts) -> Result<Response, Problem> {
        if session(request)?.subject().as_str() == user {
            kept_session(request)?;
        } else {
            self.admin(request)?;
        }
        let user = user_id(user)?;
        let statistics = self.auth.sessions().statistics(&user).await?;
        Ok(success(
            "Session statistics retrieved successfully",
            summary(&user, &statistics),
        ))
    }

    fn remaining(&self, session: &Session) -> Remaining {
        let left = session.expires_at().since(self.auth.clock().now());
        Remaining::of(left, self.auth.rotation().suggestion())
    }
}

impl Remaining {
    fn of(left: Duration, threshold: Duration) -> Self {
        Self {
            millis: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            needs_refresh: left <= threshold,
        }
    }
}

impl<'t> From<&'t Told> for Pair<'t> {
    fn from(told: &'t Told) -> Self {
        Self {
            access_token: told.access_token.as_deref(),
            refresh_token: told.refresh_token.as_deref(),
            expires_in: told.expires_in.saturating_mul(1_000),
            session_id: told.session_id.to_string(),
        }
    }
}

impl From<Refresh> for String {
    fn from(form: Refresh) -> Self {
        form.refresh_token
    }
}

fn valid(session: &Session, remaining: Remaining) -> Value {
    json!({
        "isValid": true,
        "isExpired": false,
        "needsRefresh": remaining.needs_refresh,
        "expiresAt": session.expires_at().to_string(),
        "timeUntilExpiry": remaining.millis,
        "userId": session.subject().as_str(),
    })
}

/// Nothing is known of its session, so it is not told whose it was.
fn expired(expires_at: UnixTime) -> Value {
    json!({
        "isValid": false,
        "isExpired": true,
        "needsRefresh": true,
        "expiresAt": expires_at.to_string(),
        "timeUntilExpiry": 0,
    })
}

fn stale() -> Value {
    json!({ "isValid": false, "isExpired": false, "needsRefresh": true })
}

fn invalid() -> Value {
    json!({ "isValid": false })
}

fn unrefreshed(session: &Session, remaining: Remaining) -> Value {
    json!({
        "refreshed": false,
        "expiresIn": remaining.millis,
        "sessionId": session.id().map(|id| id.to_string()),
    })
}

fn summary(user: &UserId, statistics: &SessionStatistics) -> Value {
    let time = |time: Option<UnixTime>| time.map(|time| time.to_string());
    json!({
        "userId": user.as_str(),
        "activeSessions": statistics.active,
        "maxSessions": statistics.limit,
        "oldestSession": time(statistics.oldest),
        "newestSession": time(statistics.newest),
        "totalRefreshes": statistics.refreshes,
        "failedRefreshes": statistics.failed_refreshes,
        "devices": statistics.devices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_member_are_read_but_not_at_once() {
        let read = |body: &str| {
            let form = serde_json::from_str::<Refresh>(body);
            form.map(|form| form.refresh_token)
        };
        assert_eq!(read(r#"{"refreshToken":"a"}"#).unwrap(), "a");
        assert_eq!(read(r#"{"refresh_token":"b"}"#).unwrap(), "b");
        assert!(read(r#"{"refreshToken":"a","refresh_token":"b"}"#).is_err());
        assert!(read(r#"{"refreshToken":null}"#).is_err());
    }

    #[test]
    fn a_refresh_is_suggested_inside_the_threshold() {
        let threshold = Duration::from_secs(900);
        let of = |secs| Remaining::of(Duration::from_secs(secs), threshold);
        assert!(!of(901).needs_refresh);
        assert!(of(900).needs_refresh);
        assert_eq!(of(7_200).millis, 7_200_000);
    }

    #[test]
    fn a_token_that_is_worth_nothing_tells_nothing_more() {
        assert_eq!(invalid().to_string(), r#"{"isValid":false}"#);
    }

    #[test]
    fn an_expired_token_does_not_tell_whose_it_was() {
        let told = expired(UnixTime::from_secs(0));
        assert_eq!(told["isExpired"], true);
        assert_eq!(told["expiresAt"], "1970-01-01T00:00:00.000Z");
        assert!(told.get("userId").is_none());
    }
}
