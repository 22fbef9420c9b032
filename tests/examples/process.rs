//! Examples as processes of their own.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;

pub use crate::built::example;

/// A command of it that inherits nothing, and waits for its store: an answer late, as on a busy
/// machine, is no other answer.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(example(name));
    command.env_clear().env("STORE_TIMEOUT", "20s");
    command
}

/// A server, listening on a port of its own; ended when dropped.
pub struct Server {
    process: Child,
    output: Mutex<Lines<BufReader<ChildStdout>>>,
    pub address: String,
}

impl Server {
    pub fn start(name: &str, variables: &[(&str, &str)]) -> Self {
        Self::of(command(name).envs(variables.iter().copied()))
    }

    /// Starts it in a folder, as a user who has just gone there.
    pub fn start_in(name: &str, folder: &Path) -> Self {
        Self::of(command(name).current_dir(folder))
    }

    fn of(command: &mut Command) -> Self {
        let mut process = command
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example was just built");
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut output = BufReader::new(stdout).lines();
        let first = output.next().expect("it says where it listens");
        let first = first.expect("what it says is text");
        let address = first.strip_prefix("listening on ");
        Self {
            process,
            address: address.expect("it says where it listens").to_owned(),
            output: Mutex::new(output),
        }
    }

    /// Waits for a line.
    pub fn line_that_begins(&self, start: &str) -> String {
        let mut output = self.output.lock().expect("no reader panicked");
        let mut lines = output.by_ref().map(|line| line.expect("text"));
        lines
            .find(|line| line.starts_with(start))
            .expect("it says so before it ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
