//! The file itself.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::{no_file, told_of};
use crate::error::{StoreError, StoreErrorKind};

/// A file, and which one it was when it was opened.
#[derive(Clone, Debug)]
pub(super) struct File {
    path: PathBuf,
    identity: Option<Identity>,
}

impl File {
    /// The file of that name, made empty and for this user alone where there is none.
    pub(super) fn ensure(path: &Path) -> Result<Self, StoreError> {
        let path = std::path::absolute(path).map_err(|error| no_file(path, error))?;
        match create(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(no_file(&path, error)),
        }
        let metadata = std::fs::metadata(&path).map_err(|error| no_file(&path, error))?;
        if !metadata.is_file() {
            let what = "this is not a file: name one";
            return Err(told_of(StoreErrorKind::Configuration, &path, what));
        }
        let identity = identity(&metadata);
        Ok(Self { path, identity })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the name leads elsewhere by now: what is written goes into a file that nobody will
    /// find again.
    pub(super) fn was_replaced(&self) -> bool {
        let now = std::fs::metadata(&self.path);
        now.map_or(true, |metadata| identity(&metadata) != self.identity)
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).map(drop)
}

#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Option<Identity> {
    None
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map(drop)
}
