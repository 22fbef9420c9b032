//! The table of all attacks, one line each, beside the tests: what is committed is what was run.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub suite: String,
    pub family: String,
    pub case: String,
    pub reference: String,
    pub verdict: String,
}

const HEAD: &str = "suite\tfamily\tcase\treference\tverdict\n";

/// Compares one suite's lines with the committed ones; `UPDATE_ATTACKS=1` writes them instead.
pub fn compare(suite: &str, lines: &BTreeSet<Line>) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/attacks/tables/{suite}.tsv"));
    let mut text = HEAD.to_owned();
    for Line {
        suite,
        family,
        case,
        reference,
        verdict,
    } in lines
    {
        assert!(
            ![family, case, reference, verdict]
                .iter()
                .any(|cell| cell.contains(['\t', '\n'])),
            "{case}"
        );
        let _ = writeln!(text, "{suite}\t{family}\t{case}\t{reference}\t{verdict}");
    }
    if std::env::var_os("UPDATE_ATTACKS").is_some() {
        std::fs::write(&path, &text).expect("the tables can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let (old, new): (BTreeSet<_>, BTreeSet<_>) =
        (committed.lines().collect(), text.lines().collect());
    let gone: Vec<_> = old.difference(&new).take(20).collect();
    let came: Vec<_> = new.difference(&old).take(20).collect();
    assert!(
        gone.is_empty() && came.is_empty(),
        "{}: not as committed (UPDATE_ATTACKS=1 writes it anew)\nwas: {gone:#?}\nis: {came:#?}",
        path.display(),
    );
}

/// All tables, one after the other.
pub fn all() -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/attacks/tables");
    let files = std::fs::read_dir(folder).expect("the tables are there");
    let text =
        files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text"));
    text.collect()
}
