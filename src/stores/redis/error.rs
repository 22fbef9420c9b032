//! What Redis' refusals mean, and what to do about them.

use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::{StoreError, StoreErrorKind};

/// The name of the store, for messages.
pub(super) const BACKEND: &str = "redis";

/// A sentence about what is wrong and what to do, with what the driver said as its cause.
#[derive(Debug)]
struct Explained {
    sentence: String,
    cause: Option<RedisError>,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Explained {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// An error of this store that says what to do.
pub(super) fn told(kind: StoreErrorKind, sentence: impl Into<String>) -> StoreError {
    explained(kind, sentence, None)
}

/// An answer that no script of ours gives.
pub(super) fn garbled() -> StoreError {
    told(
        StoreErrorKind::Corrupt,
        "the server gave an answer that cannot be read: keys under this prefix may belong to something else",
    )
}

/// What a failure means while the store runs. None of them is for ever: whoever mends the server
/// need not restart its clients.
pub(super) fn failed(error: RedisError) -> StoreError {
    let sentence = match error.code() {
        Some("ASK" | "MOVED" | "TRYAGAIN") => "a slot of the cluster is being moved",
        Some("CLUSTERDOWN") => "a part of the cluster has no master",
        Some("READONLY") => "this server is a replica: writes go to the primary",
        Some("NOREPLICAS") => "the primary has lost its replicas (min-replicas-to-write)",
        Some("OOM") => "the server's memory is full: raise maxmemory",
        Some("MISCONF") => "the server cannot write its disk",
        Some("LOADING") => "the server is loading its data",
        Some("BUSY") => "a script blocks the server",
        Some("NOPERM") => "the user lacks a permission; see docs/redis.md for the ACL rule",
        Some("NOAUTH" | "WRONGPASS") => "the user name or the password is wrong",
        Some("WRONGTYPE") => "keys under this prefix belong to something else",
        _ if error.is_timeout() => "the server does not answer",
        _ if error.is_io_error() => "the server cannot be reached",
        _ => "the server refused to work",
    };
    explained(StoreErrorKind::Unavailable, sentence, Some(error))
}

/// What a failure means while the store is opened: where trying again will not help, it is a
/// matter of the configuration.
pub(super) fn not_opened(error: RedisError) -> StoreError {
    use StoreErrorKind::Unavailable;
    let sentence = match (error.code(), error.kind()) {
        (Some("NOAUTH" | "WRONGPASS"), _) | (_, ErrorKind::AuthenticationFailed) => {
            "the user name or the password is wrong: check the address, as redis://user:password@host"
        }
        (Some("NOPERM"), _) | (_, ErrorKind::Server(ServerErrorKind::NoPerm)) => {
            "the user lacks a permission; see docs/redis.md for the ACL rule"
        }
        (Some("WRONGTYPE"), _) => {
            "keys under this prefix belong to something else: choose another prefix"
        }
        (Some("NEWER"), _) => {
            "its data was written by a newer version: upgrade this service, or choose another prefix"
        }
        _ if error.to_string().contains("cluster support disabled") => {
            "this is no node of a cluster: write the address as redis://"
        }
        (_, ErrorKind::InvalidClientConfig) => {
            "the address is not understood: write it as redis://user:password@host:6379/0"
        }
        (_, ErrorKind::Parse) => {
            "what answers is not a Redis server without TLS: check host and port, and whether it should be rediss://"
        }
        _ if error.is_timeout() => return explained(Unavailable, SILENT, Some(error)),
        _ if error.is_io_error() => return explained(Unavailable, UNREACHED, Some(error)),
        _ => return failed(error),
    };
    explained(StoreErrorKind::Configuration, sentence, Some(error))
}

fn explained(
    kind: StoreErrorKind,
    sentence: impl Into<String>,
    cause: Option<RedisError>,
) -> StoreError {
    StoreError::new(kind, BACKEND).with_source(Explained {
        sentence: sentence.into(),
        cause,
    })
}

/// Nobody answered in time while the connection was opened.
pub(super) const SILENT: &str =
    "the server does not answer: check host and port, and whether it speaks TLS (rediss://) or not";
const UNREACHED: &str = "the server cannot be reached: check host and port, and whether it speaks TLS (rediss://) or not";
