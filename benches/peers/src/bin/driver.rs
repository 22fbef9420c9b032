//! Runs all programs that were built in turn, case by case and shuffled, and writes what came of it.
//!
//! `driver FOLDER RESULT ROUNDS PROGRAM...`

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

fn main() {
    if cfg!(debug_assertions) {
        eprintln!("a debug build says nothing about speed");
        std::process::exit(2);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, result, rounds, programs @ ..] = words.as_slice() else {
        eprintln!("usage: driver FOLDER RESULT ROUNDS PROGRAM...");
        std::process::exit(2);
    };
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let mut skipped = Vec::new();
    let mut running = Vec::new();
    for program in programs {
        match Program::start(program, folder) {
            Some(started) => running.push(started),
            None => skipped.push(name_of(program).to_owned()),
        }
    }
    let samples = measure(&mut running, rounds, &mut skipped);
    let result_text = json!({
        "rounds": rounds,
        "skipped": skipped,
        "cases": summaries(&running, &samples),
    });
    let text = serde_json::to_string_pretty(&result_text).expect("it is JSON");
    std::fs::write(result, text).expect("the result can be written");
    for name in &skipped {
        eprintln!("SKIPPED: {name}");
    }
}

/// A program and its cases.
struct Program {
    name: String,
    child: Child,
    asks: ChildStdin,
    tells: BufReader<ChildStdout>,
    cases: Vec<(String, String)>,
    gone: bool,
}

impl Program {
    fn start(program: &str, folder: &str) -> Option<Self> {
        eprintln!("starting {}", name_of(program));
        let mut child = Command::new(program)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let asks = child.stdin.take()?;
        let mut tells = BufReader::new(child.stdout.take()?);
        let mut cases = Vec::new();
        loop {
            let mut line = String::new();
            if tells.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let mut words = line.trim_end().split('\t');
            match words.next()? {
                "case" => cases.push((words.next()?.to_owned(), words.next()?.to_owned())),
                "ready" => break,
                other => eprintln!("{program} says {other}"),
            }
        }
        let name = name_of(program).to_owned();
        Some(Self {
            name,
            child,
            asks,
            tells,
            cases,
            gone: false,
        })
    }

    /// Nanoseconds per request.
    fn run(&mut self, case: usize) -> Option<f64> {
        writeln!(self.asks, "{case}").ok()?;
        let mut line = String::new();
        self.tells.read_line(&mut line).ok()?;
        line.trim().parse().ok()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It ends by itself when nobody asks any more; whoever does not is stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Per program and case, a sample of each round.
type Samples = Vec<Vec<Vec<f64>>>;

fn measure(programs: &mut [Program], rounds: usize, skipped: &mut Vec<String>) -> Samples {
    let mut samples: Samples = programs
        .iter()
        .map(|program| vec![Vec::new(); program.cases.len()])
        .collect();
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (at, program) in programs.iter().enumerate() {
        order.extend((0..program.cases.len()).map(|case| (at, case)));
    }
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..rounds + WARM_UP {
        random.shuffle(&mut order);
        for &(at, case) in &order {
            let program = &mut programs[at];
            if program.gone {
                continue;
            }
            match program.run(case) {
                Some(sample) if round >= WARM_UP => samples[at][case].push(sample),
                Some(_) => {}
                None => {
                    program.gone = true;
                    skipped.push(format!(
                        "{} (stopped in its case {})",
                        program.name, program.cases[case].1
                    ));
                }
            }
        }
        if (round + 1) % 10 == 0 {
            eprintln!("{} of {} rounds", round + 1, rounds + WARM_UP);
        }
    }
    samples
}

/// What is compared with what: over the bare service of its own program, in the same round; and how
/// many times ours, warm, by the same algorithm.
fn summaries(programs: &[Program], samples: &Samples) -> Value {
    let all: Vec<_> = programs
        .iter()
        .zip(samples)
        .filter(|(program, _)| !program.gone)
        .collect();
    let mut ours: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (program, of) in all.iter().filter(|(program, _)| program.name == "ours") {
        for ((_, name), case) in program.cases.iter().zip(*of) {
            if let Some(algorithm) = name.strip_prefix("warm ") {
                ours.insert(algorithm, over(case, bare_of(program, of, name)));
            }
        }
    }
    let mut rows = Vec::new();
    for (program, of) in &all {
        for ((counted, name), case) in program.cases.iter().zip(*of) {
            let over = over(case, bare_of(program, of, name));
            let algorithm = name.split([' ', ',']).find(|word| ours.contains_key(word));
            let warm = &ours.get(algorithm.unwrap_or("HS256"));
            let ratio = warm.map(|warm| {
                let of_round = over.iter().zip(warm.iter()).map(|(over, warm)| over / warm);
                summary(of_round.collect())
            });
            let times_floor = name.strip_prefix("cold ").and_then(|algorithm| {
                let floor = format!("floor {algorithm}");
                let at = program.cases.iter().position(|(_, name)| *name == floor)?;
                let floor = self::over(&of[at], bare_of(program, of, &floor));
                let of_round = over.iter().zip(&floor).map(|(over, floor)| over / floor);
                Some(summary(of_round.collect()))
            });
            rows.push(json!({
                "program": program.name,
                "case": name,
                "counted": counted,
                "ns": summary(case.clone()),
                "over_bare": summary(over),
                "times_ours_warm": ratio,
                "times_floor": times_floor,
                "samples": case.iter().map(|ns| digits(*ns)).collect::<Vec<_>>(),
            }));
        }
    }
    Value::Array(rows)
}

/// The bare service that a case is compared with: the one that was drawn alike, or the plain one.
fn bare_of<'s>(program: &Program, of: &'s [Vec<f64>], name: &str) -> &'s [f64] {
    let alike = name
        .split_once(", zipf")
        .map(|(_, rest)| format!("bare, zipf{rest}"));
    let wanted = alike.as_deref().unwrap_or("bare");
    let at = program.cases.iter().position(|(_, name)| name == wanted);
    &of[at.expect("each program has one")]
}

fn over(case: &[f64], bare: &[f64]) -> Vec<f64> {
    case.iter()
        .zip(bare)
        .map(|(case, bare)| case - bare)
        .collect()
}

/// The median, and between which samples it lies nineteen times out of twenty.
fn summary(mut samples: Vec<f64>) -> Value {
    samples.sort_by(f64::total_cmp);
    let n = samples.len();
    if n == 0 {
        return Value::Null;
    }
    let spread = (1.96 * (n as f64).sqrt() / 2.0).ceil() as usize;
    let round = |value: f64| (value * 100.0).round() / 100.0;
    json!({
        "median": round(samples[n / 2]),
        "low": round(samples[(n / 2).saturating_sub(spread)]),
        "high": round(samples[(n / 2 + spread).min(n - 1)]),
    })
}

/// Four of them tell what a clock can, and a file of all rounds stays small.
fn digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().expect("a number")
}

fn name_of(program: &str) -> &str {
    Path::new(program)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(program)
}

const WARM_UP: usize = 3;
