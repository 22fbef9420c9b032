//! Adapters, one backend each.

#[cfg(feature = "sqlite")]
mod codec;
mod memory;
#[cfg(feature = "sqlite")]
mod sql;

pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sql::SqliteStore;
