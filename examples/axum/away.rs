//! When the accounts cannot be read or written.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use tower_jwt_session::endpoints::Problem;

/// The database of the accounts failed.
#[derive(Debug)]
pub struct Away(Box<dyn Error + Send + Sync>);

impl From<redis::RedisError> for Away {
    fn from(error: redis::RedisError) -> Self {
        Self(error.into())
    }
}

impl From<sqlx::Error> for Away {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
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

impl Error for Away {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
