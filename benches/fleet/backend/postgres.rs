//! PostgreSQL.

use std::ops::Range;
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, raw_sql};
use tokio::sync::Mutex;
use tower_jwt_session::session::refresh::SeedHash;
use tower_jwt_session::{BoxFuture, PostgresStore, SessionId, SessionStore, UserId};

use super::Backend;
use super::grouped::{Way, Writer, ways};
use crate::cluster::Cluster;
use crate::rate::new_session;
use crate::scale::user_name;

pub struct Postgres {
    /// The address of a database whose user may make others.
    address: String,
    own: Option<Cluster>,
}

impl Postgres {
    /// A server that waits for the disk, as it does unless told otherwise.
    pub fn own() -> Self {
        let cluster = Cluster::start_with("shared_buffers = 256MB\nmax_wal_size = 2GB\n");
        Self {
            address: cluster.admin("postgres"),
            own: Some(cluster),
        }
    }

    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            own: None,
        }
    }

    fn options(&self) -> PgConnectOptions {
        let options: PgConnectOptions = self.address.parse().expect("it is an address");
        options.disable_statement_logging()
    }

    /// A database for a part, made where there is none.
    async fn database(&self, part: &str) -> String {
        let name = format!("fleet_{}", part.replace('-', "_"));
        let mut connection = connect(&self.options()).await;
        let found = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        if run(&mut connection, found).await == 0 {
            run(&mut connection, format!("CREATE DATABASE {name}")).await;
        }
        name
    }

    async fn address_of(&self, part: &str) -> String {
        let name = self.database(part).await;
        let (server, query) = match self.address.split_once('?') {
            Some((server, query)) => (server, format!("?{query}")),
            None => (self.address.as_str(), String::new()),
        };
        let (server, _) = server.rsplit_once('/').expect("it names a database");
        format!("{server}/{name}{query}")
    }
}

impl Backend for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn pushes(&self) -> bool {
        true
    }

    fn described(&self) -> BoxFuture<'_, String> {
        Box::pin(async {
            let mut connection = connect(&self.options()).await;
            let sql = "SELECT current_setting('server_version') AS v, \
                 current_setting('fsync') AS f, current_setting('synchronous_commit') AS s, \
                 current_setting('shared_buffers') AS b";
            let row = raw_sql(sql).fetch_one(&mut connection).await;
            let row = row.expect("the server answers");
            let [version, fsync, commit, buffers] =
                ["v", "f", "s", "b"].map(|name| row.get::<String, _>(name));
            format!(
                "PostgreSQL {version}, `fsync={fsync}`, `synchronous_commit={commit}`, \
                 `shared_buffers={buffers}`"
            )
        })
    }

    fn address<'a>(&'a self, part: &'a str) -> BoxFuture<'a, String> {
        Box::pin(self.address_of(part))
    }

    fn store<'a>(&'a self, part: &'a str) -> BoxFuture<'a, Arc<dyn SessionStore>> {
        Box::pin(async move {
            let store = PostgresStore::connect(&self.address_of(part).await).await;
            Arc::new(store.expect("it can be opened")) as Arc<dyn SessionStore>
        })
    }

    fn driver<'a>(&'a self, part: &'a str, clients: usize) -> BoxFuture<'a, Vec<Way>> {
        Box::pin(async move {
            let options = self.options().database(&self.database(part).await);
            drive(options, clients).await
        })
    }

    fn bytes<'a>(&'a self, part: &'a str) -> BoxFuture<'a, Option<f64>> {
        Box::pin(async move {
            let mut connection =
                connect(&self.options().database(&self.database(part).await)).await;
            let sql = "SELECT sum(pg_total_relation_size(relid))::float8 AS bytes \
                 FROM pg_stat_user_tables";
            let row = raw_sql(sql).fetch_one(&mut connection).await;
            row.ok().map(|row| row.get("bytes"))
        })
    }

    fn signal(&self, signal: &str) -> bool {
        self.own.iter().for_each(|own| own.signal(signal));
        self.own.is_some()
    }

    fn fill<'a>(&'a self, part: &'a str, users: Range<u64>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut session = new_session();
            session.user = UserId::new(TEMPLATE).expect("it is a name");
            session.seed = SeedHash::from_bytes([7; 32]);
            let id = session.id;
            let made = self.store(part).await.sign_in(session).await;
            made.expect("the store answers");
            let options = self.options().database(&self.database(part).await);
            let mut connection = connect(&options).await;
            copy(&mut connection, id, users).await;
            // Else the server does it while it is measured.
            run(&mut connection, "VACUUM (ANALYZE)".to_owned()).await;
            if self.own.is_some() {
                run(&mut connection, "CHECKPOINT".to_owned()).await;
            }
        })
    }
}

/// Copies the one session of the template to all the users.
async fn copy(connection: &mut PgConnection, template: SessionId, users: Range<u64>) {
    let (from, to) = (users.start * 10, users.end * 10);
    let sql = format!(
        "INSERT INTO jwt_sessions (id, user_id, user_key, operation, due_at, record) \
         SELECT new.id::uuid, new.name, \
           ('x' || encode(substr(sha256(new.name::bytea), 1, 8), 'hex'))::bit(64)::bigint, \
           sha256(new.id::bytea), t.due_at, \
           replace(replace(t.record, '{template}', new.id), '{TEMPLATE}', new.name) \
         FROM jwt_sessions t, (SELECT \
             '01900000-0000-7000-' || substr(x, 1, 4) || '-' || substr(x, 5) AS id, \
             replace('{}', '*', lpad((i / 10)::text, 10, '0')) AS name \
           FROM (SELECT i, lpad(to_hex(i), 16, '0') AS x \
             FROM generate_series({from}::bigint, {to}::bigint - 1) i) numbers) new \
         WHERE t.user_id = '{TEMPLATE}'",
        user_name("*")
    );
    run(connection, sql).await;
    let gone = format!("DELETE FROM jwt_sessions WHERE user_id = '{TEMPLATE}'");
    run(connection, gone).await;
    // As the server does by itself, a while later.
    run(connection, "VACUUM ANALYZE jwt_sessions".to_owned()).await;
    run(connection, "CHECKPOINT".to_owned()).await;
}

/// Transactions of a read and a write, each in two round trips.
async fn drive(options: PgConnectOptions, clients: usize) -> Vec<Way> {
    let mut connection = connect(&options).await;
    let table = "CREATE TABLE IF NOT EXISTS t (id UUID PRIMARY KEY, a TEXT, b BIGINT, c TEXT); \
         CREATE INDEX IF NOT EXISTS t_a ON t (a, id); CREATE INDEX IF NOT EXISTS t_b ON t (b, id)";
    run(&mut connection, table.to_owned()).await;
    // Not out of a pool, which asks each connection that comes back whether it is still one.
    let mut connections = Vec::new();
    for _ in 0..clients.min(CONNECTIONS) {
        connections.push(Arc::new(Mutex::new(connect(&options).await)));
    }
    let writers = |many| {
        let shared = connections.iter().cycle().take(many);
        shared.map(|connection| Writing(connection.clone()))
    };
    ways(clients, WRITERS, writers).await
}

struct Writing(Arc<Mutex<PgConnection>>);

impl Writer for Writing {
    async fn write(&mut self, before: &[SessionId]) -> Vec<SessionId> {
        let mut connection = self.0.lock().await;
        let ids: Vec<SessionId> = before.iter().map(|_| SessionId::random()).collect();
        let text = "x".repeat(700);
        let [read, write] = match (before, ids.as_slice()) {
            ([before], [id]) => [
                format!("SELECT a, c FROM t WHERE id = '{before}' FOR UPDATE"),
                format!("INSERT INTO t (id, a, b, c) VALUES ('{id}', '{id}', 7, '{text}')"),
            ],
            _ => {
                let (before, new) = (array(before), array(&ids));
                let (sevens, texts) = (array(&vec![7; ids.len()]), array(&vec![text; ids.len()]));
                [
                    format!("SELECT a, c FROM t WHERE id = ANY ({before}::uuid[]) FOR UPDATE"),
                    format!(
                        "INSERT INTO t (id, a, b, c) SELECT * FROM \
                         UNNEST({new}::uuid[], {new}::text[], {sevens}::bigint[], {texts}::text[])"
                    ),
                ]
            }
        };
        run(&mut connection, format!("BEGIN; {read}")).await;
        run(&mut connection, format!("{write}; COMMIT")).await;
        ids
    }
}

/// An array of what needs no quotes.
fn array<T: ToString>(of: &[T]) -> String {
    let of: Vec<String> = of.iter().map(T::to_string).collect();
    format!("'{{{}}}'", of.join(","))
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    options.connect().await.expect("the server answers")
}

/// Sends statements in one round trip; how many rows came of them.
async fn run(connection: &mut PgConnection, sql: String) -> usize {
    let rows = raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await;
    rows.expect("the server does it").len()
}

const TEMPLATE: &str = "template-user";
/// As many as a node has for its writes.
const CONNECTIONS: usize = 8;
/// A second one makes the groups smaller, and nothing quicker.
const WRITERS: usize = 1;
