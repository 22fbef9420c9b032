//! Answers.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use super::{Problem, Response, security};

/// A JSON answer that no cache keeps: most of them carry tokens or names of devices.
///
/// What cannot be written as JSON becomes a 500, and the cause stands in the log.
#[must_use]
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let body = match serde_json::to_vec(value) {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            return Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "misconfigured",
                "the server is not put together correctly",
            )
            .into_response();
        }
    };
    let mut response = empty(status);
    *response.body_mut() = Full::new(Bytes::from(body));
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// 204: done, and nothing to say.
#[must_use]
pub fn no_content() -> Response {
    empty(StatusCode::NO_CONTENT)
}

/// The answer of a handler that may have refused.
pub(super) fn answer(result: Result<Response, Problem>) -> Response {
    result.unwrap_or_else(Problem::into_response)
}

/// Nothing to read, and nothing for a cache to keep.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    security::of_data(response.headers_mut());
    response
}
