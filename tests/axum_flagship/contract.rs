//! The document that is served, and whether it is true.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::Value;

use crate::server::{Client, Server};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

async fn document(client: &Client) -> Value {
    let document = client.get("/openapi.json").await;
    document.accepted(200).body.clone()
}

/// Every call of a document, by method and path.
fn calls(document: &Value) -> impl Iterator<Item = (String, &String, &Value)> {
    let paths = document["paths"].as_object().expect("there are paths");
    paths.iter().flat_map(|(path, item)| {
        let calls = item.as_object().expect("a path has calls").iter();
        calls.map(move |(method, call)| (method.to_uppercase(), path, call))
    })
}

#[tokio::test]
async fn the_committed_contract_is_the_one_that_is_served() {
    let server = Server::start();
    let served = document(&server.client("curl/8.5.0")).await;
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(COMMITTED, format!("{served:#}\n")).expect("it can be written");
    }
    let committed = fs::read_to_string(COMMITTED).expect("it is committed");
    assert!(
        committed == format!("{served:#}\n"),
        "openapi.json is outdated; \
         `UPDATE_OPENAPI=1 cargo test --all-features --test axum_flagship contract` writes it"
    );
}

#[tokio::test]
async fn every_call_of_the_contract_is_there_and_answers_as_it_says() {
    let server = Server::start_with(&[("RATE_LIMIT_MAX_REQUESTS", "0")]);
    let client = server.client("curl/8.5.0");
    let document = document(&client).await;
    for (method, path, call) in calls(&document) {
        // By nobody, with nothing.
        let request = client.request(&method, &path.replace(['{', '}'], ""));
        let request = request.header("sec-fetch-site", "same-origin");
        let answer = client.send(request, Bytes::new()).await;
        let told = &call["responses"][answer.status.as_str()];
        assert!(told.is_object(), "{method} {path}: {answer:?}");
        let described = told["description"].as_str().unwrap_or_default();
        if let Some(code) = answer.body["code"].as_str() {
            assert!(described.contains(code), "{method} {path}: {answer:?}");
        }
        let is_html = |kind: &str| kind.starts_with("text/html");
        let kind = answer.headers.get("content-type");
        if answer.status == 200 && kind.is_some_and(|kind| is_html(kind.to_str().unwrap())) {
            assert!(told["content"]["text/html"].is_object(), "{method} {path}");
        }
    }
}

/// The paths that a source file mounts.
fn mounted(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let source = fs::read_to_string(path).expect("a source file");
    let after = source.split(".route(").skip(1);
    let paths = after.filter_map(|rest| {
        let literal = rest.trim_start().strip_prefix('"')?;
        literal.split('"').next()
    });
    paths.map(str::to_owned).collect()
}

#[tokio::test]
async fn whatever_is_mounted_is_in_the_contract() {
    let server = Server::start();
    let document = document(&server.client("curl/8.5.0")).await;
    let described: BTreeSet<_> = calls(&document).map(|(_, path, _)| path.clone()).collect();
    let mut seen = 0;
    for file in [
        "examples/axum/app.rs",
        "examples/axum/pages/mod.rs",
        "src/integrations/axum/pages.rs",
    ] {
        for path in mounted(file) {
            assert!(described.contains(&path), "{file} mounts {path}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} routes were found");
}

#[tokio::test]
async fn the_page_of_the_contract_runs_no_scripts() {
    let server = Server::start();
    let page = server.client("curl/8.5.0").get("/docs").await;
    let policy = page.accepted(200).headers["content-security-policy"].to_str();
    let policy = policy.unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains("script"),
        "{policy}"
    );
}
