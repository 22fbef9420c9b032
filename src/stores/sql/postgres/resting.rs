//! A node's own connections, between two verbs.
//!
//! A pool asks each connection that comes back whether it still answers: one more round trip for
//! every verb. Whoever uses it next finds that out anyway. Times are those of the monotonic clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Connections that nothing is open on, the last used on top: that is the first to be used again,
/// so that few are used and the rest of the others comes to its end.
#[derive(Debug)]
pub(super) struct Resting<C>(Mutex<Stack<C>>);

#[derive(Debug)]
struct Stack<C> {
    /// Which connections may come back: those that were begun since one was last found gone.
    generation: u64,
    /// With the time since which each rests.
    all: Vec<(Owned<C>, Duration)>,
}

/// A connection that no pool keeps.
#[derive(Debug)]
pub(super) struct Owned<C> {
    pub(super) wire: C,
    begun: Begun,
}

/// When a connection was begun, and among which.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    at: Duration,
    generation: u64,
}

impl<C> Default for Resting<C> {
    fn default() -> Self {
        let all = Vec::new();
        Self(Mutex::new(Stack { generation: 0, all }))
    }
}

impl<C> Resting<C> {
    /// The one that was used last, unless all have rested for too long.
    pub(super) fn take(&self, now: Duration) -> Option<Owned<C>> {
        let mut stack = self.stack();
        let tired = stack.tired(now);
        let taken = stack.all.pop();
        drop(stack);
        // Closed when the lock is free.
        drop(tired);
        taken.map(|(owned, _)| owned)
    }

    /// Notes that one is begun.
    pub(super) fn begin(&self, at: Duration) -> Begun {
        let generation = self.stack().generation;
        Begun { at, generation }
    }

    /// Takes one back that nothing is open on.
    pub(super) fn take_back(&self, owned: Owned<C>, now: Duration) {
        let mut stack = self.stack();
        let tired = stack.tired(now);
        let Begun { at, generation } = owned.begun;
        let stays = generation == stack.generation && now.saturating_sub(at) < LONGEST_LIFE;
        let refused = if stays {
            stack.all.push((owned, now));
            None
        } else {
            Some(owned)
        };
        drop(stack);
        drop((tired, refused));
    }

    /// This one was found gone, or leads to another server than it should: those that were begun
    /// with it are no better, and none of them is used again.
    pub(super) fn forget(&self, owned: Owned<C>) {
        let mut stack = self.stack();
        let gone = if owned.begun.generation == stack.generation {
            stack.generation += 1;
            std::mem::take(&mut stack.all)
        } else {
            Vec::new()
        };
        drop(stack);
        drop((gone, owned));
    }

    fn stack(&self) -> MutexGuard<'_, Stack<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Stack<C> {
    /// Those that have rested for too long, taken out.
    fn tired(&mut self, now: Duration) -> Vec<(Owned<C>, Duration)> {
        let is_tired = |(_, since): &(_, Duration)| now.saturating_sub(*since) > LONGEST_REST;
        let tired = self.all.partition_point(is_tired);
        self.all.drain(..tired).collect()
    }
}

impl<C> Owned<C> {
    pub(super) fn new(wire: C, begun: Begun) -> Self {
        Self { wire, begun }
    }
}

/// What stands between a node and its server forgets a silent connection after minutes.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// What a server keeps for a connection grows with its age.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    struct Bench {
        resting: Resting<&'static str>,
        now: Duration,
    }

    impl Bench {
        fn new() -> Self {
            let (resting, now) = (Resting::default(), Duration::from_secs(1_000));
            Self { resting, now }
        }

        fn made(&self, name: &'static str) -> Owned<&'static str> {
            Owned::new(name, self.resting.begin(self.now))
        }

        fn back(&self, owned: Owned<&'static str>) {
            self.resting.take_back(owned, self.now);
        }

        fn take(&self) -> Option<&'static str> {
            self.resting.take(self.now).map(|owned| owned.wire)
        }
    }

    #[test]
    fn the_last_used_is_the_first_to_be_used_again() {
        let bench = Bench::new();
        for name in ["first", "second"] {
            bench.back(bench.made(name));
        }
        assert_eq!(bench.take(), Some("second"));
        assert_eq!(bench.take(), Some("first"));
        assert_eq!(bench.take(), None);
    }

    #[test]
    fn whichever_rests_for_too_long_is_closed() {
        let mut bench = Bench::new();
        bench.back(bench.made("first"));
        bench.now += LONGEST_REST;
        bench.back(bench.made("second"));
        assert_eq!(bench.resting.stack().all.len(), 2, "just long enough");
        bench.now += SECOND;
        assert_eq!(bench.take(), Some("second"));
        assert_eq!(bench.take(), None, "the first was closed");
        let second = bench.made("second");
        bench.back(bench.made("third"));
        bench.now += LONGEST_REST + SECOND;
        bench.back(second);
        assert_eq!(bench.resting.stack().all.len(), 1, "the third was closed");
        bench.now += LONGEST_REST + SECOND;
        assert_eq!(bench.take(), None, "all have");
    }

    #[test]
    fn an_old_one_does_not_rest_however_often_it_is_used() {
        let mut bench = Bench::new();
        let mut owned = bench.made("it");
        for _ in 1..LONGEST_LIFE.as_secs() {
            bench.now += SECOND;
            bench.back(owned);
            owned = bench.resting.take(bench.now).expect("it rests");
        }
        bench.now += SECOND;
        bench.back(owned);
        assert_eq!(bench.take(), None);
    }

    #[test]
    fn when_one_is_gone_none_is_used_again_that_was_begun_before() {
        let bench = Bench::new();
        let (busy, begun) = (bench.made("busy"), bench.resting.begin(bench.now));
        let late = bench.made("found gone later");
        bench.back(bench.made("rests"));
        bench.resting.forget(bench.made("gone"));
        assert_eq!(bench.take(), None);
        bench.back(busy);
        bench.back(Owned::new("begun before", begun));
        assert_eq!(bench.take(), None);
        bench.back(bench.made("begun after"));
        bench.resting.forget(late);
        assert_eq!(bench.take(), Some("begun after"));
    }
}
