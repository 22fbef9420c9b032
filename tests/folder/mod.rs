//! A folder of a test's own, gone with it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let name = format!(
            "tower-jwt-session-{}",
            tower_jwt_session::SessionId::random()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("the folder for temporary files can be written");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind by a test that fails to does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
