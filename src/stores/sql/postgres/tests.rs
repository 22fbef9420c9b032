//! Tables of older versions, and what may come between while they are brought up to date.

#[path = "../../../../tests/support/proxy.rs"]
#[allow(unreachable_pub)]
mod proxy;
#[path = "../../../../tests/support/postgres.rs"]
#[allow(unreachable_pub)]
mod server;

use std::error::Error as _;
use std::time::Duration;

use futures_util::future::join_all;

use self::server::{Cluster, PASSWORD, eventually, some_name};
use super::*;
use crate::error::StoreErrorKind;
use crate::revocation::{Answer, NodeId, PollRequest, RevocationStore};
use crate::session::{AuditEntry, AuditRequest, SessionRecord, SessionStore, SignInOutcome};
use crate::stores::sql::fixtures::{
    HOUR, corrupt_rows_harm_nobody_else, end, new_session, question, user,
};
use crate::stores::sql::layout::Layout;
use crate::testing::ManualClock;

mod connections;
mod long;

/// Makes of tables of today some that knew no idleness yet, and one index fewer.
const OLDER: &str = "ALTER TABLE jwt_meta DROP COLUMN covered_until, DROP COLUMN settles_at; \
     DROP INDEX jwt_sessions_due; UPDATE jwt_meta SET version = 1";
/// What such tables lack.
const STEP: &str = "ALTER TABLE {schema}.jwt_meta ADD COLUMN covered_until BIGINT NOT NULL DEFAULT 0, \
     ADD COLUMN settles_at BIGINT NOT NULL DEFAULT 0; \
     CREATE INDEX jwt_sessions_due ON {schema}.jwt_sessions (due_at) WHERE ended_at IS NULL";
/// Tells how often it was run.
const COUNTED: &str = "CREATE TABLE IF NOT EXISTS {schema}.runs (run INTEGER); \
     INSERT INTO {schema}.runs VALUES (1); SELECT pg_sleep(0.2)::text";
const ENDLESS: &str = "CREATE TABLE {schema}.heap AS SELECT generate_series(1, 10000) AS piece; \
     SELECT pg_sleep(600)::text";

const FIRST: &str = "SELECT 'not run on tables that are there'";
const TWO: Layout = Layout::new(&[FIRST, STEP]);
const THREE: Layout = Layout::new(&[FIRST, STEP, COUNTED]);
const FAILING: Layout = Layout::new(&[FIRST, STEP, "INSERT INTO nowhere VALUES (1)"]);
const AGAIN: Layout = Layout::new(&[
    FIRST,
    "ALTER TABLE {schema}.jwt_meta ADD COLUMN limits TEXT",
]);
const NEVER_DONE: Layout = Layout::new(&[FIRST, STEP, ENDLESS]);

fn store(address: &str, layout: Layout) -> PostgresStore {
    let options = address::options(address).expect("a good address");
    let server = Server::At(Box::new(options));
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
    PostgresStore::on(Some(clock), Shared::new(server, None, layout))
}

/// A database of the older version, with a session that is alive and one that has ended.
async fn older(server: &Cluster) -> Older {
    let database = server.database().await;
    let address = server.admin(&database);
    let store = store(&address, LAYOUT);
    let (alive, ended) = (sign_in(&store, 1).await, sign_in(&store, 2).await);
    store.end(end(&ended)).await.expect("the store answers");
    server.execute(&database, OLDER).await;
    Older {
        database,
        address,
        alive,
        ended,
    }
}

struct Older {
    database: String,
    address: String,
    alive: SessionRecord,
    ended: SessionRecord,
}

impl Older {
    async fn is_whole(&self, store: &PostgresStore) {
        let answer = store.ask(&question(&self.alive)).await;
        assert_eq!(answer.ok(), Some(Answer::Alive));
        let answer = store.ask(&question(&self.ended)).await.expect("it answers");
        assert!(matches!(answer, Answer::Revoked(_)), "{answer:?}");
        let request = PollRequest::new(NodeId(1), HOUR);
        let poll = store.poll(request).await.expect("it answers");
        assert_eq!(poll.entries.len(), 1);
        assert_eq!(store.count(&user()).await.ok(), Some(1));
    }

    /// Everything that the database says of its tables.
    async fn layout(&self, server: &Cluster) -> Vec<String> {
        let question = "SELECT 'version ' || version AS line FROM jwt_meta UNION ALL \
             SELECT table_name || '.' || column_name FROM information_schema.columns \
             WHERE table_schema = 'public' UNION ALL \
             SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
        let rows = server.execute(&self.database, question).await;
        rows.iter().map(|row| sqlx::Row::get(row, "line")).collect()
    }
}

async fn sign_in(store: &PostgresStore, number: u8) -> SessionRecord {
    match store.sign_in(new_session(number)).await {
        Ok(SignInOutcome::Created { record, .. }) => record,
        other => panic!("a session is made, not {other:?}"),
    }
}

async fn refused(store: PostgresStore, what: &str) {
    let error = store.count(&user()).await.expect_err("it is refused");
    let told = error.source().expect("it says why").to_string();
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{told}");
    assert!(told.contains(what), "{told}");
}

async fn runs(server: &Cluster, database: &str) -> i64 {
    let rows = server.execute(database, "SELECT count(*) AS runs FROM runs");
    sqlx::Row::get(&rows.await[0], "runs")
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_reported_and_harm_nobody_else() {
    let server = server::shared();
    let database = server.database().await;
    let address = server.admin(&database);
    let emptied = async || {
        let tables = "DROP TABLE IF EXISTS jwt_meta, jwt_users, jwt_sessions, jwt_log, jwt_leases, \
                      jwt_audit";
        server.execute(&database, tables).await;
        store(&address, LAYOUT)
    };
    let tamper = async |_: &PostgresStore, sql: String| {
        server.execute(&database, &sql).await;
    };
    corrupt_rows_harm_nobody_else(emptied, tamper).await;
}

#[tokio::test]
async fn older_tables_are_brought_up_to_date_and_keep_what_they_hold() {
    let server = server::shared();
    let older = older(server).await;
    let store = store(&older.address, TWO);
    older.is_whole(&store).await;
    sign_in(&store, 3).await;
    let after = older.layout(server).await;
    assert!(after.contains(&"version 2".to_owned()), "{after:?}");
    // Once more changes nothing.
    let again = self::store(&older.address, TWO);
    assert_eq!(again.count(&user()).await.ok(), Some(2));
    assert_eq!(older.layout(server).await, after);
}

#[tokio::test]
async fn new_tables_go_through_all_steps() {
    let server = server::shared();
    let database = server.database().await;
    const TABLES: &str = concat!(
        include_str!("schema.sql"),
        include_str!("audit.sql"),
        include_str!("highest.sql")
    );
    let all = Layout::new(&[TABLES, COUNTED]);
    sign_in(&store(&server.admin(&database), all), 1).await;
    assert_eq!(runs(server, &database).await, 1);
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_older_tables_whole() {
    let server = server::shared();
    let older = older(server).await;
    let before = older.layout(server).await;
    for failing in [FAILING, AGAIN] {
        refused(store(&older.address, failing), "are as they were").await;
        assert_eq!(older.layout(server).await, before);
    }
    older.is_whole(&store(&older.address, TWO)).await;
}

#[tokio::test]
async fn tables_that_a_newer_layout_wrote_are_left_alone() {
    let server = server::shared();
    let older = older(server).await;
    assert!(store(&older.address, THREE).count(&user()).await.is_ok());
    let before = older.layout(server).await;
    refused(store(&older.address, TWO), "newer version").await;
    assert_eq!(older.layout(server).await, before);
}

#[tokio::test]
async fn tables_are_changed_by_their_owner_alone() {
    let server = server::shared();
    let (older, role) = (older(server).await, some_name());
    let made = format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    );
    server.execute(&older.database, &made).await;
    let before = older.layout(server).await;
    let address = server.url(&role, PASSWORD, &older.database);
    refused(store(&address, TWO), "let their owner start").await;
    assert_eq!(older.layout(server).await, before);
    older.is_whole(&store(&older.address, TWO)).await;
    older.is_whole(&store(&address, TWO)).await;
}

#[tokio::test]
async fn tables_of_other_columns_are_left_alone_although_they_say_a_version() {
    let server = server::shared();
    for sql in [
        "ALTER TABLE jwt_sessions RENAME COLUMN record TO note",
        "ALTER TABLE jwt_meta DROP COLUMN limits",
        "ALTER TABLE jwt_meta DROP COLUMN version",
        "DELETE FROM jwt_meta",
        "UPDATE jwt_meta SET version = 0",
    ] {
        let database = server.database().await;
        let address = server.admin(&database);
        sign_in(&store(&address, LAYOUT), 1).await;
        server.execute(&database, sql).await;
        refused(store(&address, LAYOUT), "choose another schema").await;
    }
}

/// Each has connections of its own, and so processes of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_bring_tables_up_to_date_once() {
    let server = server::shared();
    let older = older(server).await;
    let nodes: Vec<_> = (0..8).map(|_| store(&older.address, THREE)).collect();
    let nobody = crate::UserId::new("nobody").expect("it is a name");
    for counted in join_all(nodes.iter().map(|node| node.count(&nobody))).await {
        assert_eq!(counted.ok(), Some(0));
    }
    assert_eq!(runs(server, &older.database).await, 1);
    older.is_whole(&nodes[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_in_the_middle_leaves_the_older_tables_whole() {
    let server = Cluster::start();
    let older = older(&server).await;
    let before = older.layout(&server).await;
    for crashes in [false, true] {
        let address = older.address.clone();
        let bringing =
            tokio::spawn(async move { store(&address, NEVER_DONE).count(&user()).await });
        eventually("it is in the middle", async || {
            let asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
            !server.execute("postgres", asleep).await.is_empty()
        })
        .await;
        if crashes {
            server.kill_all();
        }
        // It would go on once the server is back.
        bringing.abort();
        match bringing.await {
            Err(error) => assert!(error.is_cancelled()),
            // It has heard of the crash first.
            Ok(counted) => assert!(crashes && counted.is_err()),
        }
        if crashes {
            server.resume();
        } else {
            // Nobody is there to be answered; the server has not noticed yet.
            server.cut_all().await;
        }
        assert_eq!(older.layout(&server).await, before);
    }
    let patient = Duration::from_secs(60);
    let two = store(&older.address, TWO);
    let whole = tokio::time::timeout(patient, older.is_whole(&two));
    whole.await.expect("nobody holds the lock any more");
}

#[tokio::test]
async fn tables_of_the_first_version_get_what_they_lack() {
    let server = server::shared();
    let database = server.database().await;
    let address = server.admin(&database);
    sign_in(&store(&address, LAYOUT), 1).await;
    let first = "DROP ROUTINE jwt_before_sign_in, jwt_before_refresh, jwt_make, jwt_go_on; DROP TABLE jwt_audit; ALTER TABLE jwt_meta DROP COLUMN highest; \
         UPDATE jwt_meta SET version = 1";
    server.execute(&database, first).await;
    let store = store(&address, LAYOUT);
    assert_eq!(store.count(&user()).await.ok(), Some(1));
    let log = store.audit_log().expect("it keeps one");
    let entry = AuditEntry::new(ManualClock::START, NodeId(1), "signed_in");
    let written = log.record(std::slice::from_ref(&entry)).await;
    written.expect("it takes it");
    let read = log.read(AuditRequest::new(1)).await;
    assert_eq!(read.expect("it answers").entries, [entry]);
}

#[test]
fn a_server_that_is_too_old_is_refused_with_the_fix() {
    assert!(open::new_enough(130_000, "13.0").is_ok());
    let error = open::new_enough(120_022, "12.22").expect_err("it is too old");
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    let what = error.source().expect("it says why").to_string();
    assert!(
        what.contains("12.22") && what.contains("upgrade it"),
        "{what}"
    );
}
