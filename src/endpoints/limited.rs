//! Attempts that are limited, and what their answers tell of it.

use std::net::IpAddr;
use std::time::Duration;

use http::header::{HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body::Body;

use super::{Endpoints, Problem, Response, drain, reply, waits_for_leave};
use crate::device::{self, ClientAddress};
use crate::error::BoxError;
use crate::session::{Device, Tokens};
use crate::throttle::{Allowance, Attempt, Exceeded};
use crate::verify::CustomClaims;

/// How many attempts there are in a window; with the two below the fields of the IETF's
/// `draft-ietf-httpapi-ratelimit-headers` up to its version 06, which clients know best.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
/// How many are left.
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
/// In how many seconds all are back.
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// What the answers of the endpoints carry beside what every script may read, for the
/// `Access-Control-Expose-Headers` of a CORS layer.
pub const EXPOSED_HEADERS: [HeaderName; 6] = [
    http::header::WWW_AUTHENTICATE,
    RETRY_AFTER,
    http::header::ETAG,
    LIMIT,
    REMAINING,
    RESET,
];

impl<C: CustomClaims> Endpoints<C> {
    /// Counts an attempt before it is answered, for the sign-in of an application: 429 where there
    /// were too many, else its answer, which tells what is left. See
    /// [`throttle`](crate::throttle) for what is counted by what.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_jwt_session::Device;
    /// use tower_jwt_session::endpoints::{Endpoints, Problem, Response};
    /// use tower_jwt_session::throttle::Attempt;
    ///
    /// # async fn check(_: &str) -> Result<Response, Problem> { Err(Problem::invalid_credentials()) }
    /// async fn sign_in(endpoints: &Endpoints, device: &Device, account: &str) -> Response {
    ///     let attempt = Attempt::SignIn { account };
    ///     endpoints.limited(attempt, device.address, check(account)).await
    /// }
    /// # let _ = sign_in;
    /// ```
    pub async fn limited(
        &self,
        attempt: Attempt<'_>,
        address: Option<IpAddr>,
        answer: impl Future<Output = Result<Response, Problem>>,
    ) -> Response {
        match self.auth.rate_limiter().attempt(attempt, address) {
            Ok(allowance) => told(reply::answer(answer.await), allowance),
            Err(exceeded) => Problem::from(exceeded).into_response(),
        }
    }

    /// A refresh: counted by its address before its body is looked at.
    pub(super) async fn limited_refresh<B, F>(
        &self,
        request: Request<B>,
        shown: fn(Result<Response, Problem>) -> Response,
        answer: impl FnOnce(Request<B>) -> F,
    ) -> Response
    where
        B: Body<Error: Into<BoxError>>,
        F: Future<Output = Result<Response, Problem>>,
    {
        let limiter = self.auth.rate_limiter();
        match limiter.attempt(Attempt::Refresh, address(&request)) {
            Ok(allowance) => told(shown(answer(request).await), allowance),
            Err(exceeded) => {
                if !waits_for_leave(request.headers()) {
                    drain(request.into_body()).await;
                }
                shown(Err(exceeded.into()))
            }
        }
    }

    /// Refreshes by a token, on this device, as often as its session may.
    pub(super) async fn refresh_on(
        &self,
        refresh_token: &str,
        device: Device,
    ) -> Result<Tokens, Problem> {
        let sessions = self.auth.sessions();
        if let Some(session) = sessions.session_by_token(refresh_token) {
            self.auth.rate_limiter().session(session)?;
        }
        Ok(sessions.refresh_on(refresh_token, device).await?)
    }
}

/// The device of the client, as far as its headers tell and a layer has noted its address.
pub(super) fn device<B>(request: &Request<B>) -> Device {
    device::seen(request.headers(), address(request))
}

/// The address of the client, where a layer has noted it.
pub(super) fn address<B>(request: &Request<B>) -> Option<IpAddr> {
    let client = request.extensions().get::<ClientAddress>();
    client.map(|client| client.ip())
}

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        let mut headers = HeaderMap::new();
        tell(&mut headers, exceeded.allowance);
        let problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "there were too many attempts; try again later",
        );
        let after = seconds(exceeded.retry_after).max(1);
        let problem = problem.with_header(RETRY_AFTER, &after.to_string());
        headers.iter().fold(problem, |problem, (name, value)| {
            problem.with_header(name.clone(), value.to_str().unwrap_or_default())
        })
    }
}

fn told(mut response: Response, allowance: Option<Allowance>) -> Response {
    // What was refused by a tighter limit has told of that one.
    if let Some(allowance) = allowance.filter(|_| !response.headers().contains_key(LIMIT)) {
        tell(response.headers_mut(), allowance);
    }
    response
}

fn tell(headers: &mut HeaderMap, allowance: Allowance) {
    headers.insert(LIMIT, allowance.limit.into());
    headers.insert(REMAINING, allowance.remaining.into());
    headers.insert(RESET, HeaderValue::from(seconds(allowance.reset)));
}

/// Rounded up: a client that comes back then must not be too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance {
        limit: 100,
        remaining: 7,
        reset: Duration::from_millis(8_001),
    };

    #[test]
    fn an_answer_tells_what_is_left() {
        let response = told(reply::no_content(), Some(ALLOWANCE));
        assert_eq!(response.headers()["ratelimit-limit"], "100");
        assert_eq!(response.headers()["ratelimit-remaining"], "7");
        assert_eq!(response.headers()["ratelimit-reset"], "9");
        let silent = told(reply::no_content(), None);
        assert!(!silent.headers().contains_key("ratelimit-limit"));
    }

    #[test]
    fn a_refusal_says_when_to_come_back_and_never_at_once() {
        for (after, said) in [(0, "1"), (900, "1"), (1_001, "2"), (9_000, "9")] {
            let exceeded = Exceeded {
                allowance: Allowance {
                    remaining: 0,
                    ..ALLOWANCE
                },
                retry_after: Duration::from_millis(after),
            };
            let response = told(Problem::from(exceeded).into_response(), Some(ALLOWANCE));
            assert_eq!(response.status(), 429);
            assert_eq!(response.headers()["retry-after"], said);
            assert_eq!(response.headers()["ratelimit-remaining"], "0");
        }
    }
}
