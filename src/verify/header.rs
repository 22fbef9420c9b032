//! The protected header of a token.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use serde_json::json;

use super::VerifyError;
use super::keys::Key;

/// The header parameters that we look at (RFC 7515, section 4.1).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header<'h> {
    pub(super) alg: Cow<'h, str>,
    pub(super) kid: Option<Cow<'h, str>>,
    pub(super) typ: Option<Cow<'h, str>>,
}

/// The first part of the access tokens that a key of this algorithm and `kid` signs here.
pub(super) fn written(alg: &str, kid: &str) -> String {
    let header = json!({"alg": alg, "kid": kid, "typ": ACCESS_TOKEN});
    URL_SAFE_NO_PAD.encode(header.to_string())
}

impl Header<'static> {
    /// Reads a header.
    ///
    /// 1. It is one JSON object, and no member stands twice in it.
    /// 2. `alg` is there; `alg`, `kid` and `typ` are strings.
    /// 3. It brings no key of its own (`jwk`, `jku`, `x5u`, `x5c`), asks for no extension
    ///    (`crit`, `b64`), and is not compressed or encrypted (`zip`, `enc`).
    pub(super) fn parse(json: &str) -> Result<Self, VerifyError> {
        let mut visitor = HeaderVisitor { cause: None };
        let mut deserializer = serde_json::Deserializer::from_str(json);
        (&mut deserializer)
            .deserialize_map(&mut visitor)
            .and_then(|header| deserializer.end().map(|()| header))
            .map_err(|_| match visitor.cause {
                Some(cause) => VerifyError::invalid(cause),
                None => VerifyError::malformed("the header cannot be read"),
            })
    }
}

impl<'h> Header<'h> {
    /// What [`written`] says for a key.
    pub(super) fn of(key: &'h Key) -> Self {
        Self {
            alg: key.algorithm().as_str().into(),
            kid: Some(key.kid().into()),
            typ: Some(ACCESS_TOKEN.into()),
        }
    }

    /// Whether `typ` is this media type, with or without `application/` (RFC 7515, section 4.1.9).
    pub(super) fn is_type(&self, wanted: &str) -> bool {
        self.typ.as_deref().is_some_and(|typ| {
            typ.eq_ignore_ascii_case(wanted)
                || typ
                    .split_at_checked(PREFIX.len())
                    .is_some_and(|(prefix, rest)| {
                        prefix.eq_ignore_ascii_case(PREFIX) && rest.eq_ignore_ascii_case(wanted)
                    })
        })
    }
}

struct HeaderVisitor {
    cause: Option<&'static str>,
}

impl<'de> Visitor<'de> for &mut HeaderVisitor {
    type Value = Header<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut alg = None;
        let mut header = Header::default();
        let mut others: Vec<Box<str>> = Vec::new();
        while let Some(name) = map.next_key::<Box<str>>()? {
            let is_again = match &*name {
                "alg" => alg.replace(map.next_value()?).is_some(),
                "kid" => header.kid.replace(map.next_value()?).is_some(),
                "typ" => header.typ.replace(map.next_value()?).is_some(),
                "b64" | "crit" | "enc" | "jku" | "jwk" | "x5c" | "x5u" | "zip" => {
                    self.cause = Some("the header asks for what is never done");
                    return Err(A::Error::custom("refused"));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    let is_again = others.contains(&name) || others.len() == MAX_OTHERS;
                    others.push(name);
                    is_again
                }
            };
            if is_again {
                return Err(A::Error::custom("twice, or too many"));
            }
        }
        header.alg = alg.ok_or_else(|| A::Error::missing_field("alg"))?;
        Ok(header)
    }
}

/// The type of an access token (RFC 9068, section 2.1).
pub(super) const ACCESS_TOKEN: &str = "at+jwt";

const PREFIX: &str = "application/";

/// Names are compared with each other before the signature is checked, so they are few.
const MAX_OTHERS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{Algorithm, VerifyErrorKind};

    #[test]
    fn what_is_not_known_is_passed_over() {
        let header = Header::parse(r#"{"alg":"HS256","x":{"y":[1]},"cty":null,"kid":"k"}"#);
        let header = header.unwrap();
        assert_eq!((&*header.alg, header.kid.as_deref()), ("HS256", Some("k")));
        assert_eq!(header.typ, None);
    }

    #[test]
    fn what_asks_for_more_than_a_signature_is_refused_whatever_its_value() {
        for name in [
            "b64",
            "crit",
            "enc",
            "jku",
            "jwk",
            "x5c",
            "x5u",
            "zip",
            "cr\\u0069t",
        ] {
            for value in ["null", "true", "[]", "\"\"", "{}"] {
                let json = format!(r#"{{"alg":"HS256","{name}":{value}}}"#);
                let error = Header::parse(&json).unwrap_err();
                assert_eq!(error.kind(), VerifyErrorKind::Invalid, "{json}");
            }
        }
    }

    #[test]
    fn what_is_written_reads_as_what_is_said_of_it() {
        for kid in ["k", "a \"quoted\" \\ kid", "schlüssel"] {
            let key = Key::generate(Some(kid), Algorithm::Hs256).unwrap();
            let json = URL_SAFE_NO_PAD.decode(written("HS256", kid)).unwrap();
            let read = Header::parse(std::str::from_utf8(&json).unwrap());
            assert_eq!(read.unwrap(), Header::of(&key));
        }
    }

    #[test]
    fn loose_json_is_malformed() {
        for json in [
            "",
            "null",
            "[]",
            "{}",
            "\"alg\"",
            r#"{"alg":null}"#,
            r#"{"alg":1}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"ALG":"HS256"}"#,
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{"alg":"HS256","\u0061lg":"none"}"#,
            r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
            r#"{"alg":"HS256","x":1,"x":1}"#,
            r#"{"alg":"HS256","kid":1}"#,
            r#"{"alg":"HS256","typ":null}"#,
            r#"{"alg":"HS256",}"#,
            r#"{"alg":"HS256"}{}"#,
            r#"{"alg":"HS256"} x"#,
            r#"{'alg':'HS256'}"#,
            r#"{"alg":"HS256"/**/}"#,
            "\u{feff}{\"alg\":\"HS256\"}",
            r#"{"alg":"HS256","kid":"\ud800"}"#,
        ] {
            let error = Header::parse(json).unwrap_err();
            assert_eq!(error.kind(), VerifyErrorKind::Malformed, "{json}");
        }
    }

    #[test]
    fn many_members_are_refused() {
        let members: String = (0..17).map(|n| format!(r#","m{n}":0"#)).collect();
        assert!(Header::parse(&format!(r#"{{"alg":"HS256"{members}}}"#)).is_err());
    }

    #[test]
    fn a_type_is_compared_without_regard_to_case_and_prefix() {
        let of = |typ: &'static str| Header {
            typ: Some(typ.into()),
            ..Header::default()
        };
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "APPLICATION/AT+jwt",
        ] {
            assert!(of(typ).is_type("at+jwt"), "{typ}");
        }
        for typ in [
            "",
            "jwt",
            "at+jwt ",
            "application/",
            "text/at+jwt",
            "é/at+jwt",
        ] {
            assert!(!of(typ).is_type("at+jwt"), "{typ}");
        }
        assert!(!Header::default().is_type("at+jwt"));
    }
}
