//! Step 1: the string on the wire, and the names that it carries.

mod ids;
mod short;
mod source;
#[cfg(any(feature = "endpoints", feature = "user-agent"))]
mod text;

use std::fmt;

pub use ids::{InvalidId, SessionId, TokenId, UserId};
pub(crate) use source::{Found, carrier_of};
pub use source::{SourceError, TokenSource};

/// A token as it was found, about which nothing is known yet.
///
/// It says where it was found, never what it means; only the verifier turns it into more. Not even
/// that it is text is known: a token that was seen before is found by its bytes, and what is not
/// base64url fails when it is decoded.
#[derive(Clone, Copy)]
pub struct RawToken<'a> {
    bytes: &'a [u8],
    carrier: Carrier,
}

/// Which part of a request carried a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The `Authorization` header (RFC 6750, section 2.1).
    Bearer,
    /// A cookie.
    Cookie,
    /// The body or an argument of a call, as for introspection.
    Parameter,
}

impl<'a> RawToken<'a> {
    /// A token that a caller handed over outside the headers of a request.
    #[must_use]
    pub fn from_parameter(text: &'a str) -> Self {
        Self::new(text.as_bytes(), Carrier::Parameter)
    }

    pub(crate) fn new(bytes: &'a [u8], carrier: Carrier) -> Self {
        Self { bytes, carrier }
    }

    /// Where it was found.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl fmt::Debug for RawToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawToken")
            .field("carrier", &self.carrier)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
