//! A subscriber that may take its time.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::{Event, Observer};
use crate::clock::UnixTime;
use crate::telemetry;

/// Lets a subscriber be slow, or block for ever: it hears of events on a thread of its own, from a queue with
/// bounds.
///
/// Telling never waits. What does not fit into the queue is dropped and counted ([`dropped`](Self::dropped)); once it
/// hears again, the subscriber is told how much it missed ([`Event::Missed`]). One that panics
/// has its next event all the same. Cloning shares the queue.
///
/// The [audit log](crate::audit) does not depend on it, and loses nothing.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::events::{Event, LogObserver, Queued};
/// use tower_jwt_session::{JwtSession, UnixTime};
///
/// let shipper = Queued::new(10_000, |at: UnixTime, event: &Event| {
///     // Something slow, as a call to another service.
///     let _ = (at, event.name());
/// });
/// let builder = JwtSession::builder().observer((LogObserver, shipper.clone()));
/// assert_eq!(shipper.dropped(), 0);
/// # let _ = builder;
/// ```
#[derive(Clone)]
pub struct Queued {
    sender: SyncSender<(UnixTime, Event)>,
    drops: Arc<Drops>,
}

#[derive(Debug, Default)]
struct Drops {
    ever: AtomicU64,
    /// Those that the subscriber was not told of.
    untold: AtomicU64,
}

impl Queued {
    /// A queue of so many events, at least one, in front of a subscriber, whose thread ends with the last
    /// handle. Where the system gives no thread every event is dropped, counted, and said so.
    pub fn new(room: usize, subscriber: impl Observer) -> Self {
        let (sender, queue) = sync_channel(room.clamp(1, MAX_ROOM));
        let drops: Arc<Drops> = Arc::default();
        let told = drops.clone();
        let thread = std::thread::Builder::new().name("session-events".to_owned());
        if let Err(error) = thread.spawn(move || hear(&queue, &told, &subscriber)) {
            tracing::error!(%error, "no thread for a subscriber of events: it will hear nothing");
        }
        Self { sender, drops }
    }

    /// How many events the subscriber has missed since it was made.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.drops.ever.load(Ordering::Relaxed)
    }
}

impl Observer for Queued {
    fn observe(&self, now: UnixTime, event: &Event) {
        let sent = self.sender.try_send((now, event.clone()));
        if matches!(
            sent,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_))
        ) {
            self.drops.ever.fetch_add(1, Ordering::Relaxed);
            telemetry::missed(1);
            if self.drops.untold.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!("a subscriber of events does not keep up, and misses some");
            }
        }
    }
}

/// Hears of one event after the other. What was dropped, was dropped while something stood in the queue, so there
/// is always an event after which it can be told.
fn hear(queue: &Receiver<(UnixTime, Event)>, drops: &Drops, subscriber: &impl Observer) {
    while let Ok((at, event)) = queue.recv() {
        tell(subscriber, at, &event);
        let events = drops.untold.swap(0, Ordering::Relaxed);
        if events > 0 {
            tell(subscriber, at, &Event::Missed { events });
        }
    }
}

fn tell(subscriber: &impl Observer, at: UnixTime, event: &Event) {
    // It is told no more of this event, and what it left half done is its own.
    let told = catch_unwind(AssertUnwindSafe(|| subscriber.observe(at, event)));
    if told.is_err() {
        tracing::error!(
            event = event.name(),
            "a subscriber of events panicked; it hears of the next"
        );
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued")
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}

/// The queue takes its memory at once.
const MAX_ROOM: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::token::UserId;

    fn event() -> Event {
        let user = UserId::new("ada").unwrap();
        Event::SignInRefused { user }
    }

    #[test]
    fn who_blocks_holds_nobody_up_and_is_told_what_was_missed() {
        let (heard, hears) = channel();
        let (open, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let subscriber = move |_: UnixTime, event: &Event| {
            let missed = match event {
                Event::Missed { events } => *events,
                _ => 0,
            };
            heard.send(missed).unwrap();
            // The first event blocks it until the gate is opened for good.
            let _ = gate.lock().unwrap().recv();
        };
        let queued = Queued::new(2, subscriber);
        queued.observe(UnixTime::EPOCH, &event());
        assert_eq!(hears.recv(), Ok(0), "it has begun, and the queue is empty");
        for _ in 0..100 {
            queued.observe(UnixTime::EPOCH, &event());
        }
        assert_eq!(queued.dropped(), 98);
        drop(open);
        assert_eq!(hears.recv(), Ok(98), "told as soon as it can hear");
        assert_eq!((hears.recv(), hears.recv()), (Ok(0), Ok(0)));
        drop(queued);
        assert!(hears.recv().is_err(), "the thread has ended");
    }

    #[test]
    fn who_panics_hears_of_the_next_event() {
        let (heard, hears) = channel();
        let queued = Queued::new(2, move |at: UnixTime, _: &Event| {
            heard.send(at).unwrap();
            assert!(at > UnixTime::EPOCH, "a defect of the subscriber");
        });
        queued.observe(UnixTime::EPOCH, &event());
        queued.observe(UnixTime::from_secs(1), &event());
        assert_eq!(hears.recv(), Ok(UnixTime::EPOCH));
        assert_eq!(hears.recv(), Ok(UnixTime::from_secs(1)));
    }
}
