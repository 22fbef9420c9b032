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
                "write it as redis://user:password@host:6379/0, redis+sentinel://host:26379,host:26379/master or redis+cluster://host:6379,host:6379",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Environment, JwtSession};

    #[test]
    fn a_shared_store_needs_a_secret_that_every_node_is_given() {
        for address in [
            "redis://ada:secret@redis.example",
            "redis+sentinel://ada:secret@one,two/main",
            "redis+cluster://ada:secret@one,two",
        ] {
            let address = ("SESSION_STORE", address);
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
