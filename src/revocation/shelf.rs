//! One shard of the view: an exact, compact table.

use std::time::Duration;

use hashbrown::HashTable;

use super::entry::{Effect, EndReason, EntryId, RevocationEntry, Revoked};
use super::hashes::Hashes;
use crate::clock::UnixTime;
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::TokenFacts;

/// Entries of the log, and those whose write is under way.
///
/// The two are apart: a write that comes to nothing takes back its own entry and never one of
/// the log, and an entry whose write is under way needs no room.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    held: HashTable<Held>,
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

/// An entry of the log in 72 bytes, beside the text of its user.
#[derive(Debug)]
struct Held {
    id: EntryId,
    user: Option<UserId>,
    at: UnixTime,
    until: UnixTime,
    what: What,
}

#[derive(Debug)]
enum What {
    Session {
        session: SessionId,
        reason: EndReason,
    },
    Token {
        token: TokenId,
        reason: EndReason,
    },
    /// Everything of a user, or the roles; rare, so it may stand elsewhere.
    User(Box<(Revoked, EndReason)>),
}

impl Shelf {
    /// Keeps an entry of the log; of one that is known, the later end wins.
    pub(crate) fn put(
        &mut self,
        hash: u64,
        entry: RevocationEntry,
        hashes: &Hashes,
        reserve: impl FnOnce() -> bool,
    ) -> Put {
        let new = Held::from(entry);
        let same = |old: &Held| old.id == new.id && old.what.is_filed_with(&new.what);
        if let Some(old) = self.held.find_mut(hash, same) {
            old.until = old.until.max(new.until);
            return Put::Known;
        }
        if !reserve() {
            return Put::NoRoom;
        }
        self.held.insert_unique(hash, new, |held| held.hash(hashes));
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
            .held
            .iter_hash(hash)
            .filter(|held| held.may_concern(facts))
            .filter_map(|held| held.to_entry().effect_on(facts, skew));
        let tentative = self
            .tentative
            .iter()
            .filter_map(|entry| entry.effect_on(facts, skew));
        held.chain(tentative).reduce(Effect::stronger)
    }

    /// Forgets what is over at `now`; says how much that was.
    pub(crate) fn purge(&mut self, now: UnixTime, hashes: &Hashes) -> usize {
        let before = self.held.len();
        self.held.retain(|held| held.until > now);
        // A write whose outcome nobody learnt, as when the store's code panicked.
        self.tentative.retain(|entry| entry.until > now);
        if self.held.capacity() > SMALL && self.held.len() < self.held.capacity() / 4 {
            let wanted = self.held.len() * 2;
            self.held.shrink_to(wanted, |held| held.hash(hashes));
        }
        before - self.held.len()
    }

    /// The entries of the log that `wanted` picks by their id and end.
    pub(crate) fn pick(
        &self,
        wanted: impl Fn(EntryId, UnixTime) -> bool,
    ) -> impl Iterator<Item = RevocationEntry> {
        self.held
            .iter()
            .filter(move |held| wanted(held.id, held.until))
            .map(Held::to_entry)
    }
}

impl Held {
    fn hash(&self, hashes: &Hashes) -> u64 {
        hashes.of_entry(&self.revoked())
    }

    /// A cheap test that passes everything that concerns a token, and little else.
    fn may_concern(&self, facts: &TokenFacts) -> bool {
        match &self.what {
            What::Session { session, .. } => facts.session == Some(*session),
            What::Token { token, .. } => facts.token.as_ref() == Some(token),
            What::User(what) => what.0.user() == Some(&facts.user),
        }
    }

    fn revoked(&self) -> Revoked {
        match &self.what {
            What::Session { session, .. } => Revoked::Session {
                session: *session,
                user: self.user.clone(),
            },
            What::Token { token, .. } => Revoked::Token {
                token: token.clone(),
                user: self.user.clone(),
            },
            What::User(what) => what.0.clone(),
        }
    }

    fn to_entry(&self) -> RevocationEntry {
        let reason = match &self.what {
            What::Session { reason, .. } | What::Token { reason, .. } => reason,
            What::User(what) => &what.1,
        };
        RevocationEntry {
            id: self.id,
            revoked: self.revoked(),
            reason: reason.clone(),
            at: self.at,
            until: self.until,
        }
    }
}

impl From<RevocationEntry> for Held {
    fn from(entry: RevocationEntry) -> Self {
        let reason = entry.reason;
        let (user, what) = match entry.revoked {
            Revoked::Session { session, user } => (user, What::Session { session, reason }),
            Revoked::Token { token, user } => (user, What::Token { token, reason }),
            of_user => (None, What::User(Box::new((of_user, reason)))),
        };
        Self {
            id: entry.id,
            user,
            at: entry.at,
            until: entry.until,
            what,
        }
    }
}

impl What {
    fn is_filed_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Session { session: a, .. }, Self::Session { session: b, .. }) => a == b,
            (Self::Token { token: a, .. }, Self::Token { token: b, .. }) => a == b,
            (Self::User(a), Self::User(b)) => a.0 == b.0,
            _ => false,
        }
    }
}

/// A table of so few places is not worth shrinking.
const SMALL: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_72_bytes() {
        assert_eq!(size_of::<Held>(), 72);
    }
}
