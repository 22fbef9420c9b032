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
    users_with_open: usize,
    open: BTreeSet<SessionId>,
    /// The open sessions by an instant that is never later than the one they are due at: who goes on is
    /// left where it stands until [`take_due`](Self::take_due) comes by, so that a refresh touches no order.
    due: BTreeSet<(UnixTime, SessionId)>,
    ended: BTreeSet<(UnixTime, SessionId)>,
}

#[derive(Debug)]
struct Stored {
    record: SessionRecord,
    operation: [u8; 32],
    ended_by: Option<EntryId>,
    /// Where it stands in `due`.
    listed: UnixTime,
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

    /// The open sessions whose time may be over.
    fn due(&self, now: UnixTime) -> impl Iterator<Item = &SessionRecord> {
        self.listed(now)
            .filter_map(|id| self.get(id))
            .filter(move |record| record.due_at() <= now)
    }

    /// Those that have to be looked at to know who is due, and some more.
    fn listed(&self, now: UnixTime) -> impl Iterator<Item = SessionId> {
        self.due
            .iter()
            .take_while(move |(listed, _)| *listed <= now)
            .map(|(_, id)| *id)
    }

    /// Looks at up to so many sessions whose time may be over, and answers those of which it is,
    /// the longest overdue first; the others went on since, and stand where they belong from here on. Who is answered stays
    /// until it is ended.
    pub(super) fn take_due(&mut self, now: UnixTime, limit: usize) -> Vec<&SessionRecord> {
        let ids: Vec<_> = self.listed(now).take(limit).collect();
        for id in &ids {
            if let Some(stored) = self.sessions.get_mut(id) {
                self.due.remove(&(stored.listed, *id));
                stored.listed = stored.record.due_at();
                self.due.insert((stored.listed, *id));
            }
        }
        let found = ids.into_iter().filter_map(|id| self.get(id));
        let mut found: Vec<_> = found.filter(|record| record.due_at() <= now).collect();
        found.sort_unstable_by_key(|record| (record.due_at(), record.id));
        found
    }

    /// Whether [`take_due`](Self::take_due) has more to look at.
    pub(super) fn any_listed(&self, now: UnixTime) -> bool {
        self.listed(now).next().is_some()
    }

    /// How many open sessions there are whose time is not over. It looks at each that was not since the last sweep.
    pub(super) fn open_and_not_due(&self, now: UnixTime) -> usize {
        self.open.len() - self.due(now).count()
    }

    pub(super) fn users_with_open(&self) -> usize {
        self.users_with_open
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
        self.users_with_open += usize::from(of.open.is_empty());
        of.open.insert(record.id);
        of.operations.insert(operation, record.id);
        self.open.insert(record.id);
        let listed = record.due_at();
        self.due.insert((listed, record.id));
        self.sessions.insert(
            record.id,
            Stored {
                record,
                operation,
                ended_by: None,
                listed,
            },
        );
    }

    /// A part of all sessions after an id, by id: their operations, and what ended them.
    pub(super) fn all_after(
        &self,
        after: Option<SessionId>,
        limit: usize,
    ) -> Vec<(&SessionRecord, [u8; 32], Option<EntryId>)> {
        let later = |id: &&SessionId| after.is_none_or(|after| **id > after);
        let mut ids: Vec<_> = self.sessions.keys().filter(later).copied().collect();
        if ids.len() > limit {
            ids.select_nth_unstable(limit);
            ids.truncate(limit);
        }
        ids.sort_unstable();
        let stored = ids.iter().filter_map(|id| self.sessions.get(id));
        stored
            .map(|stored| (&stored.record, stored.operation, stored.ended_by))
            .collect()
    }

    /// Changes an open session; does nothing to any other.
    pub(super) fn update(&mut self, id: SessionId, change: impl FnOnce(&mut SessionRecord)) {
        let Some(stored) = self.sessions.get_mut(&id) else {
            return;
        };
        if stored.record.ended.is_some() {
            return;
        }
        change(&mut stored.record);
        let due = stored.record.due_at();
        if due < stored.listed {
            self.due.remove(&(stored.listed, id));
            self.due.insert((due, id));
            stored.listed = due;
        }
    }

    /// Ends an open session, and answers it as it ended.
    pub(super) fn end(
        &mut self,
        id: SessionId,
        ended: Ended,
        by: Option<EntryId>,
    ) -> Option<SessionRecord> {
        let stored = self.sessions.get_mut(&id)?;
        if stored.record.ended.is_some() {
            return None;
        }
        let at = ended.at;
        stored.record.ended = Some(ended);
        stored.ended_by = by;
        self.due.remove(&(stored.listed, id));
        self.open.remove(&id);
        self.ended.insert((at, id));
        if let Some(of) = self.users.get_mut(&stored.record.user) {
            self.users_with_open -= usize::from(of.close(id));
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
        self.due.remove(&(stored.listed, id));
        let at = record.ended.map(|ended| ended.at);
        if let Some(at) = at {
            self.ended.remove(&(at, id));
        }
        if let Some(of) = self.users.get_mut(&record.user) {
            self.users_with_open -= usize::from(of.close(id));
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

impl Of {
    /// Closes a session; whether it was the last.
    fn close(&mut self, id: SessionId) -> bool {
        self.open.remove(&id) && self.open.is_empty()
    }
}
