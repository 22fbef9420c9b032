//! Who asks what a token is worth.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use super::form::Form;
use crate::config::IntrospectionClient;
use crate::endpoints::{Endpoints, Problem};
use crate::session::Session;
use crate::verify::CustomClaims;

impl<C: CustomClaims> Endpoints<C> {
    /// Lets administrators and the introspection client pass.
    ///
    /// # Errors
    ///
    /// 401 for nobody and for wrong credentials, 403 for a session without the role, 400 for more
    /// than one way to say who it is (RFC 6749, section 2.3).
    pub(super) fn authenticate(&self, request: &Parts, form: &Form) -> Result<(), Problem> {
        let session = request.extensions.get::<Session>();
        let basic = Basic::find(&request.headers)?;
        match (session, basic, form.credentials()) {
            (Some(session), None, None) => Ok(session.require_role(&self.admin_role)?),
            (None, Some(basic), None) => self.check(|client| basic.is(client)),
            (None, None, Some((id, secret))) => self.check(|client| client.is(id, secret)),
            (None, None, None) => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "missing_token",
                "say who asks: by the bearer token of an administrator or as the client",
            )),
            _ => Err(Problem::malformed_body("say in one way alone who asks")),
        }
    }

    fn check(&self, is: impl FnOnce(&IntrospectionClient) -> bool) -> Result<(), Problem> {
        if self.auth.introspection_client().is_some_and(is) {
            Ok(())
        } else {
            Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "invalid_credentials",
                "there is no such client, or its secret is wrong",
            ))
        }
    }
}

/// Credentials by HTTP Basic (RFC 7617). No `Debug`: it holds a secret.
struct Basic {
    id: String,
    secret: String,
}

impl Basic {
    /// `None` where there are none, or of another scheme.
    fn find(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(Problem::malformed_body("say in one way alone who asks"));
        }
        let value = value.as_bytes();
        let scheme = value.iter().position(|byte| *byte == b' ');
        let (scheme, rest) = value.split_at(scheme.unwrap_or(value.len()));
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Ok(None);
        }
        let read = Self::parse(rest.trim_ascii());
        let read = read.ok_or_else(|| Problem::malformed_body("the credentials cannot be read"));
        read.map(Some)
    }

    fn parse(encoded: &[u8]) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some(Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
        })
    }

    /// Clients should have form-encoded both (RFC 6749, section 2.3.1), and many do not.
    fn is(&self, client: &IntrospectionClient) -> bool {
        let as_sent = client.is(&self.id, &self.secret);
        let decoded = client.is(&decoded(&self.id), &decoded(&self.secret));
        as_sent | decoded
    }
}

/// One value as a form would have it.
fn decoded(text: &str) -> String {
    // What would end the value, or name it, cannot stand in an encoded one.
    if text.contains(['&', '=']) {
        return text.to_owned();
    }
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(value, _)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "6f1d0c9a+b27e4853%f0e19d7c5a3b8264";

    fn find(values: &[&str]) -> Result<Option<Basic>, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        Basic::find(&headers).map_err(|problem| problem.status().as_u16())
    }

    fn sent(id: &str, secret: &str) -> Basic {
        let header = format!("bAsIc {}", STANDARD.encode(format!("{id}:{secret}")));
        find(&[&header]).ok().flatten().unwrap()
    }

    #[test]
    fn credentials_count_as_they_are_and_form_encoded() {
        let client = IntrospectionClient::new("the gate", SECRET).unwrap();
        assert!(sent("the gate", SECRET).is(&client));
        assert!(sent("the+gate", "6f1d0c9a%2Bb27e4853%25f0e19d7c5a3b8264").is(&client));
        assert!(sent("the%20gate", "6f1d0c9a%2bb27e4853%25f0e19d7c5a3b8264").is(&client));
        assert!(!sent("the gate", "another").is(&client));
        assert!(!sent("the gate", "").is(&client));
        assert!(!sent("", "").is(&client));
    }

    #[test]
    fn a_secret_may_hold_a_colon() {
        assert_eq!(sent("a", "b:c").secret, "b:c");
    }

    #[test]
    fn another_scheme_is_none_and_what_cannot_be_read_is_refused() {
        assert!(find(&[]).is_ok_and(|basic| basic.is_none()));
        assert!(find(&["Bearer abc"]).is_ok_and(|basic| basic.is_none()));
        for bad in [
            "Basic",
            "Basic ",
            "Basic !!",
            "Basic YWJj",
            "Basic /////w==",
        ] {
            assert_eq!(find(&[bad]).err(), Some(400), "{bad}");
        }
        assert_eq!(find(&["Basic YTpi", "Basic YTpi"]).err(), Some(400));
    }
}
