//! What stands in for the SQLite store in a build without it.

use std::sync::Arc;

use super::Problem;
use crate::clock::Clock;
use crate::session::SessionStore;

/// Says how to get it.
pub(super) fn store(
    _address: &str,
    _clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn SessionStore>, Problem> {
    Err((
        "is not a store of this build".to_owned(),
        "build with the feature sqlite, or use memory:",
    ))
}
