//! What was measured, and the report of it.

use std::fmt::Write as _;
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
    title: &'static str,
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
    pub fn part(&mut self, title: &'static str) {
        eprintln!("{title}");
        let (rows, curves) = (Vec::new(), Vec::new());
        self.parts.push(Part {
            title,
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

    fn markdown(&self) -> String {
        let mut text = format!("\n## {}\n", self.described);
        for part in &self.parts {
            // Writing into a String cannot fail.
            let _ = write!(text, "\n### {}\n\n", part.title);
            text.push_str("| | | wanted | |\n|---|---:|---:|---|\n");
            for row in &part.rows {
                let Figure { name, .. } = row;
                let (wanted, verdict) = row.verdict();
                let value = row.value();
                let _ = writeln!(text, "| {name} | {value} | {wanted} | {verdict} |");
            }
            if !part.curves.is_empty() {
                let _ = writeln!(text, "\n![{}]({})", part.title, self.file_of(part));
            }
        }
        text
    }

    /// A line for each figure that is not what it should be.
    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for part in &self.parts {
            for row in &part.rows {
                let (wanted, verdict) = row.verdict();
                if verdict == MISSED {
                    let (store, title, name) = (self.store, part.title, &row.name);
                    let value = row.value();
                    missed.push(format!(
                        "- {store}: {title}: {name}: {value} (wanted {wanted})\n"
                    ));
                }
            }
        }
        missed
    }
}

/// The report of several stores.
pub fn report(command: &str, machine: &str, all: &[Figures]) -> String {
    let missed: Vec<String> = all.iter().flat_map(Figures::missed).collect();
    let missed = match missed.is_empty() {
        true => "Nothing was missed.\n".to_owned(),
        false => format!("Missed:\n\n{}", missed.concat()),
    };
    let stores: String = all.iter().map(Figures::markdown).collect();
    format!(
        "# Figures of a fleet\n\n\
         Made by `cargo bench --bench fleet -- {command}`; nodes are processes of one machine.\n\n{machine}\n{missed}{stores}"
    )
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
        }
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
        let (wanted, met) = match self.wanted {
            None => return (String::new(), ""),
            Some(Bound::AtLeast(least)) => (format!("≥ {least}"), self.value >= least),
            Some(Bound::AtMost(most)) => (format!("≤ {most}"), self.value <= most),
        };
        (wanted, if met { "met" } else { MISSED })
    }
}

const MISSED: &str = "**missed**";
