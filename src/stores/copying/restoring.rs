//! After a backup was put back: everything that it would bring back to life is ended.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{PAGE, movable};
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{EndReason, EntryId};
use crate::session::{EndAll, EndAllOutcome, ExportCursor, SessionStore, StoredSession};
use crate::token::UserId;

/// Ends all sessions of a store that was restored from a backup, and raises every user's counter,
/// a step at a time: what was revoked after the backup was made stands there as alive, and nobody
/// can tell it from the rest. Everybody signs in again.
///
/// Whoever stops begins again; users who were done cost little then.
///
/// # Security
///
/// Sessions and users that were made after the backup are unknown to it. Their tokens are refused,
/// because the store does not know them, wherever it is asked
/// ([`Confirm::FirstSight`](crate::revocation::Confirm), the default). With
/// [`Confirm::Never`](crate::revocation::Confirm) change the signing key as well.
pub struct StoreRestore {
    store: Arc<dyn SessionStore>,
    only_looks: bool,
    cursor: Option<ExportCursor>,
    met: HashSet<UserId>,
    progress: RestoreProgress,
    done: bool,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoreProgress {
    /// Users whose counters were raised, or would be.
    pub users: u64,
    /// Sessions that were read.
    pub sessions: u64,
    /// Sessions that were alive and ended, or would be.
    pub ended: u64,
    /// Records that nobody can read, and which are therefore nobody's session.
    pub unreadable: u64,
}

impl StoreRestore {
    /// Begins with a store.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Configuration`](crate::StoreErrorKind) for a store that does not tell all
    /// its sessions.
    pub fn begin(store: Arc<dyn SessionStore>) -> Result<Self, StoreError> {
        movable(&*store)?;
        Ok(Self {
            store,
            only_looks: false,
            cursor: None,
            met: HashSet::new(),
            progress: RestoreProgress::default(),
            done: false,
        })
    }

    /// Only counts, and changes nothing.
    #[must_use]
    pub fn only_looking(mut self) -> Self {
        self.only_looks = true;
        self
    }

    /// Makes a step; `false` when there is no more to do.
    ///
    /// # Errors
    ///
    /// What the store says; the step can be made again.
    pub async fn step(&mut self) -> Result<bool, StoreError> {
        if self.done {
            return Ok(false);
        }
        let upkeep = movable(&*self.store)?;
        let page = upkeep.export(self.cursor.clone(), PAGE).await?;
        if self.only_looks {
            let open = page.sessions.iter();
            let open = open.filter(|stored| stored.record.ended.is_none());
            self.progress.ended += open.count() as u64;
            let users = page.sessions.iter().map(|stored| &stored.record.user);
            self.met.extend(users.cloned());
        } else {
            self.end_users(&page.sessions).await?;
        }
        self.progress.users = self.met.len() as u64;
        self.progress.sessions += page.sessions.len() as u64;
        self.progress.unreadable += page.unreadable;
        self.done = page.next.is_none();
        self.cursor = page.next;
        Ok(true)
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> RestoreProgress {
        self.progress
    }

    /// Ends all sessions of the users who were not met before, some of them at once: each is a write of its own.
    async fn end_users(&mut self, sessions: &[StoredSession]) -> Result<(), StoreError> {
        let users = sessions.iter().map(|stored| &stored.record.user);
        let new: HashSet<UserId> = users
            .filter(|user| !self.met.contains(*user))
            .cloned()
            .collect();
        let mut waiting = new.into_iter();
        let mut ending = JoinSet::new();
        loop {
            while ending.len() < AT_ONCE
                && let Some(user) = waiting.next()
            {
                let store = self.store.clone();
                ending.spawn(async move { end_all(&*store, user).await });
            }
            let Some(ended) = ending.join_next().await else {
                return Ok(());
            };
            let gone = |_| StoreError::new(StoreErrorKind::Unavailable, self.store.backend());
            let (user, count) = ended.map_err(gone)??;
            self.progress.ended += count;
            self.met.insert(user);
        }
    }
}

async fn end_all(store: &dyn SessionStore, user: UserId) -> Result<(UserId, u64), StoreError> {
    let request = EndAll {
        user: user.clone(),
        except: None,
        reason: EndReason::AdminRevoked,
        by: None,
        entry: EntryId::random(),
    };
    let ended = match store.end_all(request).await? {
        EndAllOutcome::Ended { records, .. } => records.len() as u64,
        EndAllOutcome::ExceptNotAlive => 0,
    };
    Ok((user, ended))
}

/// How many users are ended at a time.
const AT_ONCE: usize = 32;

impl fmt::Debug for StoreRestore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreRestore")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
