//! What a store brings along to be measured.

mod grouped;
mod postgres;
mod redis;
mod sqlite;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use tower_jwt_session::{BoxFuture, SessionStore};

pub use grouped::Way;

/// A store at an address. Each part of the report has a place of its own where the store can
/// have several.
pub trait Backend: Send + Sync {
    fn name(&self) -> &'static str;

    /// Whether it tells the nodes of news by itself, so that they hear at once. A file cannot.
    fn pushes(&self) -> bool;

    /// What was measured, and how it is kept.
    fn described(&self) -> BoxFuture<'_, String>;

    /// Where a part is measured, as `SESSION_STORE` holds it.
    fn address<'a>(&'a self, part: &'a str) -> BoxFuture<'a, String>;

    /// The store there.
    fn store<'a>(&'a self, part: &'a str) -> BoxFuture<'a, Arc<dyn SessionStore>>;

    /// How many pairs of a read and a durable write the driver alone does in a second for so many
    /// clients, by each way that there is: as durable as the store, and in as few round trips.
    fn driver<'a>(&'a self, part: &'a str, clients: usize) -> BoxFuture<'a, Vec<Way>>;

    /// Adds ten sessions for each of the users of those numbers, by the quickest way there is.
    fn fill<'a>(&'a self, part: &'a str, users: Range<u64>) -> BoxFuture<'a, ()>;

    /// How many bytes a part takes where it is kept, if that can be told.
    fn bytes<'a>(&'a self, part: &'a str) -> BoxFuture<'a, Option<f64>>;

    /// Sends a signal to the server, where it is one of our own.
    fn signal(&self, signal: &str) -> bool;
}

/// The backend of an address, or one of our own where only a kind is named.
pub fn at(address: &str, folder: &Path) -> Result<Box<dyn Backend>, String> {
    let scheme = address.split(':').next().unwrap_or_default();
    match (address, scheme) {
        ("sqlite", _) => Ok(Box::new(sqlite::Sqlite::within(folder))),
        ("postgres", _) => Ok(Box::new(postgres::Postgres::own())),
        ("redis", _) => Ok(Box::new(redis::Redis::own())),
        (_, "postgres" | "postgresql") => Ok(Box::new(postgres::Postgres::at(address))),
        (_, "redis") => redis::Redis::at(address).map(|redis| Box::new(redis) as _),
        _ => match sqlite::Sqlite::at(address) {
            Some(sqlite) => Ok(Box::new(sqlite)),
            None => Err(format!(
                "{scheme:?} is not a store that is measured here: sqlite, postgres and redis are"
            )),
        },
    }
}
