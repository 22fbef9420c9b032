//! What is printed: to pipes that may close, on terminals that must not be told what to do.

use std::io::{self, ErrorKind, IsTerminal, Write};

use tower_jwt_session::diagnosis::{CheckState, Diagnosis};

/// A line on the standard output; who reads no further has read enough.
pub fn line(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        written => written,
    }
}

/// A text of a client's without what would steer a terminal.
pub fn harmless(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// Rows below their headings, each column as wide as it has to be.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let row = |cells: &[&str]| {
        let cells = cells.iter().zip(&widths);
        let padded = cells.map(|(cell, width)| format!("{cell:width$}"));
        line(padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    row(headings)?;
    for cells in rows {
        row(&cells.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// What was looked at, how it stands, and what to do.
pub fn diagnosis(diagnosis: &Diagnosis) -> io::Result<()> {
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let names = diagnosis.checks().iter().map(|check| check.name.len());
    let width = names.max().unwrap_or(0);
    for check in diagnosis.checks() {
        let state = format!("{:4}", check.state);
        let state = match check.state {
            _ if !colours => state,
            CheckState::Ok => format!("\u{1b}[32m{state}\u{1b}[0m"),
            CheckState::Warn => format!("\u{1b}[33m{state}\u{1b}[0m"),
            CheckState::Fail => format!("\u{1b}[31m{state}\u{1b}[0m"),
        };
        line(&format!(
            "{:width$}  {state}  {}",
            check.name,
            harmless(&check.seen)
        ))?;
        if let Some(fix) = &check.fix {
            line(&format!("{:width$}        fix: {}", "", harmless(fix)))?;
        }
    }
    Ok(())
}
