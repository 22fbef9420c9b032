//! The public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::Full;

use super::{Endpoints, Response, security};
use crate::crypto::digest::{SHA256, digest};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /.well-known/jwks.json`: the public keys as a JWK Set (RFC 7517, section 5), or 304
    /// for who has them.
    ///
    /// Caches may keep it for five minutes, so a new key should be there that much before it signs.
    #[must_use]
    pub fn jwks<B>(&self, request: Request<B>) -> Response {
        let keys = self.auth.keys().jwks().to_string();
        cacheable(keys, "application/jwk-set+json", request.headers())
    }
}

/// An answer that is public and stays as it is for minutes.
pub(super) fn cacheable(body: String, content_type: &'static str, request: &HeaderMap) -> Response {
    let tag = entity_tag(body.as_bytes());
    let known = is_known(request, &tag);
    let body = if known { String::new() } else { body };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    let headers = response.headers_mut();
    security::of_data(headers);
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

fn entity_tag(body: &[u8]) -> String {
    let hash = digest(&SHA256, body);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]))
}

/// Whether the client has it already (RFC 9110, section 13.1.2), by the weak comparison. Our tags
/// hold no comma, so a list can be split at each.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(known: &[&str]) -> Response {
        let mut headers = HeaderMap::new();
        for value in known {
            headers.append(IF_NONE_MATCH, value.parse().unwrap());
        }
        cacheable("{}".to_owned(), "application/json", &headers)
    }

    #[test]
    fn who_has_it_is_not_sent_it_again() {
        let first = asked(&[]);
        assert_eq!(first.status(), 200);
        assert_eq!(first.headers()[CACHE_CONTROL], "public, max-age=300");
        let tag = first.headers()[ETAG].to_str().unwrap();
        let weak = format!("\"other\", W/{tag}");
        for known in [tag, &weak, "*"] {
            let again = asked(&[known]);
            assert_eq!(again.status(), 304, "{known}");
            assert_eq!(again.headers()[ETAG], tag);
        }
        assert_eq!(asked(&["\"other\""]).status(), 200);
        assert_eq!(asked(&["\"other\"", tag]).status(), 304);
    }
}
