//! What all handles share, and the few steps that every verb takes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::activity::Activity;
use super::audit::AuditLog;
use super::claims::{DynClaimsSource, Grants};
use super::failures::Failures;
use super::lifetimes::Lifetimes;
use super::limit::SessionLimit;
use super::manage::SessionError;
use super::mark::DeviceCookies;
use super::place::Placing;
use super::record::SessionRecord;
use super::refresh::RefreshKeys;
use super::risk::{NewDeviceNotices, RiskWatch};
use super::rotation::Rotation;
use super::store::SessionStore;
use crate::audit::Backlog;
use crate::clock::{Clock, UnixTime};
use crate::error::{StoreError, StoreErrorKind};
use crate::events::{Event, Observer};
use crate::revocation::{Breakers, Revocations, Terms};
use crate::tasks;
use crate::telemetry::Telemetry;
use crate::token::{TokenSource, UserId};
use crate::verify::Verifier;

pub(crate) struct Core<C> {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) source: TokenSource,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) activity: Arc<Activity>,
    /// Behind the breakers.
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) breakers: Arc<Breakers>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) claims_source: Arc<dyn DynClaimsSource<C>>,
    pub(crate) refresh_keys: ArcSwap<RefreshKeys>,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) rotation: Rotation,
    pub(crate) limit: SessionLimit,
    pub(crate) retention: Duration,
    pub(crate) terms: Terms,
    pub(crate) store_timeout: Duration,
    /// Whether this node ends what is over, or leaves that to those that make sessions.
    pub(crate) sweeps: bool,
    pub(crate) placing: Placing,
    pub(crate) watch: Option<RiskWatch>,
    pub(crate) notices: Option<NewDeviceNotices>,
    pub(crate) device_cookies: DeviceCookies,
    pub(crate) failures: Failures,
    pub(crate) audit: Arc<Backlog>,
    pub(crate) started: Arc<AtomicBool>,
    pub(crate) telemetry: Telemetry,
}

impl<C> Core<C> {
    /// Waits for the store, at most as long as one question may take.
    pub(crate) async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.store_timeout, answer)
            .await
            .unwrap_or_else(|_| Err(self.too_late()))
    }

    /// Writes, and writes once more where the outcome of the first is not known. The write must
    /// find itself when it is repeated.
    pub(crate) async fn settle<T, F>(&self, write: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        match self.within(write()).await {
            Err(error) if error.is_unavailable() => self.within(write()).await,
            outcome => outcome,
        }
    }

    /// Runs a write, with what has to follow from it, in a task of its own: what it did is taken in
    /// and told however late the answer comes, and whether or not anybody still waits for it.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        step: impl Future<Output = Result<T, SessionError>> + Send + 'static,
    ) -> Result<T, SessionError> {
        match tokio::time::timeout(2 * self.store_timeout, tasks::begun(step)).await {
            Ok(Some(outcome)) => outcome,
            // Not answered in time, or the store's own code panicked.
            Err(_) | Ok(None) => Err(self.too_late().into()),
        }
    }

    /// Waits for the outcome of a write that was begun at an instant, and writes once more where
    /// it failed or did not answer in time; the write has to find itself. Not any later: the
    /// client has come back by itself then, and a token of ours that comes after its successor
    /// would look like a thief's.
    pub(crate) async fn outcome<T, F>(
        &self,
        begun: UnixTime,
        write: impl Fn() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut first = pin!(self.at_last(write()));
        let known = tokio::time::timeout(self.store_timeout, &mut first).await;
        if self.in_time(begun).is_err() {
            return match known {
                Ok(known) => known,
                Err(_) => first.await,
            };
        }
        match known {
            Ok(Err(error)) if error.is_unavailable() => self.at_last(write()).await,
            Ok(known) => known,
            Err(_) => {
                let mut second = pin!(self.at_last(write()));
                tokio::select! {
                    biased;
                    known = &mut first => or_else(known, second).await,
                    known = &mut second => or_else(known, first).await,
                }
            }
        }
    }

    /// Waits for the store far beyond what a request would.
    pub(crate) async fn at_last<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(LATEST, answer)
            .await
            .unwrap_or_else(|_| Err(self.too_late()))
    }

    /// Refuses to go on with an answer that is older than any wait for it could be: the process
    /// was stopped meanwhile, and what it read may long be out of date.
    pub(crate) fn in_time(&self, begun: UnixTime) -> Result<(), StoreError> {
        if self.clock.now() <= begun + 2 * self.store_timeout + PAUSE {
            Ok(())
        } else {
            Err(self.too_late())
        }
    }

    /// Asks the application what a user may do; `None` when there is no such user.
    pub(crate) async fn grants(&self, user: &UserId) -> Result<Option<Grants<C>>, SessionError> {
        self.claims_source
            .claims(user)
            .await
            .map_err(SessionError::ClaimsSource)
    }

    /// The audit log, where one is kept.
    pub(crate) fn audited(&self) -> Option<&dyn AuditLog> {
        if self.audit.is_on() {
            self.store.audit_log()
        } else {
            None
        }
    }

    pub(crate) fn observe(&self, event: &Event) {
        self.observer.observe(self.clock.now(), event);
    }

    /// Tells that sessions ended.
    pub(crate) fn observe_ends<'r>(&self, records: impl IntoIterator<Item = &'r SessionRecord>) {
        for record in records {
            if let Some(event) = Event::of_end(record) {
                self.observe(&event);
            }
        }
    }

    fn too_late(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Timeout, self.store.backend())
    }
}

/// What is known, or else what the other attempt brings.
async fn or_else<T>(
    known: Result<T, StoreError>,
    other: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match known {
        Err(error) if error.is_unavailable() => other.await,
        known => known,
    }
}

/// When the answer to a write is given up that nobody waits for any more.
const LATEST: Duration = Duration::from_secs(30);

/// How late a task may run on a busy machine without having been stopped.
const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StoreErrorKind;

    #[tokio::test]
    async fn another_attempt_is_waited_for_where_the_first_was_not_answered_and_nowhere_else() {
        let failed = |kind| Err::<u8, _>(StoreError::new(kind, "tests"));
        let other = || std::future::ready(Ok(2));
        let away = or_else(failed(StoreErrorKind::Unavailable), other()).await;
        assert_eq!(away.ok(), Some(2));
        let refused = or_else(failed(StoreErrorKind::Configuration), other()).await;
        assert!(refused.is_err_and(|error| error.kind() == StoreErrorKind::Configuration));
        assert_eq!(or_else(Ok(1), other()).await.ok(), Some(1));
    }
}
