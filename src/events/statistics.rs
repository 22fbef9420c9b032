//! What happened lately, counted by the minute.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;

use super::{Event, Observer};
use crate::clock::UnixTime;

/// Counts events by the minute, and remembers the last of them: for pages of administrators.
///
/// It hears of this process alone, keeps a day in memory (some 60 KB) and forgets it at the end.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::JwtSession;
/// use tower_jwt_session::events::{LogObserver, Statistics};
///
/// let statistics = Statistics::default();
/// let builder = JwtSession::builder().observer((LogObserver, statistics.clone()));
/// # let _ = builder;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    kept: Arc<Mutex<Kept>>,
    news: Arc<Notify>,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Sign-ins.
    pub signed_in: u64,
    /// Refreshes that brought new tokens.
    pub refreshed: u64,
    /// Sessions that ended.
    pub ended: u64,
    /// Requests and sign-ins that were refused.
    pub refused: u64,
}

/// An event as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeenEvent {
    /// Counts up from 1.
    pub number: u64,
    /// When, as RFC 3339.
    #[serde(serialize_with = "as_text")]
    pub at: UnixTime,
    /// What, as `signed_in`.
    pub what: &'static str,
    /// Whose session.
    pub user: Option<String>,
    /// Why, where there is a reason.
    pub reason: Option<String>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The latest last; a minute without events is not there.
    minutes: VecDeque<(u64, Counts)>,
    events: VecDeque<SeenEvent>,
    heard: u64,
}

impl Statistics {
    /// The counts of each of the last `minutes` minutes, the current one last.
    #[must_use]
    pub fn by_minute(&self, now: UnixTime, minutes: usize) -> Vec<Counts> {
        let last = minute(now);
        let mut counts = vec![Counts::default(); minutes.clamp(1, KEPT_MINUTES)];
        for (at, counted) in &self.kept().minutes {
            let back = last.saturating_sub(*at);
            let place = usize::try_from(back)
                .ok()
                .and_then(|back| counts.len().checked_sub(back + 1));
            if let Some(place) = place {
                counts[place] += *counted;
            }
        }
        counts
    }

    /// The last events after the one of this number, the oldest first; at most a hundred are kept.
    /// A number that has not come up yet is of an earlier process, and all are after it.
    #[must_use]
    pub fn events_after(&self, number: u64) -> Vec<SeenEvent> {
        let kept = self.kept();
        let number = if number > kept.heard { 0 } else { number };
        let later = kept.events.iter().filter(|event| event.number > number);
        later.cloned().collect()
    }

    /// Waits for events after the one of this number, and answers them as
    /// [`events_after`](Self::events_after) does.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost by giving up.
    pub async fn next_events(&self, number: u64) -> Vec<SeenEvent> {
        loop {
            // Made before the look, so that nothing happens unheard in between.
            let news = self.news.notified();
            let events = self.events_after(number);
            if !events.is_empty() {
                return events;
            }
            news.await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Statistics {
    fn observe(&self, now: UnixTime, event: &Event) {
        let mut kept = self.kept();
        kept.count(minute(now), event);
        if let Some(seen) = SeenEvent::of(now, event) {
            kept.remember(seen);
            drop(kept);
            self.news.notify_waiters();
        }
    }
}

impl Kept {
    fn count(&mut self, at: u64, event: &Event) {
        // A clock that was set back counts into the latest minute.
        if self.minutes.back().is_none_or(|(last, _)| *last < at) {
            self.minutes.push_back((at, Counts::default()));
        }
        if self.minutes.len() > KEPT_MINUTES {
            self.minutes.pop_front();
        }
        let Some((_, counts)) = self.minutes.back_mut() else {
            return;
        };
        match event {
            Event::Ended { .. } => counts.ended += 1,
            Event::Refreshed { .. } => counts.refreshed += 1,
            Event::RefreshFailed { .. } | Event::Refused { .. } | Event::SignInRefused { .. } => {
                counts.refused += 1;
            }
            Event::SignedIn { .. } => counts.signed_in += 1,
            _ => {}
        }
    }

    fn remember(&mut self, seen: SeenEvent) {
        self.heard += 1;
        self.events.push_back(SeenEvent {
            number: self.heard,
            ..seen
        });
        if self.events.len() > KEPT_EVENTS {
            self.events.pop_front();
        }
    }
}

impl SeenEvent {
    /// Refused requests are counted and not shown: anybody can send as many as they like.
    fn of(at: UnixTime, event: &Event) -> Option<Self> {
        let reason = match event {
            // Like refused requests, where nobody knows whose it was.
            Event::Refused { .. } | Event::RefreshFailed { user: None, .. } => return None,
            Event::Ended { reason, .. } | Event::TokenRevoked { reason, .. } => {
                Some(reason.as_str().to_owned())
            }
            Event::RefreshFailed { why, .. } => Some(format!("{why:?}")),
            Event::ReplayAccepted { how, .. } => Some(format!("{how:?}")),
            Event::StoreBack { class, .. } | Event::StoreLost { class, .. } => {
                Some(class.as_str().to_owned())
            }
            _ => None,
        };
        Some(Self {
            number: 0,
            at,
            what: event.name(),
            user: event.user().map(|user| user.as_str().to_owned()),
            reason,
        })
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.signed_in += more.signed_in;
        self.refreshed += more.refreshed;
        self.ended += more.ended;
        self.refused += more.refused;
    }
}

fn minute(at: UnixTime) -> u64 {
    at.since(UnixTime::EPOCH).as_secs() / MINUTE.as_secs()
}

fn as_text<S: serde::Serializer>(at: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

const MINUTE: Duration = Duration::from_secs(60);
const KEPT_MINUTES: usize = 24 * 60;
const KEPT_EVENTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::UserId;

    fn heard(minutes: &[u64]) -> Statistics {
        let statistics = Statistics::default();
        for minute in minutes {
            let user = UserId::new("ada").unwrap();
            let now = UnixTime::from_secs(minute * 60 + 7);
            statistics.observe(now, &Event::SignInRefused { user });
        }
        statistics
    }

    #[test]
    fn events_are_counted_in_their_minute() {
        let statistics = heard(&[10, 10, 12, 13]);
        let now = UnixTime::from_secs(13 * 60 + 30);
        let counts = statistics.by_minute(now, 4);
        let refused: Vec<u64> = counts.iter().map(|counts| counts.refused).collect();
        assert_eq!(refused, [2, 0, 1, 1]);
        assert_eq!(statistics.by_minute(now, 2).len(), 2);
    }

    #[test]
    fn a_day_and_a_hundred_events_are_kept() {
        let statistics = heard(&(0..3_000).collect::<Vec<_>>());
        let now = UnixTime::from_secs(3_000 * 60);
        assert_eq!(statistics.by_minute(now, 100_000).len(), KEPT_MINUTES);
        let events = statistics.events_after(0);
        assert_eq!(events.len(), KEPT_EVENTS);
        assert_eq!(events[99].number, 3_000);
        assert_eq!(statistics.events_after(2_999).len(), 1);
        assert_eq!(statistics.events_after(3_000).len(), 0);
        assert_eq!(statistics.events_after(3_001).len(), KEPT_EVENTS);
    }
}
