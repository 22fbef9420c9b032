//! Programs of tests, which mutants each test comes by, and what they say of a mutant.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// So many are tried at once.
const AT_ONCE: usize = 2;
/// Tests of a mutant that run first, in one process: mostly one of them notices.
const FIRST: usize = 12;

struct Test {
    program: PathBuf,
    name: String,
    took: Duration,
}

/// All tests, and who comes by a mutant.
pub struct Suite {
    work: PathBuf,
    tests: Vec<Test>,
    by_mutant: HashMap<usize, Vec<usize>>,
}

pub enum Verdict {
    Caught(String),
    Hung(String),
    Survived(usize),
}

enum End {
    Passed,
    Failed(String),
    Hung(String),
}

/// Does something with each of them, some at once, and counts aloud.
pub fn each<T: Copy + Sync, R: Send>(all: &[T], step: impl Fn(usize, T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = {
                        let mut next = next.lock().expect("nobody panicked");
                        *next += 1;
                        *next
                    };
                    let Some(one) = all.get(number - 1) else {
                        break;
                    };
                    let result = step(number, *one);
                    results.lock().expect("nobody panicked").push(result);
                }
            });
        }
    });
    results.into_inner().expect("nobody panicked")
}

impl Suite {
    /// Runs each test alone, without a mutant.
    pub fn learn(work: &Path, programs: &[PathBuf]) -> Self {
        let mut names = Vec::new();
        for program in programs {
            let listed = Command::new(program)
                .args(["--list", "--format", "terse"])
                .output()
                .expect("a program of tests runs");
            let listed = String::from_utf8(listed.stdout).expect("names");
            let tests = listed
                .lines()
                .filter_map(|line| line.strip_suffix(": test"));
            names.extend(tests.map(|name| (program, name.to_owned())));
        }
        println!("{} tests", names.len());
        let numbers: Vec<usize> = (0..names.len()).collect();
        let seen = each(&numbers, |done, number| {
            let (program, name) = &names[number];
            let note = work.join(format!("seen-{number}"));
            File::create(&note).expect("room for a note");
            let began = Instant::now();
            let end = run(
                work,
                program,
                &[name],
                Duration::from_secs(120),
                |command| {
                    command.env("MUTANTS_SEEN", &note);
                },
            );
            let took = began.elapsed();
            let seen = fs::read_to_string(&note).unwrap_or_default();
            let _ = fs::remove_file(&note);
            if done % 200 == 0 {
                println!("{done} of {} tests ran alone", names.len());
            }
            let passed = matches!(end, End::Passed);
            if !passed {
                println!("left out, it does not pass alone: {name}");
            }
            let ids: Vec<usize> = seen.lines().filter_map(|line| line.parse().ok()).collect();
            (number, took, if passed { ids } else { Vec::new() })
        });
        let mut tests: Vec<Test> = names
            .iter()
            .map(|(program, name)| Test {
                program: (*program).clone(),
                name: name.clone(),
                took: Duration::ZERO,
            })
            .collect();
        let mut by_mutant: HashMap<usize, Vec<usize>> = HashMap::new();
        for (number, took, ids) in seen {
            tests[number].took = took;
            for id in ids {
                by_mutant.entry(id).or_default().push(number);
            }
        }
        for of in by_mutant.values_mut() {
            of.sort_by_key(|number| tests[*number].took);
        }
        Self {
            work: work.to_owned(),
            tests,
            by_mutant,
        }
    }

    pub fn try_mutant(&self, id: usize) -> Verdict {
        let all = self.by_mutant.get(&id).map_or(&[][..], Vec::as_slice);
        let (first, rest) = all.split_at(all.len().min(FIRST));
        for part in [first, rest] {
            let mut programs: Vec<(&Path, Vec<&Test>)> = Vec::new();
            for test in part.iter().map(|number| &self.tests[*number]) {
                match programs
                    .iter_mut()
                    .find(|(program, _)| *program == test.program)
                {
                    Some((_, tests)) => tests.push(test),
                    None => programs.push((&test.program, vec![test])),
                }
            }
            for (program, tests) in programs {
                let usual: Duration = tests.iter().map(|test| test.took).sum();
                let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
                // The sum of tests that run beside each other here; who takes longer than that hangs.
                let limit = Duration::from_secs(8) + usual.min(Duration::from_secs(60));
                let mut end = self.run_mutant(id, program, &names, limit);
                if matches!(end, End::Hung(_)) {
                    end = self.one_by_one(id, &tests);
                }
                match end {
                    End::Passed => {}
                    End::Failed(by) => return Verdict::Caught(by),
                    End::Hung(test) => return Verdict::Hung(test),
                }
            }
        }
        Verdict::Survived(all.len())
    }

    /// The same, where together they took too long: a busy machine looks like a test that hangs, so each has five times
    /// as long as it takes, and some more.
    fn one_by_one(&self, id: usize, tests: &[&Test]) -> End {
        for test in tests {
            let limit = Duration::from_secs(10) + test.took * 5;
            match self.run_mutant(id, &test.program, &[&test.name], limit) {
                End::Passed => {}
                end => return end,
            }
        }
        End::Passed
    }

    fn run_mutant(&self, id: usize, program: &Path, names: &[&str], limit: Duration) -> End {
        run(&self.work, program, names, limit, |command| {
            command.env("MUTANT", id.to_string());
        })
    }
}

fn run(
    work: &Path,
    program: &Path,
    names: &[&str],
    limit: Duration,
    with: impl FnOnce(&mut Command),
) -> End {
    let mut command = Command::new(program);
    command
        .arg("--exact")
        .args(names)
        .args(["--test-threads", "4"]);
    // Where tests look for what lies beside the crate.
    command.current_dir(work.join("crate"));
    command.env("CARGO_MANIFEST_DIR", work.join("crate"));
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let said = work.join(format!("said-{:?}", std::thread::current().id()));
    command.stdout(File::create(&said).expect("room for what is said"));
    with(&mut command);
    let began = Instant::now();
    let mut child = command.spawn().expect("a program of tests runs");
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if began.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            return End::Hung(names.join(" "));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    if status.success() {
        return End::Passed;
    }
    let said = fs::read_to_string(&said).unwrap_or_default();
    let failed = said
        .lines()
        .find_map(|line| line.strip_prefix("test ")?.split_once(" ... FAILED"));
    End::Failed(failed.map_or_else(|| "a crash".to_owned(), |(name, _)| name.to_owned()))
}
