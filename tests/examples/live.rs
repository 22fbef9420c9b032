//! Connections that are cut when their session is revoked, by real clients.

mod figures;

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use figures::{Cut, Figures};

use futures_util::{SinkExt, StreamExt};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tower_jwt_session::{Device, Environment, JwtSession, UserId};

use crate::folder::Folder;
use crate::process::command;
use crate::redis_server::Server;

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// The example, and what it says of itself.
struct Live {
    _processes: Vec<Process>,
    nodes: Vec<String>,
    client: HyperClient<HttpConnector, Empty<Bytes>>,
    laptop: String,
    phone: Phone,
}

/// A session that is about to be ended: its token, and its id.
struct Phone {
    token: String,
    id: String,
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
            phone: Phone {
                token: phone.to_owned(),
                id: phone_id.to_owned(),
            },
            client: HyperClient::builder(TokioExecutor::new()).build_http(),
            _processes: processes,
        }
    }

    async fn send(&self, method: &str, node: usize, path: &str, token: &str) -> (u16, Incoming) {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.nodes[node]))
            .header("authorization", format!("Bearer {token}"))
            .body(Empty::<Bytes>::new());
        let response = self.client.request(request.expect("sound")).await;
        let response = response.expect("the node answers");
        (response.status().as_u16(), response.into_body())
    }

    /// A stream that is under way.
    async fn stream(&self, node: usize, path: &str, token: &str) -> Incoming {
        let (status, mut body) = self.send("GET", node, path, token).await;
        assert_eq!(status, 200, "{path}");
        let first = body.frame().await.expect("it goes on").expect("sound");
        assert!(first.is_data(), "{path}");
        body
    }

    async fn socket(&self, node: usize, token: &str) -> Result<Socket, Error> {
        let url = format!("ws://{}/ws", self.nodes[node]);
        let mut request = url.into_client_request()?;
        let value = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert("authorization", value);
        Ok(connect_async(request).await?.0)
    }

    /// A socket that is heard at the other side.
    async fn echoing(&self, node: usize, token: &str) -> Socket {
        let mut socket = self.socket(node, token).await.expect("it opens");
        socket.send("hello".into()).await.expect("it is open");
        let echo = socket.next().await.expect("it goes on").expect("sound");
        assert_eq!(echo, Message::text("hello"));
        socket
    }

    /// Opens everything on both nodes, revokes on the first, and sees all of it being cut.
    async fn cut(&self, phone: &Phone) -> Vec<Cut> {
        let mut open = JoinSet::new();
        for node in 0..2 {
            for path in ["/ticks", "/sessions/events"] {
                let body = self.stream(node, path, &phone.token).await;
                open.spawn(async move { (node, path, until_cut(body).await) });
            }
            let socket = self.echoing(node, &phone.token).await;
            open.spawn(async move { (node, "WebSocket", until_closed(socket).await) });
        }
        let began = Instant::now();
        let path = format!("/sessions/{}", phone.id);
        let (status, _) = self.send("DELETE", 0, &path, &self.laptop).await;
        assert_eq!(status, 204);
        let cuts = open.join_all().await.into_iter();
        let timed = |(node, what, at): (_, _, Instant)| Cut {
            node,
            what,
            after: at - began,
        };
        cuts.map(timed).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// When an answer had come to its end, which says why.
async fn until_cut(body: Incoming) -> Instant {
    let rest = timeout(PATIENCE, body.collect()).await;
    let rest = rest.expect("it is cut").expect("properly").to_bytes();
    let at = Instant::now();
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("user_revoked"), "{rest}");
    at
}

/// When a socket was closed, which says why.
async fn until_closed(mut socket: Socket) -> Instant {
    let closed = timeout(PATIENCE, socket.next()).await.expect("it is cut");
    let at = Instant::now();
    let Some(Ok(Message::Close(Some(frame)))) = closed else {
        panic!("{closed:?}");
    };
    assert_eq!(frame.reason.as_str(), "user_revoked");
    assert_eq!(u16::from(frame.code), 1008);
    at
}

#[tokio::test]
async fn a_revocation_cuts_what_is_open_on_both_nodes() {
    let live = Live::start();
    let mut figures = Figures::new("two nodes in one process, in memory");
    cuts_what_is_open(&live, &mut figures).await;
    figures.print();
}

#[tokio::test]
async fn a_revocation_cuts_what_is_open_in_two_processes_on_one_file() {
    let folder = Folder::new();
    let store = format!("sqlite:{}", folder.file("sessions.db").display());
    cuts_in_two_processes("SQLite", &store).await;
}

#[tokio::test]
async fn a_revocation_cuts_what_is_open_in_two_processes_on_one_redis() {
    let server = Server::new();
    cuts_in_two_processes("Redis", &server.address()).await;
}

async fn cuts_in_two_processes(name: &str, store: &str) {
    let live = Live::on(store);
    let mut figures = Figures::new(name);
    cuts_what_is_open(&live, &mut figures).await;
    let auth = beside(store);
    for _ in 1..figures::rounds() {
        let phone = sign_in(&auth).await;
        figures.add(live.cut(&phone).await);
    }
    figures.print();
}

/// On the node of the revocation, and on the other.
async fn cuts_what_is_open(live: &Live, figures: &mut Figures) {
    let mut spared = live.echoing(1, &live.laptop).await;
    figures.add(live.cut(&live.phone).await);
    assert!(
        live.socket(0, &live.phone.token).await.is_err(),
        "it does not open again"
    );
    spared.send("still here".into()).await.expect("it is open");
    let echo = spared.next().await.expect("it goes on").expect("sound");
    assert_eq!(echo, Message::text("still here"));
}

/// What signs in as the nodes do, beside them.
fn beside(store: &str) -> JwtSession {
    let environment = Environment::from_pairs([("SESSION_STORE", store), ("STORE_TIMEOUT", "20s")]);
    let builder = JwtSession::builder().hmac_secret(SECRET);
    builder.with_env(&environment).build().expect("sound")
}

async fn sign_in(auth: &JwtSession) -> Phone {
    let user = UserId::new("ada").expect("a good name");
    let ticket = auth.sessions().ticket(&user).await.expect("a ticket");
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    let tokens = signed_in.expect("a session").tokens();
    Phone {
        token: tokens.access_token,
        id: tokens.session_id.to_string(),
    }
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
const PATIENCE: Duration = Duration::from_secs(60);

/// What the example signs with.
const SECRET: &str = "of this example; 32 random bytes in earnest";
