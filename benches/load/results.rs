//! What a part came to, as figures for people and for programs.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::machine::Machine;
use crate::plot::{Curve, svg};

/// What was measured in one part.
pub struct Results {
    part: String,
    rows: Vec<Row>,
    said: String,
    plots: Vec<(String, String)>,
    raw: Option<(String, String)>,
}

struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    wanted: Option<Wanted>,
}

/// What a figure should be: a goal to aim at, and a gate not to fall below.
#[derive(Clone, Copy)]
pub enum Wanted {
    AtLeast { goal: f64, gate: f64 },
    AtMost { goal: f64, gate: f64 },
}

impl Results {
    pub fn new(part: &str) -> Self {
        Self {
            part: part.to_owned(),
            rows: Vec::new(),
            said: String::new(),
            plots: Vec::new(),
            raw: None,
        }
    }

    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.judge(name, value, unit, None::<Wanted>);
    }

    pub fn judge(
        &mut self,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        wanted: impl Into<Option<Wanted>>,
    ) {
        let row = Row {
            name: name.into(),
            value,
            unit,
            wanted: wanted.into(),
        };
        eprintln!("  {}: {}", row.name, row.measured());
        self.rows.push(row);
    }

    /// Adds a paragraph.
    pub fn say(&mut self, text: &str) {
        self.said.push_str(text);
        self.said.push_str("\n\n");
    }

    /// Adds a plot with the sentence that goes with it.
    pub fn draw(&mut self, name: &str, title: &str, sentence: &str, curves: &[Curve]) {
        self.plot(name, title, sentence, svg(title, curves));
    }

    /// The same of one that is drawn already.
    pub fn plot(&mut self, name: &str, title: &str, sentence: &str, plot: String) {
        let file = format!("{}-{name}.svg", self.part);
        self.say(&format!("![{title}]({file})\n\n{sentence}"));
        self.plots.push((file, plot));
    }

    /// Adds what was measured one by one, in a file of its own.
    pub fn keep(&mut self, ending: &str, raw: String) {
        self.raw = Some((format!("{}.{ending}", self.part), raw));
    }

    /// Writes all of it down, with what a run `lacks` of a whole one.
    pub fn write(&self, command: &str, machine: &Machine, lacks: Option<&str>) {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/results"));
        let write = |name: &str, text: &str| {
            let written = std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(folder.join(name), text));
            written.expect("the folder of results can be written");
        };
        let mut text = format!(
            "Made by `cargo bench --bench load -- {command}`.\n\n{}\n",
            machine.told()
        );
        if let Some(lacks) = lacks {
            // Writing into a String cannot fail.
            let _ = write!(text, "**{lacks}**\n\n");
        }
        text.push_str("| figure | measured | goal | gate | |\n|---|---:|---:|---:|---|\n");
        for row in &self.rows {
            let (goal, gate, verdict) = row.verdict();
            let (name, measured) = (&row.name, row.measured());
            // Writing into a String cannot fail.
            let _ = writeln!(
                text,
                "| {name} | {measured} | {goal} | {gate} | {verdict} |"
            );
        }
        let _ = write!(text, "\n{}", self.said);
        write(&format!("{}.md", self.part), text.trim_end());
        let figures: Vec<_> = self
            .rows
            .iter()
            .map(|row| json!({ "name": row.name, "value": row.value, "unit": row.unit }))
            .collect();
        let all = json!({
            "part": self.part,
            "command": command,
            "lacks": lacks,
            "measured": machine.measured,
            "figures": figures,
        });
        let all = serde_json::to_string_pretty(&all).expect("it is JSON");
        write(&format!("{}.json", self.part), &all);
        for (name, text) in self.plots.iter().chain(&self.raw) {
            write(name, text);
        }
        eprintln!("the results are in {}", folder.display());
    }
}

impl Row {
    /// The value for people: what is a small part of a millisecond in microseconds, unless a goal of
    /// its own unit stands beside it.
    fn measured(&self) -> String {
        match (self.unit, self.wanted) {
            ("ms", None) if self.value < 0.1 => format!("{} µs", rounded(self.value * 1_000.0)),
            (unit, _) => format!("{} {unit}", rounded(self.value)),
        }
    }

    fn verdict(&self) -> (String, String, &'static str) {
        let Some(wanted) = self.wanted else {
            return (String::new(), String::new(), "");
        };
        let (sign, goal, gate, sunk) = match wanted {
            Wanted::AtLeast { goal, gate } => ("≥", goal, gate, self.value < goal),
            Wanted::AtMost { goal, gate } => ("≤", goal, gate, self.value > goal),
        };
        let missed = match wanted {
            Wanted::AtLeast { .. } => self.value < gate,
            Wanted::AtMost { .. } => self.value > gate,
        };
        let verdict = match (missed, sunk) {
            (true, _) => "**missed**",
            (false, true) => "within the gate",
            (false, false) => "met",
        };
        (format!("{sign} {goal}"), format!("{sign} {gate}"), verdict)
    }
}

fn rounded(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..1.0 => format!("{value:.3}"),
        ..100.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    }
}

/// The middle of some values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
