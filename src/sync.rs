//! What the parts without locks are made of, named in one place, so that a model checker can
//! put its own in their stead.

pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
