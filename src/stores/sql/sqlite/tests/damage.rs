//! Rows, lines and files that are not what they should be.

use super::*;

#[tokio::test]
async fn rows_that_cannot_be_read_are_reported_and_harm_nobody_else() {
    let folders = std::sync::Mutex::new(Vec::new());
    let fresh = async || {
        let folder = Folder::new();
        let store = folder.store().await;
        folders.lock().expect("nobody panicked").push(folder);
        store
    };
    let tamper = async |store: &SqliteStore, sql: String| {
        let options = SqliteConnectOptions::new().filename(&store.shared.path);
        let mut connection = options.connect().await.expect("the file can be opened");
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection);
        done.await.expect("it is SQL");
    };
    corrupt_rows_harm_nobody_else(fresh, tamper).await;
}

#[tokio::test]
async fn a_corrupt_session_is_nobody() {
    let folder = Folder::new();
    let store = folder.store().await;
    let (corrupt, sound) = (sign_in(&store, 1).await, sign_in(&store, 2).await);
    let id = corrupt.id.to_string().replace('-', "");
    folder
        .tamper(&format!(
            "UPDATE jwt_sessions SET record = '{{' WHERE id = x'{id}'"
        ))
        .await;
    assert_eq!(store.find(corrupt.id).await.ok(), Some(None));
    assert_eq!(store.count(&user()).await.ok(), Some(1));
    let asked = store.ask(&question(&corrupt)).await;
    assert_eq!(asked.ok(), Some(Answer::Unknown));
    assert_eq!(store.ask(&question(&sound)).await.ok(), Some(Answer::Alive));
    assert!(matches!(
        store.end(end(&corrupt)).await,
        Ok(EndOutcome::NotFound)
    ));
    let page = PageRequest {
        user: None,
        after: None,
        limit: 1,
    };
    let page = store.page(page).await.expect("it answers");
    assert_eq!((page.records.len(), page.next), (1, None));
}

#[tokio::test]
async fn a_session_of_which_the_record_tells_another_user_than_the_table_is_ended_for_good() {
    let folder = Folder::new();
    let store = folder.store().await;
    let record = sign_in(&store, 1).await;
    folder.tamper("UPDATE jwt_sessions SET user = 'x'").await;
    let outcome = store.end(end(&record)).await;
    assert!(matches!(outcome, Ok(EndOutcome::Ended { now: true, .. })));
    let ended = sqlx::query_scalar("SELECT count(*) FROM jwt_sessions WHERE ended_at NOT NULL");
    let ended = ended.fetch_one(&mut folder.connection().await).await;
    assert_eq!(ended.ok(), Some(1_i64));
}

#[tokio::test]
async fn a_corrupt_session_whose_time_is_over_does_not_stop_the_sweep() {
    let folder = Folder::new();
    let clock = ManualClock::new();
    let store = folder.store().await.with_clock(Arc::new(clock.clone()));
    sign_in(&store, 1).await;
    folder.tamper("UPDATE jwt_sessions SET record = '[]'").await;
    sign_in(&store, 2).await;
    clock.advance(HOUR);
    let first = store.sweep(HOUR, 1).await.expect("it answers");
    assert!(first.ended.is_empty() && first.more);
    let second = store.sweep(HOUR, 1).await.expect("it answers");
    assert_eq!((second.ended.len(), second.more), (1, false));
}

#[tokio::test]
async fn a_corrupt_line_of_the_log_lets_nobody_in() {
    let folder = Folder::new();
    let store = folder.store().await;
    let record = sign_in(&store, 1).await;
    store.end(end(&record)).await.expect("the store answers");
    folder.tamper("UPDATE jwt_log SET entry = 'x'").await;
    let entries = poll(&store, &[]).await.entries;
    let mut question = question(&record);
    assert!(entries[0].effect_on(&question.facts, HOUR).is_some());
    question.about = About::Log;
    let answer = store.ask(&question).await.expect("it answers");
    assert!(matches!(answer, Answer::Revoked(_)));
}

#[tokio::test]
async fn a_corrupt_line_takes_no_other_of_a_long_log_with_it() {
    let folder = Folder::new();
    let store = folder.store().await;
    let tamper = async |sql: String| folder.tamper(&sql).await;
    let mut written = corrupt_lines_harm_no_others(&store, tamper).await;
    folder
        .tamper("UPDATE jwt_log SET subject = char(31) || subject, id = x'00' WHERE number = 18")
        .await;
    written.remove(17);
    let read = poll(&store, &[]).await.entries;
    assert!(
        read == written,
        "more is missing than the line that nothing can be known of"
    );
}

#[tokio::test]
async fn a_file_that_was_replaced_is_noticed() {
    let folder = Folder::new();
    let store = folder.store().await;
    let record = sign_in(&store, 1).await;
    let ended = store.end(end(&record)).await.expect("the store answers");
    let EndOutcome::Ended { committed, .. } = ended else {
        panic!("it is over");
    };
    let probe = committed.entries[0].id;
    let before = poll(&store, &[probe]).await;
    assert!(before.missing.is_empty());
    for name in ["sessions.db", "sessions.db-wal", "sessions.db-shm"] {
        std::fs::rename(folder.0.join(name), folder.0.join(format!("old-{name}")))
            .expect("it can be moved");
    }
    let failed = store.sign_in(new_session(2)).await;
    assert_eq!(
        failed.expect_err("nothing is kept").kind(),
        StoreErrorKind::Unavailable
    );
    let after = poll(&store, &[probe]).await;
    assert_ne!(after.history, before.history);
    assert_eq!(after.missing, [probe]);
}

#[tokio::test]
async fn a_missing_folder_is_a_matter_of_configuration() {
    let folder = Folder::new();
    let path = folder.0.join("no/sessions.db");
    let error = SqliteStore::open(&path)
        .await
        .expect_err("there is no folder");
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    assert!(!folder.0.join("no").exists());
    let error = SqliteStore::open(&folder.0)
        .await
        .expect_err("it is a folder");
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
}

#[tokio::test]
async fn who_has_lost_the_index_of_the_users_is_told_how_to_make_it() {
    let folder = Folder::new();
    drop(folder.store().await);
    folder.tamper("DROP INDEX jwt_sessions_user").await;
    folder.settle().await;
    let (kind, what) = folder.refusal().await;
    assert_eq!(kind, StoreErrorKind::Configuration);
    let (_, sql) = what.split_once("lost an index: ").expect("it says so");
    let sql = sql.split_inclusive(')').next().expect("it says what to do");
    folder.tamper(sql).await;
    folder.store().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "Dear diary, ".repeat(1_000)).expect("it can be written");
    let (kind, what) = folder.refusal().await;
    assert_eq!(kind, StoreErrorKind::Corrupt);
    assert!(what.contains("not an SQLite database"), "{what}");
}

#[tokio::test]
async fn tables_of_somebody_else_are_left_alone() {
    for sql in [
        "CREATE TABLE jwt_sessions (id INTEGER PRIMARY KEY)",
        "CREATE TABLE jwt_meta (id INTEGER PRIMARY KEY)",
    ] {
        let folder = Folder::new();
        folder.tamper(sql).await;
        let (kind, what) = folder.refusal().await;
        assert_eq!(kind, StoreErrorKind::Configuration);
        assert!(what.contains("choose another file"), "{what}");
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let folder = Folder::new();
    drop(folder.store().await);
    folder
        .tamper("UPDATE jwt_meta SET version = version + 1")
        .await;
    folder.settle().await;
    let (kind, what) = folder.refusal().await;
    assert_eq!(kind, StoreErrorKind::Configuration);
    assert!(what.contains("newer version"), "{what}");
}
