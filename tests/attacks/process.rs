//! Examples as processes of their own.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

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

/// The path of an example, which is built first so that it is never an old one.
fn example(name: &str) -> String {
    static BUILT: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);
    let mut built = BUILT.lock().expect("no build panicked");
    let path = built.entry(name.to_owned()).or_insert_with(|| build(name));
    path.clone()
}

fn build(name: &str) -> String {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--all-features", "--example", name])
        .args(["--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs, as it runs this test");
    assert!(built.status.success(), "the example does not build");
    let messages = String::from_utf8_lossy(&built.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| Some(message["executable"].as_str()?.to_owned()))
        .expect("cargo says where the example is")
}
