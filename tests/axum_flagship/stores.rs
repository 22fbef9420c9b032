//! Stores that cannot be used: one clear message with what to do, and nothing half made.

use std::net::SocketAddr;

use sqlx::{ConnectOptions, Connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::folder::Folder;
use crate::postgres::{self, Cluster, PASSWORD, some_name};
use crate::redis_server::{Server as Redis, free_port};
use crate::server::Server;

/// Sees that the program ends with a message that says this, and nothing that it should not.
async fn refused(store: &str, what: &str) {
    let store = store.to_owned();
    let said = tokio::task::spawn_blocking(move || {
        Server::refusal(&[
            ("SESSION_STORE", &store),
            ("JWT_SECRET", "8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e"),
        ])
    });
    let said = said.await.unwrap();
    println!("{what}\n{said}");
    assert!(said.contains(what), "{what:?} is not in {said:?}");
    let errors = said.lines().filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 1, "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        !said.contains(PASSWORD) && !said.contains("hunter2"),
        "{said}"
    );
}

/// A way to a server on which it says something else of itself, as long as the truth.
async fn pretending(server: SocketAddr, truth: &'static str, tale: &'static str) -> SocketAddr {
    assert_eq!(truth.len(), tale.len());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(server).await else {
                return;
            };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut piece = vec![0; 64 * 1024];
                while let Ok(read @ 1..) = from_server.read(&mut piece).await {
                    let mut told = piece[..read].to_vec();
                    for at in 0..read.saturating_sub(truth.len()) {
                        if told[at..].starts_with(truth.as_bytes()) {
                            told[at..at + tale.len()].copy_from_slice(tale.as_bytes());
                        }
                    }
                    if to_client.write_all(&told).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn tamper(file: &std::path::Path, sql: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = options.create_if_missing(true).connect().await.unwrap();
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_used_is_left_as_it_is() {
    let folder = Folder::new();
    let foreign = folder.file("foreign.db");
    tamper(&foreign, "CREATE TABLE jwt_sessions (name TEXT)").await;
    let newer = folder.file("newer.db");
    drop(tower_jwt_session::SqliteStore::open(&newer).await.unwrap());
    tamper(&newer, "UPDATE jwt_meta SET version = 99").await;
    let diary = folder.file("diary.txt");
    std::fs::write(&diary, "Dear diary, ".repeat(1_000)).unwrap();
    for (file, what) in [
        (&foreign, "choose another file"),
        (&newer, "newer version"),
        (&diary, "not an SQLite database"),
    ] {
        let before = std::fs::read(file).unwrap();
        refused(&format!("sqlite:{}", file.display()), what).await;
        assert!(std::fs::read(file).unwrap() == before, "{what}");
    }
    let typo = folder.file("typo.db");
    refused(&format!("sqlit:{}", typo.display()), "SESSION_STORE").await;
    let nowhere = folder.file("no/such/file.db");
    let nowhere = format!("sqlite:{}", nowhere.display());
    refused(&nowhere, "its folder does not exist").await;
    let this = format!("sqlite:{}", folder.path().display());
    refused(&this, "this is not a file: name one").await;
    assert!(!typo.exists() && !folder.file("no").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_cannot_be_used_is_left_as_it_is() {
    let server = postgres::shared();
    let (empty, role) = (server.database().await, some_name());
    let made = format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'");
    server.execute("postgres", &made).await;
    let good = server.admin(&empty);
    let address = |user: &str, password: &str| server.url(user, password, &empty);
    for (store, what) in [
        (good.replace("postgres://", "postgers://"), "SESSION_STORE"),
        (
            good.replace("@127.0.0.1:", "@127.0.0.1:x"),
            "cannot be read",
        ),
        (address("postgres", "hunter2"), "refuses user or password"),
        (address("nobody", PASSWORD), "refuses user or password"),
        (address(&role, PASSWORD), "GRANT CREATE, USAGE ON SCHEMA"),
        (server.admin("absent"), "no database of that name"),
        (format!("{good}?sslmode=require"), "does not speak TLS"),
        (
            format!("postgres://a@127.0.0.1:{}/a", free_port()),
            "cannot be reached",
        ),
    ] {
        refused(&store, what).await;
    }
    let at = good.split_once('@').unwrap().1.split_once('/').unwrap().0;
    let older = pretending(at.parse().unwrap(), "1500", "1200").await;
    let older = good.replace(at, &older.to_string());
    refused(&older, "13 is the oldest that can be used").await;
    assert_eq!(tables(server, &empty).await, Vec::<String>::new());

    for (sql, what) in [
        (
            "CREATE TABLE jwt_sessions (name TEXT)",
            "choose another schema",
        ),
        (
            "CREATE TABLE jwt_meta (version BIGINT)",
            "choose another schema",
        ),
    ] {
        let database = server.database().await;
        server.execute(&database, sql).await;
        let before = tables(server, &database).await;
        refused(&server.admin(&database), what).await;
        assert_eq!(tables(server, &database).await, before);
    }
    let newer = server.database().await;
    let store = tower_jwt_session::PostgresStore::connect(&server.admin(&newer)).await;
    drop(store.unwrap());
    let version = "UPDATE jwt_meta SET version = 99";
    server.execute(&newer, version).await;
    refused(&server.admin(&newer), "newer version").await;
}

/// The columns of all tables of a database.
async fn tables(server: &Cluster, database: &str) -> Vec<String> {
    let question = "SELECT table_name || '.' || column_name AS line \
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1";
    let rows = server.execute(database, question).await;
    rows.iter().map(|row| sqlx::Row::get(row, "line")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_cannot_be_used_is_left_as_it_is() {
    let server = Redis::new();
    let good = server.address();
    let role = [
        "ACL", "SETUSER", "app", "on", ">hunter2", "~*", "+ping", "+info",
    ];
    server.run::<()>(&role);
    let at = |credentials: &str| good.replace("://", &format!("://{credentials}@"));
    let older = SocketAddr::from(([127, 0, 0, 1], server.port));
    let older = pretending(older, "redis_version:7.", "redis_version:6.").await;
    for (store, what) in [
        (good.replace("redis://", "reddis://"), "SESSION_STORE"),
        (at("app:hunter3"), "password is wrong"),
        (at("nobody:hunter2"), "password is wrong"),
        (at("app:hunter2"), "permission"),
        (
            good.replace("redis://", "rediss://"),
            "whether it speaks TLS",
        ),
        (
            good.replace("redis://", "redis+cluster://"),
            "no node of a cluster",
        ),
        (
            format!("redis://127.0.0.1:{}", free_port()),
            "cannot be reached",
        ),
        (format!("redis://{older}"), "7.0 or later is needed"),
    ] {
        refused(&store, what).await;
        let keys: u64 = server.run(&["DBSIZE"]);
        assert_eq!(keys, 0, "{what}");
    }
    let policy = ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    server.run::<()>(&policy);
    refused(&good, "set maxmemory-policy noeviction").await;
    server.run::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let fleet = "{tower-jwt-session}:fleet";
    server.run::<()>(&["SET", fleet, "theirs"]);
    refused(&good, "choose another prefix").await;
    server.run::<()>(&["DEL", fleet]);
    server.run::<u64>(&["HSET", fleet, "version", "99"]);
    refused(&good, "newer version").await;
    let keys: u64 = server.run(&["DBSIZE"]);
    assert_eq!(keys, 1);
}
