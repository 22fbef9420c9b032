//! Bodies: read with a bound, and turned into what they should be or into a problem.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Problem, drain, waits_for_leave};
use crate::error::BoxError;

/// The most bytes of a body: 64 KiB, far more than any request of ours needs.
pub const MAX_BODY: usize = 64 * 1024;

/// Reads a JSON object from a body of at most [`MAX_BODY`] bytes that comes within ten seconds.
///
/// Members that `T` does not know are left to `T`; serde ignores them unless told otherwise.
///
/// # Errors
///
/// A [`Problem`]: 415 when the body is not said to be JSON, 413 when it is too large, 408 when it
/// does not come in time, 400 when it is not JSON or breaks off, 422 when it is JSON of another shape.
pub async fn read_json<T, B>(request: Request<B>) -> Result<T, Problem>
where
    T: DeserializeOwned,
    B: Body<Error: Into<BoxError>>,
{
    read_json_within(TIMEOUT, request).await
}

/// The same where the body has another time to come, as that of
/// [`JwtSession::body_timeout`](crate::JwtSession::body_timeout).
///
/// # Errors
///
/// As for [`read_json`].
pub async fn read_json_within<T, B>(timeout: Duration, request: Request<B>) -> Result<T, Problem>
where
    T: DeserializeOwned,
    B: Body<Error: Into<BoxError>>,
{
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        if !waits_for_leave(&parts.headers) {
            drain(body).await;
        }
        return Err(another_type());
    }
    let body = read_body(timeout, &parts.headers, body).await?;
    parse(&body)
}

/// The same where a body is not required. An empty one is none, whatever frames it and whatever it
/// is said to be.
pub(super) async fn read_json_if_any<T, B>(
    timeout: Duration,
    request: Request<B>,
) -> Result<Option<T>, Problem>
where
    T: DeserializeOwned,
    B: Body<Error: Into<BoxError>>,
{
    let (parts, body) = request.into_parts();
    let body = read_body(timeout, &parts.headers, body).await?;
    if body.is_empty() {
        Ok(None)
    } else if is_json(&parts.headers) {
        parse(&body).map(Some)
    } else {
        Err(another_type())
    }
}

/// serde takes an array for a struct; here only an object is one.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Problem::malformed_body("the body is not UTF-8 throughout"))?;
    let well_formed = serde_json::from_str::<IgnoredAny>(text).is_ok();
    if !well_formed || has_lone_surrogate(text) {
        return Err(Problem::malformed_body("the body is not well-formed JSON"));
    }
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Problem::invalid_input("the body is not a JSON object"));
    }
    serde_json::from_str(text).map_err(|error| Problem::invalid_input(shape(&error)))
}

/// Whether JSON that is well-formed otherwise escapes half a character (RFC 8259, section 8.2).
/// serde does not look at that in members that it ignores.
fn has_lone_surrogate(json: &str) -> bool {
    let mut rest = json;
    let mut high = false;
    while let Some((before, escape)) = rest.split_once('\\') {
        if high && !before.is_empty() {
            return true;
        }
        let unit = escape.strip_prefix('u').and_then(|hex| hex.get(..4));
        let unit = unit.and_then(|hex| u16::from_str_radix(hex, 16).ok());
        let low = unit.is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
        if high != low {
            return true;
        }
        high = unit.is_some_and(|unit| (0xd800..0xdc00).contains(&unit));
        // What is escaped is one byte of ASCII, if only the `u`.
        rest = escape
            .get(if unit.is_some() { 5 } else { 1 }..)
            .unwrap_or_default();
    }
    high
}

/// Reads a body of any kind, of at most [`MAX_BODY`] bytes and within a time.
///
/// # Errors
///
/// A [`Problem`]: 413 when it is too large, 408 when it does not come in time, 400 when it breaks off.
pub async fn read_body<B>(timeout: Duration, headers: &HeaderMap, body: B) -> Result<Bytes, Problem>
where
    B: Body<Error: Into<BoxError>>,
{
    let mut body = std::pin::pin!(body);
    if announced(headers).is_some_and(|length| length > MAX_BODY as u64) {
        if !waits_for_leave(headers) {
            drain(body).await;
        }
        return Err(too_large());
    }
    let collecting = Limited::new(body.as_mut(), MAX_BODY).collect();
    match tokio::time::timeout(timeout, collecting).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            drain(body).await;
            Err(too_large())
        }
        Ok(Err(_)) => Err(Problem::malformed_body("the body broke off")),
        Err(_) => Err(too_slow()),
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `application/json`, or anything that says it is JSON by its suffix (RFC 6839, section 3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    match essence.strip_prefix("application/") {
        Some(subtype) => subtype == "json" || subtype.ends_with("+json"),
        None => false,
    }
}

/// What serde says of the shape, without the values: they may be secrets.
fn shape(error: &serde_json::Error) -> String {
    let text = error.to_string();
    for told in ["missing field", "duplicate field"] {
        if let Some(rest) = text.strip_prefix(told) {
            let name = rest.split('`').nth(1).unwrap_or_default();
            return format!("{told} `{name}`");
        }
    }
    "a member of the body is of the wrong type".to_owned()
}

pub(super) fn another_type() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "invalid_input",
        "send the body as application/json",
    )
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "invalid_input",
        "the body is larger than 64 KiB",
    )
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "request_timeout",
        "the body did not come in time",
    )
}

const TIMEOUT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
