//! The libraries of others, at versions that are pinned, in a folder that is kept between runs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

/// Runs a script of ours in Python, with a document for its input.
pub fn python(script: &str, asked: &Value) -> Value {
    let interpreter = INSTALLED.join("venv/bin/python");
    run(Command::new(interpreter).arg(here().join(script)), asked)
}

/// The same in Node.
pub fn node(script: &str, asked: &Value) -> Value {
    let mut command = Command::new("node");
    command.arg(here().join(script)).arg(INSTALLED.join("node"));
    run(&mut command, asked)
}

fn run(command: &mut Command, asked: &Value) -> Value {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the interpreter is installed; tests/run.sh does it");
    let mut input = child.stdin.take().expect("stdin is piped");
    input.write_all(asked.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    serde_json::from_slice(&output.stdout).expect("the script answers JSON")
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop");
    let installed = Command::new(here().join("install.sh"))
        .arg(&folder)
        .status();
    assert!(
        installed.is_ok_and(|status| status.success()),
        "the libraries of others could not be installed into {}: they come from PyPI and npm, \
         and need python3 with venv and node with npm (tests/run.sh installs both)",
        folder.display()
    );
    folder
});
