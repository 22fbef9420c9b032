//! Looking at news before the next poll reads them.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::Revocations;
use super::shelf::Put;
use super::store::Glance;
use crate::clock::UnixTime;
use crate::telemetry;

impl Revocations {
    /// Puts what the store hints at into the view, beside the poll that is under way.
    ///
    /// A poll waits until its lease is safe, and polls come one after the other; a look waits for
    /// neither. It extends nothing: what it missed, or could not see, the poll brings.
    pub(super) async fn glance_for_ever(&self, hinted: &Notify) {
        loop {
            hinted.notified().await;
            for entry in self.glance().await.entries {
                let (id, at) = (entry.id, entry.at);
                // Noted first: a poll that reads it meanwhile has to know that it is news.
                self.progress().glanced(id);
                if self.apply(entry) == Put::New {
                    self.lagged(at);
                } else {
                    self.progress().was_glanced(id);
                }
            }
        }
    }

    /// The same before a poll, which then reports what was put into the view: no other has to
    /// follow for that. No poll may be under way.
    ///
    /// The cursor moves, and what the poll proves does not: it still looks for the last entry that
    /// any poll has read, so that a log which lost it is found out.
    pub(super) async fn look_ahead(&self) {
        // A store that is silent keeps the poll waiting for no longer.
        let Ok(look) = timeout(MOMENT, self.glance()).await else {
            return;
        };
        for entry in &look.entries {
            if self.apply(entry.clone()) == Put::New {
                self.lagged(entry.at);
            }
        }
        if let Some(cursor) = look.cursor {
            self.progress().looked(cursor, &look.entries);
        }
    }

    async fn glance(&self) -> Glance {
        let read = {
            let progress = self.progress();
            progress.cursor().cloned().zip(progress.history())
        };
        let Some((since, history)) = read else {
            return Glance::default();
        };
        let look = self.store.glance(&since, history);
        match self.within(self.settings.store_timeout, look).await {
            Ok(look) => look,
            Err(error) => {
                // The poll will say so louder if it fails, too.
                tracing::debug!(%error, "news could not be looked at");
                Glance::default()
            }
        }
    }

    fn lagged(&self, at: UnixTime) {
        let store_now = self.progress().store_time(self.clock.now());
        telemetry::lagged(store_now.since(at));
    }
}

const MOMENT: Duration = Duration::from_millis(100);
