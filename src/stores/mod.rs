//! Adapters, one backend each.

#[cfg(any(feature = "postgres", feature = "redis", feature = "sqlite"))]
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    allow(dead_code, reason = "Redis keeps fields, not texts")
)]
pub(crate) mod codec;
mod copying;
mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(feature = "encryption")]
mod sealed;
#[cfg(not(feature = "encryption"))]
#[path = "unsealed.rs"]
mod sealed;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod together;

pub use copying::{CopyPosition, CopyReport, CopyStage, RestoreProgress, StoreCopy, StoreRestore};
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "encryption")]
pub use sealed::{SealError, SealKey, SealKeys, SealedStore};
#[cfg(not(feature = "encryption"))]
pub(crate) use sealed::{SealKey, SealKeys, SealedStore};
#[cfg(feature = "postgres")]
pub use sql::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sql::SqliteStore;
