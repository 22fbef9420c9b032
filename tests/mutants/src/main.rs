//! Mutants of the crate as `cargo mutants` lists them, all compiled at once: in a copy of the crate each stands beside
//! what it is a mutant of, and a variable of the environment says which one counts. So thousands of them cost one build.
//! `tests/mutants/run.sh` says how it is called.
//!
//! Each test runs once alone, to learn which mutants it comes by; a mutant is then tried with the tests that do.

mod build;
mod places;
mod source;
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::build::Built;
use crate::tests::Verdict;

/// A mutant, as `cargo mutants --list --json` tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Mutant {
    pub file: String,
    pub genre: String,
    pub name: String,
    pub replacement: String,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

/// Both from 1, the column in characters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// What became of a mutant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
enum Outcome {
    Caught {
        by: String,
    },
    /// It ran until it was stopped.
    Hung {
        test: String,
    },
    Survived {
        tests: usize,
    },
    /// No test comes by.
    Unreached,
    /// It does not compile.
    Unviable,
    /// It cannot stand beside what it is a mutant of.
    Apart {
        why: String,
    },
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, work, list, features, tests] = arguments.as_slice() else {
        eprintln!("usage: ROOT WORK LIST FEATURES TESTS   (tests/mutants/run.sh gives them)");
        return ExitCode::from(2);
    };
    let (root, work) = (PathBuf::from(root), PathBuf::from(work));
    let list = fs::read_to_string(list).expect("a list of mutants");
    let listed: Vec<Mutant> = serde_json::from_str(&list).expect("cargo mutants --list --json");
    let tests: Vec<&str> = tests.split_whitespace().collect();

    let again = std::env::var("AGAIN").is_ok_and(|again| again == "1");
    let mut before = if again {
        settled(&work)
    } else {
        BTreeMap::new()
    };
    let (known, mutants): (Vec<_>, Vec<_>) = listed
        .into_iter()
        .partition(|mutant| before.contains_key(&mutant.name));
    let known: Vec<(Mutant, Outcome)> = known
        .into_iter()
        .filter_map(|mutant| Some((mutant.clone(), before.remove(&mutant.name)?)))
        .collect();
    let beside: Vec<Line> = before
        .into_iter()
        .map(|(name, outcome)| Line { name, outcome })
        .collect();
    println!("{} are known from before", known.len());
    let built = build::all(&root, &work, &mutants, features, &tests);
    let outcomes = judge(&work, &mutants, built, &known, &beside);
    let outcomes = outcomes
        .iter()
        .map(|(id, outcome)| (&mutants[*id], outcome));
    let known = known.iter().map(|(mutant, outcome)| (mutant, outcome));
    report(known.chain(outcomes));
    ExitCode::SUCCESS
}

/// What the last run settled, by the names of the mutants, which are those of lines: after a change of what is tested
/// all of it has to be tried anew. Who was neither noticed nor shown to be none is tried again.
fn settled(work: &Path) -> BTreeMap<String, Outcome> {
    let text = fs::read_to_string(work.join("outcomes.json")).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let settled = lines.filter(|line: &Line| {
        !matches!(
            line.outcome,
            Outcome::Hung { .. } | Outcome::Survived { .. } | Outcome::Unreached
        )
    });
    settled.map(|line| (line.name, line.outcome)).collect()
}

/// What was found out, a line for each mutant, written as it is found: who interrupts a run has what there is.
struct Log(Mutex<File>);

impl Log {
    fn put(&self, mutant: &Mutant, outcome: &Outcome) {
        self.line(&Line {
            name: mutant.name.clone(),
            outcome: outcome.clone(),
        });
    }

    fn line(&self, line: &Line) {
        let line = serde_json::to_string(line).expect("text");
        let mut file = self.0.lock().expect("nobody panicked");
        writeln!(file, "{line}").expect("room for the outcomes");
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    #[serde(flatten)]
    outcome: Outcome,
}

fn judge(
    work: &Path,
    mutants: &[Mutant],
    built: Built,
    known: &[(Mutant, Outcome)],
    beside: &[Line],
) -> BTreeMap<usize, Outcome> {
    let file = File::create(work.join("outcomes.json")).expect("room for the outcomes");
    let log = Log(Mutex::new(file));
    for (mutant, outcome) in known {
        log.put(mutant, outcome);
    }
    // Of files that were not named this time.
    for line in beside {
        log.line(line);
    }
    let mut outcomes = BTreeMap::new();
    let apart = built.apart.into_iter();
    outcomes.extend(apart.map(|(id, why)| (id, Outcome::Apart { why })));
    let unviable = built.unviable.into_iter();
    outcomes.extend(unviable.map(|id| (id, Outcome::Unviable)));
    for (id, outcome) in &outcomes {
        log.put(&mutants[*id], outcome);
    }
    let suite = tests::Suite::learn(work, &built.programs);
    let began = Instant::now();
    let left: Vec<usize> = (0..mutants.len())
        .filter(|id| !outcomes.contains_key(id))
        .collect();
    let tried = tests::each(&left, |done, id| {
        let outcome = match suite.try_mutant(id) {
            Verdict::Caught(by) => Outcome::Caught { by },
            Verdict::Hung(test) => Outcome::Hung { test },
            Verdict::Survived(0) => Outcome::Unreached,
            Verdict::Survived(tests) => Outcome::Survived { tests },
        };
        log.put(&mutants[id], &outcome);
        let seconds = began.elapsed().as_secs();
        let of = left.len();
        match outcome {
            Outcome::Survived { tests } => {
                println!(
                    "{done} of {of} in {seconds} s: survived {tests} tests: {}",
                    mutants[id].name
                );
            }
            Outcome::Unreached => {
                println!(
                    "{done} of {of} in {seconds} s: no test comes by: {}",
                    mutants[id].name
                );
            }
            _ if done % 100 == 0 => println!("{done} of {of} in {seconds} s"),
            _ => {}
        }
        (id, outcome)
    });
    outcomes.extend(tried);
    outcomes
}

/// Prints how many mutants of each module came to what.
fn report<'a>(outcomes: impl Iterator<Item = (&'a Mutant, &'a Outcome)>) {
    let mut modules: BTreeMap<&str, [u32; 4]> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
    for (mutant, outcome) in outcomes {
        let module = mutant.file.split(['/', '.']).nth(1).unwrap_or("");
        let counts = modules.entry(module).or_default();
        counts[match outcome {
            Outcome::Caught { .. } | Outcome::Hung { .. } => 0,
            Outcome::Survived { .. } | Outcome::Unreached => 1,
            Outcome::Unviable => 2,
            Outcome::Apart { why } => {
                *reasons.entry(why).or_default() += 1;
                3
            }
        }] += 1;
    }
    println!(
        "\n| module | caught | survived | share | do not compile | to be tried by `cargo mutants` itself |"
    );
    println!("|---|---|---|---|---|---|");
    for (module, [caught, survived, unviable, apart]) in modules {
        let share = 100.0 * f64::from(caught) / f64::from((caught + survived).max(1));
        println!("| `{module}` | {caught} | {survived} | {share:.1} % | {unviable} | {apart} |");
    }
    for (why, many) in reasons {
        println!("stand apart: {many}, {why}");
    }
}
