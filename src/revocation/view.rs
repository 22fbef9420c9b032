//! The view: what this node has read of the log.

use std::fmt;
use std::time::Duration;

use super::entry::{Effect, EntryId, RevocationEntry};
use super::epochs::shard;
use super::hashes::Hashes;
use super::shelf::{Put, Shelf};
use crate::clock::UnixTime;
use crate::sync::{
    AtomicU64, AtomicUsize, Ordering, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use crate::verify::TokenFacts;

/// The entries that this node knows, exact up to a bound.
///
/// What does not fit is counted and never replaces another entry; from then on the view is
/// [incomplete](Self::is_complete), and whoever finds nothing has to ask the store.
pub(crate) struct View {
    shelves: Box<[RwLock<Shelf>]>,
    hashes: Hashes,
    len: AtomicUsize,
    max: usize,
    overflows: AtomicU64,
    /// The number of overflows that a reload has made up for. A number and not a flag: a reload
    /// can then not wipe out an overflow that happens while it finishes.
    settled: AtomicU64,
    skew: AtomicU64,
    /// The shelf that is purged next.
    turn: AtomicUsize,
}

impl View {
    pub(crate) fn new(shelves: usize, max: usize, skew: Duration) -> Self {
        let view = Self {
            shelves: (0..shelves.max(1))
                .map(|_| RwLock::new(Shelf::default()))
                .collect(),
            hashes: Hashes::default(),
            len: AtomicUsize::new(0),
            max,
            overflows: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            skew: AtomicU64::new(0),
            turn: AtomicUsize::new(0),
        };
        view.set_skew(skew);
        view
    }

    pub(crate) fn hashes(&self) -> &Hashes {
        &self.hashes
    }

    /// How far any clock of the fleet may be from true time.
    pub(crate) fn set_skew(&self, skew: Duration) {
        let micros = u64::try_from(skew.as_micros()).unwrap_or(u64::MAX);
        self.skew.store(micros, Ordering::Release);
    }

    /// Keeps an entry of the log. When this returns [`Put::NoRoom`] the view is incomplete.
    pub(crate) fn put(&self, entry: RevocationEntry) -> Put {
        let hash = self.hashes.of_entry(&entry.revoked);
        let put = self
            .write(hash)
            .put(hash, &entry, &self.hashes, || self.reserve());
        if put == Put::NoRoom {
            self.overflows.fetch_add(1, Ordering::AcqRel);
        }
        put
    }

    /// Keeps an entry whose write is under way, whether there is room or not.
    pub(crate) fn hold(&self, entry: RevocationEntry) {
        let hash = self.hashes.of_entry(&entry.revoked);
        self.write(hash).hold(entry);
    }

    /// Takes back an entry whose outcome is known.
    pub(crate) fn release(&self, entry: &RevocationEntry) {
        let hash = self.hashes.of_entry(&entry.revoked);
        self.write(hash).release(entry.id);
    }

    /// The strongest thing that an entry does to a token.
    pub(crate) fn effect(&self, facts: &TokenFacts) -> Option<Effect> {
        let skew = Duration::from_micros(self.skew.load(Ordering::Acquire));
        self.hashes
            .of_token(facts)
            .filter_map(|hash| self.read(hash).effect(hash, facts, skew))
            .reduce(Effect::stronger)
    }

    /// Whether every entry that came has found its place.
    ///
    /// Ask before looking: "complete" then means that what was made up for is there to be found.
    pub(crate) fn is_complete(&self) -> bool {
        let settled = self.settled.load(Ordering::Acquire);
        settled == self.overflows.load(Ordering::Acquire)
    }

    /// How many entries did not fit so far; read it before the log is read.
    pub(crate) fn overflows(&self) -> u64 {
        self.overflows.load(Ordering::Acquire)
    }

    /// Says that the log was read after so many overflows and is in the view. It is complete
    /// again unless something overflowed since.
    pub(crate) fn settle(&self, overflows: u64) {
        self.settled.fetch_max(overflows, Ordering::AcqRel);
    }

    /// Whether a reload might make it complete again.
    pub(crate) fn may_fit(&self) -> bool {
        let missing = self.overflows() - self.settled.load(Ordering::Acquire).min(self.overflows());
        let room = self.max.saturating_sub(self.len());
        room > 0 && room as u64 >= missing.min(self.max as u64 / 2)
    }

    /// How many entries of the log it holds.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Forgets in the next `shelves` what is over at `now`. They take turns, and none is locked
    /// for long.
    pub(crate) fn purge(&self, now: UnixTime, shelves: usize) {
        for _ in 0..shelves.min(self.shelves.len()) {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.shelves.len();
            let mut shelf = self.shelves[turn]
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let gone = shelf.purge(now, &self.hashes);
            self.len.fetch_sub(gone, Ordering::AcqRel);
        }
    }

    /// The entries of the log that `wanted` picks by their id and end.
    pub(crate) fn pick(&self, wanted: impl Fn(EntryId, UnixTime) -> bool) -> Vec<RevocationEntry> {
        let mut picked = Vec::new();
        for shelf in &self.shelves {
            let shelf = shelf.read().unwrap_or_else(PoisonError::into_inner);
            picked.extend(shelf.pick(&wanted));
        }
        picked
    }

    fn reserve(&self) -> bool {
        if self.len.fetch_add(1, Ordering::AcqRel) < self.max {
            return true;
        }
        self.len.fetch_sub(1, Ordering::AcqRel);
        false
    }

    fn read(&self, hash: u64) -> RwLockReadGuard<'_, Shelf> {
        self.shelves[shard(hash, self.shelves.len())]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, hash: u64) -> RwLockWriteGuard<'_, Shelf> {
        self.shelves[shard(hash, self.shelves.len())]
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("len", &self.len())
            .field("max", &self.max)
            .field("complete", &self.is_complete())
            .finish_non_exhaustive()
    }
}
