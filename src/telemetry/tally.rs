//! Counting on the path of a request: numbers that only one thread writes.
//!
//! An addition that several threads may make at once keeps a processor waiting for its own stores. Where each
//! thread has numbers of its own, an addition is a load and a store, and whoever wants the sum reads them all.
//!
//! 1. A place belongs to one living thread. It is given away anew only after that thread has ended, through a lock, so its
//!    successor sees what it wrote.
//! 2. Only the owner of a place writes there. Threads that found none left share numbers, and add in one step.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many numbers, for as many threads as there are places.
pub(super) struct Tally<const N: usize> {
    places: Box<[Numbers<N>]>,
    shared: Numbers<N>,
}

/// Alone on its cache lines: nobody else's additions slow its owner down.
#[repr(align(128))]
struct Numbers<const N: usize>([AtomicU64; N]);

/// The numbers that the current thread adds to.
#[derive(Clone, Copy)]
pub(super) enum Mine<'a, const N: usize> {
    Own(&'a [AtomicU64; N]),
    Shared(&'a [AtomicU64; N]),
}

impl<const N: usize> Tally<N> {
    pub(super) fn new() -> Self {
        Self {
            places: (0..PLACES).map(|_| Numbers::zero()).collect(),
            shared: Numbers::zero(),
        }
    }

    /// The numbers of the current thread.
    #[inline]
    pub(super) fn mine(&self) -> Mine<'_, N> {
        // A thread that is ending may have none any more.
        let place = PLACE.try_with(Place::number).unwrap_or(usize::MAX);
        match self.places.get(place) {
            Some(own) => Mine::Own(&own.0),
            None => Mine::Shared(&self.shared.0),
        }
    }

    /// What all threads have counted.
    pub(super) fn totals(&self) -> [u64; N] {
        let all = || self.places.iter().chain([&self.shared]);
        std::array::from_fn(|which| {
            let counted = all().map(|numbers| numbers.0[which].load(Ordering::Relaxed));
            counted.fold(0, u64::wrapping_add)
        })
    }
}

impl<const N: usize> Mine<'_, N> {
    #[inline]
    pub(super) fn add(self, which: usize) {
        match self {
            Self::Own(numbers) => {
                let number = &numbers[which];
                let more = number.load(Ordering::Relaxed).wrapping_add(1);
                number.store(more, Ordering::Relaxed);
            }
            Self::Shared(numbers) => {
                numbers[which].fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    #[inline]
    pub(super) fn read(self, which: usize) -> u64 {
        let (Self::Own(numbers) | Self::Shared(numbers)) = self;
        numbers[which].load(Ordering::Relaxed)
    }
}

impl<const N: usize> Numbers<N> {
    fn zero() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl<const N: usize> fmt::Debug for Tally<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tally").field(&self.totals()).finish()
    }
}

/// The place of a thread, given back when it ends.
struct Place(Cell<usize>);

/// The places that no living thread has.
struct Free {
    returned: Vec<usize>,
    next: usize,
}

thread_local! {
    static PLACE: Place = const { Place(Cell::new(UNKNOWN)) };
}

static FREE: Mutex<Free> = Mutex::new(Free {
    returned: Vec::new(),
    next: 0,
});

impl Place {
    #[inline]
    fn number(&self) -> usize {
        match self.0.get() {
            UNKNOWN => self.take(),
            number => number,
        }
    }

    #[cold]
    fn take(&self) -> usize {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let number = free.returned.pop().unwrap_or_else(|| {
            free.next += 1;
            free.next - 1
        });
        self.0.set(number);
        number
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let number = self.0.get();
        if number != UNKNOWN {
            let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
            free.returned.push(number);
        }
    }
}

const UNKNOWN: usize = usize::MAX;

/// More threads than this at once share numbers.
const PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_lost_when_more_threads_count_than_have_a_place() {
        let tally = Arc::new(Tally::<2>::new());
        let all_at_once = Arc::new(Barrier::new(2 * PLACES));
        let threads: Vec<_> = (0..2 * PLACES)
            .map(|_| {
                let (tally, all_at_once) = (tally.clone(), all_at_once.clone());
                thread::spawn(move || {
                    tally.mine().add(0);
                    all_at_once.wait();
                    for _ in 0..1_000 {
                        tally.mine().add(1);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("it only counts");
        }
        assert_eq!(tally.totals(), [2 * PLACES as u64, 2_000 * PLACES as u64]);
    }

    #[test]
    fn a_place_is_given_to_another_thread_and_goes_on_from_there() {
        let tally = Arc::new(Tally::<1>::new());
        for _ in 0..1_000 {
            let tally = tally.clone();
            let thread = thread::spawn(move || tally.mine().add(0));
            thread.join().expect("it only counts");
        }
        assert_eq!(tally.totals(), [1_000]);
        let places = FREE.lock().expect("nobody panicked").next;
        assert!(places < 1_000, "places are never given back");
    }

    #[test]
    fn two_tallies_of_a_thread_are_apart() {
        let (one, two) = (Tally::<1>::new(), Tally::<1>::new());
        one.mine().add(0);
        one.mine().add(0);
        two.mine().add(0);
        assert_eq!((one.totals(), two.totals()), ([2], [1]));
    }
}
