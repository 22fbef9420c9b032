//! The pair of tokens that a client receives.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::session::refresh::ReplayKind;
use crate::session::{DeviceCookie, Transport};
use crate::token::SessionId;

/// The pair of tokens that a client receives; serialises as RFC 6749, section 5.1.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// The refresh token; `None` where the refresh token stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The session.
    pub session_id: SessionId,
    /// The generation of the pair; a client never replaces a pair by one of a lower generation.
    pub generation: u32,
    /// How the pair travels.
    #[serde(skip)]
    pub transport: Transport,
    /// How long the refresh token lives.
    #[serde(skip)]
    pub refresh_expires_in: Duration,
    /// Why this answer was given again; `None` for a new one.
    #[serde(skip)]
    pub repeated: Option<ReplayKind>,
    /// What the browser is to keep, so that it is recognised at the next sign-in.
    #[serde(skip)]
    pub device_cookie: Option<DeviceCookie>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("session_id", &self.session_id)
            .field("generation", &self.generation)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
