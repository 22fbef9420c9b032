//! The examples, run as they stand.

#[path = "../folder/mod.rs"]
mod folder;
mod hyper;
mod live;
mod process;
mod session_devices;
mod user_token_tracking;
mod verify_only;
