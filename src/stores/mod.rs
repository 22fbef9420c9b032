//! Adapters, one backend each.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod codec;
mod memory;
mod sealed;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;

pub use memory::MemoryStore;
pub use sealed::{SealError, SealKey, SealKeys, SealedStore};
#[cfg(feature = "postgres")]
pub use sql::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sql::SqliteStore;
