//! The form that both calls take.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, StatusCode};
use http_body::Body;

use crate::endpoints::{Problem, read_body};
use crate::error::BoxError;

/// What was sent. No `Debug`: it holds a token, and perhaps a secret.
pub(super) struct Form {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`, bounded like any other.
    ///
    /// What is sent without a value counts as not sent, and what is sent twice is refused
    /// (RFC 6749, section 3.2). Parameters that mean nothing here are ignored.
    pub(super) async fn read<B>(request: Request<B>, timeout: Duration) -> Result<Self, Problem>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let (parts, body) = request.into_parts();
        if !is_form(&parts.headers) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_input",
                "send the body as application/x-www-form-urlencoded",
            ));
        }
        let body = read_body(timeout, &parts.headers, body).await?;
        Self::parse(&body)
    }

    /// The token that it is about.
    pub(super) fn token(&self) -> Result<&str, Problem> {
        let token = self.token.as_deref();
        token.ok_or_else(|| Problem::malformed_body("the parameter token is missing"))
    }

    /// The credentials of a client, where it sent a secret along.
    pub(super) fn credentials(&self) -> Option<(&str, &str)> {
        let secret = self.client_secret.as_deref()?;
        Some((self.client_id.as_deref().unwrap_or_default(), secret))
    }

    fn parse(body: &[u8]) -> Result<Self, Problem> {
        let mut values: HashMap<Cow<'_, str>, Cow<'_, str>> = HashMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            if !value.is_empty() && values.insert(name, value).is_some() {
                return Err(Problem::malformed_body("a parameter is sent twice"));
            }
        }
        let mut take = |name: &str| values.remove(name).map(Cow::into_owned);
        Ok(Self {
            token: take("token"),
            client_id: take("client_id"),
            client_secret: take("client_secret"),
        })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let essence = value.as_bytes().split(|byte| *byte == b';').next();
    essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(FORM))
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    fn token(body: &str) -> Result<Option<String>, u16> {
        let form = Form::parse(body.as_bytes());
        form.map(|form| form.token)
            .map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn what_is_sent_without_a_value_is_not_sent() {
        assert_eq!(token(""), Ok(None));
        assert_eq!(token("token"), Ok(None));
        assert_eq!(token("token="), Ok(None));
        assert_eq!(token("token=&token=a"), Ok(Some("a".to_owned())));
    }

    #[test]
    fn what_is_sent_twice_is_refused_in_whatever_spelling() {
        assert_eq!(token("token=a&token=b"), Err(400));
        assert_eq!(token("token=a&tok%65n=a"), Err(400));
        assert_eq!(token("token=a&x=1&x=1"), Err(400));
    }

    #[test]
    fn values_are_decoded() {
        assert_eq!(token("x=1&token=a%2Bb+c"), Ok(Some("a+b c".to_owned())));
    }

    #[test]
    fn a_form_says_that_it_is_one() {
        let is_one = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, value.parse().unwrap());
            }
            is_form(&headers)
        };
        assert!(is_one(&["application/x-www-form-urlencoded"]));
        assert!(is_one(&[
            "Application/X-WWW-Form-URLEncoded ; charset=utf-8"
        ]));
        assert!(!is_one(&["application/json"]));
        assert!(!is_one(&["application/x-www-form-urlencodedx"]));
        assert!(!is_one(&[]));
        assert!(!is_one(&[
            "application/x-www-form-urlencoded",
            "text/plain"
        ]));
    }
}
