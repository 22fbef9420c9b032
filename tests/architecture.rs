//! Keeps the rules of the house by reading the sources: who may use whom, and what stands where.
//!
//! The rules are plain functions over one source file, in `architecture/rules.rs`; each has a test
//! on a sample that breaks it, so that a rule that sees nothing is seen itself.

#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/samples.rs"]
mod samples;
#[path = "architecture/source.rs"]
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

#[test]
fn the_rules_of_the_house_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut offences = Vec::new();
    for path in rust_files(&root.join("src")) {
        let text = fs::read_to_string(&path).expect("a source file can be read");
        let name = path
            .strip_prefix(root)
            .expect("it was found below the root");
        let source = Source::parse(&name.to_string_lossy().replace('\\', "/"), &text);
        for offence in rules::check(&source) {
            offences.push(format!("{}:{}: {}", source.path, offence.line, offence.why));
        }
    }
    assert!(
        offences.is_empty(),
        "{} offences against the rules of the house:\n{}",
        offences.len(),
        offences.join("\n")
    );
}

#[test]
fn the_sources_are_found() {
    let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for expected in ["src/lib.rs", "src/clock.rs", "src/token/source.rs"] {
        assert!(
            files.iter().any(|file| file.ends_with(expected)),
            "{expected}"
        );
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
