//! The SQLite store by its address.

use std::sync::Arc;

use super::Problem;
use crate::clock::Clock;
use crate::session::SessionStore;
use crate::stores::SqliteStore;

/// The store in a file, by a clock.
pub(super) fn store(
    address: &str,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn SessionStore>, Problem> {
    match SqliteStore::path_of(address) {
        Some(path) => Ok(Arc::new(SqliteStore::new(path).with_clock(clock.clone()))),
        None => Err((
            "names no file".to_owned(),
            "write it as sqlite:sessions.db or sqlite:/var/lib/app/sessions.db",
        )),
    }
}
