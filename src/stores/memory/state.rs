//! What the store holds, and the steps that the others are made of.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use uuid::Uuid;

use super::log::Log;
use super::records::Records;
use crate::clock::UnixTime;
use crate::revocation::{
    Committed, EndReason, EntryId, FleetLimits, Highest, Lease, NodeId, RevocationEntry, Revoked,
};
use crate::session::{Counters, Ended, SessionRecord};
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

/// All that the store holds.
#[derive(Debug)]
pub(super) struct State {
    pub(super) deployment: u128,
    pub(super) history: u128,
    pub(super) limits: Option<FleetLimits>,
    pub(super) highest: Highest,
    pub(super) leases: BTreeMap<NodeId, Lease>,
    pub(super) log: Log,
    pub(super) records: Records,
    counters: HashMap<UserId, Counters>,
}

/// A line of the log that has no instants yet.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: EntryId,
    pub(super) revoked: Revoked,
    pub(super) reason: EndReason,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            deployment: Uuid::now_v7().as_u128(),
            history: Uuid::now_v7().as_u128(),
            limits: None,
            highest: Highest::default(),
            leases: BTreeMap::new(),
            log: Log::default(),
            records: Records::default(),
            counters: HashMap::new(),
        }
    }

    pub(super) fn counters(&self, user: &UserId) -> Counters {
        self.counters.get(user).copied().unwrap_or_default()
    }

    /// Raises a user's revocation counter to at least `to`.
    pub(super) fn raise_revoked_gen(&mut self, user: &UserId, to: Counter) {
        let counters = self.counters.entry(user.clone()).or_default();
        counters.revoked_gen = counters.revoked_gen.max(to);
    }

    /// Raises a user's role counter to at least `to`.
    pub(super) fn raise_roles_gen(&mut self, user: &UserId, to: Counter) {
        let counters = self.counters.entry(user.clone()).or_default();
        counters.roles_gen = counters.roles_gen.max(to);
    }

    pub(super) fn is_alive(&self, record: &SessionRecord, now: UnixTime) -> bool {
        let revoked_gen = self.counters(&record.user).revoked_gen;
        record.is_alive(now, revoked_gen, IDLE_SUSPENDED)
    }

    /// The sessions of a user that are alive, by id.
    pub(super) fn live<'a>(
        &'a self,
        user: &'a UserId,
        now: UnixTime,
    ) -> impl Iterator<Item = &'a SessionRecord> {
        let revoked_gen = self.counters(user).revoked_gen;
        self.records
            .open_of(user)
            .filter(move |record| record.is_alive(now, revoked_gen, IDLE_SUSPENDED))
    }

    /// Ends one open session by a log entry of its own, which the caller commits.
    pub(super) fn end_session(
        &mut self,
        id: SessionId,
        ended: Ended,
        entry: EntryId,
    ) -> Option<(SessionRecord, Line)> {
        let reason = ended.reason.clone();
        let record = self.records.end(id, ended, Some(entry))?;
        let revoked = Revoked::Session {
            session: id,
            user: Some(record.user.clone()),
        };
        let line = Line {
            id: entry,
            revoked,
            reason,
        };
        Some((record, line))
    }

    /// Ends sessions that nobody ended: they are over, or give way.
    pub(super) fn end_over(
        &mut self,
        over: impl IntoIterator<Item = (SessionId, EndReason)>,
        now: UnixTime,
    ) -> (Vec<SessionRecord>, Vec<Line>) {
        over.into_iter()
            .filter_map(|(id, reason)| {
                let ended = Ended {
                    at: now,
                    reason,
                    by: None,
                };
                self.end_session(id, ended, EntryId::random())
            })
            .unzip()
    }

    /// Writes lines into the log; those whose name it knows stay as they are and live longer.
    pub(super) fn commit(&mut self, lines: Vec<Line>, now: UnixTime) -> Committed {
        let until = self.until(now);
        let entries = lines
            .into_iter()
            .map(|line| RevocationEntry {
                id: line.id,
                revoked: line.revoked,
                reason: line.reason,
                at: now,
                until,
            })
            .collect();
        self.commit_entries(entries, now)
    }

    /// The same where there may be nothing to write.
    pub(super) fn commit_any(&mut self, lines: Vec<Line>, now: UnixTime) -> Option<Committed> {
        (!lines.is_empty()).then(|| self.commit(lines, now))
    }

    pub(super) fn commit_entries(
        &mut self,
        entries: Vec<RevocationEntry>,
        now: UnixTime,
    ) -> Committed {
        let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        for entry in entries {
            self.log.put(entry);
        }
        // What is over already is in no log, and so in no answer.
        self.log.purge(now);
        self.committed(&ids, now)
    }

    /// What a writer learns of entries that the log holds.
    pub(super) fn committed(&mut self, ids: &[EntryId], now: UnixTime) -> Committed {
        let leases = self.leases(now);
        let (entries, positions) = ids
            .iter()
            .filter_map(|id| self.log.get(*id))
            .map(|(entry, position)| (entry.clone(), position))
            .unzip();
        Committed {
            entries,
            positions,
            leases,
            history: self.history,
            now,
        }
    }

    /// The same of the one entry that an earlier run of the same write left, if it did.
    pub(super) fn committed_before(&mut self, id: EntryId, now: UnixTime) -> Option<Committed> {
        self.log.holds(id).then(|| self.committed(&[id], now))
    }

    /// Until when an entry that is written at `now` must be known.
    pub(super) fn until(&self, now: UnixTime) -> UnixTime {
        let lifetime = self.limits.unwrap_or(BEFORE_ATTACH).entry_lifetime();
        self.highest.since(now) + lifetime
    }
}

/// Being unused is never excused here: there is no outage in which uses could not be written down.
pub(super) const IDLE_SUSPENDED: bool = false;

/// What is taken for granted until the first node says how long its tokens live: more than any
/// sensible one.
const BEFORE_ATTACH: FleetLimits = FleetLimits {
    access_lifetime: Duration::from_secs(24 * 60 * 60),
    leeway: Duration::from_secs(60),
    skew: Duration::from_secs(60),
};
