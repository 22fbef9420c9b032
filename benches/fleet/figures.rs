//! What was measured, and the report of it.

use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::plot::{Curve, svg};

/// Everything that was measured on one store.
#[derive(Debug)]
pub struct Figures {
    store: &'static str,
    described: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    name: &'static str,
    title: &'static str,
    measured: String,
    rows: Vec<Figure>,
    curves: Vec<Curve>,
}

/// One figure, and what it should be.
#[derive(Debug)]
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    wanted: Option<Bound>,
    goal: Option<Bound>,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Figures {
    pub fn new(store: &'static str, described: String) -> Self {
        eprintln!("{described}");
        Self {
            store,
            described,
            parts: Vec::new(),
        }
    }

    /// Begins a part of the report.
    pub fn part(&mut self, name: &'static str, title: &'static str) {
        eprintln!("{title}");
        let (rows, curves) = (Vec::new(), Vec::new());
        self.parts.push(Part {
            name,
            title,
            measured: String::new(),
            rows,
            curves,
        });
    }

    /// Draws something into the part that has begun.
    pub fn draw(&mut self, curve: Curve) {
        let part = self.parts.last_mut().expect("a part has begun");
        part.curves.push(curve);
    }

    /// The plots of the parts that have some, each with the name of its file.
    pub fn plots(&self) -> impl Iterator<Item = (String, String)> {
        let drawn = self.parts.iter().filter(|part| !part.curves.is_empty());
        drawn.map(|part| {
            let title = format!("{}, {}: milliseconds by sessions", part.title, self.store);
            (self.file_of(part), svg(&title, &part.curves))
        })
    }

    fn file_of(&self, part: &Part) -> String {
        let words = part
            .title
            .to_lowercase()
            .replace(|c: char| !c.is_alphanumeric(), "-");
        format!("figures-{}-{words}.svg", self.store)
    }

    pub fn add(&mut self, figure: Figure) {
        eprintln!("  {}: {:.3} {}", figure.name, figure.value, figure.unit);
        let part = self.parts.last_mut().expect("a part has begun");
        part.rows.push(figure);
    }

    /// The middle, the 99th of a hundred and the worst of what took so long.
    pub fn add_times(&mut self, name: &str, mut times: Vec<Duration>, wanted: [Option<f64>; 2]) {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        let [median, worst] = wanted.map(|most| most.map(Bound::AtMost));
        let count = times.len();
        self.add(Figure::millis(
            format!("{name}, p50 of {count}"),
            at(0.5),
            median,
        ));
        self.add(Figure::millis(format!("{name}, p99"), at(0.99), worst));
        self.add(Figure::millis(format!("{name}, longest"), at(1.0), None));
    }

    /// Says of the part that has begun when and how it was measured.
    pub fn measured(&mut self, when: &str) {
        let described = format!("{}; {when}", self.described);
        // One that cannot be measured here has not begun.
        let new = |part: &&mut Part| part.measured.is_empty();
        if let Some(part) = self.parts.last_mut().filter(new) {
            part.measured = described;
        }
    }

    pub fn store(&self) -> &str {
        self.store
    }

    /// The name of each part, and what a report says of it.
    pub fn parts(&self) -> impl Iterator<Item = (&str, String)> {
        self.parts.iter().map(|part| (part.name, self.text(part)))
    }

    fn text(&self, part: &Part) -> String {
        let mut text = format!("### {}\n\n{}\n\n", part.title, part.measured);
        text.push_str("| | | wanted | |\n|---|---:|---:|---|\n");
        for row in &part.rows {
            let Figure { name, .. } = row;
            let (wanted, verdict) = row.verdict();
            let value = row.value();
            // Writing into a String cannot fail.
            let _ = writeln!(text, "| {name} | {value} | {wanted} | {verdict} |");
        }
        if !part.curves.is_empty() {
            let _ = writeln!(text, "\n![{}]({})", part.title, self.file_of(part));
        }
        text
    }
}

impl Figure {
    pub fn new(
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        wanted: Option<Bound>,
    ) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            wanted,
            goal: None,
        }
    }

    /// The same with a goal, beside the gate that it must not miss.
    pub fn aiming_at(mut self, goal: Bound) -> Self {
        self.goal = Some(goal);
        self
    }

    pub fn millis(name: impl Into<String>, time: Duration, wanted: Option<Bound>) -> Self {
        Self::new(name, time.as_secs_f64() * 1_000.0, "ms", wanted)
    }

    fn value(&self) -> String {
        format!("{:.3} {}", self.value, self.unit)
            .trim_end()
            .to_owned()
    }

    fn verdict(&self) -> (String, &'static str) {
        let Some(gate) = self.wanted else {
            return (String::new(), "");
        };
        let wanted = match self.goal {
            Some(goal) => format!("{goal}, gate {gate}"),
            None => gate.to_string(),
        };
        let sunk = self.goal.is_some_and(|goal| !goal.holds(self.value));
        let verdict = match (gate.holds(self.value), sunk) {
            (false, _) => MISSED,
            (true, true) => WITHIN,
            (true, false) => "met",
        };
        (wanted, verdict)
    }
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
        }
    }
}

/// What is said of a figure that is not what it should be.
pub const MISSED: &str = "**missed**";
/// What is said of one that does not reach its goal, and does not miss its gate.
pub const WITHIN: &str = "within the gate";
