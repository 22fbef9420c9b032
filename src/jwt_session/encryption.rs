//! Keys that encrypt, exchanged while the service runs.

use super::JwtSession;
use crate::stores::SealKeys;
use crate::verify::CustomClaims;

impl<C: CustomClaims> JwtSession<C> {
    /// Exchanges the keys that encrypt session data; `false` where none was encrypted from the
    /// start. Bring a new key in as one that only decrypts on every node first, and keep an old
    /// one for as long as sessions live and stay listed.
    pub fn replace_encryption_keys(&self, keys: SealKeys) -> bool {
        self.exchange_seal_keys(keys)
    }
}
