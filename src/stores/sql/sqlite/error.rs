//! What SQLite's refusals mean, and what to do about them.

use std::fmt;
use std::path::Path;

use crate::error::{BoxError, StoreError, StoreErrorKind};

/// The name of the store, for messages.
pub(super) const BACKEND: &str = "sqlite";

/// A sentence about what is wrong and what to do, with what SQLite said as its cause.
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

/// The same of a file.
pub(super) fn told_of(kind: StoreErrorKind, path: &Path, sentence: &str) -> StoreError {
    told(kind, format!("{}: {sentence}", path.display()))
}

/// What a statement's failure means while the store runs.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let (kind, sentence) = match primary_code(&error) {
        Some(BUSY | LOCKED) => (
            StoreErrorKind::Unavailable,
            "another process has been writing for too long",
        ),
        Some(CORRUPT | NOT_A_DATABASE) => (
            StoreErrorKind::Corrupt,
            "the file is damaged: restore it from a backup, or move it away to start anew",
        ),
        Some(FULL) => (StoreErrorKind::Unavailable, "the disk is full: make room"),
        Some(READ_ONLY | CANNOT_OPEN) => (
            StoreErrorKind::Unavailable,
            "the file or its folder cannot be written: check their permissions and the disk",
        ),
        Some(CONSTRAINT) => (
            StoreErrorKind::Unavailable,
            "a session of this id or operation exists",
        ),
        Some(IO_ERROR) => (
            StoreErrorKind::Unavailable,
            "the disk does not answer as it should",
        ),
        _ => (StoreErrorKind::Unavailable, "the file cannot be used"),
    };
    explained(kind, sentence, Some(error.into()))
}

/// What a failure means while the store is opened: where trying again will not help, it is a
/// matter of the configuration.
pub(super) fn not_opened(path: &Path, error: sqlx::Error) -> StoreError {
    match primary_code(&error) {
        Some(READ_ONLY | CANNOT_OPEN | PERMISSION) => explained(
            StoreErrorKind::Configuration,
            format!(
                "{} cannot be written: let this process write the file and its folder, or choose another place",
                path.display()
            ),
            Some(error.into()),
        ),
        Some(CORRUPT | NOT_A_DATABASE) => explained(
            StoreErrorKind::Corrupt,
            format!(
                "{} is not an SQLite database, or damaged: restore it from a backup, or choose another place",
                path.display()
            ),
            Some(error.into()),
        ),
        _ => failed(error),
    }
}

/// What a failure means while older tables are brought up to date.
pub(super) fn not_brought_up_to_date(path: &Path, error: sqlx::Error) -> StoreError {
    if !is_sql(&error) {
        return not_opened(path, error);
    }
    explained(
        StoreErrorKind::Configuration,
        format!(
            "{}: its tables cannot be brought up to date, and are as they were: go on with the version that wrote them, and report this",
            path.display()
        ),
        Some(error.into()),
    )
}

/// What a failure of the file system means while the store is opened.
pub(super) fn no_file(path: &Path, error: std::io::Error) -> StoreError {
    use std::io::ErrorKind;
    let (kind, what) = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => (
            StoreErrorKind::Configuration,
            "its folder does not exist: make it, or choose another place",
        ),
        ErrorKind::IsADirectory => (
            StoreErrorKind::Configuration,
            "this is a folder: name a file in it",
        ),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            StoreErrorKind::Configuration,
            "it cannot be written: let this process write the file and its folder, or choose another place",
        ),
        ErrorKind::StorageFull => (StoreErrorKind::Unavailable, "the disk is full: make room"),
        _ => (StoreErrorKind::Unavailable, "the file cannot be used"),
    };
    let sentence = format!("{}: {what}", path.display());
    explained(kind, sentence, Some(error.into()))
}

/// Whether somebody else is writing, so that trying again helps.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(BUSY | LOCKED))
}

/// Whether a statement does not fit what is there.
pub(super) fn is_sql(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(GENERIC | CONSTRAINT))
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

/// SQLite's result code without its extension (<https://www.sqlite.org/rescode.html>).
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

const GENERIC: u32 = 1;
const PERMISSION: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const IO_ERROR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const CONSTRAINT: u32 = 19;
const NOT_A_DATABASE: u32 = 26;
