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

#[cfg(test)]
mod tests {
    use crate::{Environment, JwtSession};

    #[test]
    fn a_shared_store_needs_a_secret_that_every_node_is_given() {
        for name in ["SESSION_STORE", "DATABASE_URL"] {
            let address = (name, "postgres://ada:secret@db.example/app");
            let build = |pairs: &[(&str, &str)]| {
                let env = Environment::from_pairs(pairs.iter().copied());
                JwtSession::builder().with_env(&env).build()
            };
            let error = build(&[address])
                .expect_err("there is no secret")
                .to_string();
            assert!(error.contains("JWT_SECRET is not set"), "{error}");
            let secret = ("JWT_SECRET", "an example; 32 random bytes in earnest");
            assert!(build(&[address, secret]).is_ok());
        }
    }
}
