//! The verified-token cache.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, OnceLock};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, OptionsBuilder, Weighter};

use super::Checked;
use super::stamp::Stamp;
use crate::crypto::rand;

/// The marks that the revocation step leaves on a cached token; all zero on a new one.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Which epoch is the one of its user, counted from 1; 0 where it was never looked up.
    pub(crate) group: AtomicUsize,
    /// The epoch read before the view was last searched for this token without a find.
    pub(crate) epoch: AtomicU64,
    /// The confirmation era in which the store last said "alive"; 0 for never.
    pub(crate) confirmed: AtomicU64,
    /// When a use of the token was last noted, in seconds of the wall clock.
    pub(crate) noted: AtomicU64,
    /// The view that admitted the token, so that a handler can ask it again.
    pub(crate) home: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// Tokens that verified, by all of their bytes.
///
/// A hit compares the bytes, so two tokens never share an entry however their hashes fall. Hashed is
/// the end, which is of the signature: nobody makes two tokens that verify and end alike, and what
/// does not verify is never kept. The hash is seeded, so nobody can choose tokens that meet. Where it
/// is full, the least recently useful tokens go: they are verified again when they come back.
pub(super) struct TokenCache {
    entries: Option<Cache<Kept, Entry, Weigh, SeedableRandomState>>,
}

/// The bytes of a token that verified.
struct Kept(Box<[u8]>);

/// The bytes of a token that is looked for.
struct Wanted<'t>(&'t [u8]);

/// A token and the version of the key ring that was read before it was verified.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) checked: Arc<Checked>,
    pub(super) stamp: Stamp,
}

#[derive(Clone)]
struct Weigh;

impl TokenCache {
    /// A cache that holds about so many bytes; of none, it holds nothing.
    pub(super) fn new(bytes: u64) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(bytes)
            .estimated_items_capacity(usize::try_from(bytes / TYPICAL_WEIGHT).unwrap_or(usize::MAX))
            .build();
        let hasher = SeedableRandomState::with_seed(seed(), SharedSeed::global_random());
        Self {
            entries: options.ok().filter(|_| bytes > 0).map(|options| {
                Cache::with_options(options, Weigh, hasher, DefaultLifecycle::default())
            }),
        }
    }

    pub(super) fn get(&self, token: &[u8]) -> Option<Entry> {
        self.entries.as_ref()?.get(&Wanted(token))
    }

    /// Takes in a token that verified, and had not expired.
    pub(super) fn insert(&self, token: &[u8], stamp: Stamp, checked: Arc<Checked>) {
        let Some(entries) = &self.entries else { return };
        entries.insert(Kept(token.into()), Entry { checked, stamp });
    }

    /// Drops a token whose key has left.
    pub(super) fn remove_stale(&self, token: &[u8], stamp: Stamp) {
        if let Some(entries) = &self.entries {
            entries.remove_if(&Wanted(token), |entry| entry.stamp == stamp);
        }
    }

    /// Drops a token that is good for nothing.
    pub(super) fn remove(&self, token: &[u8]) {
        if let Some(entries) = &self.entries {
            entries.remove(&Wanted(token));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, Cache::len)
    }
}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Wanted(&self.0).hash(state);
    }
}

impl Hash for Wanted<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.0.last_chunk::<HASHED>() {
            Some(end) => state.write(end),
            None => state.write(self.0),
        }
    }
}

impl Equivalent<Kept> for Wanted<'_> {
    #[inline]
    fn equivalent(&self, kept: &Kept) -> bool {
        *self.0 == *kept.0
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Kept {}

impl Weighter<Kept, Entry> for Weigh {
    fn weight(&self, token: &Kept, _entry: &Entry) -> u64 {
        // The claims are some copy of the payload, which is some three quarters of the token.
        (token.0.len() * 2 + OVERHEAD) as u64
    }
}

/// Where the system has no randomness, what foldhash draws from time and addresses has to do.
pub(super) fn seed() -> u64 {
    let mut bytes = [0; 8];
    match rand::fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => 0,
    }
}

/// 192 bits of the signature: what all of the token would add is time.
const HASHED: usize = 32;

/// What an entry takes beside the token and its claims: the structs, their allocations, the map.
const OVERHEAD: usize = 560;
const TYPICAL_WEIGHT: u64 = 1540;

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    #[test]
    fn a_token_is_found_by_its_end_and_known_by_all_of_it() {
        let state = RandomState::new();
        let of = |text: &str| Kept(text.as_bytes().into());
        let long = |first: &str, last: &str| of(&format!("{first}{}{last}", "x".repeat(HASHED)));
        let hash = |kept: &Kept| state.hash_one(kept);
        assert_ne!(hash(&of("a")), hash(&of("b")));
        assert_ne!(hash(&long("a", "1")), hash(&long("a", "2")));
        assert_eq!(hash(&long("a", "1")), hash(&long("b", "1")));
        assert!(long("a", "1") == long("a", "1"));
        assert!(long("a", "1") != long("b", "1"));
    }
}
