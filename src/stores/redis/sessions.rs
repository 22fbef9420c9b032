//! The verbs of sessions: what scripts are asked, and what their answers mean.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use redis::Value;

use super::error::garbled;
use super::scripts::{SCRIPTS, Verb, flag, instant, optional};
use super::{RedisStore, entries, records, reply};
use crate::BoxFuture;
use crate::error::StoreError;
use crate::revocation::{Committed, EndReason, EntryId};
use crate::session::{
    AuditLog, Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, Population, RefreshAttempt, RefreshOutcome, SessionChange, SessionRecord,
    SessionStore, SignInOutcome, Swept, Upkeep, Use,
};
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

type Answered<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// An answer that begins with a word.
pub(super) struct Told<'a> {
    store: &'a RedisStore,
    part: u16,
    pub(super) word: String,
    rest: std::vec::IntoIter<Value>,
}

impl<'a> Told<'a> {
    pub(super) fn of(store: &'a RedisStore, part: u16, answer: Value) -> Result<Self, StoreError> {
        let mut rest = reply::list(answer)?.into_iter();
        let word = reply::text(rest.next().ok_or_else(garbled)?)?;
        Ok(Self {
            store,
            part,
            word,
            rest,
        })
    }

    pub(super) fn next(&mut self) -> Result<Value, StoreError> {
        self.rest.next().ok_or_else(garbled)
    }

    pub(super) fn committed(&mut self) -> Result<Option<Committed>, StoreError> {
        let value = self.next()?;
        let committed = |value| self.store.committed(self.part, value);
        reply::optional(value, committed)
    }

    pub(super) fn record(&mut self) -> Result<Option<SessionRecord>, StoreError> {
        Ok(reply::optional(self.next()?, reply::record)?.flatten())
    }
}

impl RedisStore {
    async fn told(
        &self,
        part: u16,
        verb: &Verb,
        args: Vec<String>,
    ) -> Result<Told<'_>, StoreError> {
        Told::of(self, part, self.run(part, verb, args).await?)
    }

    async fn end_one(&self, request: EndSession) -> Result<EndOutcome, StoreError> {
        let part = match &request.owner {
            Some(owner) => self.part_of(owner),
            None => match self.look_for(request.session).await? {
                Some((part, _)) => part,
                None => return Ok(EndOutcome::NotFound),
            },
        };
        let args = vec![
            request.session.to_string(),
            optional(request.owner),
            request.reason.to_string(),
            optional(request.by),
            entries::name_of(request.entry),
        ];
        let mut told = self.told(part, &SCRIPTS.end_one, args).await?;
        if told.word == "unknown" {
            return Ok(EndOutcome::NotFound);
        }
        let record = told.record()?;
        let now = reply::text(told.next()?)? == "1";
        let committed = told.committed()?.ok_or_else(garbled)?;
        entries::expect_one(&committed.entries)?;
        Ok(match record {
            Some(record) => EndOutcome::Ended {
                record,
                now,
                committed,
            },
            None => EndOutcome::NotFound,
        })
    }

    async fn end_everything(
        &self,
        request: EndAll,
        erase: bool,
    ) -> Result<EndAllOutcome, StoreError> {
        let part = self.part_of(&request.user);
        let args = vec![
            request.user.to_string(),
            optional(request.except),
            request.reason.to_string(),
            optional(request.by),
            entries::name_of(request.entry),
            flag(erase),
        ];
        let mut told = self.told(part, &SCRIPTS.end_all, args).await?;
        if told.word == "dead" {
            return Ok(EndAllOutcome::ExceptNotAlive);
        }
        let records = reply::sessions(told.next()?)?;
        let committed = told.committed()?.ok_or_else(garbled)?;
        entries::expect_one(&committed.entries)?;
        Ok(EndAllOutcome::Ended { records, committed })
    }

    async fn listed(
        &self,
        user: &UserId,
        listing: Listing,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let which = match listing {
            Listing::Ended => "ended",
            Listing::Live => "live",
        };
        let args = vec![user.to_string(), which.to_owned()];
        let mut records =
            reply::sessions(self.run(self.part_of(user), &SCRIPTS.list, args).await?)?;
        if listing == Listing::Live {
            records.sort_by_key(|record| Reverse((record.last_active_at, record.id)));
        }
        Ok(records)
    }
}

impl SessionStore for RedisStore {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        Some(self)
    }

    fn counters<'a>(&'a self, user: &'a UserId) -> Answered<'a, Counters> {
        Box::pin(async move {
            let answer = self
                .run(
                    self.part_of(user),
                    &SCRIPTS.counters,
                    vec![user.to_string()],
                )
                .await?;
            let [revoked, roles] = reply::fixed(answer)?;
            counters_of(revoked, roles)
        })
    }

    fn sign_in(&self, session: NewSession) -> Answered<'_, SignInOutcome> {
        Box::pin(self.made(session))
    }

    fn refresh(&self, attempt: RefreshAttempt) -> Answered<'_, RefreshOutcome> {
        Box::pin(self.refreshed(attempt))
    }

    fn end(&self, request: EndSession) -> Answered<'_, EndOutcome> {
        Box::pin(self.end_one(request))
    }

    fn end_all(&self, request: EndAll) -> Answered<'_, EndAllOutcome> {
        Box::pin(self.end_everything(request, false))
    }

    fn raise_roles<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, Committed> {
        Box::pin(async move {
            let part = self.part_of(user);
            let args = vec![user.to_string(), entries::name_of(entry)];
            let committed =
                self.committed(part, self.run(part, &SCRIPTS.raise_roles, args).await?)?;
            entries::expect_one(&committed.entries)?;
            Ok(committed)
        })
    }

    fn find(&self, id: SessionId) -> Answered<'_, Option<SessionRecord>> {
        Box::pin(async move {
            let found = self.look_for(id).await?;
            found.map_or(Ok(None), |(_, found)| reply::record(found))
        })
    }

    fn list<'a>(&'a self, user: &'a UserId, listing: Listing) -> Answered<'a, Vec<SessionRecord>> {
        Box::pin(self.listed(user, listing))
    }

    fn count<'a>(&'a self, user: &'a UserId) -> Answered<'a, u64> {
        Box::pin(async move {
            reply::number(
                self.run(self.part_of(user), &SCRIPTS.count, vec![user.to_string()])
                    .await?,
            )
        })
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> Answered<'a, Option<SessionRecord>> {
        Box::pin(async move {
            let mut args = vec![id.to_string(), user.to_string()];
            args.extend(records::changed_fields(&change));
            let changed = self.run(self.part_of(user), &SCRIPTS.change, args).await?;
            Ok(reply::optional(changed, reply::record)?.flatten())
        })
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> Answered<'a, ()> {
        Box::pin(async move {
            let mut shares: BTreeMap<u16, Vec<&Use>> = BTreeMap::new();
            for used in uses {
                shares
                    .entry(self.part_at(used.bucket))
                    .or_default()
                    .push(used);
            }
            for (part, uses) in shares {
                for uses in uses.chunks(TOUCHED_AT_ONCE) {
                    let args = uses
                        .iter()
                        .flat_map(|used| [used.session.to_string(), instant(used.at)]);
                    self.run(part, &SCRIPTS.touch, args.collect()).await?;
                }
            }
            Ok(())
        })
    }

    fn sweep(&self, retention: Duration, batch: usize) -> Answered<'_, Swept> {
        Box::pin(self.swept(retention, batch))
    }

    fn page(&self, request: PageRequest) -> Answered<'_, Page> {
        Box::pin(self.paged(request))
    }

    fn population(&self) -> Answered<'_, Population> {
        Box::pin(self.counted())
    }

    fn erase<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, EndAllOutcome> {
        let everything = EndAll {
            user: user.clone(),
            except: None,
            reason: EndReason::UserRemoved,
            by: None,
            entry,
        };
        Box::pin(self.end_everything(everything, true))
    }

    fn upkeep(&self) -> Option<&dyn Upkeep> {
        Some(self)
    }
}

pub(super) fn counters_of(revoked: Value, roles: Value) -> Result<Counters, StoreError> {
    Ok(Counters {
        revoked_gen: Counter::from_u64(reply::number(revoked)?),
        roles_gen: Counter::from_u64(reply::number(roles)?),
    })
}

/// How many uses are written by one script: others wait for it meanwhile.
const TOUCHED_AT_ONCE: usize = 500;
