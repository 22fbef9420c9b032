//! The rules, by Prometheus' own tool.

use std::process::Command;

fn promtool(arguments: &[&str]) -> String {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus"))
        .output()
        .expect("promtool is installed (tests/run.sh does)");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

#[test]
fn the_rules_and_the_configuration_are_sound() {
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["check", "rules", "--lint=all", "--lint-fatal", "rules.yml"]);
}

#[test]
fn each_alert_fires_when_it_should_and_none_on_a_calm_day() {
    let said = promtool(&["test", "rules", "rules.test.yml"]);
    assert!(said.contains("SUCCESS"), "{said}");
}
