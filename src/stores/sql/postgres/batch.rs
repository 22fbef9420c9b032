//! Sign-ins and refreshes of several users in one transaction.
//!
//! It waits for nobody's lock for long: a user who is in the middle of something else is left out
//! and served alone, where that keeps nobody else waiting. One by one is no different.

use super::PostgresStore;
use super::known::Asked;
use super::names::{Lock, Names, key_of};
use super::opened::{Failure, Shared};
use super::outcome::Outcome;
use super::pools::Class;
use super::run::{BEGIN, BEGIN_ALONE, Stepping, begin, commit};
use crate::BoxFuture;
use crate::clock::Clock;
use crate::error::StoreError;
use crate::revocation::EntryId;
use crate::session::{NewSession, RefreshAttempt, RefreshOutcome, SignInOutcome};
use crate::token::SessionId;

/// What each of several writes came to; nothing for one that has to be done alone.
type Each<T> = Vec<Option<Result<T, StoreError>>>;

impl PostgresStore {
    pub(super) async fn sign_in_all(&self, new: Vec<NewSession>) -> Each<SignInOutcome> {
        let keys: Vec<i64> = new.iter().map(|new| key_of(new.user.as_str())).collect();
        let asked = match new.as_slice() {
            [only] => Asked {
                user: Some(&only.user),
                operation: Some(&only.operation),
                at_once: true,
                ..Asked::default()
            },
            several => Asked {
                sign_ins: several,
                ..Asked::default()
            },
        };
        let lock = |names: &Names| names.try_lock(&keys);
        let done = self.shared.write_all(
            self.clock(),
            lock,
            (&asked, Lock::Wait),
            &new,
            |steps, new| {
                Box::pin(async move {
                    let key = key_of(new.user.as_str()).to_string();
                    if !steps.rows.known.held.contains(&key) {
                        return Ok(None);
                    }
                    steps.sign_in(new.clone()).await.map(Some)
                })
            },
        );
        each(done.await, new.len())
    }

    pub(super) async fn refresh_all(&self, attempts: Vec<RefreshAttempt>) -> Each<RefreshOutcome> {
        let sessions: Vec<SessionId> = attempts.iter().map(|of| of.session).collect();
        let entries: Vec<EntryId> = attempts.iter().map(|of| of.entry).collect();
        let asked = Asked {
            sessions: &sessions,
            entries: &entries,
            at_once: attempts.len() == 1,
            ..Asked::default()
        };
        let lock = |names: &Names| names.try_lock_of(&sessions);
        let done = self.shared.write_all(
            self.clock(),
            lock,
            (&asked, Lock::Skip),
            &attempts,
            |steps, attempt| {
                Box::pin(async move {
                    let known = &steps.rows.known;
                    let met = known.sessions.get(&attempt.session);
                    let met = met.is_some_and(Option::is_some);
                    if !met || !known.held.contains(&attempt.session.to_string()) {
                        return Ok(None);
                    }
                    steps.refresh(attempt).await.map(Some)
                })
            },
        );
        each(done.await, attempts.len())
    }
}

impl Shared {
    /// Runs a step for each of the jobs, in one transaction.
    async fn write_all<J, T, F>(
        &self,
        clock: Option<&dyn Clock>,
        lock: impl Fn(&Names) -> String,
        asked: (&Asked<'_>, Lock),
        jobs: &[J],
        step: F,
    ) -> Result<Vec<Option<T>>, Failure>
    where
        F: for<'a> Fn(&'a mut Stepping, &'a J) -> BoxFuture<'a, Result<Option<T>, StoreError>>,
        T: Outcome,
    {
        let opened = self.opened().await?;
        let names = &opened.names;
        let statements = match asked.0.at_once {
            // The call takes the lock, and sees to it that nobody is patient for long.
            true => BEGIN_ALONE.to_owned(),
            false => format!("{BEGIN}{PATIENCE}{}", lock(names)),
        };
        let link = self.acquire(Class::Write).await?;
        let (mut steps, _) = begin(link, names, statements, asked, clock, Lock::Wait).await?;
        steps.rows.alone = asked.0.at_once;
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            match step(&mut steps, job).await {
                Ok(answer) => answers.push(answer),
                Err(error) => return Err(Failure::of(error, &mut steps.rows.link).await),
            }
        }
        let aftermath = commit(steps).await?;
        for answer in answers.iter_mut().flatten() {
            aftermath.complete(answer);
        }
        Ok(answers)
    }
}

/// Where the whole came to nothing, each tries alone, and hears of its own trouble alone.
fn each<T>(done: Result<Vec<Option<T>>, Failure>, many: usize) -> Each<T> {
    match done {
        Ok(answers) => answers.into_iter().map(|answer| answer.map(Ok)).collect(),
        Err(failure) => {
            let error = failure.into_error();
            tracing::debug!(%error, many, "writes that were to share a transaction are made alone");
            Vec::new()
        }
    }
}

/// How long it waits for rows that somebody else has locked.
const PATIENCE: &str = "SET LOCAL lock_timeout = '100ms'; ";
