//! A channel that any number of subscribers read.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};

use super::{Event, Observer};
use crate::clock::UnixTime;
use crate::telemetry;

/// Passes every event on to any number of subscribers, each at its own pace.
///
/// Telling waits for nobody. A subscriber that is too far behind misses the oldest events, is told how many
/// ([`Event::Missed`]), and goes on with those that are left. Cloning shares the channel.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_jwt_session::events::{Broadcast, Event, LogObserver};
/// use tower_jwt_session::{Device, JwtSession, UserId};
///
/// let events = Broadcast::new(1_000);
/// let auth = JwtSession::builder()
///     .hmac_secret(b"an example; 32 random bytes in earnest")
///     .observer((LogObserver, events.clone()))
///     .build()?;
/// let mut subscription = events.subscribe();
///
/// let ticket = auth.sessions().ticket(&UserId::new("ada")?).await?;
/// auth.sessions().sign_in(ticket, Device::default()).await?;
/// let told = subscription.next().await.expect("the channel is open");
/// assert!(matches!(told.event, Event::SignedIn { first: true, .. }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Broadcast {
    sender: Sender<Arc<Told>>,
    latest: Arc<AtomicU64>,
}

/// An event, and when it happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Told {
    /// When.
    pub at: UnixTime,
    /// What.
    pub event: Event,
}

/// What a subscriber reads from; ends with being dropped.
pub struct Subscription {
    receiver: Receiver<Arc<Told>>,
    latest: Arc<AtomicU64>,
    missed: u64,
}

impl Broadcast {
    /// A channel that remembers so many events for those who are behind, rounded up to a power of two. They take
    /// memory while they are remembered.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self {
            sender: Sender::new(room.clamp(1, MAX_ROOM)),
            latest: Arc::default(),
        }
    }

    /// Hears of everything from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        Subscription {
            receiver: self.sender.subscribe(),
            latest: self.latest.clone(),
            missed: 0,
        }
    }
}

impl Observer for Broadcast {
    fn observe(&self, now: UnixTime, event: &Event) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        self.latest.store(now.as_micros(), Ordering::Relaxed);
        let told = Told {
            at: now,
            event: event.clone(),
        };
        // Fails only when the last subscriber has just gone.
        let _ = self.sender.send(Arc::new(told));
    }
}

impl Subscription {
    /// The next event; `None` once everybody who could tell any is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Arc<Told>> {
        match self.receiver.recv().await {
            Ok(told) => Some(told),
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(events)) => {
                self.missed = self.missed.saturating_add(events);
                telemetry::missed(events);
                let at = UnixTime::from_micros(self.latest.load(Ordering::Relaxed));
                let event = Event::Missed { events };
                Some(Arc::new(Told { at, event }))
            }
        }
    }

    /// How many events this subscriber has missed so far, as far as it was told.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast")
            .field("subscribers", &self.sender.receiver_count())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

/// More would be a mistake in an argument.
const MAX_ROOM: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::UserId;

    fn refused(name: &str) -> Event {
        let user = UserId::new(name).unwrap();
        Event::SignInRefused { user }
    }

    #[tokio::test]
    async fn every_subscriber_hears_every_event_in_its_order() {
        let channel = Broadcast::new(16);
        channel.observe(UnixTime::from_secs(1), &refused("too early"));
        let mut both = [channel.subscribe(), channel.subscribe()];
        for name in ["ada", "bob"] {
            channel.observe(UnixTime::from_secs(2), &refused(name));
        }
        drop(channel);
        for subscription in &mut both {
            for name in ["ada", "bob"] {
                let told = subscription.next().await.unwrap();
                assert_eq!(told.event.user().unwrap().as_str(), name);
                assert_eq!(told.at, UnixTime::from_secs(2));
            }
            assert!(subscription.next().await.is_none());
        }
    }

    #[tokio::test]
    async fn who_is_too_far_behind_is_told_how_much_was_missed() {
        let channel = Broadcast::new(4);
        let mut subscription = channel.subscribe();
        for number in 0..10 {
            channel.observe(UnixTime::from_secs(number), &refused("ada"));
        }
        let told = subscription.next().await.unwrap();
        assert!(matches!(told.event, Event::Missed { events: 6 }));
        assert_eq!(subscription.missed(), 6);
        let told = subscription.next().await.unwrap();
        assert_eq!(told.at, UnixTime::from_secs(6));
    }
}
