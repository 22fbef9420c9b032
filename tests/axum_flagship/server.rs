//! The example as a process of its own, and a client for it.
#![allow(dead_code)]

#[path = "../support/built.rs"]
mod built;

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use built::example;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub const ADMIN: &str = "admin@example.com";
pub const PASSWORD: &str = "correct horse battery";
pub const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
                          (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";
pub const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)";

/// The example, listening on a port of its own; ended when dropped.
pub struct Server {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::spawn(variables, Stdio::inherit())
    }

    /// What it logs, if only of its start, is for [`log`](Self::log).
    pub fn start_logging(variables: &[(&str, &str)]) -> Self {
        Self::spawn(variables, Stdio::piped())
    }

    /// Everything that it logs fails to be written.
    pub fn start_logging_to_a_full_disk() -> Self {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let variables = [("RUST_LOG", "debug")];
        Self::spawn(&variables, full.expect("Linux has it").into())
    }

    fn spawn(variables: &[(&str, &str)], stderr: Stdio) -> Self {
        let mut command = Command::new(example("axum"));
        command
            .stderr(stderr)
            .env_clear()
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("SESSION_STORE", "memory:")
            .env("ADMIN_PASSWORD", PASSWORD)
            // However busy the machine is: an answer late is no other answer.
            .env("STORE_TIMEOUT", "10s")
            .envs(variables.iter().copied());
        Self::run(command)
    }

    /// As somebody starts it for the first time, with a folder for their data.
    pub fn start_in(data: &Path) -> Self {
        let mut command = Command::new(example("axum"));
        command
            .env_clear()
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("STORE_TIMEOUT", "10s")
            .env("XDG_DATA_HOME", data);
        Self::run(command)
    }

    /// What it says of an environment that it cannot start in.
    pub fn refusal(variables: &[(&str, &str)]) -> String {
        let mut command = Command::new(example("axum"));
        command
            .env_clear()
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .envs(variables.iter().copied());
        let output = command.output().expect("the example was just built");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn run(mut command: Command) -> Self {
        let process = command.stdout(Stdio::piped()).spawn();
        let mut process = process.expect("the example was just built");
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut output = BufReader::new(stdout).lines();
        let first = output.next().expect("the example says where it listens");
        let first = first.expect("what it says is text");
        let address = first
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("{first:?} says where it listens"));
        Self {
            process,
            output,
            address: address.to_owned(),
        }
    }

    /// A connection to it, for what no proper client sends.
    pub async fn connect(&self) -> TcpStream {
        let address = self.address.trim_start_matches("http://");
        let connection = TcpStream::connect(address).await;
        connection.expect("the server listens")
    }

    pub fn client(&self, user_agent: &'static str) -> Client {
        Client {
            http: HyperClient::builder(TokioExecutor::new()).build_http(),
            address: self.address.clone(),
            user_agent,
            access_token: None,
            refresh_token: None,
        }
    }

    /// What it printed after its first line, up to what it says to try.
    pub fn greeting(&mut self) -> String {
        let mut said = String::new();
        for line in self.output.by_ref().map_while(Result::ok) {
            said.push_str(&line);
            said.push('\n');
            if line.starts_with("try:") {
                break;
            }
        }
        said
    }

    /// Ends it, and reads what it logged.
    pub fn log(mut self) -> String {
        self.process.kill().expect("it is our child");
        let mut log = String::new();
        let stderr = self.process.stderr.take().expect("its log is piped");
        let read = BufReader::new(stderr).read_to_string(&mut log);
        read.expect("a log is text");
        log
    }

    /// Sends it a signal, as `-HUP`.
    pub fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("there is a kill").success());
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks it to stop as a service manager does, and waits until it has.
    #[cfg(unix)]
    pub fn terminate(mut self) -> ExitStatus {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.expect("there is a kill").success());
        self.process.wait().expect("it is our child")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A device: a user agent, and the tokens that it holds.
#[derive(Clone)]
pub struct Client {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    address: String,
    user_agent: &'static str,
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
}

/// What came back; `body` is `null` where it was empty or no JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Client {
    /// The same device after the server was started anew, elsewhere.
    pub fn moved_to(&mut self, server: &Server) {
        self.address.clone_from(&server.address);
    }

    pub async fn register(&mut self, email: &str) -> Answer {
        self.sign_in_at("/api/auth/register", email, PASSWORD).await
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.sign_in_at("/api/auth/login", email, password).await
    }

    pub async fn refresh(&mut self) -> Answer {
        let form = json!({ "refresh_token": self.refresh_token });
        let answer = self.post("/api/auth/refresh", form).await;
        self.keep_tokens(&answer);
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path), Bytes::new()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path), Bytes::new()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.with_body("POST", path, body).await
    }

    pub async fn with_body(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, path);
        let request = request.header("content-type", "application/json");
        self.send(request, Bytes::from(body.to_string())).await
    }

    /// A request of this device, to be completed.
    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header("user-agent", self.user_agent);
        if let Some(token) = &self.access_token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request
    }

    pub async fn send(&self, request: http::request::Builder, body: Bytes) -> Answer {
        let request = request.body(Full::new(body)).expect("the request is sound");
        let response = self
            .http
            .request(request)
            .await
            .expect("the server answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the answer is complete");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body.to_bytes()).unwrap_or_default(),
        }
    }

    async fn sign_in_at(&mut self, path: &str, email: &str, password: &str) -> Answer {
        let form = json!({ "email": email, "password": password });
        let answer = self.post(path, form).await;
        self.keep_tokens(&answer);
        answer
    }

    fn keep_tokens(&mut self, answer: &Answer) {
        let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
        if answer.status.is_success() {
            self.access_token = text("access_token");
            self.refresh_token = text("refresh_token").or(self.refresh_token.take());
        }
    }
}

impl Answer {
    /// A refusal in the form of the contract.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{self:?}"
        );
        assert_eq!(self.body["code"], code, "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        if status == 401 {
            assert!(self.challenge().starts_with("Bearer"), "{self:?}");
        }
        self
    }

    #[track_caller]
    pub fn accepted(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    pub fn challenge(&self) -> &str {
        let challenge = self.headers["www-authenticate"].to_str();
        challenge.expect("a challenge is text")
    }

    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        let text = self.body[name].as_str();
        text.unwrap_or_else(|| panic!("{name} is a text in {self:?}"))
            .to_owned()
    }
}

/// One of its commands, in an environment of its own.
pub fn command(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(example("axum"));
    command
        .args(args)
        .env_clear()
        .envs(variables.iter().copied());
    command
}
