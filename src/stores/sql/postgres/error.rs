//! What PostgreSQL's refusals mean, and what to do about them.

use std::fmt;
use std::io::ErrorKind;

use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::error::{BoxError, StoreError, StoreErrorKind};

/// The name of the store, for messages.
pub(super) const BACKEND: &str = "postgres";

/// A sentence about what is wrong and what to do, with what the server said as its cause.
#[derive(Debug)]
struct Explained {
    sentence: String,
    cause: Option<BoxError>,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Explained {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// An error of this store that says what to do.
pub(super) fn told(kind: StoreErrorKind, sentence: impl Into<String>) -> StoreError {
    explained(kind, sentence, None)
}

/// A matter of the configuration.
pub(super) fn misconfigured(sentence: impl Into<String>) -> StoreError {
    told(StoreErrorKind::Configuration, sentence)
}

/// The same of another error.
pub(super) fn caused(
    kind: StoreErrorKind,
    sentence: impl Into<String>,
    error: StoreError,
) -> StoreError {
    explained(kind, sentence, Some(error.into()))
}

/// What a failure means. Nothing of it repeats the password.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let (kind, sentence) = meaning(&error);
    explained(kind, sentence, Some(error.into()))
}

/// Whether the whole transaction may succeed when it is run again: it was in the way of another.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("40001" | "40P01"))
}

/// Whether the connection is gone, and with it whatever was not committed.
pub(super) fn is_gone(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        error => {
            ends_the_connection(error)
                || matches!(
                    code(error).as_deref(),
                    Some("57P01" | "57P02" | "25P03" | "08006" | "08003")
                )
        }
    }
}

/// Whether it is a standby's: of a statement that writes, or of one that `begins` to.
pub(super) fn is_standby(error: &sqlx::Error, begins: bool) -> bool {
    match code(error).as_deref() {
        Some("25006") => true,
        // "cannot set transaction read-write mode during recovery", in whatever language.
        Some("0A000") => begins,
        _ => false,
    }
}

/// What it then means.
pub(super) fn standby(error: sqlx::Error) -> StoreError {
    explained(StoreErrorKind::Unavailable, STANDBY, Some(error.into()))
}

/// Whether a connection is gone by what was done on it, which is no matter of others: it stood still in
/// the middle of a transaction.
pub(super) fn is_its_own(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("25P03")
}

/// Whether there may be a connection a moment later: the server is starting, or others have all that
/// it gives.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(cause) => cause.kind() == ErrorKind::ConnectionRefused,
        error => matches!(code(error).as_deref(), Some("57P03" | "53300")),
    }
}

/// Whether the server has closed the connection with it, for whatever reason: one that was idle for
/// longer than it allows among them.
fn ends_the_connection(error: &sqlx::Error) -> bool {
    let said = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    said.is_some_and(|said| matches!(said.severity(), PgSeverity::Fatal | PgSeverity::Panic))
}

/// Whether the tables are not where they were.
pub(super) fn is_uprooted(error: &sqlx::Error) -> bool {
    matches!(
        code(error).as_deref(),
        Some("42P01" | "3F000" | "42703" | "42883")
    )
}

fn meaning(error: &sqlx::Error) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Configuration, Corrupt, Unavailable};
    match error {
        sqlx::Error::Configuration(_) => (Configuration, BAD_ADDRESS),
        sqlx::Error::Tls(cause) if cause.to_string().contains("does not support TLS") => {
            (Configuration, SPEAKS_NO_TLS)
        }
        sqlx::Error::Tls(_) => (Configuration, NO_TLS),
        // As a handshake says it; whatever else fails to be read has another kind.
        sqlx::Error::Io(cause) if cause.kind() == ErrorKind::InvalidData => {
            (Configuration, NOT_TRUSTED)
        }
        sqlx::Error::Io(cause) if cause.kind() == ErrorKind::NotFound => (Unavailable, NO_FILE),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => (
            Unavailable,
            "the server cannot be reached: check host, port and network",
        ),
        sqlx::Error::PoolTimedOut => (Unavailable, "no connection came free in time"),
        sqlx::Error::PoolClosed => (Unavailable, "the application has closed the pool"),
        error => match code(error).as_deref() {
            Some("28000") if error.to_string().contains("no encryption") => {
                (Configuration, WANTS_TLS)
            }
            Some("28P01" | "28000") => (
                Configuration,
                "the server refuses user or password: correct the address, or let the user in (pg_hba.conf)",
            ),
            Some("3D000") => (
                Configuration,
                "there is no database of that name: make it (createdb), or correct the address",
            ),
            Some("42501") => (
                Configuration,
                "the user may not do this: GRANT SELECT, INSERT, UPDATE, DELETE ON the tables jwt_…, EXECUTE ON the routines jwt_… and USAGE ON their schema to it",
            ),
            Some("42P01" | "3F000" | "42703" | "42883") => (
                Unavailable,
                "the tables are not where they were; they are looked for anew",
            ),
            Some("53300") => (
                Unavailable,
                "the server has no connection left: raise its max_connections, or use smaller pools",
            ),
            Some("53100") => (Unavailable, "the server's disk is full: make room"),
            Some("57P03") => (Unavailable, "the server is starting up or shutting down"),
            Some("23505") => (Unavailable, "a session of this id or operation exists"),
            Some("XX001" | "XX002") => (
                Corrupt,
                "the server's files are damaged: restore them from a backup",
            ),
            _ => (Unavailable, "the server refused to work"),
        },
    }
}

fn explained(
    kind: StoreErrorKind,
    sentence: impl Into<String>,
    cause: Option<BoxError>,
) -> StoreError {
    StoreError::new(kind, BACKEND).with_source(Explained {
        sentence: sentence.into(),
        cause,
    })
}

/// The SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

pub(super) const STANDBY: &str =
    "the server is a standby, which cannot write: give the address of the primary";
pub(super) const BAD_ADDRESS: &str =
    "the address cannot be read: write it as postgres://user:password@host:5432/database";
const NO_FILE: &str = "a file that the address names is not there: that of the certificates (sslrootcert, sslcert, sslkey), or the server's socket";
const NOT_TRUSTED: &str = "the server's certificate is not accepted: name the authority that issued it in sslrootcert, and the host as the certificate does (sslmode=verify-full)";
const SPEAKS_NO_TLS: &str =
    "the server does not speak TLS, which sslmode asks for: turn ssl on there, or correct sslmode";
const WANTS_TLS: &str = "the server lets nobody in without TLS: set sslmode=verify-full and sslrootcert in the address, and build with the feature tls";
const NO_TLS: &str = "no encrypted connection could be made: build with the feature tls, or set sslmode and sslrootcert in the address";
