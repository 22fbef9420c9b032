//! What stands in for the database of places in a build without it.

use std::sync::Arc;

use super::store::Problem;
use crate::session::Locator;

/// Says how to get it.
pub(super) fn open(_path: &str) -> Result<Arc<dyn Locator>, Problem> {
    Err((
        "is set, and this build knows no places".to_owned(),
        "build with the feature geoip, or unset it",
    ))
}
