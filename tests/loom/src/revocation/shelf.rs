//! A shelf that is a list.

use std::time::Duration;

use super::entry::{Effect, EntryId, RevocationEntry};
use super::hashes::Hashes;
use crate::clock::UnixTime;
use crate::verify::TokenFacts;

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    held: Vec<RevocationEntry>,
    tentative: Vec<RevocationEntry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Known,
    New,
    NoRoom,
}

impl Shelf {
    pub(crate) fn put(
        &mut self,
        _hash: u64,
        entry: &RevocationEntry,
        _hashes: &Hashes,
        reserve: impl FnOnce() -> bool,
    ) -> Put {
        if self.held.iter().any(|old| old.id == entry.id) {
            return Put::Known;
        }
        if !reserve() {
            return Put::NoRoom;
        }
        self.held.push(*entry);
        Put::New
    }

    pub(crate) fn hold(&mut self, entry: RevocationEntry) {
        self.tentative.push(entry);
    }

    pub(crate) fn release(&mut self, id: EntryId) {
        self.tentative.retain(|entry| entry.id != id);
    }

    pub(crate) fn effect(&self, _: u64, facts: &TokenFacts, _: Duration) -> Option<Effect> {
        self.held
            .iter()
            .chain(&self.tentative)
            .any(|entry| entry.revoked.session == facts.session)
            .then_some(Effect::Revoked)
    }

    pub(crate) fn purge(&mut self, _now: UnixTime, _hashes: &Hashes) -> usize {
        0
    }

    pub(crate) fn pick(
        &self,
        _wanted: impl Fn(EntryId, UnixTime) -> bool,
    ) -> impl Iterator<Item = RevocationEntry> {
        self.held.iter().copied()
    }
}
