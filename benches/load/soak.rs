//! Half an hour of mixed load with faults, and what it came to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tower_jwt_session::{Clock, SystemClock};

use crate::driver::samples::{NodeSample, Sample};
use crate::driver::{Outcome, Settings, run};
use crate::nodes::Launch;
use crate::results::{Results, Wanted as Figure, median};
use crate::timeline::{Line, Panel, svg};
use crate::{Wanted, runtime};

pub fn measure(wanted: &Wanted, results: &mut Results) {
    let lasts = Duration::from_secs_f64(wanted.minutes * 60.0);
    let store = wanted.soaked();
    let settings = Settings {
        store: store.to_owned(),
        lasts,
        users: USERS,
        quiet: Duration::from_secs(16),
        fault: Duration::from_secs(6),
        sample: Duration::from_secs(5),
    };
    let (began, before) = (SystemClock.now(), load());
    let outcome = runtime(2).block_on(run(&settings, &Launch::program()));
    results.say(&format!(
        "Two nodes as processes on one {}, each by a link of its own, and {USERS} users who sign in, send requests, refresh, list, change \
         roles and end sessions by either node, for {} minutes; between {} and {} quiet seconds something fails for up to {} seconds. Tokens live for \
         60 seconds, so that what was ended is forgotten while it is watched; the cache of verified tokens is 2 MiB, so that it is full after the \
         warm-up; a node's view may be 5 seconds old, and a call to the store take 500 ms. Node 0 is never killed: its memory is what is judged. \
         Warm-up is the first sixth. Measured from {began} to {}; load of the machine {before} before and {} at the end.",
        crate::start::known(store),
        wanted.minutes,
        settings.quiet.mul_f64(0.7).as_secs(),
        settings.quiet.mul_f64(1.3).as_secs(),
        settings.fault.as_secs(),
        SystemClock.now(),
        load(),
    ));
    answers(&outcome, lasts, results);
    flatness(&outcome, lasts, results);
    faults(&outcome, results);
    results.keep("csv", csv(&outcome.samples));
    results.plot(
        "over-time",
        "A soak, over its minutes",
        SENTENCE,
        plot(&outcome, lasts),
    );
}

fn answers(outcome: &Outcome, lasts: Duration, results: &mut Results) {
    let tally = &outcome.tally;
    let none = Figure::AtMost {
        goal: 0.0,
        gate: 0.0,
    };
    let unexplained = tally.unexplained();
    results.add("answers", tally.all() as f64, "");
    results.judge("of them unexplained", unexplained.len() as f64, "", none);
    results.add("faults", outcome.faults.len() as f64, "");
    results.add(
        "longest that one node let in what another had ended (bound: 5)",
        tally.behind().as_secs_f64(),
        "s",
    );
    results.add(
        "latest 503 after the end of a fault",
        tally.after().as_secs_f64(),
        "s",
    );
    let (stalls, longest) = outcome.stalls;
    results.add(
        "times that the machine stood still for more than 150 ms",
        stalls as f64,
        "",
    );
    results.add("longest of these", longest.as_secs_f64(), "s");
    let away = Figure::AtMost {
        goal: 0.01,
        gate: 0.1,
    };
    results.judge(
        "share of the time in which the machine's host kept half of the processors that were wanted",
        outcome.host_away.as_secs_f64() / lasts.as_secs_f64(),
        "",
        away,
    );
    if let Some((stalls, longest)) = outcome.store_stalls {
        results.add(
            "times that the store by itself kept a client next to it waiting for more than 150 ms",
            stalls as f64,
            "",
        );
        let short = Figure::AtMost {
            goal: 0.15,
            gate: 1.0,
        };
        results.judge("longest wait for it", longest.as_secs_f64(), "s", short);
    }
    let mut table = "| answers | what | why |\n|---:|---|---|\n".to_owned();
    for (kind, seen, count) in tally.kinds() {
        // Writing into a String cannot fail.
        let _ = writeln!(table, "| {count} | {kind} | {seen} |");
    }
    results.say(table.trim_end());
    match unexplained.is_empty() {
        true => results.say("No answer was left unexplained."),
        false => results.say(&format!("Unexplained:\n\n- {}", unexplained.join("\n- "))),
    }
}

/// What stood after the warm-up, beside what stands at the end.
fn flatness(outcome: &Outcome, lasts: Duration, results: &mut Results) {
    let samples = &outcome.samples;
    let within = |from: f64, to: f64| {
        let (from, to) = (lasts.mul_f64(from), lasts.mul_f64(to));
        samples
            .iter()
            .filter(move |sample| sample.at >= from && sample.at < to)
    };
    let early = || within(1.0 / 6.0, 1.0 / 6.0 + PART);
    let late = || within(1.0 - PART, 2.0);
    let of_node = |part: fn(&NodeSample) -> f64| {
        let node = move |sample: &Sample| sample.nodes[0].as_ref().map(part);
        [
            median(early().filter_map(node).collect()),
            median(late().filter_map(node).collect()),
        ]
    };
    let of_all = |part: fn(&Sample) -> f64| {
        let enough = |sample: &&Sample| sample.good >= 100;
        [
            median(early().filter(enough).map(part).collect()),
            median(late().filter(enough).map(part).collect()),
        ]
    };
    let mut both = |name: &str, [early, late]: [f64; 2], unit, goal: f64, gate: f64| {
        results.add(format!("{name}, after the warm-up"), early, unit);
        results.add(format!("{name}, at the end"), late, unit);
        let flat = Figure::AtMost { goal, gate };
        results.judge(
            format!("{name}, times after the warm-up"),
            late / early,
            "",
            flat,
        );
    };
    let mib = |node: &NodeSample| node.resident / 1_048_576.0;
    both("memory of node 0", of_node(mib), "MiB", 1.05, 1.15);
    both(
        "files open in node 0",
        of_node(|node| node.files as f64),
        "",
        1.05,
        1.15,
    );
    both(
        "entries in the view of node 0",
        of_node(|node| node.entries),
        "",
        1.2,
        1.5,
    );
    both(
        "p50 of good requests",
        of_all(|sample| sample.p50),
        "µs",
        1.2,
        2.0,
    );
    both(
        "p99 of good requests",
        of_all(|sample| sample.p99),
        "µs",
        1.5,
        3.0,
    );
    let each = |part: Vec<&Sample>| {
        let (first, last) = (part.first()?, part.last()?);
        let time = last.nodes[0]?.processor - first.nodes[0]?.processor;
        Some(time / (last.answers - first.answers) as f64 * 1e6)
    };
    let [early, late] = [each(early().collect()), each(late().collect())];
    let each = [early.unwrap_or(f64::NAN), late.unwrap_or(f64::NAN)];
    both(
        "processor time of node 0 for each answer of both",
        each,
        "µs",
        1.1,
        1.3,
    );
}

fn faults(outcome: &Outcome, results: &mut Results) {
    let mut kinds: BTreeMap<&str, (u32, Duration)> = BTreeMap::new();
    for fault in &outcome.faults {
        let kind = fault.what.split(',').next().unwrap_or_default();
        let (count, time) = kinds.entry(kind).or_default();
        *count += 1;
        *time += fault.ended.unwrap_or_else(Instant::now) - fault.began;
    }
    let mut table = "| fault | times | seconds in all |\n|---|---:|---:|\n".to_owned();
    for (kind, (count, time)) in kinds {
        // Writing into a String cannot fail.
        let _ = writeln!(table, "| {kind} | {count} | {:.1} |", time.as_secs_f64());
    }
    results.say(table.trim_end());
}

fn csv(samples: &[Sample]) -> String {
    let mut text = "second,answers,good,p50_us,p99_us".to_owned();
    for node in [0, 1] {
        for what in ["process", "resident", "files", "entries", "processor_s"] {
            let _ = write!(text, ",{what}_{node}");
        }
    }
    text.push('\n');
    for sample in samples {
        let Sample {
            at,
            good,
            p50,
            p99,
            answers,
            ..
        } = sample;
        let _ = write!(text, "{:.1},{answers},{good},{p50},{p99}", at.as_secs_f64());
        for node in &sample.nodes {
            let _ = match node {
                None => write!(text, ",,,,,"),
                Some(node) => write!(
                    text,
                    ",{},{},{},{},{}",
                    node.process, node.resident, node.files, node.entries, node.processor
                ),
            };
        }
        text.push('\n');
    }
    text
}

fn plot(outcome: &Outcome, lasts: Duration) -> String {
    let of_node = |which: usize, part: fn(&NodeSample) -> f64| -> Vec<(f64, f64)> {
        let samples = outcome.samples.iter();
        let point =
            |sample: &Sample| Some((minutes(sample.at), part(sample.nodes[which].as_ref()?)));
        samples.filter_map(point).collect()
    };
    let quick = |part: fn(&Sample) -> f64| -> Vec<(f64, f64)> {
        let samples = outcome.samples.iter().filter(|sample| sample.good >= 100);
        samples
            .map(|sample| (minutes(sample.at), part(sample)))
            .collect()
    };
    let panel = |title, part: fn(&NodeSample) -> f64| Panel {
        title,
        lines: vec![
            Line {
                name: "node 0",
                points: of_node(0, part),
            },
            Line {
                name: "node 1",
                points: of_node(1, part),
            },
        ],
    };
    let panels = [
        panel("resident memory, MiB", |node| node.resident / 1_048_576.0),
        Panel {
            title: "good requests in quiet seconds, ms",
            lines: vec![
                Line {
                    name: "p50",
                    points: quick(|sample| sample.p50 / 1_000.0),
                },
                Line {
                    name: "p99",
                    points: quick(|sample| sample.p99 / 1_000.0),
                },
            ],
        },
        panel("entries of the view", |node| node.entries),
        panel("open files", |node| node.files as f64),
    ];
    let faults = outcome.faults.iter().map(|fault| {
        let ended = fault.ended.unwrap_or(fault.began);
        [fault.began, ended].map(|at| minutes(at - outcome.began))
    });
    svg(minutes(lasts), &panels, &faults.collect::<Vec<_>>())
}

fn minutes(time: Duration) -> f64 {
    time.as_secs_f64() / 60.0
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

const USERS: usize = 40;
/// What is compared: a tenth of the time, after the warm-up and at the end.
const PART: f64 = 0.1;
const SENTENCE: &str = "Grey: something fails. Node 1 begins anew whenever it was killed.";
