//! The crate with rules left out: a copy, compiled once, in which the environment says which rule
//! is missing. The simulation has to notice each.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::left_out::{MISSED, RULES, Rule};

/// How many seeds a copy without a rule may keep its promises.
const SEEDS: u64 = 4000;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The places that are changed.
fn places() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(|rule| !rule.from.is_empty())
}

#[test]
fn every_place_that_is_left_out_stands_where_the_table_says() {
    for rule in places() {
        let text = fs::read_to_string(root().join(rule.file)).expect("a file of the crate");
        let times = text.matches(rule.from).count();
        assert_eq!(times, 1, "{} in {}: {}", rule.name, rule.file, rule.from);
    }
}

#[test]
fn each_rule_that_is_left_out_is_noticed() {
    let Ok(wanted) = std::env::var("WITHOUT") else {
        println!("takes minutes: set WITHOUT=all, or the name of a rule");
        return;
    };
    let copy = copied();
    let clean = play(&copy, "", 300);
    assert!(clean.is_none(), "with all rules: {clean:?}");
    let mut played = BTreeSet::new();
    let mut unnoticed = Vec::new();
    for Rule { name, what, .. } in RULES {
        if (wanted != "all" && wanted != *name) || !played.insert(name) {
            continue;
        }
        match play(&copy, name, SEEDS) {
            Some(problem) => println!("{name:<18} {what}\n    {problem}"),
            None => {
                let instead = MISSED.iter().find(|(missed, _)| missed == name);
                println!("{name:<18} {what}\n    NOT NOTICED in {SEEDS} stories: {instead:?}");
                if instead.is_none() {
                    unnoticed.push(name);
                }
            }
        }
    }
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}

/// Makes the copy, and compiles it.
fn copied() -> PathBuf {
    let place = root().join("target/without");
    let copy = place.join("crate");
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).expect("room for a copy");
    for part in ["src", "tests/simulation"] {
        copy_folder(&root().join(part), &copy.join(part));
    }
    for file in ["Cargo.toml", "README.md"] {
        fs::copy(root().join(file), copy.join(file)).expect("a file of the crate");
    }
    let manifest = fs::read_to_string(copy.join("Cargo.toml")).expect("the manifest");
    // Benchmarks and tests of the crate are no part of the copy.
    let manifest = manifest
        .split("[dev-dependencies]")
        .next()
        .unwrap_or_default();
    fs::write(copy.join("Cargo.toml"), manifest).expect("room for a copy");
    fs::copy(
        root().join("tests/simulation/alone.toml"),
        place.join("Cargo.toml"),
    )
    .expect("the manifest of the simulation alone");
    fs::copy(root().join("Cargo.lock"), place.join("Cargo.lock")).expect("the versions");
    fs::write(place.join("nothing.rs"), "").expect("room for a copy");
    leave_out(&copy);
    let built = cargo(&place).arg("--no-run").status().expect("cargo runs");
    assert!(built.success(), "the copy compiles");
    place
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("room for a copy");
    for entry in fs::read_dir(from).expect("a folder of the crate") {
        let entry = entry.expect("an entry of a folder");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("room for a copy");
        }
    }
}

fn leave_out(copy: &Path) {
    for rule in places() {
        let file = copy.join(rule.file);
        let text = fs::read_to_string(&file).expect("a file of the copy");
        fs::write(&file, text.replacen(rule.from, rule.to, 1)).expect("room for a copy");
    }
    let file = copy.join("src/lib.rs");
    let text = fs::read_to_string(&file).expect("the root of the copy");
    fs::write(&file, format!("{text}\n{OFF}")).expect("room for a copy");
}

const OFF: &str = r#"
/// Whether a rule is left out.
pub(crate) fn off(rule: &str) -> bool {
    static OFF: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    OFF.get_or_init(|| std::env::var("OFF").unwrap_or_default()) == rule
}
"#;

fn cargo(place: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "test",
            "--release",
            "--offline",
            "--test",
            "simulation",
            "--target-dir",
        ])
        .arg(root().join("target/without/target"))
        .current_dir(place)
        .env_remove("WITHOUT");
    cargo
}

/// The first promise that is broken without a rule.
fn play(place: &Path, name: &str, seeds: u64) -> Option<String> {
    let output = cargo(place)
        .args(["every_story", "--", "--nocapture"])
        .env("OFF", name)
        .env("SEEDS", seeds.to_string())
        .env("UNTIL_FIRST", "1")
        .stderr(Stdio::piped())
        .output()
        .expect("cargo runs");
    if output.status.success() {
        return None;
    }
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut lines = told.lines().skip_while(|line| !line.starts_with("SEED="));
    let seed = lines.next().unwrap_or("a crash").to_owned();
    let problem = lines.next().unwrap_or_default().trim().to_owned();
    Some(format!("{seed} {problem}").chars().take(220).collect())
}
