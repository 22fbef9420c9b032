//! Connections that are cut when their session is revoked, by real clients.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::folder::Folder;
use crate::process::command;
use crate::redis_server::Server;

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// The example, and what it says of itself.
struct Live {
    processes: Vec<Process>,
    nodes: Vec<String>,
    laptop: String,
    phone: String,
    phone_id: String,
}

/// A process of it, ended when dropped.
struct Process {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = command("live");
        command.envs(variables.iter().copied());
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.expect("the example was just built");
        let stdout = child.stdout.take().expect("stdout is piped");
        let output = BufReader::new(stdout).lines();
        Self { child, output }
    }

    fn after(&mut self, prefix: &str) -> String {
        let line = self.output.next().expect("one more line").expect("text");
        let rest = line.strip_prefix(prefix);
        rest.unwrap_or_else(|| panic!("{line:?}")).to_owned()
    }
}

impl Live {
    /// Two nodes in one process.
    fn start() -> Self {
        let mut process = Process::start(&[]);
        let nodes = ["listening on http://", "and on http://"].map(|said| process.after(said));
        Self::of(vec![process], nodes.into())
    }

    /// Two nodes in as many processes, on one store.
    fn on(store: &str) -> Self {
        let start = || Process::start(&[("SESSION_STORE", store)]);
        let mut processes = vec![start(), start()];
        let said = |process: &mut Process| process.after("listening on http://");
        let nodes = processes.iter_mut().map(said).collect();
        Self::of(processes, nodes)
    }

    fn of(mut processes: Vec<Process>, nodes: Vec<String>) -> Self {
        let laptop = processes[0].after("laptop ");
        let phone = processes[0].after("phone ");
        let (phone, phone_id) = phone.split_once(' ').expect("a token and an id");
        Self {
            nodes,
            laptop,
            phone: phone.to_owned(),
            phone_id: phone_id.to_owned(),
            processes,
        }
    }

    async fn send(&self, method: &str, node: usize, path: &str, token: &str) -> (u16, Incoming) {
        let client = HyperClient::builder(TokioExecutor::new()).build_http();
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.nodes[node]))
            .header("authorization", format!("Bearer {token}"))
            .body(Empty::<Bytes>::new());
        let response = client.request(request.expect("sound")).await;
        let response = response.expect("the node answers");
        (response.status().as_u16(), response.into_body())
    }

    async fn open(&self, node: usize, path: &str) -> Incoming {
        let (status, body) = self.send("GET", node, path, &self.phone).await;
        assert_eq!(status, 200, "{path}");
        body
    }

    async fn socket(&self, node: usize, token: &str) -> Result<Socket, Error> {
        let url = format!("ws://{}/ws", self.nodes[node]);
        let mut request = url.into_client_request()?;
        let value = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert("authorization", value);
        Ok(connect_async(request).await?.0)
    }

    async fn revoke_phone(&self, node: usize) {
        let path = format!("/sessions/{}", self.phone_id);
        let (status, _) = self.send("DELETE", node, &path, &self.laptop).await;
        assert_eq!(status, 204);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first piece of an answer, which shows that it is under way.
async fn begun(body: &mut Incoming) -> Bytes {
    let frame = body.frame().await.expect("it goes on").expect("sound");
    frame.into_data().expect("data")
}

/// The rest of an answer, up to its end.
async fn rest(body: Incoming) -> String {
    let rest = timeout(PATIENCE, body.collect()).await;
    let rest = rest.expect("it is cut").expect("properly").to_bytes();
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn a_revocation_cuts_what_is_open_on_both_nodes() {
    cuts_what_is_open(Live::start()).await;
}

#[tokio::test]
async fn a_revocation_cuts_what_is_open_in_two_processes_on_one_file() {
    let folder = Folder::new();
    let store = format!("sqlite:{}", folder.file("sessions.db").display());
    cuts_what_is_open(Live::on(&store)).await;
}

#[tokio::test]
async fn a_revocation_cuts_what_is_open_in_two_processes_on_one_redis() {
    let server = Server::new();
    cuts_what_is_open(Live::on(&server.address())).await;
}

/// On the node of the revocation, and on the other.
async fn cuts_what_is_open(live: Live) {
    let mut streams = Vec::new();
    let mut sockets = Vec::new();
    for node in 0..2 {
        for path in ["/ticks", "/sessions/events"] {
            let mut body = live.open(node, path).await;
            begun(&mut body).await;
            streams.push((node, path, body));
        }
        let mut socket = live.socket(node, &live.phone).await.expect("it opens");
        socket.send("hello".into()).await.expect("it is open");
        let echo = socket.next().await.expect("it goes on").expect("sound");
        assert_eq!(echo, Message::text("hello"));
        sockets.push((node, socket));
    }
    let mut spared = live.socket(1, &live.laptop).await.expect("it opens");

    let began = Instant::now();
    live.revoke_phone(0).await;

    for (node, path, body) in streams {
        let rest = rest(body).await;
        assert!(rest.contains("user_revoked"), "{node} {path}: {rest}");
    }
    for (node, mut socket) in sockets {
        let closed = timeout(PATIENCE, socket.next()).await.expect("it is cut");
        let Some(Ok(Message::Close(Some(frame)))) = closed else {
            panic!("{node}: {closed:?}");
        };
        assert_eq!(frame.reason.as_str(), "user_revoked", "{node}");
        assert_eq!(u16::from(frame.code), 1008, "{node}");
    }
    let processes = live.processes.len();
    eprintln!("{processes} processes: all cut after {:?}", began.elapsed());
    assert!(
        live.socket(0, &live.phone).await.is_err(),
        "it does not open again"
    );
    spared.send("still here".into()).await.expect("it is open");
    let echo = spared.next().await.expect("it goes on").expect("sound");
    assert_eq!(echo, Message::text("still here"));
}

#[tokio::test]
async fn nobody_opens_a_connection_without_a_token() {
    let live = Live::start();
    for path in ["/ticks", "/sessions/events"] {
        let (status, _) = live.send("GET", 0, path, "garbage").await;
        assert_eq!(status, 401, "{path}");
    }
    let Err(Error::Http(refused)) = live.socket(0, "garbage").await else {
        panic!("it opened");
    };
    assert_eq!(refused.status(), 401);
}

/// Until a cut is taken for one that never comes.
const PATIENCE: Duration = Duration::from_secs(20);
