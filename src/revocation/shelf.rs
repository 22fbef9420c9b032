//! One shard of the view: an exact, compact table.

use std::time::Duration;

use hashbrown::HashTable;

use super::entry::{Effect, EntryId, RevocationEntry};
use super::hashes::Hashes;
use super::packed::{Kept, Packed, Place, Written};
use crate::clock::UnixTime;
use crate::verify::TokenFacts;

/// Entries of the log, and those whose write is under way.
///
/// The two are apart: a write that comes to nothing takes back its own entry and never one of
/// the log, and an entry whose write is under way needs no room.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// Where they stand, by what they are filed under.
    places: HashTable<Place>,
    packed: Packed,
    tentative: Vec<RevocationEntry>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It was known; its end may have moved.
    Known,
    /// It is new.
    New,
    /// It did not fit.
    NoRoom,
}

impl Shelf {
    /// Keeps an entry of the log; of one that is known, the later end wins.
    pub(crate) fn put(
        &mut self,
        hash: u64,
        entry: &RevocationEntry,
        hashes: &Hashes,
        reserve: impl FnOnce() -> bool,
    ) -> Put {
        let new = Written::of(entry);
        let known = self.filed(hash).find(|(_, kept)| kept.is(&new));
        if let Some((place, until)) = known.map(|(place, kept)| (place, kept.until())) {
            self.packed.set_until(place, until.max(entry.until));
            return Put::Known;
        }
        if !reserve() {
            return Put::NoRoom;
        }
        let place = self.packed.push(&new);
        let packed = &self.packed;
        self.places
            .insert_unique(hash, place, |place| packed.get(*place).hash(hashes));
        Put::New
    }

    /// Keeps an entry whose write is under way.
    pub(crate) fn hold(&mut self, entry: RevocationEntry) {
        self.tentative.push(entry);
    }

    /// Takes back an entry whose outcome is known.
    pub(crate) fn release(&mut self, id: EntryId) {
        if let Some(place) = self.tentative.iter().position(|entry| entry.id == id) {
            self.tentative.swap_remove(place);
        }
    }

    /// The strongest effect of what is filed under `hash`.
    ///
    /// Entries are looked at one by one: each has an exception of its own, so none can stand for
    /// another.
    pub(crate) fn effect(&self, hash: u64, facts: &TokenFacts, skew: Duration) -> Option<Effect> {
        let held = self
            .filed(hash)
            .filter(|(_, kept)| kept.may_concern(facts))
            .filter_map(|(_, kept)| kept.entry().effect_on(facts, skew));
        let tentative = self
            .tentative
            .iter()
            .filter_map(|entry| entry.effect_on(facts, skew));
        held.chain(tentative).reduce(Effect::stronger)
    }

    /// Forgets what is over at `now`; says how much that was.
    pub(crate) fn purge(&mut self, now: UnixTime, hashes: &Hashes) -> usize {
        // A write whose outcome nobody learnt, as when the store's code panicked.
        self.tentative.retain(|entry| entry.until > now);
        let over = self.packed.iter().filter(|(_, kept)| kept.until() <= now);
        let over: Vec<(Place, u64)> = over
            .map(|(place, kept)| (place, kept.hash(hashes)))
            .collect();
        for (place, hash) in &over {
            if let Ok(filed) = self.places.find_entry(*hash, |filed| filed == place) {
                filed.remove();
            }
            self.packed.drop_at(*place);
        }
        if self.packed.is_loose() {
            self.pack(hashes);
        }
        over.len()
    }

    /// The entries of the log that `wanted` picks by their id and end.
    pub(crate) fn pick(
        &self,
        wanted: impl Fn(EntryId, UnixTime) -> bool,
    ) -> impl Iterator<Item = RevocationEntry> {
        let picked = self.packed.iter();
        picked
            .filter(move |(_, kept)| wanted(kept.id(), kept.until()))
            .map(|(_, kept)| kept.entry())
    }

    fn filed(&self, hash: u64) -> impl Iterator<Item = (Place, Kept<'_>)> {
        let places = self.places.iter_hash(hash);
        places.map(|place| (*place, self.packed.get(*place)))
    }

    /// Gives back the room of what was dropped.
    fn pack(&mut self, hashes: &Hashes) {
        let packed = self.packed.packed();
        let mut places = HashTable::with_capacity(self.places.len());
        for (place, kept) in packed.iter() {
            places.insert_unique(kept.hash(hashes), place, |place| {
                packed.get(*place).hash(hashes)
            });
        }
        (self.packed, self.places) = (packed, places);
    }
}
