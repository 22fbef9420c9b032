//! The session records, and the orders in which they are looked for.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use crate::clock::UnixTime;
use crate::revocation::EntryId;
use crate::session::{Ended, SessionRecord};
use crate::token::{SessionId, UserId};

/// The records of all sessions. "Open" is what has not ended, whether or not its time is over.
#[derive(Debug, Default)]
pub(super) struct Records {
    sessions: HashMap<SessionId, Stored>,
    users: HashMap<UserId, Of>,
    open: BTreeSet<SessionId>,
    due: BTreeSet<(UnixTime, SessionId)>,
    ended: BTreeSet<(UnixTime, SessionId)>,
}

#[derive(Debug)]
struct Stored {
    record: SessionRecord,
    operation: [u8; 32],
    ended_by: Option<EntryId>,
}

/// What is known of one user.
#[derive(Debug, Default)]
struct Of {
    open: BTreeSet<SessionId>,
    ended: BTreeSet<(UnixTime, SessionId)>,
    operations: HashMap<[u8; 32], SessionId>,
}

impl Records {
    pub(super) fn get(&self, id: SessionId) -> Option<&SessionRecord> {
        self.sessions.get(&id).map(|stored| &stored.record)
    }

    /// The session that an operation of this user made.
    pub(super) fn of_operation(
        &self,
        user: &UserId,
        operation: &[u8; 32],
    ) -> Option<&SessionRecord> {
        self.get(*self.users.get(user)?.operations.get(operation)?)
    }

    /// The log entry that ended a session.
    pub(super) fn ended_by(&self, id: SessionId) -> Option<EntryId> {
        self.sessions.get(&id)?.ended_by
    }

    pub(super) fn knows(&self, user: &UserId) -> bool {
        self.users.contains_key(user)
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// The open sessions of a user, by id.
    pub(super) fn open_of(&self, user: &UserId) -> impl Iterator<Item = &SessionRecord> {
        self.users
            .get(user)
            .into_iter()
            .flat_map(|of| &of.open)
            .filter_map(|id| self.get(*id))
    }

    /// The ended sessions of a user, the latest first.
    pub(super) fn ended_of(&self, user: &UserId) -> impl Iterator<Item = &SessionRecord> {
        self.users
            .get(user)
            .into_iter()
            .flat_map(|of| of.ended.iter().rev())
            .filter_map(|(_, id)| self.get(*id))
    }

    /// The open sessions of one user or of everybody after an id, by id.
    pub(super) fn open_after(
        &self,
        user: Option<&UserId>,
        after: Option<SessionId>,
    ) -> impl Iterator<Item = &SessionRecord> {
        let ids = match user {
            Some(user) => self.users.get(user).map(|of| &of.open),
            None => Some(&self.open),
        };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        ids.into_iter()
            .flat_map(move |ids| ids.range((start, Bound::Unbounded)))
            .filter_map(|id| self.get(*id))
    }

    /// The open sessions whose time may be over, the longest overdue first.
    pub(super) fn due(&self, now: UnixTime) -> impl Iterator<Item = &SessionRecord> {
        self.due
            .iter()
            .take_while(move |(due, _)| *due <= now)
            .filter_map(|(_, id)| self.get(*id))
    }

    /// The sessions that ended before an instant, the first to end first.
    pub(super) fn ended_before(&self, before: UnixTime) -> impl Iterator<Item = SessionId> {
        self.ended
            .iter()
            .take_while(move |(at, _)| *at < before)
            .map(|(_, id)| *id)
    }

    /// Adds a session that no other has the id of.
    pub(super) fn insert(&mut self, record: SessionRecord, operation: [u8; 32]) {
        let of = self.users.entry(record.user.clone()).or_default();
        of.open.insert(record.id);
        of.operations.insert(operation, record.id);
        self.open.insert(record.id);
        self.due.insert((record.due_at(), record.id));
        self.sessions.insert(
            record.id,
            Stored {
                record,
                operation,
                ended_by: None,
            },
        );
    }

    /// Changes an open session; does nothing to any other.
    pub(super) fn update(&mut self, id: SessionId, change: impl FnOnce(&mut SessionRecord)) {
        let Some(stored) = self.sessions.get_mut(&id) else {
            return;
        };
        if stored.record.ended.is_some() {
            return;
        }
        let due = stored.record.due_at();
        change(&mut stored.record);
        if stored.record.due_at() != due {
            self.due.remove(&(due, id));
            self.due.insert((stored.record.due_at(), id));
        }
    }

    /// Ends an open session, and answers it as it ended.
    pub(super) fn end(
        &mut self,
        id: SessionId,
        ended: Ended,
        by: EntryId,
    ) -> Option<SessionRecord> {
        let stored = self.sessions.get_mut(&id)?;
        if stored.record.ended.is_some() {
            return None;
        }
        let at = ended.at;
        stored.record.ended = Some(ended);
        stored.ended_by = Some(by);
        self.due.remove(&(stored.record.due_at(), id));
        self.open.remove(&id);
        self.ended.insert((at, id));
        if let Some(of) = self.users.get_mut(&stored.record.user) {
            of.open.remove(&id);
            of.ended.insert((at, id));
        }
        Some(stored.record.clone())
    }

    /// Removes a session that has ended, with its operation.
    pub(super) fn forget(&mut self, id: SessionId) {
        let Some(stored) = self.sessions.remove(&id) else {
            return;
        };
        let record = stored.record;
        self.open.remove(&id);
        self.due.remove(&(record.due_at(), id));
        let at = record.ended.map(|ended| ended.at);
        if let Some(at) = at {
            self.ended.remove(&(at, id));
        }
        if let Some(of) = self.users.get_mut(&record.user) {
            of.open.remove(&id);
            of.operations.remove(&stored.operation);
            if let Some(at) = at {
                of.ended.remove(&(at, id));
            }
            if of.open.is_empty() && of.ended.is_empty() {
                self.users.remove(&record.user);
            }
        }
    }
    /// How many places each hold how much: sessions, users, their operations, and the orders.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 6] {
        [
            self.sessions.len(),
            self.users.len(),
            self.users.values().map(|of| of.operations.len()).sum(),
            self.open.len(),
            self.due.len(),
            self.ended.len(),
        ]
    }
}
