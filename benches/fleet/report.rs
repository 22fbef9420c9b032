//! The report: of each part of each store what was measured last.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::PARTS;
use crate::figures::{Figures, MISSED, WITHIN};

/// Each part by its store and its own place among the parts.
#[derive(Debug, Default)]
pub struct Report(BTreeMap<(String, usize), String>);

impl Report {
    /// What stands in a report of before; nothing where there is none.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut report = Self::default();
        let mut open = None;
        for line in text.split_inclusive('\n') {
            if line.starts_with("## ") {
                open = None;
            } else if let Some(mark) = line.strip_prefix(MARK) {
                open = place(mark.trim_end().trim_end_matches(" -->"));
            }
            if let Some(place) = &open {
                report.0.entry(place.clone()).or_default().push_str(line);
            }
        }
        report
    }

    /// Puts the parts of a store in the place of those that were there.
    pub fn take(&mut self, figures: &Figures) {
        for (part, text) in figures.parts() {
            let mark = format!("{} {part}", figures.store());
            if let Some(place) = place(&mark) {
                let text = format!("{MARK}{mark} -->\n{text}\n");
                self.0.insert(place, text);
            }
        }
    }

    pub fn text(&self, machine: &str) -> String {
        let missed: String = self.judged(MISSED).collect();
        let within: String = self.judged(WITHIN).collect();
        let mut judged = match (missed.is_empty(), within.is_empty()) {
            (true, true) => "Nothing was missed.\n".to_owned(),
            (true, false) => "No gate was missed.\n".to_owned(),
            (false, _) => format!("Missed:\n\n{missed}"),
        };
        if !within.is_empty() {
            judged.push_str("\nWithin the gate, and the goal was not reached:\n\n");
            judged.push_str(&within);
        }
        let mut text = format!(
            "# Figures of a fleet\n\n\
             Made by `cargo bench --bench fleet -- --report docs/figures.md`; nodes are processes of \
             one machine. A part that is measured anew takes the place of what stood here, so each \
             says when it was measured, of which commit, on which processor, and under which load of the machine. The last run:\n\n{machine}\n{judged}\n"
        );
        let mut store = "";
        for ((of, _), part) in &self.0 {
            if of != store {
                // Writing into a String cannot fail.
                let _ = write!(text, "## {of}\n\n");
                store = of;
            }
            // Blank lines that were read with it would come anew each time.
            text.push_str(part.trim_end());
            text.push_str("\n\n");
        }
        format!("{}\n", text.trim_end())
    }

    /// A line for each figure of that verdict.
    fn judged(&self, verdict: &str) -> impl Iterator<Item = String> {
        self.0.iter().flat_map(move |((store, _), part)| {
            let title = part.lines().find_map(|line| line.strip_prefix("### "));
            let title = title.unwrap_or_default();
            part.lines().filter_map(move |row| {
                let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                let &[_, name, value, wanted, said, ..] = cells.as_slice() else {
                    return None;
                };
                let line = || format!("- {store}: {title}: {name}: {value} (wanted {wanted})\n");
                (said == verdict).then(line)
            })
        })
    }
}

/// Where `postgres revoked` stands.
fn place(mark: &str) -> Option<(String, usize)> {
    let (store, part) = mark.split_once(' ')?;
    let part = PARTS.iter().position(|known| *known == part)?;
    Some((store.to_owned(), part))
}

const MARK: &str = "<!-- ";
