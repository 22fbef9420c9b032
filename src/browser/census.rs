//! How many sessions and users there are, as of lately.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::UnixTime;
use crate::jwt_session::JwtSession;
use crate::session::Population;
use crate::verify::CustomClaims;

/// The last count. Counting millions takes the store a while, so it is done once for all who ask,
/// and nobody waits long for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Census {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    last: Option<Counted>,
    /// Whoever counts right now tells it here.
    counting: Option<watch::Receiver<()>>,
}

/// What was counted, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) at: UnixTime,
    pub(super) population: Population,
}

impl Census {
    /// A count of the last seconds; an older one where the store takes longer than a page may,
    /// and none before the first.
    pub(super) async fn lately<C: CustomClaims>(&self, auth: &JwtSession<C>) -> Option<Counted> {
        let now = auth.clock().now();
        let mut counting = {
            let mut kept = self.kept();
            match kept.last {
                Some(last) if now.since(last.at) < FRESH => return Some(last),
                _ => kept
                    .counting
                    .get_or_insert_with(|| self.count(auth))
                    .clone(),
            }
        };
        // That it ended is told by its end; that it takes longer is no failure.
        let _ = timeout(PATIENCE, counting.changed()).await;
        self.kept().last
    }

    fn count<C: CustomClaims>(&self, auth: &JwtSession<C>) -> watch::Receiver<()> {
        let (told, counting) = watch::channel(());
        let (census, auth) = (self.clone(), auth.clone());
        tokio::spawn(async move {
            let at = auth.clock().now();
            let counted = auth.sessions().population().await;
            let mut kept = census.kept();
            kept.counting = None;
            match counted {
                Ok(population) => kept.last = Some(Counted { at, population }),
                Err(error) => tracing::warn!(%error, "the sessions were not counted"),
            }
            drop(kept);
            drop(told);
        });
        counting
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FRESH: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_millis(200);
