//! What the documents name as their evidence exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The documents whose tables name a test in the last column.
const TABLES: [&str; 2] = ["docs/protocol.md", "docs/asvs.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources_below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.ends_with("target") {
            sources_below(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The names of all functions, and the paths of all modules as `a::b`.
fn names() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        sources_below(&root().join(folder), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let functions = text.split("fn ").skip(1);
        names.extend(functions.map(|rest| identifier(rest).to_owned()));
        let path = file.strip_prefix(root()).expect("below the root");
        let path = path.with_extension("").display().to_string();
        let path = path.trim_start_matches("src/").trim_end_matches("/mod");
        names.insert(path.replace('/', "::"));
    }
    names
}

fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// What stands in backticks in the last column of a document's tables of tests.
fn evidence(document: &str) -> Vec<String> {
    let mut named = Vec::new();
    let mut of_tests = false;
    let mut above = "";
    for line in document.lines() {
        let last = line.trim_end_matches('|').rsplit('|').next().unwrap_or("");
        if line.starts_with('|') && !above.starts_with('|') {
            of_tests = matches!(last.trim(), "test" | "tests");
        } else if line.starts_with('|') && of_tests {
            named.extend(last.split('`').skip(1).step_by(2).map(str::to_owned));
        }
        above = line;
    }
    named
}

/// The short names of a module's siblings, as in "`session::refresh::tests::clauses`, `stories`".
fn is_known(name: &str, names: &BTreeSet<String>) -> bool {
    names.contains(name)
        || names
            .iter()
            .any(|known| known.ends_with(&format!("::{name}")))
}

#[test]
fn each_test_that_a_table_names_exists() {
    let names = names();
    for table in TABLES {
        let text = fs::read_to_string(root().join(table)).expect("a document");
        let evidence: Vec<_> = evidence(&text)
            .into_iter()
            .filter(|name| !name.contains(['/', '.', ' ']))
            .collect();
        assert!(evidence.len() > 20, "{table}: {}", evidence.len());
        for name in evidence {
            assert!(is_known(&name, &names), "{table} names `{name}`");
        }
    }
}

/// The number of the rule that a line states, or whose tests it names: `R1` of `- **R1** ...` and of `| R1 | ...`.
fn rule(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("- **").or(line.strip_prefix("| "))?;
    let number = &rest[..rest.find(['*', ' '])?];
    let digits = number.strip_prefix(|c: char| c.is_ascii_uppercase())?;
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(number)
}

#[test]
fn each_rule_has_a_number_of_its_own_and_its_tests() {
    let text = fs::read_to_string(root().join("docs/protocol.md")).expect("a document");
    let (rules, tests) = text
        .split_once("\n## Where each rule is tested\n")
        .expect("there is such a section");
    let stated: Vec<&str> = rules.lines().filter_map(rule).collect();
    let tested: Vec<&str> = tests.lines().filter_map(rule).collect();
    assert!(stated.len() > 90, "{}", stated.len());
    for numbers in [&stated, &tested] {
        let once: BTreeSet<_> = numbers.iter().collect();
        assert_eq!(once.len(), numbers.len(), "twice among {numbers:?}");
    }
    let stated: BTreeSet<_> = stated.into_iter().collect();
    let tested: BTreeSet<_> = tested.into_iter().collect();
    assert_eq!(stated, tested);
}

/// How many requirements there are in the sections of ASVS 5.0.0 that the table is about.
const ASVS: [(&str, u32); 18] = [
    ("3.3", 5),
    ("3.5", 8),
    ("7.1", 3),
    ("7.2", 4),
    ("7.3", 2),
    ("7.4", 5),
    ("7.5", 3),
    ("7.6", 2),
    ("9.1", 3),
    ("9.2", 4),
    ("10.3", 5),
    ("10.4", 16),
    ("14.2", 8),
    ("14.3", 3),
    ("16.2", 5),
    ("16.3", 4),
    ("16.4", 3),
    ("16.5", 4),
];
/// Those of which every requirement stands there.
const WHOLE: [&str; 3] = ["7.", "9.", "10.3"];

#[test]
fn each_row_of_asvs_is_one_and_none_that_applies_is_missing() {
    let text = fs::read_to_string(root().join("docs/asvs.md")).expect("a document");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let first = rows.filter_map(|row| row.split(" | ").next());
    let named: Vec<&str> = first
        .filter(|cell| cell.starts_with(|c: char| c.is_ascii_digit()))
        .flat_map(|cell| cell.split(", "))
        .collect();
    let all: BTreeSet<String> = ASVS
        .iter()
        .flat_map(|(section, count)| (1..=*count).map(move |row| format!("{section}.{row}")))
        .collect();
    for row in &named {
        assert!(all.contains(*row), "ASVS 5.0 has no {row}");
    }
    let once: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(once.len(), named.len(), "a row stands there twice");
    for row in all {
        let applies = WHOLE.iter().any(|section| row.starts_with(section));
        assert!(!applies || once.contains(row.as_str()), "{row} is missing");
    }
}

/// A row that is met names what shows it.
#[test]
fn each_row_of_asvs_names_a_test_or_is_said_not_to_be_met() {
    let text = fs::read_to_string(root().join("docs/asvs.md")).expect("a document");
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| row"));
    for row in rows {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or("");
        assert!(last.contains('`') || row.contains("not met"), "{row}");
    }
}

/// The codes of all problems: those of the contract, and what the layer refuses with.
fn codes() -> BTreeSet<String> {
    let contract = fs::read_to_string(root().join("openapi.json")).expect("a document");
    let contract: Value = serde_json::from_str(&contract).expect("JSON");
    let mut codes = BTreeSet::new();
    collect(&contract["paths"], &mut codes);
    let refusals = include_str!("../src/rejection/mod.rs");
    let refusals = refusals.split_once("fn code(").expect("they have codes").1;
    let refusals = refusals.split_once("\n    }\n").expect("it ends").0;
    codes.extend(refusals.split('"').skip(1).step_by(2).map(str::to_owned));
    codes
}

/// What a member `code` may be, wherever there is one.
fn collect(schema: &Value, codes: &mut BTreeSet<String>) {
    if let Some(words) = schema["code"]["enum"].as_array() {
        codes.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
    }
    match schema {
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, codes)),
        Value::Object(parts) => parts.values().for_each(|part| collect(part, codes)),
        _ => {}
    }
}

#[test]
fn each_error_code_is_explained() {
    let text = fs::read_to_string(root().join("docs/troubleshooting.md")).expect("a document");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let first = rows.filter_map(|row| row.split(" | ").next());
    let explained: BTreeSet<&str> = first.flat_map(|cell| cell.split(['`', ',', ' '])).collect();
    let codes = codes();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        assert!(explained.contains(code.as_str()), "{code} is not explained");
    }
}

/// The lines of code of a document's section, snippet by snippet.
fn snippets(document: &str, section: &str) -> Vec<usize> {
    let rest = document.split(&format!("## {section}\n")).nth(1);
    let section = rest.and_then(|rest| rest.split("\n## ").next());
    let fenced = section.expect("there is such a section").split("```");
    let code = fenced.skip(1).step_by(2);
    // The first line says the language.
    code.map(|code| {
        let lines = code.lines().skip(1);
        lines.filter(|line| !line.trim().is_empty()).count()
    })
    .collect()
}

#[test]
fn a_protected_route_takes_ten_lines_in_axum_and_twelve_elsewhere() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a document");
    let snippets = snippets(&readme, "In an existing server");
    assert_eq!(snippets.len(), 4);
    // One more is `cargo add`.
    for (lines, most) in snippets.into_iter().zip([9, 11, 11, 11]) {
        assert!((5..=most).contains(&lines), "{lines} of {most}");
    }
}

#[test]
fn a_test_that_does_not_exist_is_noticed() {
    let table = "| rule | of | tests |\n| R1 | `left` | `identifier`, `no_such_test` |\n\n| else |\n| `x` |";
    assert_eq!(evidence(table), ["identifier", "no_such_test"]);
    let names = names();
    assert!(is_known("identifier", &names));
    assert!(!is_known("no_such_test", &names));
}
