//! What stands in for the Redis store in a build without it.

use std::sync::Arc;

use super::Problem;
use crate::session::SessionStore;

/// Says how to get it.
pub(super) fn store(_address: &str) -> Result<Arc<dyn SessionStore>, Problem> {
    Err((
        "is not a store of this build".to_owned(),
        "build with the feature redis, or use memory:",
    ))
}
