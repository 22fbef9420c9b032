//! What is true of this store alone; the rules of every store are in the conformance suite.

use std::error::Error as _;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};

use super::*;
use crate::revocation::{About, Cursor, NodeId, Pieces};
use crate::session::refresh::SeedHash;
use crate::stores::sql::fixtures::{
    HOUR, corrupt_lines_harm_no_others, corrupt_rows_harm_nobody_else, end, lines, new_session,
    question, user,
};
use crate::stores::sql::rows::Rows as _;
use crate::testing::ManualClock;
use crate::verify::Counter;

mod damage;
mod migrations;

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("tower-jwt-session-{}", SessionId::random());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("the folder for temporary files can be written");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("sessions.db")
    }

    async fn store(&self) -> SqliteStore {
        let store = SqliteStore::open(self.file()).await.expect("it opens");
        store.with_clock(Arc::new(ManualClock::new()))
    }

    async fn tamper(&self, sql: &str) {
        let mut connection = self.connection().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        done.execute(&mut connection).await.expect("it is SQL");
        connection.close().await.expect("it is open");
    }

    /// Writes everything into the file itself: connections of a store that was dropped are closed
    /// by their threads some time later, and the last of them would do that then.
    async fn settle(&self) {
        let mut connection = self.connection().await;
        loop {
            let settled = sqlx::query_scalar::<_, i64>("PRAGMA wal_checkpoint(TRUNCATE)");
            let busy = settled.fetch_one(&mut connection).await;
            if busy.expect("the file can be read") == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        connection.close().await.expect("it is open");
    }

    async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.file());
        let connection = options.create_if_missing(true).connect().await;
        connection.expect("the file can be opened")
    }

    /// Why the store cannot be opened, after which everything is as before.
    async fn refusal(&self) -> (StoreErrorKind, String) {
        let before = std::fs::read(self.file()).ok();
        let error = SqliteStore::open(self.file()).await.expect_err("refused");
        assert_eq!(std::fs::read(self.file()).ok(), before);
        let source = error.source().expect("it says why").to_string();
        (error.kind(), source)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn sign_in(store: &SqliteStore, number: u8) -> SessionRecord {
    match store.sign_in(new_session(number)).await {
        Ok(SignInOutcome::Created { record, .. }) => record,
        other => panic!("a session is made, not {other:?}"),
    }
}

async fn poll(store: &SqliteStore, probes: &[EntryId]) -> Poll {
    let request = PollRequest {
        node: NodeId(1),
        since: None,
        history: None,
        lease: HOUR,
        probes,
        pieces: None,
    };
    store.poll(request).await.expect("the store answers")
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let folder = Folder::new();
    let store = folder.store().await;
    let (kept, ended) = (sign_in(&store, 1).await, sign_in(&store, 2).await);
    store.end(end(&ended)).await.expect("the store answers");
    let history = poll(&store, &[]).await.history;
    drop(store);

    let store = folder.store().await;
    assert_eq!(store.find(kept.id).await.expect("it answers"), Some(kept));
    assert_eq!(store.count(&user()).await.ok(), Some(1));
    let poll = poll(&store, &[]).await;
    assert_eq!((poll.history, poll.entries.len()), (history, 1));
}

#[tokio::test]
async fn what_lasts_longer_keeps_its_place_and_is_put_off_when_that_comes() {
    let (folder, clock) = (Folder::new(), ManualClock::new());
    let store = SqliteStore::new(folder.file()).with_clock(Arc::new(clock.clone()));
    let mut new = new_session(1);
    new.idle_lifetime = Some(HOUR / 2);
    let session = new.id;
    store.sign_in(new).await.expect("the store answers");
    let place = || async {
        let place = sqlx::query_scalar("SELECT due_at FROM jwt_sessions");
        let place = place.fetch_one(&mut folder.connection().await).await;
        place.map(|place: i64| place).expect("there is one")
    };
    let before = place().await;
    clock.advance(HOUR / 3);
    let (bucket, at) = (0, clock.now());
    let used = Use {
        session,
        bucket,
        at,
    };
    store.touch(&[used]).await.expect("the store answers");
    let found = store.find(session).await.expect("the store answers");
    assert!(found.is_some_and(|record| record.last_active_at == at));
    assert_eq!(place().await, before);
    clock.advance(HOUR / 3);
    let swept = store.sweep(HOUR, 10).await.expect("the store answers");
    assert!(swept.ended.is_empty() && !swept.more);
    assert!(place().await > before);
    assert_eq!(store.count(&user()).await.ok(), Some(1));
}

#[test]
fn nothing_is_opened_or_spawned_before_the_first_use() {
    let folder = Folder::new();
    let store = SqliteStore::new(folder.file());
    assert!(!folder.file().exists());
    drop(store);
}

#[tokio::test]
async fn a_failed_write_undoes_nothing_of_its_neighbours() {
    let folder = Folder::new();
    let store = folder.store().await;
    let taken = sign_in(&store, 1).await;
    let writes = (2..60).map(|number| {
        let mut new = new_session(number);
        if number % 3 == 0 {
            new.id = taken.id;
        }
        let store = store.clone();
        tokio::spawn(async move { store.sign_in(new).await.is_ok() })
    });
    let mut made = 1;
    for write in writes.collect::<Vec<_>>() {
        made += u64::from(write.await.expect("it does not panic"));
    }
    assert_eq!(made, 1 + 58 - 19);
    assert_eq!(store.count(&user()).await.ok(), Some(made));
}

/// A write that fails after it has made its changes: one, or several that belong together.
async fn fails_midway(store: &SqliteStore, changes: u32) -> bool {
    let raised = Counters {
        revoked_gen: Counter::from_u64(7),
        roles_gen: Counter::ZERO,
    };
    let failing = store.write(move |steps: &mut Writing| {
        Box::pin(async move {
            if changes > 1 {
                steps.rows.set_counters(&user(), raised).await?;
            }
            let record = new_session(99).into_record(steps.now);
            steps.rows.insert(&record, &[99; 32]).await?;
            Err::<(), _>(StoreError::new(StoreErrorKind::Corrupt, BACKEND))
        })
    });
    failing.await.is_ok()
}

#[tokio::test]
async fn a_write_that_fails_midway_leaves_nothing_behind() {
    let folder = Folder::new();
    let store = folder.store().await;
    sign_in(&store, 1).await;
    for changes in [1, 2] {
        for number in 10..20 {
            let new = new_session(number + 10 * u8::try_from(changes).expect("it is small"));
            let (failed, _) = tokio::join!(fails_midway(&store, changes), store.sign_in(new));
            assert!(!failed);
        }
        assert_eq!(
            store.counters(&user()).await.ok(),
            Some(Counters::default())
        );
        let records = store
            .list(&user(), Listing::Live)
            .await
            .expect("it answers");
        assert!(
            records
                .iter()
                .all(|record| record.refresh.seed != SeedHash::from_bytes([99; 32]))
        );
        // The next is written as if nothing had been.
        sign_in(&store, u8::try_from(changes).expect("it is small") + 1).await;
    }
}

#[tokio::test]
async fn writes_that_come_at_once_share_a_commit() {
    let folder = Folder::new();
    let store = folder.store().await;
    sign_in(&store, 0).await;
    let frames = || std::fs::metadata(folder.0.join("sessions.db-wal")).map(|wal| wal.len());
    let alone = {
        let before = frames().expect("there is a log of writes");
        sign_in(&store, 1).await;
        frames().expect("there is a log of writes") - before
    };
    let before = frames().expect("there is a log of writes");
    let writes: Vec<_> = (2..34)
        .map(|number| store.sign_in(new_session(number)))
        .collect();
    for write in futures_util::future::join_all(writes).await {
        assert!(write.is_ok());
    }
    let together = frames().expect("there is a log of writes") - before;
    assert!(together < 8 * alone, "{together} for 32, {alone} for one");
}

#[tokio::test]
async fn a_caller_who_hangs_up_disturbs_nobody() {
    let folder = Folder::new();
    let store = folder.store().await;
    for number in 0..20 {
        let write = store.sign_in(new_session(number));
        let _ = tokio::time::timeout(Duration::from_micros(u64::from(number) * 40), write).await;
    }
    sign_in(&store, 99).await;
    assert!(store.count(&user()).await.expect("it answers") >= 1);
}

#[tokio::test]
async fn a_cursor_of_another_history_reads_everything() {
    let folder = Folder::new();
    let store = folder.store().await;
    let record = sign_in(&store, 1).await;
    store.end(end(&record)).await.expect("the store answers");
    let request = PollRequest {
        node: NodeId(1),
        since: Some(&Cursor(vec![1])),
        history: Some(7),
        lease: HOUR,
        probes: &[],
        pieces: None,
    };
    let poll = store.poll(request).await.expect("the store answers");
    assert_eq!(poll.entries.len(), 1);
}

#[tokio::test]
async fn who_waits_for_a_long_log_is_told_of_each_piece() {
    let folder = Folder::new();
    let store = folder.store().await;
    let written = store.append(lines(9_000)).await;
    let log = written.expect("the store answers").entries;
    let pieces = Pieces::default();
    let mut request = PollRequest::new(NodeId(1), HOUR);
    request.pieces = Some(&pieces);
    let poll = store.poll(request).await.expect("the store answers");
    assert!(poll.entries == log, "they are not these");
    assert_eq!(pieces.so_far(), 2, "each but the last");
}

#[tokio::test]
async fn the_store_outlives_the_runtime_that_opened_it() {
    let folder = Folder::new();
    let store = SqliteStore::new(folder.file()).with_clock(Arc::new(ManualClock::new()));
    let other = store.clone();
    let in_between = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("it can be made").block_on(async {
            sign_in(&other, 1).await;
        });
    });
    in_between.await.expect("it does not panic");
    sign_in(&store, 2).await;
    assert_eq!(store.count(&user()).await.ok(), Some(2));
}

#[tokio::test]
async fn an_applications_own_tables_are_no_hindrance() {
    let folder = Folder::new();
    folder
        .tamper("CREATE TABLE users (id INTEGER); INSERT INTO users VALUES (7)")
        .await;
    sign_in(&folder.store().await, 1).await;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(&mut folder.connection().await)
        .await
        .expect("it is still there");
    assert_eq!(count, 1);
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_half_written() {
    let folder = Folder::new();
    let store = folder.store().await;
    sign_in(&store, 1).await;
    let failures = Arc::new(AtomicU32::new(0));
    // The writer's own bound on pages stands for the disk's.
    let bound = |pages: u32| {
        store.write(move |steps: &mut Writing| {
            Box::pin(async move {
                let sql = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
                steps.rows.execute(sqlx::query(sql)).await.map(drop)
            })
        })
    };
    bound(1).await.expect("it is a pragma");
    for number in 2..200 {
        if let Err(error) = store.sign_in(new_session(number)).await {
            assert!(
                error
                    .source()
                    .expect("a cause")
                    .to_string()
                    .contains("disk is full")
            );
            failures.fetch_add(1, Ordering::Relaxed);
        }
    }
    let failed = u64::from(failures.load(Ordering::Relaxed));
    assert!(failed > 100, "{failed}");
    assert_eq!(store.count(&user()).await.ok(), Some(199 - failed));
    bound(1_000_000).await.expect("it is a pragma");
    sign_in(&store, 201).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    sign_in(&folder.store().await, 1).await;
    for name in ["sessions.db", "sessions.db-wal"] {
        let metadata = std::fs::metadata(folder.0.join(name)).expect("it is there");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_another_process_revoked_is_seen_while_somebody_writes() {
    let folder = Folder::new();
    let (here, there) = (folder.store().await, folder.store().await);
    let session = sign_in(&there, 1).await;
    let before = poll(&here, &[]).await;
    let request = end(&session);
    let entry = request.entry;
    there.end(request).await.expect("the store answers");
    let mut writing = folder.connection().await;
    let begun = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut writing).await;
    begun.expect("nobody else writes");
    let seen = here.glance(&before.cursor, before.history).await;
    let seen = seen.expect("reading waits for no writer");
    let seen: Vec<_> = seen.entries.iter().map(|entry| entry.id).collect();
    assert_eq!(seen, [entry]);
}
