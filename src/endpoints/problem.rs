//! Refusals as problem documents (RFC 9457).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value};

use super::{Response, security};
use crate::rejection::Rejection;
use crate::session::SessionError;
use crate::token::InvalidId;

/// Why a request was refused: what becomes a problem document (RFC 9457).
///
/// `code` is for programs and `detail` for people; neither holds anything that the client may not
/// know. A 401 carries the challenge of RFC 6750, section 3.
///
/// # Examples
///
/// ```
/// use http::StatusCode;
/// use tower_jwt_session::endpoints::Problem;
///
/// let problem = Problem::new(StatusCode::CONFLICT, "account_exists", "there is such an account");
/// let response = problem.into_response();
/// assert_eq!(response.headers()["content-type"], "application/problem+json");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    // Boxed to keep every `Result` that may hold a problem small.
    more: Box<More>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct More {
    headers: HeaderMap,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem of this status; `code` for programs, `detail` for people.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self {
            status,
            code,
            detail: detail.into(),
            more: Box::default(),
        };
        if status == StatusCode::UNAUTHORIZED {
            problem = problem.with_header(WWW_AUTHENTICATE, "Bearer");
        }
        problem
    }

    /// 401: the name or the password is wrong. Which of the two is not told.
    #[must_use]
    pub fn invalid_credentials() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid_credentials",
            "the name or the password is wrong",
        )
    }

    /// 422: the request can be read, but what it says cannot be accepted.
    #[must_use]
    pub fn invalid_input(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, INVALID_INPUT, detail)
    }

    /// 405 with the `Allow` header (RFC 9110, section 15.5.6) where `allow` is not empty.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "there is something here, but not for this method",
        );
        if allow.is_empty() {
            problem
        } else {
            problem.with_header(ALLOW, allow)
        }
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing")
    }

    /// 503 with `Retry-After`: something that the server depends on is away.
    #[must_use]
    pub fn store_unavailable(retry_after: Duration) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store_unavailable",
            "this cannot be done right now; try again",
        )
        .retry_after(retry_after)
    }

    /// The same with a header; what cannot stand in a header is left out.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.more.headers.insert(name, value);
        }
        self
    }

    /// The same with a further member (RFC 9457, section 3.2).
    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.members.insert(name.to_owned(), value.into());
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What programs go by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What people read.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The response: `application/problem+json`, never stored by a cache.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.into_bytes().map(Full::new)
    }

    pub(crate) fn into_bytes(self) -> http::Response<Bytes> {
        let mut document = Map::new();
        document.insert("type".to_owned(), "about:blank".into());
        document.insert("title".to_owned(), self.title().into());
        document.insert("status".to_owned(), self.status.as_u16().into());
        document.insert("code".to_owned(), self.code.into());
        document.insert("detail".to_owned(), self.detail.into());
        let More { headers, members } = *self.more;
        document.extend(members);
        let body = Bytes::from(Value::Object(document).to_string());

        let mut response = http::Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        security::of_data(headers);
        response
    }

    pub(super) fn malformed_body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_INPUT, detail)
    }

    /// 401 for a token that came in a body, with the challenge of RFC 6750, section 3.1.
    pub(super) fn invalid_token(code: &'static str, detail: &str) -> Self {
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{detail}\"");
        Self::new(StatusCode::UNAUTHORIZED, code, detail).with_header(WWW_AUTHENTICATE, &challenge)
    }

    /// 403 for a token whose session is not among ours (RFC 6750, section 3.1).
    pub(super) fn session_not_kept() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "the session of this token is not kept here",
        )
        .with_header(WWW_AUTHENTICATE, "Bearer error=\"insufficient_scope\"")
    }

    fn retry_after(self, after: Duration) -> Self {
        // Rounded up, and never "at once": a client that honours it must not come back too early.
        let secs = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        self.with_header(RETRY_AFTER, &secs.max(1).to_string())
    }

    fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<InvalidId> for Problem {
    fn from(error: InvalidId) -> Self {
        SessionError::from(error).into()
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let mut problem = Self::new(rejection.status(), rejection.code(), rejection.detail());
        if let Some(challenge) = rejection.challenge() {
            problem = problem.with_header(WWW_AUTHENTICATE, &challenge);
        }
        match rejection.retry_after() {
            Some(after) => problem.retry_after(after),
            None => problem,
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::ClaimsSource(_) | SessionError::Store(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "request not served"
                );
                Self::store_unavailable(RETRY_AFTER_FAILURE)
            }
            SessionError::InvalidInput { what } => Self::invalid_input(what),
            SessionError::InvalidToken => Self::invalid_token(
                "invalid_token",
                "the token is not valid here; sign in again",
            ),
            SessionError::LimitReached => Self::new(
                StatusCode::CONFLICT,
                "session_limit_reached",
                error.to_string(),
            ),
            SessionError::NotFound => Self::not_found(),
            // Only whoever holds a genuine refresh token of the session comes to this.
            SessionError::Over(reason) => {
                Self::invalid_token("invalid_token", "the session is over; sign in again")
                    .with_member("reason", reason.as_str())
            }
            SessionError::Overloaded { retry_after } => {
                Self::from(Rejection::Overloaded { retry_after })
            }
            SessionError::RefreshReused => Self::invalid_token(
                "refresh_reused",
                "the refresh token was used before; the session was ended; sign in again",
            ),
            SessionError::SignInSuperseded | SessionError::TicketOutdated => Self::new(
                StatusCode::CONFLICT,
                "sign_in_superseded",
                "the session of this sign-in has ended meanwhile; sign in again",
            ),
            SessionError::TooManyRepeats { retry_after } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "the same refresh was repeated too often; try again later",
            )
            .retry_after(retry_after),
            SessionError::Token(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "access token not made"
                );
                Self::from(Rejection::Misconfigured {
                    what: "the application's claims cannot be put into a token",
                })
            }
            SessionError::UnknownUser => {
                Self::invalid_token("invalid_token", "there is no such account any more")
            }
        }
    }
}

const INVALID_INPUT: &str = "invalid_input";

/// Shorter than the grace of a rotation, so that a refresh that is repeated then still counts as
/// the same.
const RETRY_AFTER_FAILURE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
