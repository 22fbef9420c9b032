//! All sessions of one store, brought to another.

mod comparing;
mod restoring;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use comparing::Walk;
pub use restoring::{RestoreProgress, StoreRestore};

use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::FleetLimits;
use crate::session::{ExportCursor, SessionStore, Upkeep};
use crate::token::SessionId;

/// Copies sessions, what ended of them, and the revocations that still matter from one store to
/// another, whatever engines they are, a step at a time.
///
/// A step that was made is made: whoever stops anywhere goes on from the last
/// [position](Self::position), or begins again, to the same end. Nothing that ended on the way
/// comes back to life: the last steps compare what is alive on both sides and end here what
/// is not alive there. Data that is encrypted stays so, for nodes with the same keys.
///
/// While nodes still use the old store, what changes after a step is not seen: copy once while
/// they run, stop them, and copy [again](Self::again); that is quick, for most is there.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use tower_jwt_session::MemoryStore;
/// use tower_jwt_session::stores::StoreCopy;
///
/// let (old, new) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
/// let mut copy = StoreCopy::begin(old, new).await?;
/// while copy.step().await? {
///     println!("{} sessions so far", copy.position().sessions);
/// }
/// assert!(copy.report().is_complete());
/// # Ok(()) }
/// ```
pub struct StoreCopy {
    from: Arc<dyn SessionStore>,
    to: Arc<dyn SessionStore>,
    position: CopyPosition,
    report: CopyReport,
    /// Where the walk over the live sessions of the new store is.
    checked: Option<SessionId>,
    there: Walk,
}

/// Where a copy stands, to be kept in a file. Holds no secret, and nothing of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CopyPosition {
    /// Names the deployment that is copied.
    pub from: u128,
    /// Names the one that it is copied to.
    pub to: u128,
    /// How far it has come.
    pub stage: CopyStage,
    /// Where the reading goes on.
    pub cursor: Option<ExportCursor>,
    /// How many sessions were read.
    pub sessions: u64,
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyStage {
    /// Sessions are read and written.
    Sessions,
    /// The log is.
    Log,
    /// What is alive in the new store is looked up in the old one.
    Check,
    /// What else is alive in the old one is counted.
    Count,
    /// There is no more to do.
    Done,
}

/// What came of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyReport {
    /// Sessions that were not there.
    pub made: u64,
    /// Sessions that were there as they had been before.
    pub changed: u64,
    /// Sessions that were there already.
    pub kept: u64,
    /// Records that nobody can read, and which are therefore nobody's session.
    pub unreadable: u64,
    /// Entries of the log.
    pub entries: u64,
    /// Sessions that were alive in the new store, and over in the old one by the time of the check.
    pub ended: u64,
    /// Live sessions of the old store in the end.
    pub live_from: u64,
    /// Live sessions of the new store in the end.
    pub live_to: u64,
}

impl CopyReport {
    /// Whether the new store has as many live sessions as the old one.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.live_from == self.live_to
    }
}

impl StoreCopy {
    /// Begins a copy into a store that holds no session yet.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Configuration`] when one of the two cannot be moved, both are the same,
    /// the old one was never used, the new one holds sessions, or its fleet remembers for a
    /// shorter time; else what the stores say.
    pub async fn begin(
        from: Arc<dyn SessionStore>,
        to: Arc<dyn SessionStore>,
    ) -> Result<Self, StoreError> {
        let copy = Self::open(from, to).await?;
        if !is_empty(copy.new_store()?).await? {
            return Err(copy.refused(
                "the new store holds sessions: empty it, or copy again if they came from the old one",
            ));
        }
        Ok(copy)
    }

    /// Begins a copy into a store that was copied to before, from the same one.
    ///
    /// Sessions that only the new store has are *ended*: it is not meant for one that nodes use.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin), but that the new store may hold sessions.
    pub async fn again(
        from: Arc<dyn SessionStore>,
        to: Arc<dyn SessionStore>,
    ) -> Result<Self, StoreError> {
        Self::open(from, to).await
    }

    /// Goes on where a copy was stopped.
    ///
    /// # Errors
    ///
    /// As for [`again`](Self::again), and [`StoreErrorKind::Configuration`] for the position of a
    /// copy of other stores.
    pub async fn resume(
        from: Arc<dyn SessionStore>,
        to: Arc<dyn SessionStore>,
        position: CopyPosition,
    ) -> Result<Self, StoreError> {
        let mut copy = Self::open(from, to).await?;
        if (position.from, position.to) != (copy.position.from, copy.position.to) {
            return Err(copy.refused("the position is that of a copy of other stores"));
        }
        // What comes after the sessions is short, and is true only when it is made in one go.
        if position.stage == CopyStage::Sessions {
            copy.position = position;
        } else {
            copy.position.stage = CopyStage::Log;
            copy.position.sessions = position.sessions;
        }
        Ok(copy)
    }

    async fn open(
        from: Arc<dyn SessionStore>,
        to: Arc<dyn SessionStore>,
    ) -> Result<Self, StoreError> {
        let mut copy = Self {
            from,
            to,
            position: CopyPosition {
                from: 0,
                to: 0,
                stage: CopyStage::Sessions,
                cursor: None,
                sessions: 0,
            },
            report: CopyReport::default(),
            checked: None,
            there: Walk::default(),
        };
        let old = copy.old_store()?.inspect().await;
        let Some(deployment) = old.deployment else {
            let failed = old.checks.into_iter().find(|check| check.fix.is_some());
            let why = failed.map_or_else(
                || "there is nothing in the old store: no node ever used it".to_owned(),
                |check| format!("the old store cannot be read: {}", check.seen),
            );
            return Err(copy.refused(&why));
        };
        copy.new_store()?;
        let joined = copy.to.attach(old.limits.unwrap_or(NO_LIMITS)).await?;
        copy.position.from = deployment;
        copy.position.to = joined.deployment;
        if deployment == joined.deployment {
            return Err(copy.refused("the two addresses lead to the same store"));
        }
        Ok(copy)
    }

    /// Makes a step; `false` when there is no more to do.
    ///
    /// # Errors
    ///
    /// What the stores say; the step can be made again.
    pub async fn step(&mut self) -> Result<bool, StoreError> {
        match self.position.stage {
            CopyStage::Sessions => self.copy_sessions().await?,
            CopyStage::Log => self.copy_log().await?,
            CopyStage::Check => self.check().await?,
            CopyStage::Count => self.count().await?,
            CopyStage::Done => return Ok(false),
        }
        Ok(true)
    }

    /// Where it stands, to go on from after a stop.
    #[must_use]
    pub fn position(&self) -> &CopyPosition {
        &self.position
    }

    /// What came of it so far.
    #[must_use]
    pub fn report(&self) -> CopyReport {
        self.report
    }

    async fn copy_sessions(&mut self) -> Result<(), StoreError> {
        let from = self.position.cursor.clone();
        let page = self.old_store()?.export(from, PAGE).await?;
        self.position.sessions += page.sessions.len() as u64;
        self.report.unreadable += page.unreadable;
        let done = self.new_store()?.import(page.sessions).await?;
        self.report.made += done.made;
        self.report.changed += done.changed;
        self.report.kept += done.kept;
        self.position.cursor = page.next;
        if self.position.cursor.is_none() {
            self.position.stage = CopyStage::Log;
        }
        Ok(())
    }

    async fn copy_log(&mut self) -> Result<(), StoreError> {
        let log = self.old_store()?.export_log().await?;
        self.report.entries = log.len() as u64;
        for some in log.chunks(PAGE) {
            self.to.append(some.to_vec()).await?;
        }
        self.position.stage = CopyStage::Check;
        Ok(())
    }

    fn old_store(&self) -> Result<&dyn Upkeep, StoreError> {
        movable(&*self.from)
    }

    fn new_store(&self) -> Result<&dyn Upkeep, StoreError> {
        movable(&*self.to)
    }

    fn refused(&self, why: &str) -> StoreError {
        StoreError::new(StoreErrorKind::Configuration, self.to.backend()).with_source(why)
    }
}

impl fmt::Debug for StoreCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreCopy")
            .field("position", &self.position)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

/// Whether a store holds no session; the first part of an export may hold none, and the next some.
async fn is_empty(store: &dyn Upkeep) -> Result<bool, StoreError> {
    let mut from = None;
    loop {
        let part = store.export(from, 1).await?;
        if !part.sessions.is_empty() || part.unreadable > 0 {
            return Ok(false);
        }
        from = part.next;
        if from.is_none() {
            return Ok(true);
        }
    }
}

fn movable(store: &dyn SessionStore) -> Result<&dyn Upkeep, StoreError> {
    store.upkeep().ok_or_else(|| {
        StoreError::new(StoreErrorKind::Configuration, store.backend())
            .with_source("this store does not say how its sessions are moved")
    })
}

/// Those of a store that sessions were brought to, and that no node joined yet.
const NO_LIMITS: FleetLimits = FleetLimits {
    access_lifetime: std::time::Duration::ZERO,
    leeway: std::time::Duration::ZERO,
    skew: std::time::Duration::ZERO,
};
const PAGE: usize = 500;
