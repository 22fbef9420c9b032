//! What stands in for encrypted connections in a build without them.

use crate::error::{StoreError, StoreErrorKind};
use crate::stores::redis::error::told;

/// Says how to get them.
pub(crate) fn check() -> Result<(), StoreError> {
    Err(told(
        StoreErrorKind::Configuration,
        "rediss:// needs encrypted connections: build with the feature tls",
    ))
}
