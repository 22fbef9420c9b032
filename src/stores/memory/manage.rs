//! Reading sessions, and what changes without ending them.

use std::cmp::Reverse;

use super::state::{IDLE_SUSPENDED, State};
use crate::clock::UnixTime;
use crate::session::{Listing, Page, PageRequest, Population, SessionChange, SessionRecord, Use};
use crate::token::{SessionId, UserId};

impl State {
    pub(super) fn find(&self, id: SessionId) -> Option<SessionRecord> {
        self.records.get(id).cloned()
    }

    pub(super) fn list(
        &self,
        user: &UserId,
        listing: Listing,
        now: UnixTime,
    ) -> Vec<SessionRecord> {
        match listing {
            Listing::Ended => self.records.ended_of(user).cloned().collect(),
            Listing::Live => {
                let mut live: Vec<_> = self.live(user, now).cloned().collect();
                live.sort_by_key(|record| Reverse((record.last_active_at, record.id)));
                live
            }
        }
    }

    pub(super) fn count(&self, user: &UserId, now: UnixTime) -> u64 {
        self.live(user, now).count() as u64
    }

    pub(super) fn population(&self, now: UnixTime) -> Population {
        Population {
            sessions: self.records.open_and_not_due(now) as u64,
            users: self.records.users_with_open() as u64,
        }
    }

    pub(super) fn change(
        &mut self,
        id: SessionId,
        user: &UserId,
        change: SessionChange,
        now: UnixTime,
    ) -> Option<SessionRecord> {
        let record = self.records.get(id)?;
        if record.user != *user || !self.is_alive(record, now) {
            return None;
        }
        self.records.update(id, |record| change.apply(record));
        self.find(id)
    }

    pub(super) fn touch(&mut self, uses: &[Use], now: UnixTime) {
        for used in uses {
            // The node's clock may be ahead; a use in the future would put off the idle end.
            let at = used.at.min(now);
            let was_alive = self.records.get(used.session).is_some_and(|record| {
                // Judged when it was used: a flush that comes late must not end a session that
                // was in use, nor revive one that had been idle for too long by then.
                let revoked_gen = self.counters(&record.user).revoked_gen;
                record.is_alive(at, revoked_gen, IDLE_SUSPENDED)
            });
            if was_alive {
                self.records.update(used.session, |record| {
                    record.last_active_at = record.last_active_at.max(at);
                    record.refresh.ever_used = true;
                });
            }
        }
    }

    pub(super) fn page(&self, request: &PageRequest, now: UnixTime) -> Page {
        let limit = request.limit.max(1);
        let mut records: Vec<_> = self
            .records
            .open_after(request.user.as_ref(), request.after)
            .filter(|record| self.is_alive(record, now))
            .take(limit.saturating_add(1))
            .cloned()
            .collect();
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.id);
        Page { records, next }
    }
}
