//! The revocation log: entries in the order of their commits, and who they concern.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use crate::clock::UnixTime;
use crate::revocation::{Cursor, EntryId, LogPosition, RevocationEntry, Revoked};
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::TokenFacts;

/// The entries that still matter, numbered from 1 in the order of their commits.
#[derive(Debug, Default)]
pub(super) struct Log {
    end: u64,
    entries: BTreeMap<u64, RevocationEntry>,
    by_id: HashMap<EntryId, u64>,
    by_subject: HashMap<Subject, BTreeSet<u64>>,
    by_until: BTreeSet<(UnixTime, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Session(SessionId),
    Token(TokenId),
    User(UserId),
}

impl Log {
    /// The number of the last entry that was ever written; 0 before the first.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The cursor of somebody who has read everything.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor(vec![self.end])
    }

    /// Writes an entry, or prolongs the one of the same id, and says where it stands.
    pub(super) fn put(&mut self, entry: RevocationEntry) -> LogPosition {
        if let Some(position) = self.prolong(entry.id, entry.until) {
            return position;
        }
        self.end += 1;
        self.by_id.insert(entry.id, self.end);
        self.by_until.insert((entry.until, self.end));
        self.by_subject
            .entry(Subject::of(&entry.revoked))
            .or_default()
            .insert(self.end);
        self.entries.insert(self.end, entry);
        position(self.end)
    }

    /// Lets an entry live at least until `until`; `None` when there is no such entry.
    pub(super) fn prolong(&mut self, id: EntryId, until: UnixTime) -> Option<LogPosition> {
        let number = *self.by_id.get(&id)?;
        if let Some(entry) = self.entries.get_mut(&number)
            && entry.until < until
        {
            self.by_until.remove(&(entry.until, number));
            self.by_until.insert((until, number));
            entry.until = until;
        }
        Some(position(number))
    }

    pub(super) fn get(&self, id: EntryId) -> Option<(&RevocationEntry, LogPosition)> {
        let number = *self.by_id.get(&id)?;
        Some((self.entries.get(&number)?, position(number)))
    }

    pub(super) fn holds(&self, id: EntryId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// The entries that a cursor has not read; all of them for a cursor that is none of this log.
    pub(super) fn after(&self, cursor: Option<&Cursor>) -> impl Iterator<Item = &RevocationEntry> {
        let read = match cursor.map(|cursor| cursor.0.as_slice()) {
            Some(&[read]) if read <= self.end => read,
            _ => 0,
        };
        self.entries
            .range((Bound::Excluded(read), Bound::Unbounded))
            .map(|(_, entry)| entry)
    }

    /// The entries that can concern a token.
    pub(super) fn about(&self, facts: &TokenFacts) -> impl Iterator<Item = &RevocationEntry> {
        [
            facts.session.map(Subject::Session),
            facts.token.clone().map(Subject::Token),
            Some(Subject::User(facts.user.clone())),
        ]
        .into_iter()
        .flatten()
        .filter_map(|subject| self.by_subject.get(&subject))
        .flatten()
        .filter_map(|number| self.entries.get(number))
    }

    /// Forgets the entries whose time is over.
    pub(super) fn purge(&mut self, now: UnixTime) {
        while let Some(&(until, number)) = self.by_until.first() {
            if until > now {
                break;
            }
            self.by_until.pop_first();
            let Some(entry) = self.entries.remove(&number) else {
                continue;
            };
            self.by_id.remove(&entry.id);
            let subject = Subject::of(&entry.revoked);
            if let Some(numbers) = self.by_subject.get_mut(&subject) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.by_subject.remove(&subject);
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.by_id.is_empty()
            && self.by_subject.is_empty()
            && self.by_until.is_empty()
    }
}

impl Subject {
    fn of(revoked: &Revoked) -> Self {
        match revoked {
            Revoked::Roles { user, .. } | Revoked::User { user, .. } => Self::User(user.clone()),
            Revoked::Session { session, .. } => Self::Session(*session),
            Revoked::Token { token, .. } => Self::Token(token.clone()),
        }
    }
}

fn position(number: u64) -> LogPosition {
    LogPosition {
        part: 0,
        value: number,
    }
}
