//! Looking at news before the next poll reads them.

use tokio::sync::Notify;

use super::Revocations;
use super::shelf::Put;
use crate::telemetry;

impl Revocations {
    /// Puts what the store hints at into the view, for as long as it is polled.
    ///
    /// A poll waits until its lease is safe, and polls come one after the other; a look waits for
    /// neither. It extends nothing: what it missed, or could not see, the poll brings.
    pub(super) async fn glance_for_ever(&self, hinted: &Notify) {
        loop {
            hinted.notified().await;
            self.glance().await;
        }
    }

    async fn glance(&self) {
        let read = {
            let progress = self.progress();
            progress.cursor().cloned().zip(progress.history())
        };
        let Some((since, history)) = read else {
            return;
        };
        let look = self.store.glance(&since, history);
        let news = match self.within(self.settings.store_timeout, look).await {
            Ok(news) => news,
            Err(error) => {
                // The poll will say so louder if it fails, too.
                tracing::debug!(%error, "news could not be looked at");
                return;
            }
        };
        for entry in news {
            let (id, at) = (entry.id, entry.at);
            // Noted first: a poll that reads it meanwhile has to know that it is news.
            self.progress().glanced(id);
            if self.apply(entry) == Put::New {
                let store_now = self.progress().store_time(self.clock.now());
                telemetry::lagged(store_now.since(at));
            } else {
                self.progress().was_glanced(id);
            }
        }
    }
}
