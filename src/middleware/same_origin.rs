//! Whether a request that a cookie speaks for came from a page of this site.
//!
//! Browsers send cookies whoever made the request, so a request that changes something must say
//! where it comes from. It passes when
//!
//! 1. it only reads: `GET`, `HEAD` or `OPTIONS`, and not to open a WebSocket, which no same-origin
//!    policy covers;
//! 2. or its `Origin` is one that the application listed;
//! 3. or it has one `Sec-Fetch-Site` header, and that says `same-origin` or `none` (the user's own
//!    doing, as from the address bar);
//! 4. or it has no such header, and its one `Origin` is the host that it is sent to.
//!
//! With neither header nobody says where it comes from, and then it does not pass.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN, UPGRADE};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Extensions, HeaderMap, HeaderName, Method, Request, Uri};

use crate::device::ClientAddress;
use crate::throttle::network;

/// The part of a request that is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Head<'r> {
    pub(crate) method: &'r Method,
    pub(crate) uri: &'r Uri,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) extensions: &'r Extensions,
}

/// From where pages may act in the name of a cookie, beside the host itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    listed: Vec<String>,
    plain_http: bool,
}

/// A request that a cookie must not speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrossOrigin {
    /// A page of another site sent it.
    Elsewhere,
    /// Nobody says who sent it.
    Untold,
}

impl Origins {
    /// Adds an origin: scheme, host and port where it is not the scheme's own, as browsers write it.
    ///
    /// # Errors
    ///
    /// What to write instead, when it is none.
    pub(crate) fn add(&mut self, origin: &str) -> Result<(), &'static str> {
        let parsed = origin.parse::<Uri>().map_err(|_| WRITE_IT)?;
        let written = match (parsed.scheme(), parsed.authority()) {
            (Some(scheme), Some(host)) if is_http(scheme) && !host.as_str().contains('@') => {
                format!("{scheme}://{host}").to_ascii_lowercase()
            }
            _ => return Err(WRITE_IT),
        };
        if written != origin.to_ascii_lowercase() || !origin.is_ascii() {
            return Err(WRITE_IT);
        }
        self.listed.push(written);
        Ok(())
    }

    /// The same where cookies travel without TLS, so that pages do as well.
    pub(crate) fn with_plain_http(mut self, plain_http: bool) -> Self {
        self.plain_http = plain_http;
        self
    }

    /// Decides about a request that is spoken for by a cookie, or answered with one.
    ///
    /// # Errors
    ///
    /// Why a cookie must not speak for it.
    pub(crate) fn admit(&self, head: Head<'_>) -> Result<(), CrossOrigin> {
        if head.only_reads() {
            return Ok(());
        }
        let origin = one(head.headers, &ORIGIN)?;
        let site = one(head.headers, &SEC_FETCH_SITE)?;
        match (site, origin) {
            (_, Some(origin)) if self.is_listed(origin) => Ok(()),
            (Some("same-origin" | "none"), _) => Ok(()),
            (None, Some(origin)) if self.is_of_host(origin, head) => Ok(()),
            (None, None) => Err(CrossOrigin::Untold),
            _ => Err(CrossOrigin::Elsewhere),
        }
    }

    fn is_listed(&self, origin: &str) -> bool {
        self.listed.iter().any(|listed| listed == origin)
    }

    fn is_of_host(&self, origin: &str, head: Head<'_>) -> bool {
        let Some(host) = head.host() else {
            return false;
        };
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        // Whoever can answer for the host without TLS must not act on what is protected by it.
        let scheme_will_do =
            scheme == "https" || scheme == "http" && (self.plain_http || is_loopback(host));
        scheme_will_do && authority.eq_ignore_ascii_case(host)
    }
}

impl<'r> Head<'r> {
    fn only_reads(&self) -> bool {
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(self.method);
        safe && !self.headers.contains_key(UPGRADE)
    }

    /// The network of the client, where something in front has found out its address.
    pub(super) fn network(self) -> Option<IpAddr> {
        let client = self.extensions.get::<ClientAddress>()?;
        Some(network(client.ip()))
    }

    /// The host that the request is sent to (RFC 9110, section 7.2).
    fn host(&self) -> Option<&'r str> {
        match self.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => one(self.headers, &HOST).ok()?,
        }
    }
}

impl CrossOrigin {
    /// The cause, for the log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Elsewhere => "a page of another site sent it along with a cookie",
            Self::Untold => "a cookie, and nothing that says which page sent it",
        }
    }
}

impl<'r, B> From<&'r Request<B>> for Head<'r> {
    #[inline]
    fn from(request: &'r Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'r> From<&'r Parts> for Head<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

/// The one header of that name; more than one, or one that is no text, is a page's doing that
/// is not ours.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, CrossOrigin> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(CrossOrigin::Elsewhere);
    }
    value.to_str().map(Some).map_err(|_| CrossOrigin::Elsewhere)
}

fn is_http(scheme: &Scheme) -> bool {
    [&Scheme::HTTP, &Scheme::HTTPS].contains(&scheme)
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const WRITE_IT: &str = "write it as https://app.example.com, without a path or a slash at the end";

#[cfg(test)]
mod tests;
