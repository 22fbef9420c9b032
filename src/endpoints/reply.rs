//! Answers.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
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

/// The answer to a method that a resource is not for. `OPTIONS` asks which ones it is for, and gets
/// 204 with `Allow` (RFC 9110, section 9.3.7); a CORS layer outside of it answers preflights.
///
/// Where `allow` is empty the header is left to the framework: axum adds it.
///
/// # Errors
///
/// The [problem](Problem::method_not_allowed) 405 for every other method.
pub fn another_method(method: &Method, allow: &str) -> Result<Response, Problem> {
    if method != Method::OPTIONS {
        return Err(Problem::method_not_allowed(allow));
    }
    let mut response = no_content();
    if let Some(allow) = HeaderValue::from_str(allow)
        .ok()
        .filter(|_| !allow.is_empty())
    {
        response.headers_mut().insert(ALLOW, allow);
    }
    Ok(response)
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
