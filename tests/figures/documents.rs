//! Documents, dashboard, rules and code name the same figures.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tower_jwt_session::telemetry::{METRICS, Metric};

use crate::recorder::{Recorder, Seen, base};
use crate::support::{self, admit, sign_in, user};

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The figures that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let starts = text.match_indices("jwt_session_").map(|(start, _)| start);
    starts
        .map(|start| {
            let rest = &text[start..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            base(&rest[..end.unwrap_or(rest.len())])
        })
        .collect()
}

fn known() -> BTreeSet<&'static str> {
    METRICS.iter().map(|metric| metric.name).collect()
}

fn row(metric: &Metric) -> String {
    let labels: Vec<String> = metric
        .labels
        .iter()
        .map(|(label, values)| format!("`{label}`: {}", values.join(", ")))
        .collect();
    let Metric {
        name,
        kind,
        unit,
        help,
        ..
    } = metric;
    format!(
        "| `{name}` | {} | {unit} | {} | {help} |",
        kind.as_str(),
        labels.join("; ")
    )
}

#[test]
fn the_documented_table_is_that_of_the_code() {
    let document = file("docs/metrics.md");
    let rows: Vec<&str> = document
        .lines()
        .filter(|line| line.starts_with("| `jwt_session_"))
        .collect();
    // The other table begins with questions.
    let expected: Vec<String> = METRICS.iter().map(row).collect();
    assert_eq!(rows, expected, "write:\n{}", expected.join("\n"));
}

#[test]
fn nothing_names_a_figure_that_does_not_exist() {
    let known = known();
    for name in [
        "docs/metrics.md",
        "docs/runbook.md",
        "deploy/grafana/jwt-session.json",
        "deploy/prometheus/rules.yml",
        "deploy/prometheus/rules.test.yml",
    ] {
        let text = file(name);
        let unknown: Vec<_> = named(&text).difference(&known).copied().collect();
        assert!(unknown.is_empty(), "{name} names {unknown:?}");
    }
}

#[test]
fn the_dashboard_shows_every_figure() {
    let text = file("deploy/grafana/jwt-session.json");
    let shown = named(&text);
    let missing: Vec<_> = known().difference(&shown).copied().collect();
    assert!(missing.is_empty(), "not on the dashboard: {missing:?}");
}

#[test]
fn the_dashboard_and_the_rules_pick_only_labels_that_exist() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&file("deploy/grafana/jwt-session.json")).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("there are panels");
    let mut queries: Vec<String> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
        .map(|target| target["expr"].as_str().expect("a query").to_owned())
        .collect();
    assert!(queries.len() >= 25, "{}", queries.len());
    queries.push(file("deploy/prometheus/rules.yml"));
    queries.push(file("docs/metrics.md"));
    for query in queries {
        for (start, _) in query.match_indices("jwt_session_") {
            let rest = &query[start..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
            let Some(picked) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
                continue;
            };
            let metric = METRICS.iter().find(|metric| metric.name == base(name));
            check_labels(metric.expect("a known name"), picked.0);
        }
    }
}

/// Each label that is picked exists, and each value of it.
fn check_labels(metric: &Metric, picked: &str) {
    for (label, values) in picked.split("\",").filter_map(|one| one.split_once('=')) {
        let label = label.trim_end_matches('!');
        if matches!(label, "job" | "instance" | "le") {
            continue;
        }
        let known = metric.labels.iter().find(|(known, _)| *known == label);
        let (_, known) = known.unwrap_or_else(|| panic!("{} has no label {label}", metric.name));
        for value in values.trim_matches(['~', '"']).split('|') {
            assert!(
                known.contains(&value),
                "{}: {label} is never {value}",
                metric.name
            );
        }
    }
}

#[tokio::test]
async fn what_is_recorded_has_only_the_labels_and_values_of_the_table() {
    let recorder = Recorder::install();
    let (builder, _clock) = support::builder();
    let auth = builder.build().unwrap();
    let running = auth.start().await.unwrap();
    let ada = user("ada");
    let tokens = sign_in(&auth, &ada).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap();
    auth.sessions()
        .refresh(&tokens.refresh_token.unwrap())
        .await
        .unwrap();
    auth.sessions().end_all(&ada).await.unwrap();
    let counted = |seen: &Seen| seen.names().contains("jwt_session_active_sessions");
    let seen = recorder.until(&auth, counted).await;
    for (series, labels) in seen.series() {
        let metric = METRICS.iter().find(|metric| metric.name == base(series));
        let metric = metric.unwrap_or_else(|| panic!("{series} is in no table"));
        for (label, value) in labels.into_iter().filter(|(label, _)| *label != "le") {
            let known = metric.labels.iter().find(|(known, _)| *known == label);
            let (_, known) = known.unwrap_or_else(|| panic!("{series} has a label {label}"));
            assert!(known.contains(&value), "{series}: {label}={value}");
        }
    }
    // One node alone has nothing to hear from others, and nothing failed.
    let names = seen.names();
    let missing: BTreeSet<_> = known().difference(&names).copied().collect();
    let quiet = [
        "jwt_session_propagation_lag_seconds",
        "jwt_session_store_errors_total",
    ];
    assert_eq!(missing, quiet.into());
    running.shutdown().await;
}

#[test]
fn each_alert_has_a_section_in_the_runbook_and_a_rule_test_and_the_reverse() {
    let (rules, tests) = (
        file("deploy/prometheus/rules.yml"),
        file("deploy/prometheus/rules.test.yml"),
    );
    let runbook = file("docs/runbook.md");
    let after = |text: &str, mark: &str| -> BTreeSet<String> {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(mark));
        lines.map(str::to_owned).collect()
    };
    let alerts = after(&rules, "- alert: ");
    assert!(alerts.len() >= 15, "{alerts:?}");
    assert_eq!(alerts, after(&runbook, "## "));
    let mut links: Vec<String> = after(&rules, "runbook: docs/runbook.md#")
        .into_iter()
        .collect();
    let mut anchors: Vec<String> = alerts.iter().map(|alert| alert.to_lowercase()).collect();
    links.sort();
    anchors.sort();
    assert_eq!(links, anchors);
    // Once on a calm day, and once where it fires.
    for alert in &alerts {
        let named = tests.matches(&format!("alertname: {alert}\n")).count();
        assert_eq!(
            named, 2,
            "{alert} fires in one test and is silent in another"
        );
        let fires = tests.contains(&format!("alertname: {alert}\n        exp_alerts:"));
        assert!(fires, "{alert}");
    }
    for section in runbook.split("\n## ").skip(1) {
        for part in ["**Means.**", "**First look.**", "**Do.**"] {
            assert!(section.contains(part), "{part} is missing in {section}");
        }
    }
}
