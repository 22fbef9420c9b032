//! The examples, run as they stand.

#[path = "../support/built.rs"]
mod built;
mod client;
#[path = "../folder/mod.rs"]
mod folder;
mod layers;
mod live;
mod new_device_mail;
#[path = "../support/nginx.rs"]
mod nginx;
mod opentelemetry;
mod plain;
mod process;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod session_devices;
mod session_management;
mod smtp;
mod token_blacklisting;
mod tonic;
mod user_token_tracking;
mod verify_only;
