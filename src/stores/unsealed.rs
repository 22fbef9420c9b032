//! What stands in for encryption in a build without it: none of it can be made.

use std::sync::Arc;

use crate::session::SessionStore;
use crate::verify::KeyError;

/// A key that there is none of.
#[derive(Clone, Debug)]
pub(crate) enum SealKey {}

/// Keys that there are none of.
#[derive(Clone, Debug)]
pub(crate) enum SealKeys {}

/// A store that there is none of.
#[derive(Clone, Debug)]
pub(crate) enum SealedStore {}

impl SealKey {
    /// Says how to get one.
    pub(crate) fn from_secret(_secret: &[u8]) -> Result<Self, KeyError> {
        Err(KeyError::new(
            "it is set, and this build encrypts nothing",
            "build with the feature encryption, or unset it",
        ))
    }
}

impl SealKeys {
    pub(crate) fn new(active: SealKey) -> Self {
        match active {}
    }

    pub(crate) fn add_open_only(self, _key: SealKey) -> Self {
        match self {}
    }
}

impl SealedStore {
    pub(crate) fn new(_store: Arc<dyn SessionStore>, keys: SealKeys) -> Self {
        match keys {}
    }

    pub(crate) fn replace_keys(&self, keys: SealKeys) {
        match keys {}
    }

    pub(crate) fn as_store(&self) -> Arc<dyn SessionStore> {
        match *self {}
    }
}
