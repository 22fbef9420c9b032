//! What a store brings along to be measured.

mod sqlite;

use std::ops::Range;
use std::sync::Arc;

use tower_jwt_session::{BoxFuture, SessionStore};

/// A store at an address. Each part of the report has a place of its own where the store can
/// have several.
pub trait Backend: Send + Sync {
    fn name(&self) -> &'static str;

    /// Whether it tells the nodes of news by itself, so that they hear at once. A file cannot.
    fn pushes(&self) -> bool;

    /// Where a part is measured, as `SESSION_STORE` holds it.
    fn address(&self, part: &str) -> String;

    /// The store there.
    fn store(&self, part: &str) -> BoxFuture<'_, Arc<dyn SessionStore>>;

    /// How many pairs of a read and a durable write the driver alone does in a second, with as many
    /// round trips and waits for the disk as that many clients of the store share.
    fn driver(&self, part: &str, clients: usize) -> BoxFuture<'_, f64>;

    /// Adds ten sessions for each of the users of those numbers, by the quickest way there is.
    fn fill(&self, part: &str, users: Range<u64>) -> BoxFuture<'_, ()>;
}

/// The backend of an address.
pub fn at(address: &str) -> Result<Box<dyn Backend>, String> {
    if let Some(sqlite) = sqlite::Sqlite::at(address) {
        return Ok(Box::new(sqlite));
    }
    let scheme = address.split(':').next().unwrap_or_default();
    Err(format!(
        "{scheme:?} is not a store that is measured here: sqlite:PATH is"
    ))
}
