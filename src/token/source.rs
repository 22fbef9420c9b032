//! Where in a request a token is looked for.

use std::fmt;

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};

use super::{Carrier, RawToken};

/// Where a token is looked for: the bearer header, a cookie, or the first of several.
///
/// # Security
///
/// What is present is never guessed about: two headers, one cookie twice, or nothing behind the
/// scheme is an error, and a list or a second word is part of the token, which then is none. Neither
/// is passed over for a later place. So a request that carries a bearer token is judged by that
/// token alone, good or bad.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::token::TokenSource;
///
/// let source = TokenSource::first_of([TokenSource::bearer(), TokenSource::cookie("__Host-at")]);
/// # let _ = source;
/// ```
#[derive(Clone, Debug)]
pub struct TokenSource {
    places: Vec<Place>,
}

#[derive(Clone, Debug)]
enum Place {
    Bearer,
    Cookie(Box<str>),
}

/// The headers carry a token in a way that must not be guessed about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// More than one `Authorization` header, or one cookie twice.
    Duplicate,
    /// A `Bearer` header without anything behind one space, a header whose scheme is none, or an
    /// empty cookie.
    Malformed,
}

/// What could not be read, and where it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misread {
    pub(crate) carrier: Carrier,
    pub(crate) error: SourceError,
}

/// A token, or nothing, or what could not be read.
pub(crate) type Found<'h> = Result<Option<RawToken<'h>>, Misread>;

/// Where it stood, good or bad.
#[inline]
pub(crate) fn carrier_of(found: &Found<'_>) -> Option<Carrier> {
    match found {
        Ok(token) => token.as_ref().map(RawToken::carrier),
        Err(misread) => Some(misread.carrier),
    }
}

impl TokenSource {
    /// The `Authorization: Bearer` header (RFC 6750, section 2.1).
    ///
    /// The scheme is matched in any case; another scheme counts as no token.
    #[must_use]
    pub fn bearer() -> Self {
        Self {
            places: vec![Place::Bearer],
        }
    }

    /// A cookie of this name, matched byte by byte.
    #[must_use]
    pub fn cookie(name: impl Into<String>) -> Self {
        Self {
            places: vec![Place::Cookie(name.into().into_boxed_str())],
        }
    }

    /// The first of several that carries anything; one that is present but bad is not passed over.
    #[must_use]
    pub fn first_of(sources: impl IntoIterator<Item = Self>) -> Self {
        Self {
            places: sources.into_iter().flat_map(|one| one.places).collect(),
        }
    }

    #[inline]
    pub(crate) fn find<'h>(&self, headers: &'h HeaderMap) -> Found<'h> {
        for place in &self.places {
            let (found, carrier) = match place {
                Place::Bearer => (bearer(headers), Carrier::Bearer),
                Place::Cookie(name) => (cookie(headers, name), Carrier::Cookie),
            };
            match found {
                Ok(Some(found)) => return Ok(Some(RawToken::new(found, carrier))),
                Ok(None) => {}
                Err(error) => return Err(Misread { carrier, error }),
            }
        }
        Ok(None)
    }
}

impl SourceError {
    /// The cause, for the log.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Duplicate => "more than one token in the same place",
            Self::Malformed => "malformed authorization header or cookie",
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for SourceError {}

#[inline]
fn bearer(headers: &HeaderMap) -> Result<Option<&[u8]>, SourceError> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    // Where no name stands twice, this one does not, and need not be looked up again.
    if headers.len() != headers.keys_len() && headers.get_all(AUTHORIZATION).iter().count() > 1 {
        return Err(SourceError::Duplicate);
    }
    let value = value.as_bytes();
    // What nearly all of them begin with, in one comparison.
    if let Some(token) = value.strip_prefix(b"Bearer ") {
        return present(token).map(Some);
    }
    let scheme_len = value.iter().position(|byte| *byte == b' ');
    let (scheme, rest) = value.split_at(scheme_len.unwrap_or(value.len()));
    if scheme.is_empty() || !scheme.iter().copied().all(is_scheme_byte) {
        return Err(SourceError::Malformed);
    }
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Ok(None);
    }
    present(rest.get(1..).unwrap_or_default()).map(Some)
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h [u8]>, SourceError> {
    let mut values = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            let (key, value) = pair.split_at(equals);
            (key.trim_ascii() == name.as_bytes()).then(|| value[1..].trim_ascii())
        });
    let Some(value) = values.next() else {
        return Ok(None);
    };
    // A cookie tossed from a sibling domain comes beside the real one, in either order.
    if values.next().is_some() {
        return Err(SourceError::Duplicate);
    }
    present(value).map(Some)
}

fn present(token: &[u8]) -> Result<&[u8], SourceError> {
    if token.is_empty() {
        return Err(SourceError::Malformed);
    }
    Ok(token)
}

/// A `tchar` of RFC 9110, section 5.6.2.
fn is_scheme_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
