//! Forms of the pages.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, StatusCode};
use http_body::Body;

use super::Instead;
use crate::endpoints::{Problem, read_body};
use crate::error::BoxError;

/// The values of a form.
pub(super) struct Form(Bytes);

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`, bounded like every other.
    pub(super) async fn read<B>(
        headers: &HeaderMap,
        body: B,
        timeout: Duration,
    ) -> Result<Self, Instead>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let body = read_body(timeout, headers, body).await?;
        if !body.is_empty() && !is_form(headers) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_input",
                "send the body as application/x-www-form-urlencoded",
            )
            .into());
        }
        Ok(Self(body))
    }

    /// The first value of that name.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        value(&self.0, name)
    }
}

/// The first value of a parameter in a query.
pub(super) fn parameter<B>(request: &Request<B>, name: &str) -> Option<String> {
    value(request.uri().query()?.as_bytes(), name)
}

pub(super) fn value(encoded: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(encoded)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| {
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}
