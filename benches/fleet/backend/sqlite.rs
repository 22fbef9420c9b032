//! SQLite.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, query, query_scalar};
use tower_jwt_session::session::refresh::SeedHash;
use tower_jwt_session::{BoxFuture, SessionId, SessionStore, SqliteStore, UserId};

use super::Backend;
use crate::rate::new_session;
use crate::scale::user_name;

pub struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    pub fn at(address: &str) -> Option<Self> {
        let path = SqliteStore::path_of(address)?.to_owned();
        address.starts_with("sqlite:").then_some(Self { path })
    }

    pub fn within(folder: &Path) -> Self {
        Self {
            path: folder.join("fleet.db"),
        }
    }

    fn file(&self, part: &str) -> PathBuf {
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!("{name}-{part}.db"))
    }
}

impl Backend for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn pushes(&self) -> bool {
        false
    }

    fn described(&self) -> BoxFuture<'_, String> {
        Box::pin(async {
            let mut memory = SqliteConnectOptions::new()
                .filename(":memory:")
                .connect()
                .await
                .expect("there is memory");
            let version = query_scalar("SELECT sqlite_version()").fetch_one(&mut memory);
            let version: String = version.await.expect("it knows");
            format!("SQLite {version}, WAL, `synchronous=FULL`")
        })
    }

    fn address<'a>(&'a self, part: &'a str) -> BoxFuture<'a, String> {
        let address = format!("sqlite:{}", self.file(part).display());
        Box::pin(std::future::ready(address))
    }

    fn store<'a>(&'a self, part: &'a str) -> BoxFuture<'a, Arc<dyn SessionStore>> {
        let file = self.file(part);
        Box::pin(async move {
            let store = SqliteStore::open(file).await;
            Arc::new(store.expect("the file can be made")) as Arc<dyn SessionStore>
        })
    }

    fn driver<'a>(&'a self, part: &'a str, clients: usize) -> BoxFuture<'a, f64> {
        let file = self.file(&format!("{part}-driver"));
        Box::pin(async move {
            // On a thread like the store's writer.
            let driving = tokio::spawn(async move { drive(&file, clients).await });
            driving.await.expect("it does not panic")
        })
    }

    fn bytes<'a>(&'a self, part: &'a str) -> BoxFuture<'a, Option<f64>> {
        let file = std::fs::metadata(self.file(part));
        Box::pin(std::future::ready(file.ok().map(|file| file.len() as f64)))
    }

    fn signal(&self, _signal: &str) -> bool {
        false
    }

    fn fill<'a>(&'a self, part: &'a str, users: Range<u64>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut session = new_session();
            session.user = UserId::new(TEMPLATE).expect("it is a name");
            session.seed = SeedHash::from_bytes([7; 32]);
            let id = session.id;
            let made = self.store(part).await.sign_in(session).await;
            made.expect("the store answers");
            copy(&self.file(part), id, users).await;
        })
    }
}

/// Copies the one session of the template to all the users.
async fn copy(path: &Path, template: SessionId, users: Range<u64>) {
    let mut connection = connect(path).await;
    let sql = "INSERT INTO jwt_sessions (id, user, operation, due_at, record) \
         WITH RECURSIVE number (i) AS \
           (SELECT ?1 UNION ALL SELECT i + 1 FROM number WHERE i + 1 < ?2), \
         new AS MATERIALIZED (SELECT printf('0190000000007000%016x', i) AS x, \
           replace(?5, '*', printf('%010d', i / 10)) AS user FROM number) \
         SELECT unhex(x), new.user, randomblob(32), template.due_at, \
           replace(replace(template.record, ?3, substr(x, 1, 8) || '-' || substr(x, 9, 4) \
             || '-' || substr(x, 13, 4) || '-' || substr(x, 17, 4) || '-' || substr(x, 21)), \
           ?4, new.user) \
         FROM new, jwt_sessions template WHERE template.user = ?4";
    query(sql)
        .bind((users.start * 10).cast_signed())
        .bind((users.end * 10).cast_signed())
        .bind(template.to_string())
        .bind(TEMPLATE)
        .bind(user_name("*"))
        .execute(&mut connection)
        .await
        .expect("it is SQL");
    let gone = query("DELETE FROM jwt_sessions WHERE user = ?").bind(TEMPLATE);
    gone.execute(&mut connection).await.expect("it is SQL");
    // What it wrote goes from the log into the file, for which the next writer would not wait as long.
    connection.close().await.expect("the disk takes it");
}

/// Transactions of `group` pairs of a read and a write.
async fn drive(path: &Path, group: usize) -> f64 {
    let mut connection = connect(path).await;
    let c = &mut connection;
    run(
        c,
        "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c TEXT)",
    )
    .await;
    run(c, "CREATE INDEX IF NOT EXISTS t_a ON t (a, id)").await;
    run(c, "CREATE INDEX IF NOT EXISTS t_b ON t (b, id)").await;
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

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await
        .expect("the file can be made")
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    query(sql).execute(connection).await.expect("it is SQL");
}

const LASTS: Duration = Duration::from_millis(500);
const TEMPLATE: &str = "template-user";
