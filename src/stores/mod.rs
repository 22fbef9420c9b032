//! Adapters, one backend each.

mod memory;

pub use memory::MemoryStore;
