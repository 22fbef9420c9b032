//! Examples as processes of their own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::built::example;

/// A server that listens on a port of its own; ended when dropped.
pub struct Server {
    process: Child,
    pub address: String,
}

impl Server {
    /// Starts it, with what it writes to the standard error in a file.
    pub fn start_logging(name: &str, variables: &[(&str, String)], log: &Path) -> Self {
        let mut process = Command::new(example(name))
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(File::create(log).expect("the folder is ours"))
            .spawn()
            .expect("the example was just built");
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(stdout).lines();
        let first = lines
            .next()
            .expect("it says where it listens")
            .expect("text");
        // Whoever prints into a closed pipe ends.
        std::thread::spawn(move || lines.for_each(drop));
        let address = first.strip_prefix("listening on ");
        Self {
            process,
            address: address.expect("it says where it listens").to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
