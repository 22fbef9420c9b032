//! Scripts and styles, compressed beforehand.
//!
//! `tests/browser/compress.mjs` makes the compressed files; the digests beside them say of which
//! sources, and a test compares.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::Full;

use crate::crypto::digest::{SHA256, digest};
use crate::endpoints::Response;
use crate::endpoints::jwks::is_known;

/// A file as it is served.
pub(super) struct Asset {
    content_type: &'static str,
    plain: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
    version: LazyLock<String>,
}

macro_rules! asset {
    ($name:literal, $content_type:literal) => {{
        const PLAIN: &[u8] = include_bytes!(concat!("assets/", $name));
        Asset {
            content_type: $content_type,
            plain: PLAIN,
            brotli: include_bytes!(concat!("assets/", $name, ".br")),
            gzip: include_bytes!(concat!("assets/", $name, ".gz")),
            version: LazyLock::new(|| version_of(PLAIN)),
        }
    }};
}

pub(super) static TOKEN_MANAGER: Asset =
    asset!("token-manager.js", "text/javascript; charset=utf-8");
pub(super) static SCRIPT: Asset = asset!("pages.js", "text/javascript; charset=utf-8");
pub(super) static STYLE: Asset = asset!("pages.css", "text/css; charset=utf-8");

impl Asset {
    /// Changes with the content, for addresses that may be kept for ever.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// In the best form that the client understands, or 304 for who has it.
    pub(super) fn response(&self, query: Option<&str>, headers: &HeaderMap) -> Response {
        let (encoding, body) = self.negotiated(headers);
        let tag = format!("\"{}-{}\"", self.version(), encoding.unwrap_or("plain"));
        let known = is_known(headers, &tag);
        let body = if known { &[] } else { body };
        let mut response = Response::new(Full::new(Bytes::from_static(body)));
        let kept = query.and_then(|query| query.strip_prefix("v=")) == Some(self.version());
        let cache_control = if kept { FOR_EVER } else { "no-cache" };
        let head = response.headers_mut();
        head.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
        head.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::try_from(tag) {
            head.insert(ETAG, tag);
        }
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        head.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(encoding) = encoding {
            head.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }

    fn negotiated(&self, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        if accepts(headers, "br") {
            (Some("br"), self.brotli)
        } else if accepts(headers, "gzip") {
            (Some("gzip"), self.gzip)
        } else {
            (None, self.plain)
        }
    }
}

/// Whether a coding is named, and not refused by `q=0` (RFC 9110, section 12.5.3).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|offer| {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, "q=1"));
        let weight = weight.trim().strip_prefix("q=");
        let refused = weight.and_then(|weight| weight.parse().ok()) == Some(0.0_f32);
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

fn version_of(source: &[u8]) -> String {
    let hash = digest(&SHA256, source);
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..9])
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: Option<&str>, fields: &[(&'static str, &str)]) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        TOKEN_MANAGER.response(query, &headers)
    }

    fn encoding(accepted: &str) -> Option<String> {
        let response = asked(None, &[("accept-encoding", accepted)]);
        let encoding = response.headers().get(CONTENT_ENCODING)?;
        Some(encoding.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_best_coding_that_is_accepted_is_chosen() {
        assert_eq!(encoding("gzip, deflate, br").as_deref(), Some("br"));
        assert_eq!(encoding("gzip").as_deref(), Some("gzip"));
        assert_eq!(encoding("br;q=0, gzip;q=0.5").as_deref(), Some("gzip"));
        assert_eq!(encoding("identity"), None);
        assert_eq!(encoding("brotli"), None);
    }

    #[test]
    fn each_form_has_a_tag_of_its_own_and_is_not_sent_twice() {
        let plain = asked(None, &[]);
        let brotli = asked(None, &[("accept-encoding", "br")]);
        let tag = brotli.headers()[ETAG].to_str().unwrap();
        assert_ne!(plain.headers()[ETAG], tag);
        assert!(!tag.starts_with("W/"));
        let again = asked(None, &[("accept-encoding", "br"), ("if-none-match", tag)]);
        assert_eq!(again.status(), 304);
        assert_eq!(asked(None, &[("if-none-match", tag)]).status(), 200);
    }

    #[test]
    fn only_an_address_with_this_version_is_kept_for_ever() {
        let version = format!("v={}", TOKEN_MANAGER.version());
        let kept = asked(Some(&version), &[]);
        assert_eq!(kept.headers()[CACHE_CONTROL], FOR_EVER);
        for query in [None, Some("v=older"), Some("")] {
            assert_eq!(asked(query, &[]).headers()[CACHE_CONTROL], "no-cache");
        }
    }

    #[test]
    fn the_compressed_files_are_of_these_sources() {
        let digests = include_str!("assets/digests.txt");
        for (name, asset) in [
            ("token-manager.js", &TOKEN_MANAGER),
            ("pages.js", &SCRIPT),
            ("pages.css", &STYLE),
        ] {
            let hash = digest(&SHA256, asset.plain);
            let hex: String = hash
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert!(
                digests.contains(&format!("{hex}  {name}\n")),
                "{name} has changed: node tests/browser/compress.mjs"
            );
        }
        assert!(TOKEN_MANAGER.brotli.len() <= 5_000);
        let total = [&TOKEN_MANAGER, &SCRIPT, &STYLE].map(|asset| asset.brotli.len());
        assert!(total.iter().sum::<usize>() < 15_000);
    }
}
