//! One thing at a time for each user, on this node.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tower_jwt_session::UserId;

/// A fixed number of locks: two users may share one and wait for each other, which harms nobody.
#[derive(Clone)]
pub struct Turns {
    locks: Arc<[Arc<Mutex<()>>]>,
    hasher: RandomState,
}

impl Turns {
    /// Waits for one's turn, which lasts until the guard is dropped.
    pub async fn take(&self, user: &UserId) -> OwnedMutexGuard<()> {
        let hash = self.hasher.hash_one(user);
        let slot = hash % self.locks.len() as u64;
        self.locks[slot as usize].clone().lock_owned().await
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            locks: (0..LOCKS).map(|_| Arc::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

const LOCKS: usize = 256;
