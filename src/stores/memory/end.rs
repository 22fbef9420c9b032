//! Ending sessions, and what else enters the log by its own name.

use super::state::{IDLE_SUSPENDED, Line, State};
use crate::clock::UnixTime;
use crate::revocation::{Committed, EndReason, EntryId, RevocationEntry, Revoked};
use crate::session::{EndAll, EndAllOutcome, EndOutcome, EndSession, Ended, SessionRecord};
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

impl State {
    pub(super) fn end_one(&mut self, request: EndSession, now: UnixTime) -> EndOutcome {
        self.log.purge(now);
        let owned = self.records.get(request.session).filter(|record| {
            request
                .owner
                .as_ref()
                .is_none_or(|owner| record.user == *owner)
        });
        let Some(record) = owned else {
            return EndOutcome::NotFound;
        };
        if let Some(ended) = &record.ended {
            let (record, reason) = (record.clone(), ended.reason.clone());
            return self.end_again(record, reason, request.entry, now);
        }
        let ended = Ended {
            at: now,
            reason: request.reason,
            by: request.by,
        };
        match self.end_session(request.session, ended, request.entry) {
            Some((record, line)) => EndOutcome::Ended {
                record,
                now: true,
                committed: self.commit(vec![line], now),
            },
            None => EndOutcome::NotFound,
        }
    }

    /// Prolongs the entry by which a session ended; writes one anew where it is forgotten.
    fn end_again(
        &mut self,
        record: SessionRecord,
        reason: EndReason,
        entry: EntryId,
        now: UnixTime,
    ) -> EndOutcome {
        let by = self.records.ended_by(record.id);
        let until = self.until(now);
        let committed = match by.filter(|by| self.log.prolong(*by, until).is_some()) {
            Some(by) => self.committed(&[by], now),
            None => {
                let line = Line {
                    id: entry,
                    revoked: Revoked::Session {
                        session: record.id,
                        user: Some(record.user.clone()),
                    },
                    reason,
                };
                self.commit(vec![line], now)
            }
        };
        EndOutcome::Ended {
            record,
            // The same write run again has ended it, too.
            now: by == Some(entry),
            committed,
        }
    }

    pub(super) fn end_all(&mut self, request: &EndAll, now: UnixTime) -> EndAllOutcome {
        self.log.purge(now);
        if let Some(committed) = self.committed_before(request.entry, now) {
            let records = self.ended_by(&request.user, request.entry);
            return EndAllOutcome::Ended { records, committed };
        }
        if let Some(except) = request.except {
            let stays = self
                .records
                .get(except)
                .is_some_and(|record| record.user == request.user && self.is_alive(record, now));
            if !stays {
                return EndAllOutcome::ExceptNotAlive;
            }
        }
        let below = self.counters(&request.user).revoked_gen.raised(now);
        let line = Line {
            id: request.entry,
            revoked: Revoked::User {
                user: request.user.clone(),
                below,
                except: request.except,
            },
            reason: request.reason.clone(),
        };
        let by = request.by.as_ref();
        let records = self.put_out(below, &line, by, now);
        let committed = self.commit(vec![line], now);
        EndAllOutcome::Ended { records, committed }
    }

    pub(super) fn erase(&mut self, user: &UserId, entry: EntryId, now: UnixTime) -> EndAllOutcome {
        self.log.purge(now);
        let known = self.log.holds(entry);
        let outcome = self.end_all(
            &EndAll {
                user: user.clone(),
                except: None,
                reason: EndReason::UserRemoved,
                by: None,
                entry,
            },
            now,
        );
        if !known {
            let ended: Vec<_> = self
                .records
                .ended_of(user)
                .map(|record| record.id)
                .collect();
            for id in ended {
                self.records.forget(id);
            }
        }
        outcome
    }

    pub(super) fn raise_roles(
        &mut self,
        user: &UserId,
        entry: EntryId,
        now: UnixTime,
    ) -> Committed {
        self.log.purge(now);
        if let Some(committed) = self.committed_before(entry, now) {
            return committed;
        }
        let below = self.counters(user).roles_gen.raised(now);
        self.raise_roles_gen(user, below);
        let line = Line {
            id: entry,
            revoked: Revoked::Roles {
                user: user.clone(),
                below,
            },
            reason: EndReason::RolesChanged,
        };
        self.commit(vec![line], now)
    }

    pub(super) fn append(&mut self, mut entries: Vec<RevocationEntry>, now: UnixTime) -> Committed {
        self.log.purge(now);
        let until = self.until(now);
        for entry in &mut entries {
            if entry.at == UnixTime::EPOCH {
                entry.at = now;
            }
            if entry.until == UnixTime::EPOCH {
                entry.until = until;
            }
            if !self.log.holds(entry.id) {
                self.apply(entry, now);
            }
        }
        self.commit_entries(entries, now)
    }

    /// What an entry of another writer means for the records and the counters.
    fn apply(&mut self, entry: &RevocationEntry, now: UnixTime) {
        match &entry.revoked {
            Revoked::Roles { user, below } => self.raise_roles_gen(user, *below),
            Revoked::Session { session, user } => {
                let meant = self
                    .records
                    .get(*session)
                    .is_some_and(|record| user.as_ref().is_none_or(|user| record.user == *user));
                if meant {
                    let ended = Ended {
                        at: now,
                        reason: entry.reason.clone(),
                        by: None,
                    };
                    self.records.end(*session, ended, Some(entry.id));
                }
            }
            Revoked::Token { .. } => {}
            Revoked::User { below, .. } => {
                let line = Line {
                    id: entry.id,
                    revoked: entry.revoked.clone(),
                    reason: entry.reason.clone(),
                };
                self.put_out(*below, &line, None, now);
            }
        }
    }

    /// Raises the user's counter to `below` and ends the sessions that a line about everything of
    /// them puts out.
    fn put_out(
        &mut self,
        below: Counter,
        line: &Line,
        by: Option<&UserId>,
        now: UnixTime,
    ) -> Vec<SessionRecord> {
        let Revoked::User { user, except, .. } = &line.revoked else {
            return Vec::new();
        };
        self.raise_revoked_gen(user, below);
        if let Some(except) = except
            && self
                .records
                .get(*except)
                .is_some_and(|record| record.user == *user)
        {
            self.records.update(*except, |record| {
                record.spared = record.spared.max(below);
            });
        }
        let out: Vec<(SessionId, EndReason)> = self
            .records
            .open_of(user)
            .filter(|record| record.revoked_gen < below && Some(record.id) != *except)
            .map(|record| {
                let expired = record.expired(now, IDLE_SUSPENDED);
                (record.id, expired.unwrap_or_else(|| line.reason.clone()))
            })
            .collect();
        out.into_iter()
            .filter_map(|(id, reason)| {
                let by = by.filter(|_| reason == line.reason).cloned();
                let ended = Ended {
                    at: now,
                    reason,
                    by,
                };
                self.records.end(id, ended, Some(line.id))
            })
            .collect()
    }

    /// The sessions of a user that ended by an entry.
    fn ended_by(&self, user: &UserId, entry: EntryId) -> Vec<SessionRecord> {
        self.records
            .ended_of(user)
            .filter(|record| self.records.ended_by(record.id) == Some(entry))
            .cloned()
            .collect()
    }
}
