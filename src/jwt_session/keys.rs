//! Keys that are exchanged while the service runs.

use std::sync::Arc;
use std::time::Duration;

use super::JwtSession;
use crate::clock::UnixTime;
use crate::session::refresh::RefreshKeys;
use crate::stores::SealKeys;
use crate::verify::{CustomClaims, KeyError};

impl<C: CustomClaims> JwtSession<C> {
    /// Signs access tokens with another key of the ring from now on, one that was
    /// [announced](crate::verify::KeyRing::announce) on every node before. The key that signed until
    /// now checks tokens until the last of them has expired, and is retired then, by the work in
    /// the background. Answers when that is.
    ///
    /// It counts on every node making this step within ten minutes.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when there is no key of that `kid`, or it cannot sign.
    pub fn sign_with(&self, kid: &str) -> Result<UnixTime, KeyError> {
        let policy = self.policy();
        let longest = policy.max_lifetime() + policy.leeway;
        let retire_at = self.clock().now() + longest + HANDOVER;
        self.keys().sign_with(kid, Some(retire_at))?;
        Ok(retire_at)
    }

    /// Exchanges the keys of the refresh tokens. Bring a new key in as verify-only on every node
    /// first, and keep an old one for a refresh lifetime and the grace.
    pub fn replace_refresh_keys(&self, keys: RefreshKeys) {
        self.core.refresh_keys.store(Arc::new(keys));
    }

    /// Exchanges the keys that encrypt; `false` where nothing was encrypted from the start.
    pub(crate) fn exchange_seal_keys(&self, keys: SealKeys) -> bool {
        match &self.sealed {
            Some(sealed) => {
                sealed.replace_keys(keys);
                true
            }
            None => false,
        }
    }

    /// Whether session data is encrypted.
    pub(crate) fn seals(&self) -> bool {
        self.sealed.is_some()
    }
}

/// How long nodes may still sign with the old key after the first has changed.
const HANDOVER: Duration = Duration::from_secs(10 * 60);
