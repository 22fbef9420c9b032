//! Entries that wait to be written down.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::entries::entry_of;
use super::settings::{AuditLevel, AuditSettings};
use crate::clock::UnixTime;
use crate::events::{Event, Observer};
use crate::revocation::NodeId;
use crate::session::{AddressDetail, AuditEntry};

/// Entries that wait. Taking one in costs a lock that is never held for long, and waits for nothing.
pub(crate) struct Backlog {
    pub(crate) settings: AuditSettings,
    node: NodeId,
    detail: AddressDetail,
    waiting: Mutex<Waiting>,
    came: Notify,
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) entries: VecDeque<AuditEntry>,
    /// How many did not fit in since this was last told.
    pub(super) lost: u64,
    lost_ever: u64,
}

/// Entries go in first, then everybody else hears of the event.
pub(crate) struct Audited {
    backlog: Arc<Backlog>,
    observer: Arc<dyn Observer>,
}

impl Backlog {
    pub(crate) fn new(settings: AuditSettings, node: NodeId, detail: AddressDetail) -> Arc<Self> {
        Arc::new(Self {
            settings,
            node,
            detail,
            waiting: Mutex::default(),
            came: Notify::new(),
        })
    }

    /// An observer before which every event is taken in.
    pub(crate) fn before(self: &Arc<Self>, observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
        if !self.is_on() {
            return observer;
        }
        Arc::new(Audited {
            backlog: self.clone(),
            observer,
        })
    }

    /// Whether anything is written down.
    pub(crate) fn is_on(&self) -> bool {
        self.settings.level != AuditLevel::Off
    }

    /// How many entries wait, and how many were ever lost.
    pub(crate) fn counts(&self) -> (usize, u64) {
        let waiting = self.waiting();
        (waiting.entries.len(), waiting.lost_ever)
    }

    fn take_in(&self, now: UnixTime, event: &Event) {
        let level = self.settings.level;
        let Some(entry) = entry_of(level, self.detail, self.node, now, event) else {
            return;
        };
        let mut waiting = self.waiting();
        if waiting.entries.len() >= self.settings.backlog {
            if waiting.lost == 0 {
                tracing::error!(
                    "no room for more entries of the audit log, which cannot be written: entries are lost from now on"
                );
            }
            waiting.lost += 1;
            waiting.lost_ever += 1;
            return;
        }
        waiting.entries.push_back(entry);
        drop(waiting);
        self.came.notify_one();
    }

    /// Waits until something was taken in since this was last awaited.
    pub(super) async fn came(&self) {
        self.came.notified().await;
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Audited {
    fn observe(&self, now: UnixTime, event: &Event) {
        self.backlog.take_in(now, event);
        self.observer.observe(now, event);
    }
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
