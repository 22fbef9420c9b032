//! Files of older versions, and what may come between while they are brought up to date.

use std::process::{Child, Command};
use std::time::Instant;

use super::*;
use crate::revocation::NodeId;
use crate::session::{AuditEntry, AuditRequest};
use crate::stores::sql::layout::Layout;

/// Makes of a file of today one that knew no idleness yet, and one index fewer.
const OLDER: &str = "ALTER TABLE jwt_meta DROP COLUMN covered_until; \
     ALTER TABLE jwt_meta DROP COLUMN settles_at; DROP INDEX jwt_sessions_due; UPDATE jwt_meta SET version = 1";
/// What such a file lacks.
const STEP: &str = "ALTER TABLE jwt_meta ADD COLUMN covered_until INTEGER NOT NULL DEFAULT 0; \
     ALTER TABLE jwt_meta ADD COLUMN settles_at INTEGER NOT NULL DEFAULT 0; \
     CREATE INDEX jwt_sessions_due ON jwt_sessions (due_at) WHERE ended_at IS NULL";
/// Tells how often it was run, and takes a while.
const COUNTED: &str = "CREATE TABLE IF NOT EXISTS runs (run INTEGER); INSERT INTO runs VALUES (1); \
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT max(i) FROM n";
/// Writes more than stays in memory, and never ends.
const ENDLESS: &str = "CREATE TABLE heap (piece BLOB); \
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
     INSERT INTO heap SELECT randomblob(1000) FROM n; \
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

const FIRST: &str = "SELECT 'not run on tables that are there'";
const TWO: Layout = Layout::new(&[FIRST, STEP]);
const THREE: Layout = Layout::new(&[FIRST, STEP, COUNTED]);
const FAILING: Layout = Layout::new(&[FIRST, STEP, "INSERT INTO nowhere VALUES (1)"]);
const NEVER_DONE: Layout = Layout::new(&[FIRST, STEP, ENDLESS]);

fn store(folder: &Folder, layout: Layout) -> SqliteStore {
    let mut store = SqliteStore::new(folder.file()).with_clock(Arc::new(ManualClock::new()));
    let shared = Arc::get_mut(&mut store.shared);
    shared.expect("nobody shares it yet").layout = layout;
    store
}

/// A file of the older version, with a session that is alive and one that has ended.
async fn older(folder: &Folder) -> (SessionRecord, SessionRecord) {
    let store = folder.store().await;
    let (alive, ended) = (sign_in(&store, 1).await, sign_in(&store, 2).await);
    store.end(end(&ended)).await.expect("the store answers");
    drop(store);
    folder.tamper(OLDER).await;
    (alive, ended)
}

/// Everything that a file says of its tables.
async fn layout_of(folder: &Folder) -> (i64, Vec<String>) {
    let mut connection = folder.connection().await;
    let version = sqlx::query_scalar("SELECT version FROM jwt_meta");
    let version = version.fetch_one(&mut connection).await;
    let tables = sqlx::query_scalar("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name");
    let tables = tables.fetch_all(&mut connection).await;
    (version.expect("a row"), tables.expect("tables"))
}

async fn is_whole(store: &SqliteStore, alive: &SessionRecord, ended: &SessionRecord) {
    let answer = store.ask(&question(alive)).await;
    assert_eq!(answer.ok(), Some(Answer::Alive));
    let answer = store.ask(&question(ended)).await.expect("it answers");
    assert!(matches!(answer, Answer::Revoked(_)), "{answer:?}");
    assert_eq!(poll(store, &[]).await.entries.len(), 1);
    assert_eq!(store.count(&user()).await.ok(), Some(1));
}

#[tokio::test]
async fn an_older_file_is_brought_up_to_date_and_keeps_what_it_holds() {
    let folder = Folder::new();
    let (alive, ended) = older(&folder).await;
    let store = store(&folder, TWO);
    is_whole(&store, &alive, &ended).await;
    sign_in(&store, 3).await;
    assert_eq!(layout_of(&folder).await.0, 2);
    drop(store);
    // Once more changes nothing.
    let before = layout_of(&folder).await;
    let again = self::store(&folder, TWO);
    assert_eq!(again.count(&user()).await.ok(), Some(2));
    assert_eq!(layout_of(&folder).await, before);
}

#[tokio::test]
async fn a_new_file_goes_through_all_steps() {
    let folder = Folder::new();
    const TABLES: &str = concat!(
        include_str!("../schema.sql"),
        include_str!("../audit.sql"),
        include_str!("../highest.sql")
    );
    let all = Layout::new(&[TABLES, COUNTED]);
    let store = store(&folder, all);
    sign_in(&store, 1).await;
    let (version, tables) = layout_of(&folder).await;
    assert_eq!(version, 2);
    assert!(tables.iter().any(|table| table.contains("runs")));
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_older_file_whole() {
    let folder = Folder::new();
    let (alive, ended) = older(&folder).await;
    let before = layout_of(&folder).await;
    let error = store(&folder, FAILING).count(&user()).await;
    let error = error.expect_err("there is no such table");
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    let what = error.source().expect("it says why").to_string();
    assert!(what.contains("are as they were"), "{what}");
    assert_eq!(layout_of(&folder).await, before);
    is_whole(&store(&folder, TWO), &alive, &ended).await;
}

#[tokio::test]
async fn a_file_that_a_newer_layout_wrote_is_left_alone() {
    let folder = Folder::new();
    older(&folder).await;
    assert!(store(&folder, THREE).count(&user()).await.is_ok());
    let before = layout_of(&folder).await;
    let error = store(&folder, TWO).count(&user()).await;
    let error = error.expect_err("it is newer");
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    let what = error.source().expect("it says why").to_string();
    assert!(what.contains("newer version"), "{what}");
    assert_eq!(layout_of(&folder).await, before);
}

#[tokio::test]
async fn who_gives_up_waiting_does_not_undo_what_was_begun() {
    // Whoever is held up for longer than the step takes finds it done, and tries another file.
    for _ in 0..50 {
        let folder = Folder::new();
        let (alive, ended) = older(&folder).await;
        let store = store(&folder, THREE);
        let ada = user();
        let hasty = tokio::time::timeout(Duration::from_millis(1), store.count(&ada));
        let gave_up = hasty.await.is_err();
        is_whole(&store, &alive, &ended).await;
        let runs = "SELECT count(*) FROM runs";
        let runs = sqlx::query_scalar::<_, i64>(runs);
        let runs = runs.fetch_one(&mut folder.connection().await).await;
        assert_eq!(runs.ok(), Some(1));
        if gave_up {
            return;
        }
    }
    panic!("the step never takes longer than it is waited for");
}

#[tokio::test]
async fn tables_of_other_columns_are_left_alone_although_they_say_a_version() {
    for sql in [
        "ALTER TABLE jwt_sessions RENAME COLUMN record TO note",
        "ALTER TABLE jwt_meta DROP COLUMN limits",
        "DROP TABLE jwt_log",
        "DROP TABLE jwt_leases; CREATE VIEW jwt_leases AS SELECT 1 AS one",
        "DELETE FROM jwt_meta",
        "UPDATE jwt_meta SET version = 0",
    ] {
        let folder = Folder::new();
        drop(folder.store().await);
        folder.tamper(sql).await;
        folder.settle().await;
        let (kind, what) = folder.refusal().await;
        assert_eq!(kind, StoreErrorKind::Configuration, "{sql}");
        assert!(what.contains("choose another file"), "{sql}: {what}");
    }
}

/// Brings a file up to date where another test started it for that.
#[tokio::test]
async fn a_process_that_brings_a_file_up_to_date() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    // Not made here, so not removed here.
    let folder = std::mem::ManuallyDrop::new(Folder(folder.into()));
    let layout = if std::env::var_os(FOR_EVER).is_some() {
        NEVER_DONE
    } else {
        THREE
    };
    let counted = store(&folder, layout).count(&user()).await;
    counted.expect("it is brought up to date");
}

const FOLDER: &str = "TEST_OLDER_FILE";
const FOR_EVER: &str = "TEST_OLDER_FILE_FOR_EVER";

fn process(folder: &Folder, variables: &[&str]) -> Child {
    let here = module_path!().split_once("::").expect("it is in a crate").1;
    let name = format!("{here}::a_process_that_brings_a_file_up_to_date");
    let mut command = Command::new(std::env::current_exe().expect("it knows itself"));
    command.args(["--exact", &name]).env(FOLDER, &folder.0);
    command.envs(variables.iter().map(|name| (name, "1")));
    let quiet = command.stdout(std::process::Stdio::null());
    quiet.spawn().expect("it can start itself")
}

#[tokio::test]
async fn processes_that_start_at_once_bring_a_file_up_to_date_once() {
    let folder = Folder::new();
    let (alive, ended) = older(&folder).await;
    let mut processes: Vec<_> = (0..4).map(|_| process(&folder, &[])).collect();
    for process in &mut processes {
        assert!(process.wait().expect("it is ours").success());
    }
    let runs = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM runs");
    let runs = runs.fetch_one(&mut folder.connection().await).await;
    assert_eq!(runs.ok(), Some(1));
    is_whole(&store(&folder, THREE), &alive, &ended).await;
}

#[tokio::test]
async fn a_process_that_is_killed_in_the_middle_leaves_the_older_file_whole() {
    let folder = Folder::new();
    let (alive, ended) = older(&folder).await;
    let before = layout_of(&folder).await;
    let mut process = process(&folder, &[FOR_EVER]);
    let began = Instant::now();
    let log = folder.0.join("sessions.db-wal");
    while std::fs::metadata(&log).map_or(0, |log| log.len()) < 1_000_000 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "nothing is written"
        );
        let over = process.try_wait().expect("it is ours");
        assert!(over.is_none(), "it ended by itself: {over:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    process.kill().expect("it is ours");
    process.wait().expect("it is ours");
    assert_eq!(layout_of(&folder).await, before);
    is_whole(&store(&folder, TWO), &alive, &ended).await;
}

#[tokio::test]
async fn a_file_of_the_first_version_gets_what_it_lacks() {
    let folder = Folder::new();
    let record = sign_in(&folder.store().await, 1).await;
    let first = "DROP TABLE jwt_audit; ALTER TABLE jwt_meta DROP COLUMN highest; \
         UPDATE jwt_meta SET version = 1";
    folder.tamper(first).await;
    let store = folder.store().await;
    assert!(
        store
            .find(record.id)
            .await
            .is_ok_and(|found| found.is_some())
    );
    let log = store.audit_log().expect("it keeps one");
    let entry = AuditEntry::new(ManualClock::START, NodeId(1), "signed_in");
    log.record(std::slice::from_ref(&entry))
        .await
        .expect("it takes it");
    let read = log.read(AuditRequest::new(1)).await.expect("it answers");
    assert_eq!(read.entries, [entry]);
    assert_eq!(layout_of(&folder).await.0, 3);
}
