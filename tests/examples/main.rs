//! The examples, run as they stand.

mod client;
#[path = "../folder/mod.rs"]
mod folder;
mod layers;
mod live;
mod plain;
mod process;
mod session_devices;
mod tonic;
mod user_token_tracking;
mod verify_only;
