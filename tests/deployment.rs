//! The files for running it, as far as they run here.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use support::nginx::folder;
use tokio::net::{TcpListener, TcpSocket};

fn deploy(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(file);
    fs::read_to_string(path).expect("it is there")
}

#[test]
fn the_proxy_of_compose_is_the_other_one_without_its_certificates() {
    let lines = |text: String| -> BTreeSet<String> {
        let lines = text.lines().map(str::trim).map(str::to_owned);
        lines
            .filter(|line| {
                let own = [
                    "server ",
                    "listen ",
                    "ssl_",
                    "add_header Strict",
                    "access_log",
                    "#",
                ];
                !own.iter().any(|start| line.starts_with(start))
            })
            .collect()
    };
    assert_eq!(
        lines(deploy("nginx.conf")),
        lines(deploy("nginx.compose.conf"))
    );
}

/// A node that says its name, and whom it was asked for.
async fn node(name: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let said = move |headers: axum::http::HeaderMap| async move {
        let forwarded = headers.get("x-forwarded-for").cloned();
        let forwarded = forwarded.and_then(|value| value.to_str().ok().map(str::to_owned));
        format!("{name} for {}", forwarded.unwrap_or_default())
    };
    let app = Router::new()
        .route("/", get(said))
        .route("/sessions/events", get(|| async { "event: ended\n\n" }))
        .route("/api/token/health", get(|| async { "well" }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

struct Proxy(Child, PathBuf);

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = fs::remove_dir_all(&self.1);
    }
}

fn proxy(nodes: [u16; 2], port: u16) -> Proxy {
    let folder = folder();
    let shown = folder.display();
    let config = deploy("nginx.compose.conf")
        .replace("node:3000", &format!("127.0.0.1:{}", nodes[0]))
        .replace("node2:3000", &format!("127.0.0.1:{}", nodes[1]))
        .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
        .replace("/dev/stdout", &format!("{shown}/access.log"))
        .replace("worker_processes auto;", "master_process off; daemon off;")
        .replace(
            "http {",
            &format!(
                "pid {shown}/pid;\nhttp {{\n client_body_temp_path {shown}/b; proxy_temp_path {shown}/p; \
                 fastcgi_temp_path {shown}/f; uwsgi_temp_path {shown}/u; scgi_temp_path {shown}/s;"
            ),
        );
    let file = folder.join("nginx.conf");
    fs::write(&file, config).expect("the folder is ours");
    let process = Command::new("nginx")
        .arg("-p")
        .arg(&folder)
        .arg("-c")
        .arg(&file)
        .args(["-e", "stderr"])
        .stdin(Stdio::null())
        .spawn()
        .expect("nginx is installed; tests/run.sh sees to it");
    listening(Proxy(process, folder), port)
}

fn listening(proxy: Proxy, port: u16) -> Proxy {
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < PATIENCE, "it listens");
        std::thread::sleep(Duration::from_millis(20));
    }
    proxy
}

/// The other proxy, without the certificates that it would ask a stranger for.
fn caddy(nodes: [u16; 2], port: u16) -> Proxy {
    let folder = folder();
    let site = format!("{{\n\tadmin off\n\tauto_https off\n}}\nhttp://127.0.0.1:{port} {{");
    let config = deploy("Caddyfile")
        .replace("example.com {", &site)
        .replace("127.0.0.1:3001", &format!("127.0.0.1:{}", nodes[0]))
        .replace("127.0.0.1:3002", &format!("127.0.0.1:{}", nodes[1]));
    let file = folder.join("Caddyfile");
    fs::write(&file, config).expect("the folder is ours");
    let process = Command::new("caddy")
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", &folder)
        .env("XDG_DATA_HOME", &folder)
        .env("XDG_CONFIG_HOME", &folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("caddy is installed; tests/run.sh sees to it");
    listening(Proxy(process, folder), port)
}

async fn ask(port: u16, path: &str) -> String {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&[u8]>>();
    let request = http::Request::get(format!("http://127.0.0.1:{port}{path}"));
    let request = request.header("x-forwarded-for", "203.0.113.7");
    let response = client.request(request.body(Empty::new()).unwrap()).await;
    let body = response.expect("the proxy answers").into_body();
    let body = body.collect().await.expect("a whole answer").to_bytes();
    String::from_utf8_lossy(&body).into_owned()
}

/// Asks until each of them has answered as it should. A proxy passes over a node for a while that was
/// too slow for it, and says so itself where it has no other.
async fn both_answer(port: u16, expected: [String; 2]) {
    let mut left = BTreeSet::from(expected.clone());
    let begun = Instant::now();
    while !left.is_empty() {
        let answer = ask(port, "/").await;
        let is_of_a_node = answer.contains(" for ");
        assert!(!is_of_a_node || expected.contains(&answer), "{answer}");
        left.remove(&answer);
        assert!(begun.elapsed() < PATIENCE, "never, but {answer}: {left:?}");
    }
}

/// Until something is taken for never.
const PATIENCE: Duration = Duration::from_secs(60);

async fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    free.local_addr().expect("it is bound").port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_proxy_asks_the_nodes_in_turn_and_passes_over_one_that_is_not_there() {
    let nodes = [node("one").await, node("two").await];
    let port = free_port().await;
    let _proxy = caddy(nodes, port);
    // It believes no client, and tells what it saw.
    let told = |name| format!("{name} for 127.0.0.1");
    both_answer(port, ["one", "two"].map(told)).await;
    assert_eq!(ask(port, "/sessions/events").await, "event: ended\n\n");

    let port = free_port().await;
    // Taken, so that it is nobody else's, and refused by.
    let gone = TcpSocket::new_v4().expect("a socket");
    let any = "127.0.0.1:0".parse().expect("an address");
    gone.bind(any).expect("a free port");
    let gone_port = gone.local_addr().expect("it is bound").port();
    let _proxy = caddy([gone_port, nodes[1]], port);
    for _ in 0..4 {
        assert_eq!(ask(port, "/").await, "two for 127.0.0.1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_asks_the_nodes_in_turn_and_tells_them_whom_it_saw() {
    let nodes = [node("one").await, node("two").await];
    let port = free_port().await;
    let _proxy = proxy(nodes, port);
    // What the client claims stands first, what the proxy saw last.
    let told = |name| format!("{name} for 203.0.113.7, 127.0.0.1");
    both_answer(port, ["one", "two"].map(told)).await;
    assert_eq!(ask(port, "/sessions/events").await, "event: ended\n\n");
}
