//! The page about sizes and the script that does its sums say the same.

use std::path::Path;
use std::process::{Command, Output};

fn sizing(arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/sizing.py");
    let run = Command::new("python3").arg(script).args(arguments).output();
    run.expect("python3 is installed")
}

fn told(arguments: &[&str]) -> String {
    let output = sizing(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The first number of a line of the table.
fn number(table: &str, name: &str) -> f64 {
    let start = format!("| {name} | ");
    let line = table.lines().find_map(|line| line.strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("no {name:?} in\n{table}"));
    let text = line.split(" |").next().unwrap().replace(',', "");
    let (text, factor) = match text.strip_suffix(" M") {
        Some(millions) => (millions, 1e6),
        None => (text.as_str(), 1.0),
    };
    text.parse::<f64>().unwrap() * factor
}

#[test]
fn the_page_is_what_the_script_says() {
    let output = sizing(&["--check"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_sums_are_those_of_the_formulas() {
    let table = told(&[
        "--users",
        "8640000",
        "--sessions",
        "2",
        "--active",
        "0.1",
        "--every",
        "4",
        "--sign-ins",
        "1",
        "--ends",
        "0.5",
        "--peak",
        "2",
        "--access-hours",
        "1",
        "--visited",
        "1",
        "--revocation-bytes",
        "1048576",
        "--redis-bytes",
        "1024",
    ]);
    let expected = [
        ("live sessions", 17.3e6),
        ("sessions in use at the peak", 1.7e6),
        ("requests/s", 432_000.0),
        ("refreshes/s", 480.0),
        ("sign-ins/s", 200.0),
        ("revocations/s", 100.0),
        ("first sights/s", 680.0),
        ("live revocations", 361_300.0),
        ("MiB of view in each node", 361_300.0),
        ("steps of the store/s", 1_660.0),
        ("GiB in Redis", 16.48),
    ];
    for (name, value) in expected {
        let found = number(&table, name);
        assert!(
            (found / value - 1.0).abs() < 1e-3,
            "{name}: {found}, not {value}"
        );
    }
}

#[test]
fn cells_share_the_users_and_shrink_the_log_twice() {
    let log = "MiB/s of log, to all nodes";
    let one = number(&told(&["--users", "1e9"]), log);
    let each = number(&told(&["--users", "1e9", "--cells", "10"]), log);
    assert!((one / each / 100.0 - 1.0).abs() < 0.05, "{one} and {each}");
}

#[test]
fn numbers_that_are_none_are_refused() {
    for arguments in [
        ["--users", "0"],
        ["--users", "many"],
        ["--access-hours", "0"],
    ] {
        assert!(!sizing(&arguments).status.success(), "{arguments:?}");
    }
}
