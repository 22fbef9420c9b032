//! Rejections as responses.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response};
use serde::Serialize;

use super::Rejection;

/// Makes the response of a refused request.
///
/// [`ProblemResponses`] and [`EmptyResponses`] are ready-made; a closure does as well.
///
/// # Examples
///
/// ```
/// use http::Response;
/// use tower_jwt_session::Rejection;
/// use tower_jwt_session::rejection::ResponseForRejection;
///
/// let plain = |rejection: &Rejection| {
///     let mut response = Response::new(rejection.detail().to_owned());
///     *response.status_mut() = rejection.status();
///     response
/// };
/// let response = plain.response_for(&Rejection::InsufficientRole);
/// assert_eq!(response.status(), 403);
/// ```
///
/// # Security
///
/// Answer with [`Rejection::status`] and nothing below 400: a refusal that looks like a success
/// is one for whoever reads it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot make a refusal whose body is `{B}`",
    label = "no refusal can be made for this body",
    note = "`ProblemResponses` needs a body that is `From<Bytes>`, `EmptyResponses` one that is \
            `Default`; for any other, give `with_responses` a closure that takes `&Rejection` \
            and returns the response"
)]
pub trait ResponseForRejection<B> {
    /// The response that the client gets.
    fn response_for(&self, rejection: &Rejection) -> Response<B>;
}

impl<B, F> ResponseForRejection<B> for F
where
    F: Fn(&Rejection) -> Response<B>,
{
    fn response_for(&self, rejection: &Rejection) -> Response<B> {
        self(rejection)
    }
}

/// Problem documents (RFC 9457), for every body that can be made from bytes.
///
/// `{"type":"about:blank","title","status","detail","code"}` and the headers of
/// [`EmptyResponses`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ProblemResponses;

impl<B: From<Bytes>> ResponseForRejection<B> for ProblemResponses {
    fn response_for(&self, rejection: &Rejection) -> Response<B> {
        let status = rejection.status();
        let document = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: rejection.detail(),
            code: rejection.code(),
        };
        let json = serde_json::to_vec(&document).expect("four texts and a number are always JSON");
        let mut response = bare(rejection, B::from(Bytes::from(json)));
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        response
    }
}

/// Status and headers alone, for every body that can be empty.
///
/// `WWW-Authenticate` on a 401 or 403 (RFC 6750, section 3), `Retry-After` on a 503 (RFC 9110,
/// section 10.2.3), `Cache-Control: no-store` on all.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyResponses;

impl<B: Default> ResponseForRejection<B> for EmptyResponses {
    fn response_for(&self, rejection: &Rejection) -> Response<B> {
        bare(rejection, B::default())
    }
}

impl Rejection {
    /// The response of this refusal, which also tells outer layers why: it is in the extensions.
    pub(crate) fn into_response<B>(self, responses: &impl ResponseForRejection<B>) -> Response<B> {
        let mut response = responses.response_for(&self);
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Serialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    code: &'static str,
}

fn bare<B>(rejection: &Rejection, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = rejection.status();
    add_headers(response.headers_mut(), rejection);
    response
}

fn add_headers(headers: &mut HeaderMap, rejection: &Rejection) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(challenge) = rejection.challenge() {
        // A 401 without a challenge is not one (RFC 9110, section 15.5.2), so a poorer one it is
        // should the text ever not fit a header.
        let value = HeaderValue::try_from(challenge).unwrap_or(BEARER);
        headers.insert(WWW_AUTHENTICATE, value);
    }
    if let Some(retry_after) = rejection.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(retry_after)));
    }
}

/// Rounded up and never zero: a client that is early would only be refused again.
fn whole_seconds(duration: Duration) -> u64 {
    let started = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(started).max(1)
}

const BEARER: HeaderValue = HeaderValue::from_static("Bearer");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

#[cfg(test)]
mod tests;
