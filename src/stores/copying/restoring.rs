//! After a backup was put back: everything that it would bring back to life is ended.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::{PAGE, movable};
use crate::error::StoreError;
use crate::revocation::{EndReason, EntryId};
use crate::session::{EndAll, EndAllOutcome, ExportCursor, SessionStore};
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
        for stored in &page.sessions {
            let user = &stored.record.user;
            if self.only_looks {
                self.progress.ended += u64::from(stored.record.ended.is_none());
                self.met.insert(user.clone());
            } else if !self.met.contains(user) {
                self.progress.ended += self.end_all(user).await?;
                self.met.insert(user.clone());
            }
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

    async fn end_all(&self, user: &UserId) -> Result<u64, StoreError> {
        let request = EndAll {
            user: user.clone(),
            except: None,
            reason: EndReason::AdminRevoked,
            by: None,
            entry: EntryId::random(),
        };
        Ok(match self.store.end_all(request).await? {
            EndAllOutcome::Ended { records, .. } => records.len() as u64,
            EndAllOutcome::ExceptNotAlive => 0,
        })
    }
}

impl fmt::Debug for StoreRestore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreRestore")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
