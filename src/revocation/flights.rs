//! Questions that are under way, so that many requests ask once.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use tokio::sync::OnceCell;

use super::local::Stamp;
use super::store::{Answer, Question};

/// The questions under way, by what is asked and what was read before.
///
/// A request whose stamp differs asks for itself: the question of another may have been sent
/// before something ended that this request must not pass.
#[derive(Debug, Default)]
pub(super) struct Flights {
    open: Mutex<Open>,
}

type Key = (Question, Stamp);
type Flight = Arc<OnceCell<Option<Answer>>>;
type Open = HashMap<Key, Flight, RandomState>;

/// A place in a flight; the last to leave takes it off the list, whether it landed or not.
struct Seat<'a> {
    flights: &'a Flights,
    key: Key,
    flight: Flight,
}

impl Flights {
    /// The answer to a question, from the flight of another if it has the same stamp.
    ///
    /// When the request that asks goes away, one of those that wait asks again.
    pub(super) async fn join<F>(
        &self,
        question: &Question,
        stamp: Stamp,
        ask: impl FnOnce() -> F,
    ) -> Option<Answer>
    where
        F: Future<Output = Option<Answer>>,
    {
        let seat = self.seat((question.clone(), stamp));
        seat.flight.get_or_init(ask).await.clone()
    }

    fn seat(&self, key: Key) -> Seat<'_> {
        let flight = self.lock().entry(key.clone()).or_default().clone();
        Seat {
            flights: self,
            key,
            flight,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut open = self.flights.lock();
        // The list and this seat: nobody else is aboard, and nobody can come while it is locked.
        if Arc::strong_count(&self.flight) == 2 {
            open.remove(&self.key);
        }
    }
}
