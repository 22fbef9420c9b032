//! A token: its user and its session, both numbers, and the marks on it.

use crate::sync::{AtomicU64, AtomicUsize};

#[path = "../../../src/verify/stamp.rs"]
pub(crate) mod stamp;

#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenFacts {
    pub(crate) user: u64,
    pub(crate) session: u64,
}

#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) group: AtomicUsize,
    pub(crate) epoch: AtomicU64,
    pub(crate) confirmed: AtomicU64,
}

impl Standing {
    pub(crate) fn new() -> Self {
        Self {
            group: AtomicUsize::new(0),
            epoch: AtomicU64::new(0),
            confirmed: AtomicU64::new(0),
        }
    }
}
