//! The same over connections, with a server that is a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower_jwt_session::MemoryStore;
use tower_jwt_session::verify::Algorithm;

use crate::forge::{Forge, KID};
use crate::node::{Settings, node, share, signed_in};
use crate::results::{Results, median};
use crate::{TASK, Wanted, runtime};

pub fn measure(wanted: &Wanted, results: &mut Results) {
    results.say(&format!(
        "Over sockets: an axum server as a process of its own, {GOOD} connections with a known token and {BAD} with forged ones of ES256, \
         HTTP/1.1, kept open, from a client on the same two cores. Server and clients share them, so most of the time goes into the \
         connections, whatever the tokens are."
    ));
    let runtime = runtime(2);
    let rounds = if wanted.quick { 1 } else { 5 };
    let (on, off) = (Server::start("on"), Server::start("off"));
    let mut all = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let round = [(&on, 0), (&on, BAD), (&off, BAD)];
        for (served, (server, bad)) in all.iter_mut().zip(round) {
            served.push(runtime.block_on(server.load(bad)));
        }
    }
    let [idle, on, off] = all.map(|served| {
        let of = |which: usize| median(served.iter().map(|one: &[f64; 3]| one[which]).collect());
        [of(0), of(1), of(2)]
    });
    results.add("sockets: good requests, no flood", idle[0], "/s");
    results.add("sockets: forged tokens sent", on[2], "/s");
    results.add("sockets: forged tokens sent, off", off[2], "/s");
    results.add("sockets: good requests", on[0], "/s");
    results.add("sockets: good requests, off", off[0], "/s");
    results.add("sockets: good requests, times off", on[0] / off[0], "");
    results.add("sockets: p99 of good requests, no flood", idle[1], "µs");
    results.add("sockets: p99 of good requests", on[1], "µs");
    results.add("sockets: p99 of good requests, off", off[1], "µs");
    let times = |served: [f64; 3]| served[1] / idle[1];
    results.add("sockets: p99, times no flood", times(on), "");
    results.add("sockets: p99, times no flood, off", times(off), "");
}

/// Serves until it is killed; prints its address and a token.
pub fn serve(text: &str) {
    runtime(2).block_on(async {
        let settings = Settings {
            share: share(text),
            ..Settings::default()
        };
        let forge = Forge::new(Algorithm::Es256);
        let auth = node(forge.key(), MemoryStore::new(), settings).await;
        let token = signed_in(&auth, "good").await.access_token.to_string();
        let routes = Router::new().route("/", get(|| async { "hello" }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{} {token}", listener.local_addr().expect("an address"));
        let served = axum::serve(listener, routes.layer(auth.layer()));
        served.await.expect("it serves");
    });
}

struct Server {
    child: Child,
    address: SocketAddr,
    token: String,
    forge: Arc<Forge>,
}

impl Server {
    fn start(text: &str) -> Self {
        let program = std::env::current_exe().expect("a program knows itself");
        let mut child = Command::new(program)
            .env(TASK, format!("serve {text}"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be run");
        let mut said = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out)
            .read_line(&mut said)
            .expect("it says where it is");
        let (address, token) = said.trim().split_once(' ').expect("two words");
        Self {
            child,
            address: address.parse().expect("an address"),
            token: token.to_owned(),
            forge: Arc::new(Forge::new(Algorithm::Es256)),
        }
    }

    /// Good requests per second, the 99th of a hundred in microseconds, and bad ones per second.
    async fn load(&self, bad: usize) -> [f64; 3] {
        let over = Arc::new(AtomicBool::new(false));
        let senders = (0..bad).map(|_| {
            let (forge, over, address) = (self.forge.clone(), over.clone(), self.address);
            tokio::spawn(async move {
                let (mut connection, mut sent) = (Connection::to(address).await, 0_u64);
                while !over.load(Ordering::Relaxed) {
                    let status = connection.ask(&forge.forged(KID)).await;
                    assert!(status >= 400, "a forged token was let in");
                    sent += 1;
                }
                sent
            })
        });
        let senders: Vec<_> = senders.collect();
        let began = Instant::now();
        tokio::time::sleep(LASTS / 4).await;
        let measured = Instant::now();
        let clients = (0..GOOD).map(|_| {
            let (token, address) = (self.token.clone(), self.address);
            tokio::spawn(async move {
                let (mut connection, mut times) = (Connection::to(address).await, Vec::new());
                while measured.elapsed() < LASTS {
                    let asked = Instant::now();
                    assert_eq!(connection.ask(&token).await, 200, "who is known goes on");
                    times.push(asked.elapsed());
                }
                times
            })
        });
        let mut times = Vec::new();
        for client in clients.collect::<Vec<_>>() {
            times.extend(client.await.expect("no client panics"));
        }
        let took = measured.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        let mut sent = 0;
        for sender in senders {
            sent += sender.await.expect("no sender panics");
        }
        times.sort_unstable();
        let p99 = times.get(times.len() * 99 / 100).copied();
        let p99 = p99.unwrap_or_default().as_secs_f64() * 1e6;
        let per_second = times.len() as f64 / took;
        [per_second, p99, sent as f64 / began.elapsed().as_secs_f64()]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is there until it is killed, and who is gone needs no killing.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server is there");
        stream.set_nodelay(true).expect("a socket can do that");
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Sends a request and reads all of the answer; says its status.
    async fn ask(&mut self, token: &str) -> u16 {
        let request =
            format!("GET / HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n");
        let written = self.stream.write_all(request.as_bytes()).await;
        written.expect("the server is there");
        self.read.clear();
        loop {
            let read = self.stream.read_buf(&mut self.read).await;
            assert!(
                read.expect("the server is there") > 0,
                "the server went away"
            );
            if let Some(status) = answered(&self.read) {
                return status;
            }
        }
    }
}

/// The status, when head and body are all there.
fn answered(read: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(read).expect("the answers are text");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().expect("a number"));
    let status = head.split(' ').nth(1)?.parse().ok();
    status.filter(|_| body.len() >= length)
}

const GOOD: usize = 2;
const BAD: usize = 8;
const LASTS: Duration = Duration::from_millis(800);
