//! Sign-ins and refreshes per second on the SQLite store, beside what the driver does by itself
//! with the same number of statements and waits for the disk.
//!
//! `cargo bench --bench sqlite`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, query};
use tower_jwt_session::session::refresh::{Presented, RefreshRules, SeedHash};
use tower_jwt_session::session::{NewSession, RefreshAttempt, RefreshOutcome, SignInOutcome};
use tower_jwt_session::{
    Clock, SessionId, SessionLimit, SessionStore, SqliteStore, SystemClock, UserId,
};

const ROUNDS: u32 = 7;
const LASTS: Duration = Duration::from_millis(500);
const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::main]
async fn main() {
    let name = format!("tower-jwt-session-bench-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    println!(
        "{:<10} {:>8} {:>12} {:>12} {:>7}",
        "", "clients", "store/s", "driver/s", "ratio"
    );
    for clients in [1, 64] {
        let (mut sign_in, mut refresh) = (Vec::new(), Vec::new());
        // In turn, since shared machines drift; the ratio is taken within a round.
        for round in 0..ROUNDS {
            let folder = folder.join(format!("{clients}-{round}"));
            std::fs::create_dir(&folder).expect("it is a new one");
            // A first sign-in reads once and adds a row; a refresh reads a row and writes it.
            let of_driver = driver(folder.join("beside-sign-in.db"), clients).await;
            sign_in.push((sign_ins(&folder, clients).await, of_driver));
            let of_driver = driver(folder.join("beside-refresh.db"), clients).await;
            refresh.push((refreshes(&folder, clients).await, of_driver));
        }
        report("sign-in", clients, sign_in);
        report("refresh", clients, refresh);
    }
    // The system clears its folder for temporary files, too.
    let _ = std::fs::remove_dir_all(&folder);
}

/// Prints the round whose ratio is in the middle.
fn report(what: &str, clients: usize, mut rounds: Vec<(f64, f64)>) {
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (store, driver) = rounds[rounds.len() / 2];
    let ratio = store / driver;
    println!("{what:<10} {clients:>8} {store:>12.0} {driver:>12.0} {ratio:>7.2}");
}

/// How often per second `clients` tasks get `step` done.
async fn measure<F, Fut>(clients: usize, step: F) -> f64
where
    F: Fn(usize, u32) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (step, done) = (Arc::new(step), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    let tasks = (0..clients).map(|client| {
        let (step, done) = (step.clone(), done.clone());
        tokio::spawn(async move {
            let mut round = 0;
            while began.elapsed() < LASTS {
                step(client, round).await;
                round += 1;
                done.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no client panics");
    }
    done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}

async fn sign_ins(folder: &Path, clients: usize) -> f64 {
    let store = store(folder.join(format!("sign-in{clients}.db"))).await;
    measure(clients, move |_, _| {
        let store = store.clone();
        async move {
            let made = store.sign_in(new_session()).await;
            assert!(matches!(made, Ok(SignInOutcome::Created { .. })));
        }
    })
    .await
}

async fn refreshes(folder: &Path, clients: usize) -> f64 {
    let store = store(folder.join(format!("refresh{clients}.db"))).await;
    let mut sessions = Vec::new();
    for _ in 0..clients {
        let new = new_session();
        sessions.push((new.id, new.seed));
        store.sign_in(new).await.expect("the store answers");
    }
    measure(clients, move |client, round| {
        let (store, (session, seed)) = (store.clone(), sessions[client]);
        async move {
            let refreshed = store.refresh(attempt(session, seed, round + 1)).await;
            assert!(matches!(refreshed, Ok(RefreshOutcome::Granted { .. })));
        }
    })
    .await
}

async fn store(path: PathBuf) -> SqliteStore {
    SqliteStore::open(path).await.expect("the file can be made")
}

fn new_session() -> NewSession {
    let (id, now) = (SessionId::random(), SystemClock.now());
    let mut operation = [7; 32];
    operation[..16].copy_from_slice(id.as_bytes());
    let user = UserId::new(id.to_string()).expect("a UUID can be an id");
    let seed = SeedHash::from_bytes(operation);
    let mut session = NewSession::new(id, user, seed, operation, now);
    session.limit = SessionLimit::evicting(10);
    session
}

fn attempt(session: SessionId, seed: SeedHash, generation: u32) -> RefreshAttempt {
    let now = SystemClock.now();
    let presented = Presented {
        generation,
        operation: u128::from(generation),
        issued_at: now,
        access_expires_at: now + HOUR,
    };
    let rules = RefreshRules {
        grace: Duration::ZERO,
        lifetime: 24 * HOUR,
    };
    RefreshAttempt::new(session, 0, seed, presented, rules)
}

/// Transactions of `group` pairs of a read and a write, by the driver alone, on a thread like
/// the store's writer.
async fn driver(path: PathBuf, group: usize) -> f64 {
    let writing = tokio::spawn(async move { driven(&path, group).await });
    writing.await.expect("it does not panic")
}

async fn driven(path: &Path, group: usize) -> f64 {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await
        .expect("the file can be made");
    let c = &mut connection;
    run(
        c,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c TEXT)",
    )
    .await;
    for index in ["a", "b"] {
        let sql = format!("CREATE INDEX t_{index} ON t ({index}, id)");
        let sql = query(sqlx::AssertSqlSafe(sql));
        sql.execute(&mut *c).await.expect("it is SQL");
    }
    let (began, mut done) = (Instant::now(), 0_u64);
    while began.elapsed() < LASTS {
        run(c, "BEGIN IMMEDIATE").await;
        for _ in 0..group {
            let read = query("SELECT a, c FROM t WHERE id = ?").bind(done.cast_signed());
            read.fetch_optional(&mut *c).await.expect("it is SQL");
            let id = SessionId::random().to_string();
            let write = query("INSERT INTO t (a, b, c) VALUES (?, ?, ?)")
                .bind(id.clone())
                .bind(done.cast_signed())
                .bind(format!("{id}{}", "x".repeat(700)));
            write.execute(&mut *c).await.expect("it is SQL");
            done += 1;
        }
        run(c, "COMMIT").await;
    }
    done as f64 / began.elapsed().as_secs_f64()
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    query(sql).execute(connection).await.expect("it is SQL");
}
