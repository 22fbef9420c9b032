//! When the accounts cannot be read or written.

use std::fmt;
use std::time::Duration;

use tower_jwt_session::endpoints::Problem;

/// The database of the accounts failed.
#[derive(Debug)]
pub struct Away(sqlx::Error);

impl From<sqlx::Error> for Away {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

/// As good as the session store being away.
impl From<Away> for Problem {
    fn from(away: Away) -> Self {
        tracing::error!(error = %away.0, "{away}");
        Self::store_unavailable(Duration::from_secs(1))
    }
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the accounts cannot be read or written")
    }
}

impl std::error::Error for Away {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
