//! When sessions were last used, without a write per request.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;

use super::refresh::bucket_of;
use super::store::Use;
use crate::clock::UnixTime;
use crate::revocation::ActiveToken;
use crate::token::SessionId;

type Uses = HashMap<SessionId, Use, RandomState>;

/// Collects uses in memory until they are flushed in a batch.
///
/// A token is noted at most once per [`INTERVAL`](Self::INTERVAL); between, a request costs one
/// atomic load.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    pending: Mutex<Uses>,
}

impl Activity {
    /// How often at most a session's use is noted: people read these times in minutes.
    pub(crate) const INTERVAL: Duration = Duration::from_secs(60);

    /// The most uses held between two flushes; what exceeds it is noted by a later request.
    const MAX_PENDING: usize = 1_000_000;

    /// Notes a use; cheap when this token was noted less than an interval ago.
    pub(crate) fn note(&self, token: &ActiveToken, wall: UnixTime) {
        let noted = &token.standing().noted;
        let now = wall.as_secs();
        let last = noted.load(Ordering::Relaxed);
        if now < last.saturating_add(Self::INTERVAL.as_secs()) {
            return;
        }
        let facts = token.claims().facts();
        let Some(session) = facts.session else { return };
        if noted
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            return;
        }
        let mut pending = self.pending();
        if pending.len() >= Self::MAX_PENDING && !pending.contains_key(&session) {
            noted.store(last, Ordering::Relaxed);
            return;
        }
        let entry = pending.entry(session).or_insert_with(|| Use {
            session,
            bucket: bucket_of(&facts.user),
            at: wall,
        });
        entry.at = entry.at.max(wall);
    }

    /// Takes out what was noted since the last time.
    pub(crate) fn take(&self) -> Vec<Use> {
        std::mem::take(&mut *self.pending()).into_values().collect()
    }

    /// Puts uses back whose write failed; a later use of the same session wins.
    pub(crate) fn put_back(&self, uses: Vec<Use>) {
        let mut pending = self.pending();
        for used in uses {
            if pending.len() >= Self::MAX_PENDING {
                return;
            }
            let entry = pending.entry(used.session).or_insert(used);
            entry.at = entry.at.max(used.at);
        }
    }

    fn pending(&self) -> MutexGuard<'_, Uses> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
