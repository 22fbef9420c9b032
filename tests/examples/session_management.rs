//! The session management guide: its requests and answers, its configuration, and two instances of it
//! behind a proxy.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tower_jwt_session::Environment;

use crate::folder::Folder;
use crate::nginx::Nginx;
use crate::process::{Server, command};
use crate::redis_server;

const EXAMPLE: &str = "session_management";
const SECRET: &str = "8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e";
const PLACEHOLDER: &str = "your-super-secret-jwt-key-here";
/// Else what is refreshed again within a minute is the same pair again.
const STRICT: (&str, &str) = ("JWT_ROTATION_GRACE", "0s");
const MEMORY: (&str, &str) = ("SESSION_STORE", "memory:");

/// Whoever calls the servers at an address.
struct Caller {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    address: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Caller {
    fn new(address: &str) -> Self {
        Self {
            http: HyperClient::builder(TokioExecutor::new()).build_http(),
            address: address.to_owned(),
        }
    }

    async fn call(&self, call: &str, token: &str, body: &Value) -> Answer {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Value::Null => Full::default(),
            body => Full::new(Bytes::from(body.to_string())),
        };
        let request = request.body(body).expect("a good request");
        let answer = self.http.request(request).await.expect("it answers");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&body).into()),
        }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(&format!("GET {path}"), token, &Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(&format!("POST {path}"), "", &body).await
    }

    /// An account's tokens: of a new one, or of a new session.
    async fn tokens(&self, path: &str) -> Pair {
        let form = json!({ "email": "ada@example.com", "password": "correct horse battery" });
        let answer = self.post(path, form).await;
        assert!(answer.status.is_success(), "{}", answer.body);
        Pair {
            access: text(&answer.body["access_token"]),
            refresh: text(&answer.body["refresh_token"]),
        }
    }

    async fn refresh(&self, refresh_token: &str) -> Answer {
        let body = json!({ "refreshToken": refresh_token });
        self.post("/api/token/refresh", body).await
    }

    async fn refreshed(&self, pair: &Pair) -> Pair {
        let answer = self.refresh(&pair.refresh).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Pair::of(&answer.body["data"])
    }

    async fn validate(&self, access_token: &str) -> Answer {
        let body = json!({ "accessToken": access_token });
        self.post("/api/token/validate", body).await
    }
}

struct Pair {
    access: String,
    refresh: String,
}

impl Pair {
    fn of(data: &Value) -> Self {
        Self {
            access: text(&data["accessToken"]),
            refresh: text(&data["refreshToken"]),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn start(more: &[(&str, &str)]) -> (Server, Caller) {
    let mut variables = vec![MEMORY];
    variables.extend_from_slice(more);
    let server = Server::start(EXAMPLE, &variables);
    let caller = Caller::new(&server.address);
    (server, caller)
}

/// The members of an answer's `data`, which is there with the two that stand around it.
fn members(answer: &Answer, message: &str) -> BTreeSet<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let around: Vec<_> = answer.body.as_object().expect("an object").keys().collect();
    assert_eq!(around, ["data", "message", "success"]);
    assert_eq!(answer.body["success"], true);
    assert_eq!(answer.body["message"], message);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let data = answer.body["data"].as_object().expect("an object");
    data.keys().cloned().collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// Tokens end with a whole second, which may be up to one later.
fn near(value: &Value, millis: u64) -> bool {
    let told = value.as_u64().expect("milliseconds");
    (millis - 600_000..=millis + 1_000).contains(&told)
}

#[tokio::test]
async fn the_guides_requests_are_answered_member_by_member() {
    let (_server, guide) = start(&[]);
    let first = guide.tokens("/api/auth/register").await;

    let answer = guide.refresh(&first.refresh).await;
    let found = members(&answer, "Token refreshed successfully");
    let pair = ["accessToken", "refreshToken", "expiresIn", "sessionId"];
    assert_eq!(found, set(pair));
    let data = &answer.body["data"];
    assert_eq!(data["expiresIn"], 7_200_000);
    assert_ne!(data["refreshToken"], first.refresh.as_str(), "rotated");
    let session = data["sessionId"].clone();
    let second = Pair::of(data);

    let answer = guide.validate(&second.access).await;
    let found = members(&answer, "Token validated successfully");
    let valid = ["isValid", "isExpired", "needsRefresh", "expiresAt"];
    let more = ["timeUntilExpiry", "userId"];
    assert_eq!(found, &set(valid) | &set(more));
    let data = &answer.body["data"];
    assert_eq!(data["isValid"], true);
    assert_eq!(data["isExpired"], false);
    assert_eq!(data["needsRefresh"], false);
    assert!(near(&data["timeUntilExpiry"], 7_200_000), "{data}");
    let at = text(&data["expiresAt"]);
    assert!(at.len() == 24 && at.ends_with('Z'), "{at}");
    let user = text(&data["userId"]);

    let both = json!({ "accessToken": second.access, "refreshToken": second.refresh });
    let answer = guide.post("/api/token/auto-refresh", both).await;
    let found = members(&answer, "Token is still valid");
    assert_eq!(found, set(["refreshed", "expiresIn", "sessionId"]));
    assert_eq!(answer.body["data"]["refreshed"], false);
    assert_eq!(answer.body["data"]["sessionId"], session);

    let path = format!("/api/token/session-stats/{user}");
    let answer = guide.get(&path, &second.access).await;
    members(&answer, "Session statistics retrieved successfully");
    let data = &answer.body["data"];
    assert_eq!(data["activeSessions"], 1);
    assert_eq!(data["maxSessions"], 10);
    assert_eq!(data["totalRefreshes"], 1);
    assert_eq!(data["failedRefreshes"], 0);
    let refused = guide.get("/api/token/session-stats/bob", &second.access);
    assert_eq!(refused.await.status, 403);

    let answer = guide.get("/api/token/health", "").await;
    members(&answer, "Token service is healthy");
    assert_eq!(answer.body["data"]["status"], "ready");

    let answer = guide.get("/api/protected-endpoint", &second.access).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["userId"], user.as_str());
    assert_eq!(answer.body["sessionId"], session);
    let refused = guide.get("/api/protected-endpoint", "").await;
    assert_eq!(refused.body["code"], "missing_token");
}

#[tokio::test]
async fn a_token_inside_the_threshold_is_refreshed_by_itself() {
    let (_server, guide) = start(&[
        ("JWT_ACCESS_TOKEN_EXPIRY", "4s"),
        ("JWT_AUTO_REFRESH_THRESHOLD", "2s"),
        ("JWT_ROTATION_GRACE", "1s"),
        ("RATE_LIMIT_MAX_REQUESTS", "0"),
    ]);
    let pair = guide.tokens("/api/auth/register").await;
    let both = json!({ "accessToken": pair.access, "refreshToken": pair.refresh });
    let begun = Instant::now();
    let answer = loop {
        let answer = guide.post("/api/token/auto-refresh", both.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        if answer.body["data"]["refreshed"] == true {
            break answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", answer.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let found = members(&answer, "Token refreshed successfully");
    let pair = ["accessToken", "refreshToken", "expiresIn", "sessionId"];
    assert_eq!(found, &set(pair) | &set(["refreshed"]));
}

#[tokio::test]
async fn the_access_token_before_a_refresh_is_refused_after_it() {
    let (_server, guide) = start(&[]);
    let old = guide.tokens("/api/auth/register").await;
    let new = guide.refreshed(&old).await;
    let refused = guide.get("/api/protected-endpoint", &old.access).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.body["code"], "token_revoked");
    let refused = guide.validate(&old.access).await;
    assert_eq!(refused.body["data"], json!({ "isValid": false }));
    let admitted = guide.get("/api/protected-endpoint", &new.access).await;
    assert_eq!(admitted.status, 200);
}

#[tokio::test]
async fn failed_refreshes_are_shown_in_the_statistics() {
    let (_server, guide) = start(&[STRICT]);
    let mine = guide.tokens("/api/auth/register").await;
    let stolen = guide.tokens("/api/auth/login").await;
    let _newer = guide.refreshed(&stolen).await;
    let refused = guide.refresh(&stolen.refresh).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.body["success"], false);
    assert_eq!(refused.body["code"], "refresh_reused");
    assert_eq!(refused.body["message"], refused.body["detail"]);

    let user = guide.validate(&mine.access).await;
    let user = text(&user.body["data"]["userId"]);
    let path = format!("/api/token/session-stats/{user}");
    let statistics = guide.get(&path, &mine.access).await;
    assert_eq!(statistics.body["data"]["failedRefreshes"], 1);
    assert_eq!(statistics.body["data"]["activeSessions"], 1);
}

#[tokio::test]
async fn too_many_attempts_are_refused_and_told_when_to_come_back() {
    let (_server, guide) = start(&[("RATE_LIMIT_MAX_REQUESTS", "2")]);
    let guess = || guide.refresh("not a token");
    for left in ["1", "0"] {
        let answer = guess().await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.headers["ratelimit-limit"], "2");
        assert_eq!(answer.headers["ratelimit-remaining"], left);
        assert!(answer.headers.contains_key("ratelimit-reset"));
    }
    let refused = guess().await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.body["code"], "rate_limited");
    assert_eq!(refused.body["success"], false);
    assert_eq!(refused.headers["ratelimit-remaining"], "0");
    let after = refused.headers["retry-after"].to_str().expect("text");
    assert!(after.parse::<u64>().is_ok_and(|secs| secs > 0), "{after}");
}

#[tokio::test]
async fn the_page_runs_the_guides_lines_by_scripts_of_its_own_origin() {
    let origin = ("CORS_ALLOWED_ORIGINS", "https://app.example.com");
    let (_server, guide) = start(&[origin]);
    let page = guide.get("/", "").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let page = text(&page.body);
    let script = text(&guide.get("/guide.js", "").await.body);
    for line in page.split("<button>").skip(1) {
        let line = line.split('<').next().expect("there is a first part");
        assert!(script.contains(line), "{line} does nothing");
    }
    for line in GUIDES_LINES {
        assert!(page.contains(line), "{line}");
    }
    for path in ["/token-manager.js", "/pages.css"] {
        assert_eq!(guide.get(path, "").await.status, 200, "{path}");
    }
    let request = Request::builder()
        .method("OPTIONS")
        .uri(format!("{}/api/token/refresh", guide.address))
        .header("origin", origin.1)
        .header("access-control-request-method", "POST");
    let request = request.body(Full::default()).expect("a good request");
    let answer = guide.http.request(request).await.expect("it answers");
    assert_eq!(answer.headers()["access-control-allow-origin"], origin.1);
}

const GUIDES_LINES: [&str; 8] = [
    "window.tokenManager.isAuthenticated()",
    "window.tokenManager.getAccessToken()",
    "window.tokenManager.makeAuthenticatedRequest('/api/protected-endpoint', { method: 'GET' })",
    "getToken()",
    "window.tokenManager.getTokenInfo()",
    "window.tokenManager.refreshAccessToken()",
    "window.tokenManager.getSessionStats()",
    "localStorage.setItem('debug', 'true')",
];

fn production() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/session_management/config/production.env");
    fs::read_to_string(path).expect("the configuration is there")
}

fn run_in(folder: &Folder) -> Output {
    let mut command = command(EXAMPLE);
    let output = command.current_dir(folder.path()).output();
    output.expect("the example was just built")
}

#[test]
fn the_production_configuration_starts_once_its_secret_is_replaced_and_not_before() {
    let folder = Folder::new();
    let env = folder.file(".env");
    fs::write(&env, production()).expect("the folder is ours");
    let refused = run_in(&folder);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("JWT_SECRET"), "{said}");
    assert!(said.contains("openssl rand -hex 32"), "{said}");
    assert!(!said.contains(PLACEHOLDER), "{said}");

    let own = production().replace(PLACEHOLDER, SECRET);
    fs::write(&env, own).expect("the folder is ours");
    let server = Server::start_in(EXAMPLE, folder.path());
    let last = server.line_that_begins("  0 to look at");
    assert_eq!(last, "  0 to look at before production");
}

#[test]
fn every_placeholder_of_the_production_configuration_is_refused() {
    let folder = Folder::new();
    let lines: Vec<String> = production()
        .lines()
        .map(|line| line.trim_start_matches('#').to_owned())
        .filter(|line| line.contains('='))
        .collect();
    let env = lines.join("\n");
    fs::write(folder.file(".env"), env).expect("the folder is ours");
    let refused = run_in(&folder);
    let said = String::from_utf8_lossy(&refused.stderr);
    for line in lines.iter().filter(|line| line.contains("your-")) {
        let (name, _) = line.split_once('=').expect("it is filtered by it");
        assert!(said.contains(name), "{name}: {said}");
    }
}

#[test]
fn every_variable_of_the_production_configuration_is_known_and_has_its_default() {
    let known = Environment::variables();
    let of_the_example = ["LISTEN_ADDR"];
    let chosen = ["JWT_SECRET", "TRUSTED_PROXIES"];
    for line in production().lines() {
        let is_on = !line.starts_with('#');
        let Some((name, value)) = line.trim_start_matches('#').split_once('=') else {
            continue;
        };
        if of_the_example.contains(&name) {
            continue;
        }
        let variable = known.iter().find(|known| known.name == name);
        let variable = variable.unwrap_or_else(|| panic!("{name} is not known"));
        if is_on && !chosen.contains(&name) {
            assert_eq!(variable.default, value, "{name}");
        }
    }
}

#[test]
fn what_is_not_for_production_is_said_at_the_start() {
    let (server, _) = start(&[("RATE_LIMIT_MAX_REQUESTS", "0")]);
    let found = server.line_that_begins("  before production: sessions are kept in memory");
    assert!(found.contains("set SESSION_STORE"), "{found}");
    server.line_that_begins("  before production: nothing limits");
    server.line_that_begins("  2 to look at before production");
}

/// Two instances that share what the variables say, and an nginx that asks them in turn.
struct Fleet {
    nodes: [Server; 2],
    nginx: Nginx,
}

impl Fleet {
    fn start(variables: &[(&str, &str)]) -> Self {
        let proxies = ("TRUSTED_PROXIES", "loopback");
        let mut all = vec![("JWT_SECRET", SECRET), proxies, STRICT];
        all.extend_from_slice(variables);
        let nodes = [(); 2].map(|()| Server::start(EXAMPLE, &all));
        let upstreams = nodes.each_ref().map(upstream);
        let directives = "add_header X-Node $upstream_addr always; \
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
        let nginx = Nginx::in_turn(&upstreams, directives);
        Self { nodes, nginx }
    }

    fn caller(&self) -> Caller {
        Caller::new(&format!("http://127.0.0.1:{}", self.nginx.port))
    }

    /// Asks until both nodes have answered so in a row, each of them twice.
    async fn all_answer(&self, caller: &Caller, token: &str, expected: u16) {
        let begun = Instant::now();
        let mut answers = Vec::new();
        while answers.len() < 4 {
            let answer = caller.get("/api/protected-endpoint", token).await;
            if answer.status == expected {
                answers.push(answer.headers["x-node"].clone());
                continue;
            }
            assert!(begun.elapsed() < PATIENCE, "{}", answer.body);
            answers.clear();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for node in &self.nodes {
            let answered = answers.iter().filter(|one| *one == upstream(node));
            assert_eq!(answered.count(), 2, "{answers:?}");
        }
    }
}

fn upstream(node: &Server) -> &str {
    node.address.trim_start_matches("http://")
}

async fn a_session_is_at_home_on_both_nodes_and_over_on_both(fleet: &Fleet) {
    let caller = fleet.caller();
    let _registered = caller.tokens("/api/auth/register").await;
    let mut pair = caller.tokens("/api/auth/login").await;
    fleet.all_answer(&caller, &pair.access, 200).await;
    for _ in 0..4 {
        let old = pair;
        pair = caller.refreshed(&old).await;
        fleet.all_answer(&caller, &pair.access, 200).await;
        fleet.all_answer(&caller, &old.access, 401).await;
    }
    let left = caller.call("POST /api/auth/logout", &pair.access, &Value::Null);
    assert_eq!(left.await.status, 204);
    fleet.all_answer(&caller, &pair.access, 401).await;
    for _ in &fleet.nodes {
        let refused = caller.refresh(&pair.refresh).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
    }
}

#[tokio::test]
async fn two_instances_on_one_file_need_no_sticky_sessions() {
    let folder = Folder::new();
    let store = format!("sqlite:{}", folder.file("sessions.db").display());
    let fleet = Fleet::start(&[("SESSION_STORE", &store)]);
    a_session_is_at_home_on_both_nodes_and_over_on_both(&fleet).await;
}

#[tokio::test]
async fn two_instances_on_one_redis_need_no_sticky_sessions() {
    let folder = Folder::new();
    let redis = redis_server::Server::new();
    let accounts = format!("sqlite:{}", folder.file("accounts.db").display());
    let fleet = Fleet::start(&[
        ("SESSION_STORE", &redis.address()),
        ("DATABASE_URL", &accounts),
    ]);
    a_session_is_at_home_on_both_nodes_and_over_on_both(&fleet).await;
}

/// Says that it came at all.
const PATIENCE: Duration = Duration::from_secs(30);
