//! Epochs: how a cached token learns that it has to look again.

use crate::sync::{AtomicU64, Ordering};

/// One counter for each group of users, raised whenever something about one of them changed.
///
/// A token that was looked up without a find remembers the value that was read *before* the
/// lookup. While the value stands, nothing has been put into the view since that could concern
/// it. Users share a counter, so a raise costs others one more lookup and never an admission.
#[derive(Debug)]
pub(crate) struct Epochs {
    shards: Box<[Shard]>,
}

/// Alone on its pair of cache lines: a raise must not slow down the readers of its neighbours.
#[derive(Debug)]
#[repr(align(128))]
struct Shard(AtomicU64);

impl Epochs {
    /// `shards` counters, at least one, which start at 1: a token that was never looked up
    /// remembers 0.
    pub(crate) fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards.max(1))
                .map(|_| Shard(AtomicU64::new(1)))
                .collect(),
        }
    }

    /// Which counter is the one of the user with this hash.
    pub(crate) fn group(&self, user: u64) -> usize {
        shard(user, self.shards.len())
    }

    /// The value for a group. What was in the view when it was raised is seen by every lookup
    /// after this.
    pub(crate) fn current(&self, group: usize) -> u64 {
        self.shards[group].0.load(Ordering::Acquire)
    }

    /// Makes every token of the user with this hash look again; of all users without one.
    ///
    /// Call it after the change is in the view.
    pub(crate) fn raise(&self, user: Option<u64>) {
        match user {
            Some(user) => self.shards[self.group(user)].raise(),
            None => self.shards.iter().for_each(Shard::raise),
        }
    }
}

impl Shard {
    fn raise(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Which of `shards` a hash belongs to.
///
/// Taken from the middle of the hash: a table inside a shard uses its low bits for the place and
/// its high bits for the tag, and would be crowded if they were all the same.
pub(crate) fn shard(hash: u64, shards: usize) -> usize {
    (hash >> 40) as usize % shards
}

#[cfg(test)]
mod tests {
    use super::shard;

    #[test]
    fn neither_the_low_bits_of_a_hash_nor_its_highest_say_which_shard() {
        assert_eq!(shard(5 << 40, 64), 5);
        assert_eq!(shard((1 << 40) - 1, 64), 0);
        assert_eq!(shard(u64::MAX << 46, 64), 0);
        assert_eq!(shard(7 << 40, 5), 2);
    }
}
