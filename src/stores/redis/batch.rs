//! Sign-ins and refreshes, several by one script.
//!
//! Each is still decided and written by itself; what they share is the round trip and what a
//! script costs before it does anything.

use redis::Value;

use super::error::{garbled, told};
use super::records;
use super::scripts::{SCRIPTS, Verb, duration, flag, instant, number, optional};
use super::sessions::{Told, counters_of};
use super::{RedisStore, entries, reply};
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::EndReason;
use crate::session::refresh::{Advance, ReplayKind};
use crate::session::{
    Granted, LimitPolicy, NewSession, RefreshAttempt, RefreshOutcome, SignInOutcome,
};
use crate::stores::codec::hex;

/// What each of several writes came to; nothing for one that has to be done alone.
type Each<T> = Vec<Option<Result<T, StoreError>>>;

impl RedisStore {
    pub(super) async fn made(&self, new: NewSession) -> Result<SignInOutcome, StoreError> {
        let part = self.part_of(&new.user);
        if self.parts() > 1 {
            return self.make(part, new).await;
        }
        let store = self.clone();
        let together = move |jobs| {
            let store = store.clone();
            async move { store.make_all(part, jobs).await }
        };
        let key = u128::from_be_bytes(*new.id.as_bytes());
        match self.sign_ins.run(key, new.clone(), together).await {
            Some(answer) => answer,
            None => self.make(part, new).await,
        }
    }

    pub(super) async fn refreshed(
        &self,
        attempt: RefreshAttempt,
    ) -> Result<RefreshOutcome, StoreError> {
        let part = self.part_at(attempt.bucket);
        if self.parts() > 1 {
            return self.go_on(part, &attempt).await;
        }
        let store = self.clone();
        let together = move |jobs| {
            let store = store.clone();
            async move { store.go_on_all(part, jobs).await }
        };
        let key = u128::from_be_bytes(*attempt.session.as_bytes());
        match self.refreshes.run(key, attempt.clone(), together).await {
            Some(answer) => answer,
            None => self.go_on(part, &attempt).await,
        }
    }

    async fn make(&self, part: u16, new: NewSession) -> Result<SignInOutcome, StoreError> {
        let answer = self.one(part, &SCRIPTS.sign_in, new_args(&new)).await?;
        self.was_made(part, new, answer)
    }

    async fn make_all(&self, part: u16, new: Vec<NewSession>) -> Each<SignInOutcome> {
        let args = new.iter().flat_map(new_args).collect();
        match self.several(part, &SCRIPTS.sign_in, args, new.len()).await {
            Ok(answers) => {
                let both = new.into_iter().zip(answers);
                both.map(|(new, answer)| Some(self.was_made(part, new, answer?)))
                    .collect()
            }
            Err(error) => alone_or(error, new.len()),
        }
    }

    async fn go_on(
        &self,
        part: u16,
        attempt: &RefreshAttempt,
    ) -> Result<RefreshOutcome, StoreError> {
        let args = attempt_args(attempt).into();
        let answer = self.one(part, &SCRIPTS.refresh, args).await?;
        self.went_on(part, answer)
    }

    async fn go_on_all(&self, part: u16, attempts: Vec<RefreshAttempt>) -> Each<RefreshOutcome> {
        let args = attempts.iter().flat_map(attempt_args).collect();
        let many = attempts.len();
        match self.several(part, &SCRIPTS.refresh, args, many).await {
            Ok(answers) => answers
                .into_iter()
                .map(|answer| Some(self.went_on(part, answer?)))
                .collect(),
            Err(error) => alone_or(error, many),
        }
    }

    async fn one(&self, part: u16, verb: &Verb, args: Vec<String>) -> Result<Value, StoreError> {
        let [answer] = reply::fixed(self.run(part, verb, args).await?)?;
        Ok(answer)
    }

    /// Nothing for those that failed among others.
    async fn several(
        &self,
        part: u16,
        verb: &Verb,
        args: Vec<String>,
        many: usize,
    ) -> Result<Vec<Option<Value>>, StoreError> {
        let answers = reply::list(self.run(part, verb, args).await?)?;
        if answers.len() != many {
            return Err(garbled());
        }
        let well = |answer| (!reply::has_failed(&answer)).then_some(answer);
        Ok(answers.into_iter().map(well).collect())
    }

    fn was_made(
        &self,
        part: u16,
        new: NewSession,
        answer: Value,
    ) -> Result<SignInOutcome, StoreError> {
        let mut told = Told::of(self, part, answer)?;
        Ok(match told.word.as_str() {
            "created" => SignInOutcome::Created {
                record: new.into_record(reply::instant(told.next()?)?),
                ended: reply::sessions(told.next()?)?,
                committed: told.committed()?,
                first: reply::text(told.next()?)? == "1",
            },
            "limit" => SignInOutcome::LimitReached {
                ended: reply::sessions(told.next()?)?,
                committed: told.committed()?,
            },
            "repeated" => match told.record()? {
                Some(record) => SignInOutcome::Repeated { record },
                None => SignInOutcome::Superseded,
            },
            "superseded" => SignInOutcome::Superseded,
            "outdated" => SignInOutcome::TicketOutdated,
            "taken" => return Err(taken()),
            _ => return Err(garbled()),
        })
    }

    fn went_on(&self, part: u16, answer: Value) -> Result<RefreshOutcome, StoreError> {
        let mut told = Told::of(self, part, answer)?;
        Ok(match told.word.as_str() {
            "granted" => {
                // A record that nobody can read is as good as none.
                let Some(record) = told.record()? else {
                    return Ok(RefreshOutcome::Unknown);
                };
                let counters = counters_of(told.next()?, told.next()?)?;
                let how = reply::text(told.next()?)?;
                RefreshOutcome::Granted {
                    record,
                    counters,
                    how: granted(&how).ok_or_else(garbled)?,
                    committed: told.committed()?,
                }
            }
            "over" => RefreshOutcome::Over {
                reason: reply::reason(told.next()?)?,
                record: told.record()?,
                committed: told.committed()?,
            },
            "reused" => match (told.record()?, told.committed()?) {
                (Some(record), Some(committed)) => RefreshOutcome::Reused { record, committed },
                (record, committed) => RefreshOutcome::Over {
                    reason: EndReason::RefreshReused,
                    record,
                    committed,
                },
            },
            "too_many" => RefreshOutcome::TooMany,
            "unknown" => RefreshOutcome::Unknown,
            _ => return Err(garbled()),
        })
    }
}

/// A sign-in as its script takes it, after the number of these arguments.
fn new_args(new: &NewSession) -> Vec<String> {
    let kept = records::kept_fields(new);
    let mut args = vec![
        (NEW_ARGS + kept.len()).to_string(),
        new.user.to_string(),
        new.id.to_string(),
        number(new.revoked_gen.as_u64()),
        hex(new.seed.as_bytes()),
        hex(&new.operation),
        instant(new.issued_at),
        instant(new.access_expires_at),
        duration(new.refresh_lifetime),
        duration(new.absolute_lifetime),
        optional(new.idle_lifetime.map(duration)),
        number(new.limit.max().unwrap_or(0).into()),
        match new.limit.policy() {
            LimitPolicy::EvictLeastRecentlyUsed => "evict",
            LimitPolicy::Reject => "reject",
        }
        .to_owned(),
    ];
    args.extend(kept);
    args
}

/// A refresh as its script takes it.
fn attempt_args(attempt: &RefreshAttempt) -> [String; 11] {
    let presented = &attempt.presented;
    [
        attempt.session.to_string(),
        hex(attempt.seed.as_bytes()),
        presented.generation.to_string(),
        presented.operation.to_string(),
        instant(presented.issued_at),
        instant(presented.access_expires_at),
        duration(attempt.rules.grace),
        duration(attempt.rules.lifetime),
        flag(attempt.revoke_predecessor),
        entries::name_of(attempt.entry),
        // Scripts count in microseconds, and a grace may be shorter.
        flag(attempt.rules.grace.is_zero()),
    ]
}

/// What one alone hears of its failure; several try alone.
fn alone_or<T>(error: StoreError, many: usize) -> Each<T> {
    match many {
        1 => vec![Some(Err(error))],
        _ => Vec::new(),
    }
}

fn granted(how: &str) -> Option<Granted> {
    Some(match how {
        "forwarded" => Granted::Advanced(Advance::Forwarded),
        "replaced" => Granted::Advanced(Advance::Replaced),
        "rotated" => Granted::Advanced(Advance::Rotated),
        "hold_off" => Granted::Repeated(ReplayKind::HoldOff),
        "predecessor" => Granted::Repeated(ReplayKind::Predecessor),
        "same_operation" => Granted::Repeated(ReplayKind::SameOperation),
        _ => return None,
    })
}

fn taken() -> StoreError {
    told(StoreErrorKind::Unavailable, "a session of this id exists")
}

/// Those that every sign-in has.
const NEW_ARGS: usize = 13;
