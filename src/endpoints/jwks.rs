//! The public keys.

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http_body_util::Full;

use super::{Endpoints, Response};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /.well-known/jwks.json`: the public keys as a JWK Set (RFC 7517, section 5).
    ///
    /// Caches may keep it for five minutes, so a new key should be there that much before it signs.
    #[must_use]
    pub fn jwks(&self) -> Response {
        let keys = self.auth.keys().jwks().to_string();
        let mut response = Response::new(Full::new(Bytes::from(keys)));
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/jwk-set+json"),
        );
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        );
        response
    }
}
