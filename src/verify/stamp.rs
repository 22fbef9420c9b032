//! How a cached token learns that a key has left: the version of the key ring.
//!
//! 1. Who changes the ring swaps the keys first and calls [`RingVersion::raise`] after.
//! 2. Who verifies a token calls [`RingVersion::read`] first, reads the keys after, and puts the
//!    stamp that was read on what it caches.
//! 3. Who finds a cached token takes it only where [`RingVersion::admits`] its stamp.
//!
//! So a token that was verified by a key of before the swap carries a stamp of before the raise,
//! however late it enters the cache, and nothing admits it once the raise has returned.

use crate::sync::{AtomicU64, Ordering};

/// Counts how often a key that verified left the ring.
#[derive(Debug, Default)]
pub(crate) struct RingVersion(AtomicU64);

/// A version as it was before a verification began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl RingVersion {
    pub(crate) fn read(&self) -> Stamp {
        Stamp(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn raise(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn admits(&self, stamp: Stamp) -> bool {
        self.read() == stamp
    }
}
