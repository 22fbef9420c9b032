//! The explored files, and small stand-ins for those that they rest on.

pub(crate) mod entry;
pub(crate) mod hashes;
pub(crate) mod shelf;

#[path = "../../../../src/revocation/epochs.rs"]
pub(crate) mod epochs;
#[path = "../../../../src/revocation/fresh.rs"]
pub(crate) mod fresh;
#[path = "../../../../src/revocation/local.rs"]
pub(crate) mod local;
#[path = "../../../../src/revocation/view.rs"]
pub(crate) mod view;
