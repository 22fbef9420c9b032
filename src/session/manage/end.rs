//! Ending sessions.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use super::Sessions;
use super::done::Done;
use super::error::{SessionError, outcome};
use crate::BoxFuture;
use crate::error::StoreError;
use crate::events::Event;
use crate::revocation::{Committed, EndReason, EntryId, RevocationEntry, Revoked, WriteKey};
use crate::session::core::Core;
use crate::session::store::{self, EndAllOutcome, EndOutcome, EndSession};
use crate::telemetry::{Verb, verb};
use crate::token::{SessionId, UserId};
use crate::verify::{Counter, CustomClaims};

impl<C: CustomClaims> Sessions<C> {
    /// Ends one session, whosever it is. Ending an ended one again is no error.
    ///
    /// # Security
    ///
    /// It asks nobody whose the session is: for what a user asks for, take
    /// [`end_own`](Self::end_own).
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`]; [`SessionError::Store`], and then the session is refused here
    /// while the write is repeated until its outcome is known.
    pub async fn end(&self, id: SessionId, reason: EndReason) -> Result<Done, SessionError> {
        self.end_one(id, None, reason, None).await
    }

    /// Ends one session in the name of an administrator.
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end).
    pub async fn end_as_admin(&self, id: SessionId, admin: &UserId) -> Result<Done, SessionError> {
        let reason = EndReason::AdminRevoked;
        self.end_as_admin_because(id, admin, reason).await
    }

    /// The same for a reason of the administrator's.
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end).
    pub async fn end_as_admin_because(
        &self,
        id: SessionId,
        admin: &UserId,
        reason: EndReason,
    ) -> Result<Done, SessionError> {
        self.end_one(id, None, reason, Some(admin.clone())).await
    }

    /// Ends one session of a user.
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end); another user's session is [`SessionError::NotFound`].
    pub async fn end_own(
        &self,
        user: &UserId,
        id: SessionId,
        reason: EndReason,
    ) -> Result<Done, SessionError> {
        let owner = Some(user.clone());
        self.end_one(id, owner.clone(), reason, owner).await
    }

    /// Ends all sessions of a user. Takes options before it is awaited.
    pub fn end_all(&self, user: &UserId) -> EndAll<C> {
        EndAll {
            core: self.core.clone(),
            user: user.clone(),
            except: None,
            reason: EndReason::UserRevoked,
            by: None,
        }
    }

    /// Ends all sessions of a user and forgets that there were any, as data protection may ask.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn erase(&self, user: &UserId) -> Result<Done, SessionError> {
        let entry = EntryId::random();
        let reason = EndReason::UserRemoved;
        let tentative = self.core.everything_of(user, None, entry, reason);
        let (store, whose) = (self.core.store.clone(), user.clone());
        let write = move || -> BoxFuture<'static, _> {
            let (store, user) = (store.clone(), whose.clone());
            Box::pin(async move { store.erase(&user, entry).await })
        };
        let key = WriteKey::of_user("erase", user);
        let (core, whose) = (self.core.clone(), user.clone());
        let erased = move || core.observe(&Event::Erased { user: whose });
        let ended = self.core.end_everything(key, tentative, write, erased);
        let done = async { self.core.all_done(ended.await?) };
        verb(Verb::Erase, done, outcome).await
    }

    /// Tells that a user's roles or custom claims changed. Call it after they were written.
    ///
    /// The user's access tokens are answered `token_stale` from the next request on; a refresh
    /// brings the new roles, and the sessions live on.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn roles_changed(&self, user: &UserId) -> Result<Done, SessionError> {
        let entry = EntryId::random();
        let (store, whose) = (self.core.store.clone(), user.clone());
        let write = move || -> BoxFuture<'static, _> {
            let (store, user) = (store.clone(), whose.clone());
            Box::pin(async move { store.raise_roles(&user, entry).await })
        };
        let key = WriteKey::of_user("roles", user);
        let (core, user) = (self.core.clone(), user.clone());
        let tell = move |_: &Committed| core.observe(&Event::RolesChanged { user });
        let revocations = &self.core.revocations;
        let written = revocations.commit(key, Vec::new(), write, itself, tell);
        let done = async { Ok(self.core.done(0, Some(written.await?))) };
        verb(Verb::RolesChanged, done, outcome).await
    }

    async fn end_one(
        &self,
        session: SessionId,
        owner: Option<UserId>,
        reason: EndReason,
        by: Option<UserId>,
    ) -> Result<Done, SessionError> {
        let request = EndSession {
            session,
            owner: owner.clone(),
            reason: reason.clone(),
            by,
            entry: EntryId::random(),
        };
        let revoked = Revoked::Session {
            session,
            user: owner,
        };
        let key = WriteKey::of(&revoked);
        let tentative = self.core.tentative(request.entry, revoked, reason);
        let store = self.core.store.clone();
        let write = move || -> BoxFuture<'static, _> {
            let (store, request) = (store.clone(), request.clone());
            Box::pin(async move { store.end(request).await })
        };
        let core = self.core.clone();
        let tell = move |outcome: &EndOutcome| {
            if let EndOutcome::Ended {
                record, now: true, ..
            } = outcome
            {
                core.observe_ends([record]);
            }
        };
        let revocations = &self.core.revocations;
        let written = revocations.commit(key, vec![tentative], write, one_committed, tell);
        let done = async {
            match written.await? {
                EndOutcome::Ended { now, committed, .. } => {
                    Ok(self.core.done(usize::from(now), Some(committed)))
                }
                EndOutcome::NotFound => Err(SessionError::NotFound),
            }
        };
        verb(Verb::End, done, outcome).await
    }
}

/// All sessions of a user to end; nothing happens until it is awaited.
#[must_use = "nothing happens until it is awaited"]
pub struct EndAll<C> {
    core: Arc<Core<C>>,
    user: UserId,
    except: Option<SessionId>,
    reason: EndReason,
    by: Option<UserId>,
}

impl<C> EndAll<C> {
    /// Spares one session, which has to be alive; `None` spares none.
    pub fn except(mut self, session: impl Into<Option<SessionId>>) -> Self {
        self.except = session.into();
        self
    }

    /// Says why; [`EndReason::UserRevoked`] otherwise.
    pub fn because(mut self, reason: EndReason) -> Self {
        self.reason = reason;
        self
    }

    /// Says who ends them.
    pub fn by(mut self, who: &UserId) -> Self {
        self.by = Some(who.clone());
        self
    }
}

impl<C> fmt::Debug for EndAll<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndAll")
            .field("user", &self.user)
            .field("except", &self.except)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<C: CustomClaims> IntoFuture for EndAll<C> {
    /// Fails with [`SessionError::NotFound`] when the session to spare is not alive; nothing has
    /// ended then.
    type Output = Result<Done, SessionError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let ended = async move {
            let entry = EntryId::random();
            let tentative =
                self.core
                    .everything_of(&self.user, self.except, entry, self.reason.clone());
            let request = store::EndAll {
                user: self.user,
                except: self.except,
                reason: self.reason,
                by: self.by,
                entry,
            };
            let ended = self.core.end_all(tentative, request).await?;
            self.core.all_done(ended)
        };
        Box::pin(verb(Verb::EndAll, ended, outcome))
    }
}

impl<C> Core<C> {
    /// An entry that holds here while its write is on the way.
    pub(super) fn tentative(
        &self,
        id: EntryId,
        revoked: Revoked,
        reason: EndReason,
    ) -> RevocationEntry {
        let at = self.clock.now();
        // By the latest of both clocks, as what is over is forgotten: ours may have been set back.
        let from = at.max(self.revocations.store_now());
        RevocationEntry {
            id,
            revoked,
            reason,
            at,
            until: from + self.lifetimes.access() + TENTATIVE,
        }
    }

    /// The same for everything of a user that exists by now.
    pub(crate) fn everything_of(
        &self,
        user: &UserId,
        except: Option<SessionId>,
        id: EntryId,
        reason: EndReason,
    ) -> RevocationEntry {
        let revoked = Revoked::User {
            user: user.clone(),
            below: Counter::ZERO.raised(self.revocations.store_now()),
            except,
        };
        self.tentative(id, revoked, reason)
    }

    pub(crate) async fn end_all(
        self: &Arc<Self>,
        tentative: RevocationEntry,
        request: store::EndAll,
    ) -> Result<EndAllOutcome, SessionError>
    where
        C: CustomClaims,
    {
        let store = self.store.clone();
        let write = move || -> BoxFuture<'static, _> {
            let (store, request) = (store.clone(), request.clone());
            Box::pin(async move { store.end_all(request).await })
        };
        let key = WriteKey::of(&tentative.revoked);
        self.end_everything(key, tentative, write, || ()).await
    }

    async fn end_everything<W>(
        self: &Arc<Self>,
        key: WriteKey,
        tentative: RevocationEntry,
        write: W,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<EndAllOutcome, SessionError>
    where
        C: CustomClaims,
        W: Fn() -> BoxFuture<'static, Result<EndAllOutcome, StoreError>> + Send + Sync + 'static,
    {
        let core = self.clone();
        let tell = move |outcome: &EndAllOutcome| {
            if let EndAllOutcome::Ended { records, .. } = outcome {
                core.observe_ends(records);
                then();
            }
        };
        let revocations = &self.revocations;
        let written = revocations.commit(key, vec![tentative], write, all_committed, tell);
        Ok(written.await?)
    }

    pub(super) fn done(&self, count: usize, committed: Option<Committed>) -> Done {
        Done::new(count, committed, self.revocations.clone())
    }

    pub(crate) fn all_done(&self, outcome: EndAllOutcome) -> Result<Done, SessionError> {
        match outcome {
            EndAllOutcome::Ended { records, committed } => {
                Ok(self.done(records.len(), Some(committed)))
            }
            EndAllOutcome::ExceptNotAlive => Err(SessionError::NotFound),
        }
    }
}

fn all_committed(outcome: &EndAllOutcome) -> Option<&Committed> {
    match outcome {
        EndAllOutcome::Ended { committed, .. } => Some(committed),
        EndAllOutcome::ExceptNotAlive => None,
    }
}

fn one_committed(outcome: &EndOutcome) -> Option<&Committed> {
    match outcome {
        EndOutcome::Ended { committed, .. } => Some(committed),
        EndOutcome::NotFound => None,
    }
}

pub(super) fn itself(committed: &Committed) -> Option<&Committed> {
    Some(committed)
}

/// How much longer than its tokens a tentative entry may be kept: its write is settled long before.
const TENTATIVE: Duration = Duration::from_secs(3_600);
