//! The highest instant that a store's clock has shown.

use std::time::Duration;

use crate::clock::UnixTime;

/// No less than what a store's clock has shown to any poll, kept by the store for the whole fleet.
///
/// The life of an entry is counted from there: one that is written while the store's clock is
/// behind would otherwise be over as soon as that is set right. The mark is written down ahead of
/// the clock, so that few polls have to, and all entries live for so much longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Highest(UnixTime);

impl Highest {
    /// How far ahead it is written down, and how often at most.
    pub(crate) const AHEAD: Duration = Duration::from_secs(10);

    /// From what a store has kept; [`UnixTime::EPOCH`] before the first poll ever.
    pub(crate) fn kept(at: UnixTime) -> Self {
        Self(at)
    }

    /// What a store keeps.
    pub(crate) fn at(self) -> UnixTime {
        self.0
    }

    /// Takes note of a poll at `now`, the store's clock; `None` where nothing has to be written.
    pub(crate) fn polled(self, now: UnixTime) -> Option<Self> {
        (now >= self.0).then(|| Self(now + Self::AHEAD))
    }

    /// From when on an entry that is written at `now` lives.
    pub(crate) fn since(self, now: UnixTime) -> UnixTime {
        self.0.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    const NOW: UnixTime = ManualClock::START;
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn first() -> Highest {
        let first = Highest::default().polled(NOW);
        first.expect("the first poll is written down")
    }

    #[test]
    fn an_entry_lives_from_no_earlier_than_any_poll() {
        let mark = first();
        for now in [NOW - DAY, NOW, NOW + Highest::AHEAD] {
            assert!(mark.since(now) >= NOW + Highest::AHEAD);
        }
        assert_eq!(mark.since(NOW + DAY), NOW + DAY);
    }

    #[test]
    fn what_a_store_kept_goes_on_from_there() {
        let kept = Highest::kept(first().at());
        assert_eq!(kept, first());
        assert_eq!(kept.polled(NOW), None);
        assert_eq!(first().at(), NOW + Highest::AHEAD);
    }

    #[test]
    fn it_is_seldom_written_down_and_never_set_back() {
        let mark = first();
        assert_eq!(mark.polled(NOW - DAY), None);
        assert_eq!(mark.polled(NOW + Highest::AHEAD / 2), None);
        let later = mark.polled(NOW + Highest::AHEAD);
        assert!(later.expect("it is due").at() > mark.at());
    }
}
