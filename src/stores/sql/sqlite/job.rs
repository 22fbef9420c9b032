//! One write that waits for its turn.

use std::ops::DerefMut;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use super::error::{BACKEND, told};
use super::statements::Tables;
use crate::BoxFuture;
use crate::clock::{Clock, UnixTime};
use crate::error::{StoreError, StoreErrorKind};
use crate::stores::sql::steps::Steps;

/// The steps as the writer runs them.
pub(super) type Writing = Steps<Tables<Box<SqliteConnection>>>;
/// The steps as a reader runs them.
pub(super) type Reading<C> = Steps<Tables<C>>;

/// A write, whatever it answers.
pub(super) trait Job: Send {
    /// What its clock says.
    fn now(&self) -> UnixTime;

    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;

    /// Runs it; `false` where it failed, and is to be undone.
    fn run<'a>(&'a mut self, steps: &'a mut Writing) -> BoxFuture<'a, bool>;

    /// Tells who waits how it went, or else why nothing of it was kept.
    fn answer(self: Box<Self>, kept: Result<(), &Lost>);
}

/// Why a whole transaction came to nothing.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    kind: StoreErrorKind,
    cause: Arc<StoreError>,
}

/// A write and who waits for it.
pub(super) struct Asked<F, T> {
    step: Option<F>,
    clock: Arc<dyn Clock>,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Asked<F, T> {
    pub(super) fn new(
        step: F,
        clock: Arc<dyn Clock>,
        answer: oneshot::Sender<Result<T, StoreError>>,
    ) -> Self {
        Self {
            step: Some(step),
            clock,
            result: None,
            answer,
        }
    }
}

impl<F, T> Job for Asked<F, T>
where
    F: for<'a> FnOnce(&'a mut Writing) -> BoxFuture<'a, Result<T, StoreError>> + Send,
    T: Send,
{
    fn now(&self) -> UnixTime {
        self.clock.now()
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run<'a>(&'a mut self, steps: &'a mut Writing) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            // Read inside the transaction, so that writes and instants have the same order.
            steps.now = self.clock.now();
            steps.rows.now = steps.now;
            if let Some(step) = self.step.take() {
                self.result = Some(step(steps).await);
            }
            matches!(self.result, Some(Ok(_)))
        })
    }

    fn answer(self: Box<Self>, kept: Result<(), &Lost>) {
        let result = match (self.result, kept) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(lost)) => Err(lost.error()),
            (Some(result), Ok(())) => result,
            (None, Ok(())) => Err(told(StoreErrorKind::Unavailable, "the write was not begun")),
        };
        // Whoever hung up does not mind.
        let _ = self.answer.send(result);
    }
}

impl Lost {
    pub(super) fn error(&self) -> StoreError {
        StoreError::new(self.kind, BACKEND).with_source(self.cause.clone())
    }
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Self {
        Self {
            kind: error.kind(),
            cause: Arc::new(error),
        }
    }
}

/// The steps of a reader.
pub(super) fn reading<C: DerefMut<Target = SqliteConnection> + Send>(
    connection: C,
    clock: &dyn Clock,
) -> Reading<C> {
    Steps {
        rows: Tables::new(connection),
        now: clock.now(),
    }
}
