//! Work beside the caller.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::BoxFuture;

/// Runs work in a task of its own.
///
/// Every task is of this one type: tokio's code for a task is made anew for each type of future.
pub(crate) fn spawn(work: BoxFuture<'static, ()>) -> JoinHandle<()> {
    tokio::spawn(work)
}

/// Begins work with a result, in the span of the caller, and waits for it; `None` where it
/// panicked. It goes on where nobody waits any more.
pub(crate) fn begun<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Option<T>> {
    let (sender, result) = oneshot::channel();
    let work = async move {
        // Nobody may wait for it any more.
        let _ = sender.send(work.await);
    };
    spawn(Box::pin(work.in_current_span()));
    async move { result.await.ok() }
}
