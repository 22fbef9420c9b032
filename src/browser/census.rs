//! What is counted in the store, as of lately.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::UnixTime;
use crate::jwt_session::JwtSession;
use crate::session::SessionError;
use crate::verify::CustomClaims;

/// The last count. Counting millions takes the store a while, so it is done once for all who ask,
/// and nobody waits long for it.
#[derive(Debug)]
pub(super) struct Census<T> {
    kept: Arc<Mutex<Kept<T>>>,
    fresh: Duration,
}

#[derive(Debug)]
struct Kept<T> {
    last: Option<Counted<T>>,
    /// Whoever counts right now tells it here.
    counting: Option<watch::Receiver<()>>,
}

/// What was counted, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted<T> {
    pub(super) at: UnixTime,
    pub(super) what: T,
}

impl<T: Clone + Send + 'static> Census<T> {
    /// Counts are good for so long.
    pub(super) fn new(fresh: Duration) -> Self {
        let kept = Kept {
            last: None,
            counting: None,
        };
        Self {
            kept: Arc::new(Mutex::new(kept)),
            fresh,
        }
    }

    /// A count of lately; an older one where the store takes longer than a page may, and none before the first.
    pub(super) async fn lately<C, F>(
        &self,
        auth: &JwtSession<C>,
        count: impl FnOnce(JwtSession<C>) -> F,
    ) -> Option<Counted<T>>
    where
        C: CustomClaims,
        F: Future<Output = Result<T, SessionError>> + Send + 'static,
    {
        let now = auth.clock().now();
        let mut counting = {
            let mut kept = self.kept();
            match &kept.last {
                Some(last) if now.since(last.at) < self.fresh => return Some(last.clone()),
                _ => kept
                    .counting
                    .get_or_insert_with(|| self.begin(now, count(auth.clone())))
                    .clone(),
            }
        };
        // That it ended is told by its end; that it takes longer is no failure.
        let _ = timeout(PATIENCE, counting.changed()).await;
        self.kept().last.clone()
    }

    fn begin(
        &self,
        at: UnixTime,
        count: impl Future<Output = Result<T, SessionError>> + Send + 'static,
    ) -> watch::Receiver<()> {
        let (told, counting) = watch::channel(());
        let census = self.clone();
        tokio::spawn(async move {
            let counted = count.await;
            let mut kept = census.kept();
            kept.counting = None;
            match counted {
                Ok(what) => kept.last = Some(Counted { at, what }),
                Err(error) => tracing::warn!(%error, "the store was not counted"),
            }
            drop(kept);
            drop(told);
        });
        counting
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Census<T> {
    fn clone(&self) -> Self {
        Self {
            kept: self.kept.clone(),
            fresh: self.fresh,
        }
    }
}

const PATIENCE: Duration = Duration::from_millis(200);
