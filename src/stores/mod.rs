//! Adapters, one backend each.

#[cfg(feature = "sqlite")]
mod codec;
mod memory;
mod sealed;
#[cfg(feature = "sqlite")]
mod sql;

pub use memory::MemoryStore;
pub use sealed::{SealError, SealKey, SealKeys, SealedStore};
#[cfg(feature = "sqlite")]
pub use sql::SqliteStore;
