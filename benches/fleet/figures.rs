//! What was measured, and the report of it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

/// Everything that was measured on one store.
#[derive(Debug)]
pub struct Figures {
    store: &'static str,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    title: &'static str,
    rows: Vec<Figure>,
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
    pub fn new(store: &'static str) -> Self {
        Self {
            store,
            parts: Vec::new(),
        }
    }

    /// Begins a part of the report.
    pub fn part(&mut self, title: &'static str) {
        eprintln!("{title}");
        let rows = Vec::new();
        self.parts.push(Part { title, rows });
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

    /// Writes the report into a folder.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("fleet-{}.md", self.store));
        std::fs::write(&path, self.markdown())?;
        let json = serde_json::to_string_pretty(&self.json())?;
        std::fs::write(path.with_extension("json"), json)?;
        Ok(path)
    }

    fn markdown(&self) -> String {
        let mut text = format!("# Figures of a fleet: {}\n", self.store);
        for part in &self.parts {
            // Writing into a String cannot fail.
            let _ = write!(text, "\n## {}\n\n", part.title);
            text.push_str("| | | wanted | |\n|---|---:|---:|---|\n");
            for row in &part.rows {
                let Figure {
                    name, value, unit, ..
                } = row;
                let (wanted, verdict) = row.verdict();
                let _ = writeln!(
                    text,
                    "| {name} | {value:.3} {unit} | {wanted} | {verdict} |"
                );
            }
        }
        text
    }

    fn json(&self) -> Value {
        let rows = self.parts.iter().flat_map(|part| {
            part.rows.iter().map(|row| {
                let (wanted, verdict) = row.verdict();
                json!({
                    "part": part.title,
                    "name": row.name,
                    "value": row.value,
                    "unit": row.unit,
                    "wanted": wanted,
                    "verdict": verdict,
                })
            })
        });
        json!({ "store": self.store, "figures": rows.collect::<Vec<_>>() })
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
        }
    }

    pub fn millis(name: impl Into<String>, time: Duration, wanted: Option<Bound>) -> Self {
        Self::new(name, time.as_secs_f64() * 1_000.0, "ms", wanted)
    }

    fn verdict(&self) -> (String, &'static str) {
        let (wanted, met) = match self.wanted {
            None => return (String::new(), ""),
            Some(Bound::AtLeast(least)) => (format!("≥ {least}"), self.value >= least),
            Some(Bound::AtMost(most)) => (format!("≤ {most}"), self.value <= most),
        };
        (wanted, if met { "met" } else { "**missed**" })
    }
}
