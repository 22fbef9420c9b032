//! The store that an address names.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(not(feature = "postgres"))]
#[path = "store/without_postgres.rs"]
mod postgres;
#[cfg(feature = "redis")]
mod redis_store;
#[cfg(not(feature = "redis"))]
#[path = "store/without_redis.rs"]
mod redis_store;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(not(feature = "sqlite"))]
#[path = "store/without_sqlite.rs"]
mod sqlite;

use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::error::ConfigError;
use crate::session::SessionStore;
use crate::stores::MemoryStore;

/// What is wrong with an address, and what to do.
pub(super) type Problem = (String, &'static str);

/// The store that an address names, as `SESSION_STORE` holds one: for who runs it, as to
/// [copy](crate::stores::StoreCopy) its sessions elsewhere. An application gives the address to its
/// [`JwtSession`](crate::JwtSession) by the environment.
///
/// Nothing is connected before it is used.
///
/// # Errors
///
/// [`ConfigError`] for what names no store of this build. It does not repeat the address, which
/// may hold a password.
pub fn open(address: &str) -> Result<Arc<dyn SessionStore>, ConfigError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    store_at(address, &clock).map_err(|(what, fix)| {
        let scheme = address.split(':').next().unwrap_or_default();
        let mut problems = ConfigError::default();
        problems.add(format!("{scheme:?} {what}"), fix);
        problems
    })
}

/// The store of an address: `memory:`, `postgres://…`, `redis://…` or `sqlite:PATH`.
///
/// Nothing is opened here; that is what the start is for.
pub(super) fn store_at(
    address: &str,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn SessionStore>, Problem> {
    match address.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::with_clock(clock.clone()))),
        Some(("postgres" | "postgresql", _)) => postgres::store(address),
        Some((scheme, _)) if REDIS.contains(&scheme) => redis_store::store(address),
        Some(("sqlite", _)) => sqlite::store(address, clock),
        // The rest of an address may hold a password.
        _ => Err((
            "is not a store of this build".to_owned(),
            "use memory:, postgres://USER@HOST/DATABASE, redis://HOST or sqlite:PATH",
        )),
    }
}

const REDIS: [&str; 6] = [
    "redis",
    "rediss",
    "redis+cluster",
    "rediss+cluster",
    "redis+sentinel",
    "rediss+sentinel",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_no_store_is_refused_without_repeating_it() {
        let clock: Arc<dyn Clock> = Arc::new(crate::clock::SystemClock);
        for address in [
            "",
            "memory",
            "memory:x",
            "redis://u:secret@h:port",
            "sqlite:",
            "postgres:secret",
        ] {
            let (what, _) = store_at(address, &clock).expect_err("it names none");
            assert!(!what.contains("secret"), "{what}");
        }
    }
}
