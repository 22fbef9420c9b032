//! Servers that have no connection to spare, and lists that take long.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};

use crate::launch;
use crate::nodes::still::{ended, signed_in};
use crate::nodes::{Node, cuts};
use crate::postgres::{Cluster, PASSWORD, eventually};
use crate::redis_server::Server;

const HASTY: [(&str, &str); 2] = [("REVOCATION_MAX_STALENESS", "2s"), ("STORE_TIMEOUT", "1s")];

/// Takes every connection of a server, sees a node refuse with 503, gives them back, and sees it
/// admit again.
async fn without_connections<T>(node: Node, take_all: impl AsyncFnOnce() -> T) {
    let (lives, dies) = (signed_in(&node).await, signed_in(&node).await);
    for pair in [&lives, &dies] {
        cuts::let_in(&node, &pair.access).await.unwrap();
    }
    ended(&node, &dies).await;
    let taken = take_all().await;
    eventually("the view is too old", async || {
        let answer = node.check(&lives.access).await;
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
        answer.status == 503
    })
    .await;
    assert_ne!(node.check(&dies.access).await.status, 200);
    let refused = node.sign_in("grace").await.unwrap_err();
    assert!(!refused.contains("panicked"), "{refused}");
    drop(taken);
    cuts::let_in(&node, &lives.access).await.unwrap();
    eventually("somebody signs in", async || {
        node.sign_in("grace").await.is_ok()
    })
    .await;
    eventually("it is said why", async || {
        let answer = node.check(&dies.access).await;
        assert!(matches!(answer.status, 401 | 503), "{answer:?}");
        answer.status == 401
    })
    .await;
}

/// A server with a database of a user who is nobody special, and the user's address.
async fn with_user(lines: &str) -> (Cluster, String) {
    let server = Cluster::start_with(&format!("fsync = off\n{lines}"));
    server
        .execute(
            "postgres",
            &format!("CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'"),
        )
        .await;
    server
        .execute("postgres", "CREATE DATABASE app OWNER app")
        .await;
    let address = server.url("app", PASSWORD, "app");
    (server, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_out_of_connections_is_answered_with_503_until_there_are_some() {
    // Three of them are the superuser's.
    let (server, address) = with_user("max_connections = 12\nmax_wal_senders = 0\n").await;
    let node = launch().start(&address, &HASTY).await;
    without_connections(node, async || {
        let (mut taken, mut quiet) = (Vec::new(), 0);
        // Who is still signing in has a connection, but no name by which it is found.
        while quiet < 2 {
            while let Ok(connection) = PgConnection::connect(&address).await {
                taken.push(connection);
            }
            if cut_others(&server, &mut taken).await {
                quiet = 0;
            } else {
                quiet += 1;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        taken
    })
    .await;
}

/// Cuts the connections of the user that are not among these; whether there were any.
async fn cut_others(server: &Cluster, but: &mut [PgConnection]) -> bool {
    let mut ours = vec!["0".to_owned()];
    for connection in but {
        let row = sqlx::query("SELECT pg_backend_pid()::text").fetch_one(connection);
        ours.push(row.await.unwrap().get(0));
    }
    let cut = format!(
        "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
         WHERE usename = 'app' AND pid NOT IN ({})",
        ours.join(", ")
    );
    !server.execute("postgres", &cut).await.is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_out_of_connections_is_answered_with_503_until_there_are_some() {
    let server = Server::with(&["--maxclients", "12"]);
    let node = launch().start(&server.address(), &HASTY).await;
    let at = SocketAddr::from(([127, 0, 0, 1], server.port));
    without_connections(node, async || {
        let mut taken = Vec::new();
        // What asks who is there is one of them itself.
        let mut asking = taken_from(at).expect("there are twelve");
        loop {
            while let Some(connection) = taken_from(at) {
                taken.push(connection);
            }
            let mut ours: Vec<SocketAddr> = taken.iter().map(local).collect();
            ours.push(local(&asking));
            let clients = said(&mut asking, "CLIENT LIST");
            let others = clients.lines().filter_map(|line| {
                let address = line
                    .split(' ')
                    .find_map(|word| word.strip_prefix("addr="))?;
                address.parse().ok().filter(|other| !ours.contains(other))
            });
            let others: Vec<SocketAddr> = others.collect();
            if others.is_empty() {
                taken.push(asking);
                return taken;
            }
            for other in others {
                said(&mut asking, &format!("CLIENT KILL ADDR {other}"));
            }
        }
    })
    .await;
}

/// A connection that the server has accepted.
fn taken_from(server: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(server).ok()?;
    said(&mut stream, "PING").contains("PONG").then_some(stream)
}

fn local(stream: &TcpStream) -> SocketAddr {
    stream.local_addr().expect("it is connected")
}

/// What the server answers in one piece, or as much of it as comes at once.
fn said(stream: &mut TcpStream, command: &str) -> String {
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("it is not zero");
    // A server that is full closes without listening.
    let _ = stream.write_all(format!("{command}\r\n").as_bytes());
    let mut answer = vec![0; 64 * 1024];
    let read = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_take_long_hold_up_no_confirmation_and_no_sign_in() {
    let (server, address) = with_user("").await;
    let settings = [("STORE_TIMEOUT", "30s"), ("REVOCATION_CONFIRM", "always")];
    let node = launch().start(&address, &settings).await;
    node.sign_in("slow").await.unwrap();
    let pair = node.sign_in("ada").await.unwrap();
    server.execute("app", SLOW).await;
    let mut lists = pin!(join_all((0..40).map(|_| node.list("slow"))));
    let others = async {
        for _ in 0..20 {
            assert_eq!(node.check(&pair.access).await.status, 200);
            node.sign_in("grace").await.unwrap();
        }
    };
    tokio::select! {
        biased;
        _ = &mut lists => panic!("the lists were as quick as the others"),
        () = others => {}
    }
}

/// Whoever reads the sessions of a certain user waits.
const SLOW: &str = "\
    CREATE FUNCTION slowly(name text) RETURNS boolean LANGUAGE plpgsql COST 1000000 AS \
    $$ BEGIN IF name = 'slow' THEN PERFORM pg_sleep(60); END IF; RETURN true; END $$; \
    ALTER TABLE jwt_sessions ENABLE ROW LEVEL SECURITY; \
    ALTER TABLE jwt_sessions FORCE ROW LEVEL SECURITY; \
    CREATE POLICY slow ON jwt_sessions USING (slowly(user_id))";
