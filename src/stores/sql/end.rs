//! Ending sessions, and what else enters the log by its own name.

use super::rows::{Found, Rows};
use super::steps::{NewLine, Steps};
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{Committed, EndReason, EntryId, RevocationEntry, Revoked};
use crate::session::{EndAll, EndAllOutcome, EndOutcome, EndSession, Ended, SessionRecord};
use crate::token::UserId;
use crate::verify::Counter;

impl<R: Rows> Steps<R> {
    pub(super) async fn end_one(&mut self, request: EndSession) -> Result<EndOutcome, StoreError> {
        let found = self.rows.session(request.session).await?;
        let Some(found) = found.filter(|found| match &request.owner {
            Some(owner) => found.record.user == *owner,
            None => true,
        }) else {
            return Ok(EndOutcome::NotFound);
        };
        if found.record.ended.is_some() {
            return self.end_again(found, request.entry).await;
        }
        let ended = Ended {
            at: self.now,
            reason: request.reason,
            by: request.by,
        };
        let (record, line) = self.end_session(found.record, ended, request.entry).await?;
        Ok(EndOutcome::Ended {
            record,
            now: true,
            committed: self.commit(vec![line]).await?,
        })
    }

    /// Prolongs the entry by which a session ended; writes one anew where it is forgotten.
    async fn end_again(&mut self, found: Found, entry: EntryId) -> Result<EndOutcome, StoreError> {
        let Found {
            record, ended_by, ..
        } = found;
        let known = match ended_by {
            Some(by) => self.rows.log_get(by, self.now).await?,
            None => None,
        };
        let committed = match (known, &record.ended) {
            (None, Some(ended)) => {
                let reason = ended.reason.clone();
                let line = NewLine::of_session(entry, record.id, &record.user, reason);
                self.commit(vec![line]).await?
            }
            (known, _) => {
                let lines = known.map(|line| NewLine {
                    id: line.entry.id,
                    revoked: line.entry.revoked,
                    reason: line.entry.reason,
                });
                self.commit(lines.into_iter().collect()).await?
            }
        };
        Ok(EndOutcome::Ended {
            record,
            // The same write run again has ended it, too.
            now: ended_by == Some(entry),
            committed,
        })
    }

    pub(super) async fn end_all(&mut self, request: &EndAll) -> Result<EndAllOutcome, StoreError> {
        if let Some(committed) = self.committed_before(request.entry).await? {
            let records = self.ended_by(&request.user, request.entry).await?;
            return Ok(EndAllOutcome::Ended { records, committed });
        }
        if let Some(except) = request.except {
            let found = self.rows.session(except).await?;
            let excused = self
                .excuses(found.iter().map(|found| &found.record), self.now)
                .await?;
            let stays = found.is_some_and(|found| {
                found.record.user == request.user && found.is_alive(self.now, excused)
            });
            if !stays {
                return Ok(EndAllOutcome::ExceptNotAlive);
            }
        }
        let counters = self.rows.counters(&request.user).await?;
        let below = counters.revoked_gen.raised(self.now);
        let line = NewLine {
            id: request.entry,
            revoked: Revoked::User {
                user: request.user.clone(),
                below,
                except: request.except,
            },
            reason: request.reason.clone(),
        };
        let records = self.put_out(below, &line, request.by.as_ref()).await?;
        let committed = self.commit(vec![line]).await?;
        Ok(EndAllOutcome::Ended { records, committed })
    }

    pub(super) async fn erase(
        &mut self,
        user: &UserId,
        entry: EntryId,
    ) -> Result<EndAllOutcome, StoreError> {
        let known = self.rows.log_get(entry, self.now).await?.is_some();
        let everything = EndAll {
            user: user.clone(),
            except: None,
            reason: EndReason::UserRemoved,
            by: None,
            entry,
        };
        let outcome = self.end_all(&everything).await?;
        if !known {
            self.rows.forget_ended_of(user).await?;
        }
        Ok(outcome)
    }

    pub(super) async fn raise_roles(
        &mut self,
        user: &UserId,
        entry: EntryId,
    ) -> Result<Committed, StoreError> {
        if let Some(committed) = self.committed_before(entry).await? {
            return Ok(committed);
        }
        let below = self.rows.counters(user).await?.roles_gen.raised(self.now);
        self.raise(user, Counter::ZERO, below).await?;
        let line = NewLine {
            id: entry,
            revoked: Revoked::Roles {
                user: user.clone(),
                below,
            },
            reason: EndReason::RolesChanged,
        };
        self.commit(vec![line]).await
    }

    pub(super) async fn append(
        &mut self,
        entries: Vec<RevocationEntry>,
    ) -> Result<Committed, StoreError> {
        let fleet = self.rows.fleet().await?;
        let mut lines = Vec::new();
        for mut entry in entries {
            if entry.at == UnixTime::EPOCH {
                entry.at = self.now;
            }
            if entry.until == UnixTime::EPOCH {
                entry.until = self.until(&fleet);
            }
            if self.rows.log_get(entry.id, self.now).await?.is_none() {
                self.apply(&entry).await?;
            }
            lines.push(self.rows.log_put(&entry, self.now).await?);
        }
        self.committed(lines, fleet.history).await
    }

    /// What an entry of another writer means for the records and the counters.
    async fn apply(&mut self, entry: &RevocationEntry) -> Result<(), StoreError> {
        match &entry.revoked {
            Revoked::Roles { user, below } => self.raise(user, Counter::ZERO, *below).await,
            Revoked::Session { session, user } => {
                let found = self.rows.session(*session).await?;
                let meant = found.filter(|found| {
                    found.record.ended.is_none()
                        && user.as_ref().is_none_or(|user| found.record.user == *user)
                });
                if let Some(mut found) = meant {
                    found.record.ended = Some(self.ended(entry.reason.clone()));
                    self.rows.update(&found.record, Some(entry.id)).await?;
                }
                Ok(())
            }
            Revoked::Token { .. } => Ok(()),
            Revoked::User { below, .. } => {
                let line = NewLine {
                    id: entry.id,
                    revoked: entry.revoked.clone(),
                    reason: entry.reason.clone(),
                };
                self.put_out(*below, &line, None).await.map(drop)
            }
        }
    }

    /// Raises a user's counters to at least these.
    async fn raise(
        &mut self,
        user: &UserId,
        revoked_gen: Counter,
        roles_gen: Counter,
    ) -> Result<(), StoreError> {
        let mut counters = self.rows.counters(user).await?;
        counters.revoked_gen = counters.revoked_gen.max(revoked_gen);
        counters.roles_gen = counters.roles_gen.max(roles_gen);
        self.rows.set_counters(user, counters).await
    }

    /// Raises the user's counter to `below` and ends the sessions that a line about everything of
    /// them puts out.
    async fn put_out(
        &mut self,
        below: Counter,
        line: &NewLine,
        by: Option<&UserId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let Revoked::User { user, except, .. } = &line.revoked else {
            return Ok(Vec::new());
        };
        self.raise(user, below, Counter::ZERO).await?;
        let mut out = Vec::new();
        let open = self.rows.open_of(user).await?;
        let records: Vec<_> = open.iter().map(|found| &found.record).collect();
        let excused = self.excuses(records, self.now).await?;
        for found in open {
            let mut record = found.record;
            if Some(record.id) == *except {
                record.spared = record.spared.max(below);
                self.rows.update(&record, None).await?;
            } else if record.revoked_gen < below {
                let expired = record.expired(self.now, excused);
                let reason = expired.unwrap_or_else(|| line.reason.clone());
                record.ended = Some(Ended {
                    at: self.now,
                    by: by.filter(|_| reason == line.reason).cloned(),
                    reason,
                });
                self.rows.update(&record, Some(line.id)).await?;
                out.push(record);
            }
        }
        Ok(out)
    }

    /// The sessions of a user that ended by an entry.
    async fn ended_by(
        &mut self,
        user: &UserId,
        entry: EntryId,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let ended = self.rows.ended_of(user).await?.into_iter();
        Ok(ended
            .filter(|found| found.ended_by == Some(entry))
            .map(|found| found.record)
            .collect())
    }
}
