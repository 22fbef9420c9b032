//! `GET /metrics`: who may read it, and a real Prometheus that does.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use form_urlencoded::byte_serialize;
use futures_util::future::join_all;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::folder::Folder;
use crate::server::{ADMIN, CHROME, PASSWORD, Server};
use crate::{ADA, two_devices};

/// A server whose figures have an address of their own, and that address.
fn with_own_address() -> (Server, String) {
    let mut server = Server::start_with(&[("METRICS_ADDR", "127.0.0.1:0")]);
    let greeting = server.greeting();
    let mut lines = greeting.lines();
    let at = lines.find_map(|line| line.trim().strip_prefix("figures at "));
    let at = at.expect("it says where").to_owned();
    (server, at)
}

async fn fetch(url: &str) -> (u16, String) {
    let client = HyperClient::builder(TokioExecutor::new()).build_http();
    let request = Request::get(url).body(Full::<Bytes>::default());
    let answer = client.request(request.expect("a URL")).await;
    let answer = answer.expect("it answers");
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("a whole answer");
    let text = String::from_utf8(body.to_bytes().to_vec());
    (status, text.expect("figures are text"))
}

#[tokio::test]
async fn without_an_address_of_their_own_administrators_alone_read_the_figures() {
    let server = Server::start();
    let (laptop, _phone) = two_devices(&server).await;
    server
        .client(CHROME)
        .get("/metrics")
        .await
        .refused(401, "missing_token");
    laptop
        .get("/metrics")
        .await
        .refused(403, "insufficient_role");
    let mut admin = server.client(CHROME);
    admin.sign_in(ADMIN, PASSWORD).await.accepted(200);
    let answer = admin.get("/metrics").await;
    let kind = answer.accepted(200).headers["content-type"].to_str();
    assert!(kind.unwrap().starts_with("text/plain; version=0.0.4"));
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn with_an_address_of_their_own_they_are_there_and_nowhere_else() {
    let (server, at) = with_own_address();
    let (mut laptop, _phone) = two_devices(&server).await;
    laptop.sign_in(ADA, "a wrong password").await.accepted(401);
    laptop.refresh().await.accepted(200);
    let mut admin = server.client(CHROME);
    admin.sign_in(ADMIN, PASSWORD).await.accepted(200);
    admin.get("/metrics").await.accepted(404);

    let (status, text) = fetch(&at).await;
    assert_eq!(status, 200);
    for line in [
        "jwt_session_sign_ins_total{outcome=\"done\"} 3",
        "jwt_session_sign_ins_total{outcome=\"credentials_refused\"} 1",
        "jwt_session_refreshes_total{outcome=\"done\"} 1",
        "jwt_session_view_fresh 1",
    ] {
        assert!(
            text.lines().any(|one| one == line),
            "{line} is not in {text}"
        );
    }
    assert!(!text.contains("ada@"), "a name is in {text}");
    assert_eq!(fetch(&at.replace("/metrics", "/api/me")).await.0, 404);
    check_by_promtool(&text);
}

/// Prometheus' own opinion of names, types and help texts.
fn check_by_promtool(text: &str) {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = promtool.expect("promtool is installed (tests/run.sh does)");
    let mut input = promtool.stdin.take().expect("it is piped");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = promtool.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

#[tokio::test]
async fn a_hundred_scrapers_at_once_disturb_nobody() {
    let (server, at) = with_own_address();
    let (laptop, _phone) = two_devices(&server).await;
    let scrapers = (0..100).map(|_| async {
        for _ in 0..10 {
            assert_eq!(fetch(&at).await.0, 200);
        }
    });
    let user = async {
        for _ in 0..100 {
            laptop.get("/api/me").await.accepted(200);
        }
    };
    let all = async { tokio::join!(join_all(scrapers), user) };
    tokio::time::timeout(Duration::from_secs(120), all)
        .await
        .expect("it came back at all");
}

#[test]
fn an_address_that_is_none_is_refused_with_what_to_write() {
    let said = Server::refusal(&[("METRICS_ADDR", "9464"), ("SESSION_STORE", "memory:")]);
    assert!(
        said.contains("METRICS_ADDR \"9464\" is not an address"),
        "{said}"
    );
}

/// Prometheus, scraping one address every second; ended, and its folder removed, when dropped.
struct Prometheus {
    process: Child,
    _folder: Folder,
    address: String,
}

impl Prometheus {
    fn scraping(url: &str) -> Self {
        let folder = Folder::new();
        let target = url
            .trim_start_matches("http://")
            .trim_end_matches("/metrics");
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/rules.yml");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: [{rules}]\n\
             scrape_configs: [{{job_name: flagship, static_configs: [{{targets: [\"{target}\"]}}]}}]\n"
        );
        let file = folder.file("prometheus.yml");
        fs::write(&file, config).expect("the folder is ours");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.file("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn();
        let mut process = process.expect("prometheus is installed (tests/run.sh does)");
        let log = BufReader::new(process.stderr.take().expect("it is piped"));
        let mut lines = log.lines().map_while(Result::ok);
        let bound = lines.find_map(|line| {
            let (_, rest) = line.split_once("msg=\"Listening on\" address=")?;
            Some(rest.to_owned())
        });
        // It must not wait for somebody to read on.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            _folder: folder,
            address: bound.expect("it says where it listens"),
        }
    }

    async fn query(&self, query: &str) -> Value {
        let query: String = byte_serialize(query.as_bytes()).collect();
        let url = format!("http://{}/api/v1/query?query={query}", self.address);
        let (_, text) = fetch(&url).await;
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Waits until a query has an answer; a bound that says it came at all.
    async fn until(&self, query: &str, wanted: f64) {
        let answered = async {
            loop {
                let answer = self.query(query).await;
                let value = answer["data"]["result"][0]["value"][1].as_str();
                if value.and_then(|value| value.parse().ok()) == Some(wanted) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let patience = tokio::time::timeout(Duration::from_secs(90), answered);
        assert!(patience.await.is_ok(), "{query} never was {wanted}");
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_prometheus_scrapes_it_and_answers_what_the_dashboard_and_the_rules_ask() {
    let (server, at) = with_own_address();
    let (mut laptop, mut phone) = two_devices(&server).await;
    laptop.refresh().await.accepted(200);
    let prometheus = Prometheus::scraping(&at);
    let signed_in = "jwt_session_sign_ins_total{job=\"flagship\",outcome=\"done\"}";
    prometheus.until(signed_in, 2.0).await;
    prometheus.until("up{job=\"flagship\"}", 1.0).await;
    phone.refresh().await.accepted(200);
    prometheus
        .until("sum(jwt_session_refreshes_total{outcome=\"done\"})", 2.0)
        .await;
    prometheus.until("count(ALERTS) or vector(0)", 0.0).await;

    let rules = fetch(&format!("http://{}/api/v1/rules", prometheus.address))
        .await
        .1;
    let rules: Value = serde_json::from_str(&rules).expect("it is JSON");
    let groups = rules["data"]["groups"]
        .as_array()
        .expect("there are groups");
    assert_eq!(groups.len(), 2, "{rules}");
    assert!(!rules.to_string().contains("\"health\":\"err\""), "{rules}");

    let dashboard = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/deploy/grafana/jwt-session.json"
    );
    let dashboard = fs::read_to_string(dashboard).expect("it is there");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("it is JSON");
    let panels = dashboard["panels"]
        .as_array()
        .expect("there are panels")
        .iter();
    for target in panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten()) {
        let query = target["expr"].as_str().expect("a query");
        let query = query
            .replace("$__rate_interval", "10s")
            .replace("$__range", "1h")
            .replace("$job", ".*")
            .replace("$instance", ".*");
        let answer = prometheus.query(&query).await;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
    }
}
