//! The Redis store by its address.

use std::sync::Arc;

use super::Problem;
use crate::session::SessionStore;
use crate::stores::RedisStore;

/// The store of a server, which goes by the server's clock.
pub(super) fn store(address: &str) -> Result<Arc<dyn SessionStore>, Problem> {
    match RedisStore::new(address) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => {
            // The sentence repeats nothing of the address.
            let why = std::error::Error::source(&error).map(ToString::to_string);
            Err((
                why.unwrap_or_else(|| error.to_string()),
                "write it as redis://user:password@host:6379/0, or redis+sentinel://host:26379,host:26379/master",
            ))
        }
    }
}
