//! The store that an address names.

#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(not(feature = "sqlite"))]
#[path = "store/without_sqlite.rs"]
mod sqlite;

use std::sync::Arc;

use crate::clock::Clock;
use crate::session::SessionStore;
use crate::stores::MemoryStore;

/// What is wrong with an address, and what to do.
pub(super) type Problem = (String, &'static str);

/// The store of an address: `memory:` or `sqlite:PATH`.
///
/// Nothing is opened here; that is what the start is for.
pub(super) fn store_at(
    address: &str,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn SessionStore>, Problem> {
    match address.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(MemoryStore::with_clock(clock.clone()))),
        Some(("sqlite", rest)) => match sqlite_path(rest) {
            Some(path) => sqlite::store(path, clock),
            None => Err((
                "names no file".to_owned(),
                "write it as sqlite:sessions.db or sqlite:/var/lib/app/sessions.db",
            )),
        },
        // The rest of an address may hold a password.
        _ => Err((
            "is not a store of this build".to_owned(),
            "use memory: or sqlite:PATH",
        )),
    }
}

/// The path in what stands after `sqlite:`.
///
/// As plain as `sessions.db`, or as a URL: after two slashes a path as it stands, after three an
/// absolute one, but for `///./sessions.db`, which is how some write a relative one.
fn sqlite_path(rest: &str) -> Option<&str> {
    let path = match rest.strip_prefix("//") {
        Some(url) => match url.strip_prefix('/') {
            Some(relative) if relative.starts_with("./") || relative.starts_with("../") => relative,
            _ => url,
        },
        None => rest,
    };
    let is_file = !path.is_empty() && !path.ends_with('/') && path != ":memory:";
    is_file.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_from_every_way_to_write_it() {
        for (rest, path) in [
            ("sessions.db", "sessions.db"),
            ("./data/sessions.db", "./data/sessions.db"),
            ("/var/lib/sessions.db", "/var/lib/sessions.db"),
            ("//sessions.db", "sessions.db"),
            ("///./sessions.db", "./sessions.db"),
            ("///../sessions.db", "../sessions.db"),
            ("///var/lib/sessions.db", "/var/lib/sessions.db"),
        ] {
            assert_eq!(sqlite_path(rest), Some(path), "{rest}");
        }
    }

    #[test]
    fn what_names_no_file_is_refused() {
        for rest in ["", "//", "///", "data/", ":memory:", "//:memory:"] {
            assert_eq!(sqlite_path(rest), None, "{rest}");
        }
    }

    #[test]
    fn an_address_of_no_store_is_refused_without_repeating_it() {
        let clock: Arc<dyn Clock> = Arc::new(crate::clock::SystemClock);
        for address in ["", "memory", "memory:x", "redis://u:secret@h", "sqlite:"] {
            let (what, _) = store_at(address, &clock).expect_err("it names none");
            assert!(!what.contains("secret"), "{what}");
        }
    }
}
