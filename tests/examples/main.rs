//! The examples, run as they stand.

mod hyper;
mod process;
mod user_token_tracking;
