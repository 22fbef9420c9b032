//! Loom's atomics and locks, in place of those of the standard library.

pub(crate) use std::sync::PoisonError;

pub(crate) use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
pub(crate) use loom::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
