//! Encrypted connections.

use crate::error::StoreError;

/// The driver takes the cryptography that the process has installed; where there is none, ours.
pub(crate) fn check() -> Result<(), StoreError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails where another thread was quicker, which serves as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    Ok(())
}
