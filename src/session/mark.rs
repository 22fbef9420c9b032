//! How a device is recognised at its next sign-in.
//!
//! A browser keeps a random value in a cookie. With each session its hash is kept, together with the
//! user: so the value itself is in no store, and nobody who reads one finds out which users
//! share a browser.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::record::Transport;
use crate::crypto::digest::{Context, SHA256};
use crate::crypto::rand;
use crate::error::{StoreError, StoreErrorKind};
use crate::token::UserId;

/// The value of a device cookie: random, and the same for everybody who signs in with one browser.
///
/// It lets nobody in. Whoever takes it along with a password is not noticed as a new device.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceCookie([u8; Self::BYTES]);

/// What a session keeps of a device cookie: a hash of it and the user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceMark(String);

/// Which sign-ins leave a device cookie behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DeviceCookies {
    /// Every one, whatever its tokens travel in.
    Always,
    /// None.
    #[default]
    Never,
    /// Those whose tokens travel in cookies, where new devices are told of.
    WithCookies,
}

impl DeviceCookies {
    /// A cookie that nothing is done with is none that a browser should have to keep.
    pub(crate) fn are_for(self, transport: Transport, told_of: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::WithCookies => told_of && transport != Transport::Body,
        }
    }
}

impl DeviceCookie {
    const BYTES: usize = 16;

    /// The name of the cookie. The prefix makes browsers insist on TLS, on the whole site and on
    /// no other (RFC 6265bis, section 4.1.3), so that no sibling domain can put one in.
    pub const NAME: &'static str = "__Host-device";

    /// The value as it was read from a cookie; `None` where it is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; Self::BYTES];
        rand::fill(&mut bytes)
            .map_err(|_| StoreError::new(StoreErrorKind::Unavailable, "random number generator"))?;
        Ok(Self(bytes))
    }

    /// The text that goes into the cookie.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(crate) fn mark(&self, user: &UserId) -> DeviceMark {
        let mut context = Context::new(&SHA256);
        context.update(b"device");
        context.update(&self.0);
        context.update(user.as_str().as_bytes());
        DeviceMark(URL_SAFE_NO_PAD.encode(context.finish()))
    }
}

impl fmt::Debug for DeviceCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCookie(..)")
    }
}

impl fmt::Debug for DeviceMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceMark(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_back_and_nothing_else_is_one() {
        let cookie = DeviceCookie::random().expect("randomness");
        assert_eq!(DeviceCookie::parse(&cookie.encode()), Some(cookie));
        for text in [
            "",
            "short",
            "AAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAA+A",
        ] {
            assert_eq!(DeviceCookie::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_kept_is_not_the_cookie_and_another_for_each_user() {
        let cookie = DeviceCookie::random().expect("randomness");
        let of = |user| cookie.mark(&UserId::new(user).expect("a name"));
        assert_eq!(of("ada"), of("ada"));
        assert_ne!(of("ada"), of("eve"));
        let kept = serde_json::to_string(&of("ada")).expect("text");
        assert!(!kept.contains(&cookie.encode()));
    }

    #[test]
    fn neither_a_cookie_nor_its_mark_is_shown() {
        let cookie = DeviceCookie::random().expect("randomness");
        let mark = cookie.mark(&UserId::new("ada").expect("a name"));
        assert_eq!(
            format!("{cookie:?} {mark:?}"),
            "DeviceCookie(..) DeviceMark(..)"
        );
    }
}
