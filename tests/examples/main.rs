//! The examples, run as they stand.

mod hyper;
mod process;
mod session_devices;
mod user_token_tracking;
