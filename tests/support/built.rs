//! Examples as executables.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

/// The path of an example, which is built first so that it is never an old one.
pub fn example(name: &str) -> String {
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
