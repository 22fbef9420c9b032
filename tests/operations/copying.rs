//! `sessions copy`: from any store to any other, also when it is killed on the way.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use tower_jwt_session::revocation::{FleetLimits, RevocationStore};
use tower_jwt_session::session::refresh::SeedHash;
use tower_jwt_session::session::{NewSession, PageRequest};
use tower_jwt_session::{SessionId, SessionStore, SqliteStore, UnixTime, UserId, store_at};

use crate::folder::Folder;
use crate::postgres::eventually;
use crate::redis_server::{self, DURABLE};
use crate::server::{CHROME, IPHONE, PASSWORD, Server, command};
use crate::{ADA, Done, postgres, run};

fn copy(folder: &Folder, from: &str, to: &str, more: &[&str]) -> Done {
    let position = folder.file("position.json").display().to_string();
    let args = [
        "sessions",
        "copy",
        "--from",
        "env:OLD",
        "--to",
        "env:NEW",
        "--position",
        &position,
    ];
    let args: Vec<&str> = args.into_iter().chain(more.iter().copied()).collect();
    let done = run(&args, &[("OLD", from), ("NEW", to)]);
    if done.code == 0 {
        assert!(!folder.file("position.json").exists());
    }
    done
}

#[tokio::test]
async fn from_file_to_redis_to_postgres_to_file_who_was_in_is_in_and_who_was_out_is_out() {
    let folder = Folder::new();
    let (old, new) = (folder.file("old.db"), folder.file("new.db"));
    let address = |file: &std::path::Path| format!("sqlite:{}", file.display());
    let secret = ("JWT_SECRET", crate::SECRET);
    let server = Server::start_with(&[("SESSION_STORE", &address(&old)), secret]);
    let mut laptop = server.client(CHROME);
    laptop.register(ADA).await.accepted(201);
    laptop.refresh().await.accepted(200);
    let mut phone = server.client(IPHONE);
    phone.sign_in(ADA, PASSWORD).await.accepted(200);
    let out = phone.post("/api/auth/logout", serde_json::json!({})).await;
    out.accepted(204);
    assert!(server.terminate().success());

    let redis = redis_server::Server::with(&DURABLE);
    let postgres = postgres::shared();
    let database = postgres.database().await;
    // The accounts are the example's own, in the same file: a new one has them and no sessions.
    crate::back_up(&old, &new).await;
    let mut connection = crate::connection(&new).await;
    for table in ["sessions", "log", "leases", "users", "audit", "meta"] {
        let drop = sqlx::AssertSqlSafe(format!("DROP TABLE jwt_{table}"));
        sqlx::query(drop)
            .execute(&mut connection)
            .await
            .expect("it is there");
    }
    connection.close().await.expect("nobody else has it");

    let stops = [
        address(&old),
        redis.address(),
        postgres.admin(&database),
        address(&new),
    ];
    for pair in stops.windows(2) {
        let done = copy(&folder, &pair[0], &pair[1], &[]).succeeded();
        assert!(done.out.contains("2 sessions: 2 new"), "{done:?}");
        assert!(
            done.out.contains("1 in the old store, 1 in the new one"),
            "{done:?}"
        );
        let unasked = copy(&folder, &pair[0], &pair[1], &[]);
        assert!(unasked.err.contains("copy again"), "{unasked:?}");
        let again = copy(&folder, &pair[0], &pair[1], &["--again"]).succeeded();
        assert!(
            again.out.contains("0 new, 0 brought up to date, 2 there"),
            "{again:?}"
        );
    }

    let server = Server::start_with(&[("SESSION_STORE", &address(&new)), secret]);
    laptop.moved_to(&server);
    phone.moved_to(&server);
    laptop.get("/api/me").await.accepted(200);
    phone.get("/api/me").await.refused(401, "token_revoked");
    phone.refresh().await.refused(401, "invalid_token");
    laptop.refresh().await.accepted(200);
    laptop.get("/api/me").await.accepted(200);
}

const SESSIONS: u32 = 3_000;

/// Sessions of many users in a file, every tenth of them ended.
async fn filled(store: &SqliteStore) {
    let limits = FleetLimits {
        access_lifetime: Duration::from_secs(7_202),
        leeway: Duration::from_secs(5),
        skew: Duration::from_secs(5),
    };
    store.attach(limits).await.expect("it is empty");
    let now = std::time::SystemTime::now();
    let mut making = tokio::task::JoinSet::new();
    for number in 0..SESSIONS {
        let store = store.clone();
        making.spawn(async move {
            let user = UserId::new(format!("user-{}", number / 3)).expect("a name");
            let mut bytes = [7; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            let (id, seed) = (SessionId::random(), SeedHash::from_bytes(bytes));
            let new = NewSession::new(id, user, seed, bytes, UnixTime::from(now));
            store.sign_in(new).await.expect("the disk has room");
            if number % 10 == 0 {
                let reason = tower_jwt_session::revocation::EndReason::SignedOut;
                let end = tower_jwt_session::session::EndSession::new(id, reason);
                store.end(end).await.expect("the disk has room");
            }
        });
    }
    while let Some(made) = making.join_next().await {
        made.expect("no panic");
    }
}

#[tokio::test]
async fn a_copy_that_is_killed_goes_on_and_misses_nobody() {
    let folder = Folder::new();
    let (old, new) = (folder.file("old.db"), folder.file("new.db"));
    filled(&SqliteStore::new(&old)).await;
    let (from, to) = (
        format!("sqlite:{}", old.display()),
        format!("sqlite:{}", new.display()),
    );
    let position = folder.file("position.json");
    let path = position.display().to_string();
    let args = [
        "sessions",
        "copy",
        "--from",
        &from,
        "--to",
        &to,
        "--position",
        &path,
    ];
    let mut killed = command(&args, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it was just built");
    eventually("it has begun, or is over already", async || {
        position.exists() || killed.try_wait().expect("our child").is_some()
    })
    .await;
    // It may have come to its end: then it is told to copy again.
    let _ = killed.kill();
    killed.wait().expect("it is our child");
    let more: &[&str] = if position.exists() { &[] } else { &["--again"] };
    let done = copy(&folder, &from, &to, more).succeeded();
    let live = SESSIONS - SESSIONS / 10;
    let told = format!("live sessions: {live} in the old store, {live} in the new one");
    assert!(done.out.contains(&told), "{done:?}");
    assert_eq!(all_live(&to).await, all_live(&from).await);
}

async fn all_live(address: &str) -> Vec<SessionId> {
    let store: Arc<dyn SessionStore> = store_at(address).expect("a good address");
    let page = store
        .page(PageRequest::new(10_000))
        .await
        .expect("it is there");
    page.records.iter().map(|record| record.id).collect()
}

#[test]
fn what_cannot_be_copied_is_said_and_nothing_is_made() {
    let folder = Folder::new();
    let none = format!("sqlite:{}", folder.file("none.db").display());
    let refused = copy(&folder, &none, &none, &[]);
    assert!(refused.err.contains("does not exist"), "{refused:?}");
    let memory = copy(&folder, "memory:", &none, &[]);
    assert!(memory.err.contains("cannot be reached"), "{memory:?}");
    let secret = copy(&folder, "redis://u:hunter2@h:port", &none, &[]);
    assert_ne!(secret.code, 0);
    assert!(!format!("{secret:?}").contains("hunter2"), "{secret:?}");
    assert!(!folder.file("none.db").exists());
}
