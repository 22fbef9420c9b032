//! The copy of the crate with all mutants in it, and what does not compile taken out again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Mutant;
use crate::source::{Mutated, Source};

/// In the copy: which mutant counts, and which were come by.
const SWITCH: &str = r#"//! Which mutant counts.
#![allow(missing_docs, unreachable_pub)]

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};

static COUNTS: LazyLock<Option<u32>> = LazyLock::new(|| std::env::var("MUTANT").ok()?.parse().ok());
static SEEN: LazyLock<Option<Mutex<std::fs::File>>> = LazyLock::new(|| {
    let file = std::fs::OpenOptions::new().append(true).open(std::env::var_os("MUTANTS_SEEN")?);
    file.ok().map(Mutex::new)
});
static ONCE: [AtomicBool; 8192] = [const { AtomicBool::new(false) }; 8192];

pub fn is(id: u32) -> bool {
    if let Some(counts) = *COUNTS {
        return counts == id;
    }
    if let Some(seen) = &*SEEN {
        if !ONCE[id as usize].swap(true, Ordering::Relaxed) {
            let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let _ = seen.write_all(format!("{id}\n").as_bytes());
        }
    }
    false
}
"#;

/// What came of it.
pub struct Built {
    /// Programs of tests.
    pub programs: Vec<PathBuf>,
    pub unviable: BTreeSet<usize>,
    /// Mutants that cannot stand beside what they are mutants of, and why.
    pub apart: HashMap<usize, String>,
}

pub fn all(root: &Path, work: &Path, mutants: &[Mutant], features: &str, tests: &[&str]) -> Built {
    assert!(mutants.len() <= 8192, "room for so many");
    let copy = work.join("crate");
    copied(root, &copy);
    let mut files: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (id, mutant) in mutants.iter().enumerate() {
        files.entry(&mutant.file).or_default().push((id, mutant));
    }
    let sources: BTreeMap<&str, Source> = files
        .keys()
        .map(|file| {
            (
                *file,
                Source::new(fs::read_to_string(root.join(file)).expect("a source file")),
            )
        })
        .collect();

    let (mut apart, mut unviable) = (HashMap::new(), BTreeSet::new());
    let mut mutated: BTreeMap<&str, Mutated> = BTreeMap::new();
    let mut stale: BTreeSet<&str> = files.keys().copied().collect();
    loop {
        for file in std::mem::take(&mut stale) {
            let left: Vec<_> = files[file]
                .iter()
                .filter(|(id, _)| !unviable.contains(id) && !apart.contains_key(id))
                .copied()
                .collect();
            let (text, others) = sources[file].with(&left);
            fs::write(copy.join(file), &text.text).expect("room for the copy");
            mutated.insert(file, text);
            apart.extend(others);
        }
        let said = compile(&copy, features, tests);
        let mut programs = Vec::new();
        let mut errors = 0;
        for message in said
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        {
            if let Some(program) = message["executable"].as_str() {
                programs.push(PathBuf::from(program));
            }
            let message = &message["message"];
            if message["level"] != "error" || message["spans"].as_array().is_none_or(Vec::is_empty)
            {
                continue;
            }
            errors += 1;
            let Some((file, ids)) = blamed(message, &mutated) else {
                panic!(
                    "no mutant is to blame:\n{}",
                    message["rendered"].as_str().unwrap_or("")
                );
            };
            stale.insert(file);
            unviable.extend(ids);
        }
        if errors == 0 {
            assert!(!programs.is_empty(), "the copy does not compile:\n{said}");
            println!(
                "{} mutants compiled, {} do not, {} stand apart",
                mutants.len() - unviable.len() - apart.len(),
                unviable.len(),
                apart.len()
            );
            return Built {
                programs,
                unviable,
                apart,
            };
        }
        println!(
            "{errors} errors: {} mutants do not compile so far",
            unviable.len()
        );
    }
}

/// Copies what the repository holds, but for what was copied already.
fn copied(root: &Path, copy: &Path) {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--",
            "src",
            "tests",
            "examples",
            "benches",
            "docs",
            "config",
            "Cargo.toml",
            "Cargo.lock",
            "README.md",
            "openapi.json",
        ])
        .current_dir(root)
        .output()
        .expect("git lists the files");
    for file in String::from_utf8(listed.stdout).expect("paths").lines() {
        let (from, to) = (root.join(file), copy.join(file));
        let Ok(text) = fs::read(&from) else { continue };
        if fs::read(&to).ok().as_deref() == Some(&*text) {
            continue;
        }
        fs::create_dir_all(to.parent().expect("it is in a folder")).expect("room for the copy");
        fs::write(&to, text).expect("room for the copy");
    }
    fs::write(copy.join("src/mutant.rs"), SWITCH).expect("room for the copy");
    let lib = fs::read_to_string(root.join("src/lib.rs")).expect("the crate");
    fs::write(
        copy.join("src/lib.rs"),
        format!("{lib}\n#[doc(hidden)]\npub mod mutant;\n"),
    )
    .expect("room for the copy");
}

fn compile(copy: &Path, features: &str, tests: &[&str]) -> String {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "test",
        "--no-run",
        "--locked",
        "--lib",
        "--message-format=json",
    ]);
    cargo
        .args(["--features", features, "--target-dir"])
        .arg(copy.with_file_name("target"));
    for test in tests {
        cargo.args(["--test", test]);
    }
    let done = cargo
        .current_dir(copy)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .stderr(Stdio::null())
        .output()
        .expect("cargo runs");
    String::from_utf8(done.stdout).expect("text")
}

/// The file in which an error is, and the mutants that are to blame for it.
fn blamed<'f>(
    message: &Value,
    mutated: &BTreeMap<&'f str, Mutated>,
) -> Option<(&'f str, Vec<usize>)> {
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().filter(|span| span["is_primary"] == true);
    let others = spans.iter().filter(|span| span["is_primary"] == false);
    let is_match = message["code"]["code"] == "E0004";
    for span in primary.chain(others) {
        let Some((file, text)) = mutated.get_key_value(span["file_name"].as_str()?) else {
            continue;
        };
        let line = usize::try_from(span["line_start"].as_u64()?).ok()?;
        let brought = text.brought.iter().map(|(id, lines)| (vec![*id], lines));
        let changed = text.changed.iter().map(|(ids, lines)| (ids.clone(), lines));
        let matches = text.matches.iter().map(|(ids, lines)| (ids.clone(), lines));
        let found = if is_match {
            innermost(matches, line)
        } else {
            innermost(brought, line).or_else(|| innermost(changed, line))
        };
        if let Some(ids) = found {
            return Some((file, ids));
        }
    }
    None
}

fn innermost<'t>(
    all: impl Iterator<Item = (Vec<usize>, &'t Range<usize>)>,
    line: usize,
) -> Option<Vec<usize>> {
    all.filter(|(_, lines)| lines.contains(&line))
        .min_by_key(|(_, lines)| lines.len())
        .map(|(ids, _)| ids)
}
