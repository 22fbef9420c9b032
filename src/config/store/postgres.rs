//! The PostgreSQL store by its address.

use std::sync::Arc;

use super::Problem;
use crate::session::SessionStore;
use crate::stores::PostgresStore;

/// The store of a server, by the server's clock.
pub(super) fn store(address: &str) -> Result<Arc<dyn SessionStore>, Problem> {
    match PostgresStore::new(address) {
        Ok(store) => Ok(Arc::new(store)),
        // What is wrong may be said with a part of the address, which may hold a password.
        Err(_) => Err((
            "cannot be read".to_owned(),
            "write it as postgres://user:password@host:5432/database, with %40 for an @ in the password",
        )),
    }
}
