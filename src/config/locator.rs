//! The database of places that the environment names.

use std::path::Path;
use std::sync::Arc;

use super::store::Problem;
use crate::geoip::GeoIpDatabase;
use crate::session::Locator;

/// Opens it now: a file that is named and cannot be used is a mistake, and better known at once.
pub(super) fn open(path: &str) -> Result<Arc<dyn Locator>, Problem> {
    match GeoIpDatabase::open(Path::new(path)) {
        Ok(database) => Ok(Arc::new(database)),
        Err(error) => Err((
            error.to_string(),
            "name a readable file in the MaxMind DB format with cities or countries, as \
             GeoLite2-City.mmdb, or unset it",
        )),
    }
}
