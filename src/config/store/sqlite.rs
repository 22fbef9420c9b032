//! The SQLite store by its path.

use std::sync::Arc;

use super::Problem;
use crate::clock::Clock;
use crate::session::SessionStore;
use crate::stores::SqliteStore;

/// The store in a file, by a clock.
pub(super) fn store(path: &str, clock: &Arc<dyn Clock>) -> Result<Arc<dyn SessionStore>, Problem> {
    Ok(Arc::new(SqliteStore::new(path).with_clock(clock.clone())))
}
