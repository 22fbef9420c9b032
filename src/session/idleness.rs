//! When being unused counts.

use std::time::Duration;

use crate::clock::UnixTime;

/// When being unused counts against a session: while the fleet reaches the store, and not before
/// the uses of an outage have been written down.
///
/// A store keeps one for the whole fleet, by its own clock: every [poll](Self::polled) shows that
/// nodes are there, and a time that no lease covered was an outage, of the store or of all nodes.
/// So every node is told the same, and the first call after the outage already is, whoever makes
/// it. A store that cannot be away from its nodes needs none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Idleness {
    /// Until when a lease covers; [`UnixTime::EPOCH`] before the first poll ever.
    pub covered_until: UnixTime,
    /// When the last outage is over and done with.
    pub settles_at: UnixTime,
}

impl Idleness {
    /// How long after an outage being unused does not count yet: nodes flush what they noted every
    /// quarter of a minute, and a flush that has just failed is repeated after as long.
    pub const SETTLING: Duration = Duration::from_secs(30);

    /// Takes note of a poll at `now`, the store's clock, whose lease lasts for so long; `None` where
    /// nothing has to be written for it.
    ///
    /// Belongs into the step that writes the lease.
    #[must_use]
    pub fn polled(self, now: UnixTime, lease: Duration) -> Option<Self> {
        let covered_until = now + lease;
        if self.is_lapsed(now) {
            return Some(Self {
                covered_until,
                settles_at: now + Self::SETTLING,
            });
        }
        (self.covered_until < now + lease / 2).then_some(Self {
            covered_until,
            ..self
        })
    }

    /// Whether being unused is excused at `now`, the store's clock: what
    /// [`SessionRecord::expired`](super::SessionRecord::expired) and its like are to be told.
    #[must_use]
    pub fn suspended(self, now: UnixTime) -> bool {
        self.is_lapsed(now) || now < self.settles_at
    }

    fn is_lapsed(self, now: UnixTime) -> bool {
        self.covered_until > UnixTime::EPOCH && now >= self.covered_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    const NOW: UnixTime = ManualClock::START;
    const LEASE: Duration = Duration::from_secs(34);
    const MICRO: Duration = Duration::from_micros(1);

    fn first() -> Idleness {
        let first = Idleness::default().polled(NOW, LEASE);
        first.expect("the first poll is written down")
    }

    #[test]
    fn before_the_first_poll_nothing_was_ever_cut_off() {
        assert!(!Idleness::default().suspended(NOW));
        assert!(!first().suspended(NOW));
    }

    #[test]
    fn a_time_that_no_lease_covers_is_an_outage() {
        let idleness = first();
        assert!(!idleness.suspended(NOW + LEASE - MICRO));
        assert!(idleness.suspended(NOW + LEASE));
    }

    #[test]
    fn after_an_outage_being_unused_counts_when_uses_had_time_to_be_written() {
        let back = NOW + 10 * LEASE;
        let idleness = first().polled(back, LEASE).expect("it is written down");
        assert!(idleness.suspended(back + Idleness::SETTLING - MICRO));
        assert!(!idleness.suspended(back + Idleness::SETTLING));
    }

    #[test]
    fn a_lease_is_written_down_anew_where_less_than_half_of_it_is_left() {
        let half = NOW + LEASE / 2;
        assert_eq!(first().polled(half, LEASE), None);
        assert!(first().polled(half + MICRO, LEASE).is_some());
    }

    #[test]
    fn polls_that_go_on_excuse_nobody_and_are_seldom_written_down() {
        let (mut idleness, mut written, mut now) = (first(), 0, NOW);
        for _ in 0..340 {
            now = now + LEASE / 34;
            assert!(!idleness.suspended(now));
            if let Some(next) = idleness.polled(now, LEASE) {
                (idleness, written) = (next, written + 1);
            }
        }
        assert!((10..=20).contains(&written), "{written}");
    }
}
