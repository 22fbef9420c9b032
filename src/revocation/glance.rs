//! Looking at news before the next poll reads them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::Revocations;
use super::shelf::Put;
use super::store::{Cursor, Glance};
use crate::telemetry;

/// What polls and looks tell each other, which take turns in one task.
#[derive(Debug, Default)]
pub(super) struct Looks {
    wanted: Notify,
    done: Notify,
    /// Whether a poll waits for a look.
    first: AtomicBool,
}

impl Looks {
    /// Has news looked at beside the poll that is under way.
    pub(super) fn want(&self) {
        self.wanted.notify_one();
    }

    /// The same before the next poll, which waits for it: not for long where the store is silent.
    pub(super) async fn look_first(&self) {
        self.first.store(true, Ordering::Relaxed);
        self.want();
        // A look that comes later does what it does beside a poll.
        let _ = timeout(MOMENT, self.done.notified()).await;
        self.first.store(false, Ordering::Relaxed);
    }
}

impl Revocations {
    /// Puts what the store hints at into the view, for as long as it is polled.
    ///
    /// A poll waits until its lease is safe, and polls come one after the other; a look waits for
    /// neither. It extends nothing: what it missed, or could not see, the poll brings.
    pub(super) async fn glance_for_ever(&self, looks: &Looks) {
        loop {
            looks.wanted.notified().await;
            let read = {
                let progress = self.progress();
                progress.cursor().cloned().zip(progress.history())
            };
            let Some((since, history)) = read else {
                continue;
            };
            let look = self.glance(&since, history).await;
            let first = looks.first.swap(false, Ordering::Relaxed);
            self.take_in(look, first.then_some(&since));
            if first {
                looks.done.notify_one();
            }
        }
    }

    /// Puts what a look brought into the view.
    ///
    /// Where no poll is under way, the next goes on from where the look ended, and so reports what
    /// it brought: the cursor moves on from the one that the look began `at`. What the poll proves does
    /// not: it still looks for the last entry that any poll has read, so that a log which lost it
    /// is found out. Beside a poll, whoever reads it later has to know that it is news.
    pub(super) fn take_in(&self, look: Glance, at: Option<&Cursor>) {
        let Glance { entries, cursor } = look;
        let moves = {
            let progress = self.progress();
            // What was read before and comes again is for the poll to find.
            at.is_some() && progress.cursor() == at && !progress.was_read(&entries)
        };
        let cursor = cursor.filter(|_| moves);
        for entry in &entries {
            // Noted first: a poll may read it meanwhile.
            self.progress().glanced(entry.id);
            if self.apply(entry.clone()) == Put::New {
                let store_now = self.progress().store_time(self.clock.now());
                telemetry::lagged(store_now.since(entry.at));
            } else {
                self.progress().was_glanced(entry.id);
            }
        }
        if let Some(cursor) = cursor {
            self.progress().looked(cursor, &entries);
        }
    }

    async fn glance(&self, since: &Cursor, history: u128) -> Glance {
        let look = self.store.glance(since, history);
        match self.within(self.settings.store_timeout, look).await {
            Ok(look) => look,
            Err(error) => {
                // The poll will say so louder if it fails, too.
                tracing::debug!(%error, "news could not be looked at");
                Glance::default()
            }
        }
    }
}

const MOMENT: Duration = Duration::from_millis(100);
