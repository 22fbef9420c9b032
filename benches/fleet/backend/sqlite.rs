//! SQLite.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, query, query_scalar};
use tokio::sync::Mutex;
use tower_jwt_session::session::refresh::SeedHash;
use tower_jwt_session::{BoxFuture, SessionId, SessionStore, SqliteStore, UserId};

use super::Backend;
use super::grouped::{Way, Writer, grouped, ways};
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

    fn driver<'a>(&'a self, part: &'a str, clients: usize) -> BoxFuture<'a, Vec<Way>> {
        let file = self.file(&format!("{part}-driver"));
        Box::pin(async move { drive(&file, clients).await })
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

/// Transactions of a read and a write, by the one connection that may write.
async fn drive(path: &Path, clients: usize) -> Vec<Way> {
    let mut connection = connect(path).await;
    let c = &mut connection;
    run(
        c,
        "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c TEXT)",
    )
    .await;
    run(c, "CREATE INDEX IF NOT EXISTS t_a ON t (a, id)").await;
    run(c, "CREATE INDEX IF NOT EXISTS t_b ON t (b, id)").await;
    let table = Arc::new(Mutex::new(Table {
        connection,
        rows: 0,
    }));
    let writing = |at_once| Writing {
        table: table.clone(),
        at_once,
    };
    let mut ways = ways(clients, 1, |many| (0..many).map(|_| writing(false))).await;
    if clients > 1 {
        // Each statement is a trip to SQLite's thread: with one for all there are fewer than the store makes.
        ways.push(Way {
            name: BY_ONE_STATEMENT,
            rate: grouped(clients, [writing(true)]).await,
            makes_as_many_trips: false,
        });
    }
    ways
}

struct Table {
    connection: SqliteConnection,
    /// How many there are, which are numbered from one on.
    rows: i64,
}

struct Writing {
    table: Arc<Mutex<Table>>,
    /// Whether one statement reads for all, and another writes: each is a trip to SQLite's thread.
    at_once: bool,
}

impl Writer for Writing {
    async fn write(&mut self, before: &[SessionId]) -> Vec<SessionId> {
        let ids: Vec<SessionId> = before.iter().map(|_| SessionId::random()).collect();
        let mut table = self.table.lock().await;
        let Table {
            connection: c,
            rows,
        } = &mut *table;
        run(c, "BEGIN IMMEDIATE").await;
        for ids in ids.chunks(if self.at_once { ids.len() } else { 1 }) {
            let many = i64::try_from(ids.len()).expect("they are few");
            let (read, write) = (list("?", ids.len()), list("(?, ?, ?)", ids.len()));
            let read = format!("SELECT a, c FROM t WHERE id IN ({read})");
            let mut read = query(AssertSqlSafe(read));
            let write = format!("INSERT INTO t (a, b, c) VALUES {write}");
            let mut write = query(AssertSqlSafe(write));
            for (id, number) in ids.iter().zip(*rows - many + 1..) {
                let id = id.to_string();
                let text = format!("{id}{}", "x".repeat(700));
                read = read.bind(number);
                write = write.bind(id).bind(number).bind(text);
            }
            read.fetch_all(&mut *c).await.expect("it is SQL");
            write.execute(&mut *c).await.expect("it is SQL");
            *rows += many;
        }
        run(c, "COMMIT").await;
        ids
    }
}

fn list(of: &str, many: usize) -> String {
    vec![of; many].join(", ")
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

const TEMPLATE: &str = "template-user";
const BY_ONE_STATEMENT: &str = "grouped, one statement for all (not judged by: fewer trips)";
