//! Opening a file: whose it is, and its tables.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use uuid::Uuid;

use super::error::{failed, is_busy, is_sql, not_brought_up_to_date, not_opened, told_of};
use super::file::File;
use crate::error::{StoreError, StoreErrorKind};
use crate::stores::sql::layout::{Layout, Misfit};

/// How every connection to a file is made.
pub(super) fn options(file: &File) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file.path())
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("secure_delete", "OFF")
        .disable_statement_logging()
}

/// Opens the file for its one writer, with its tables made or brought up to date.
///
/// Nothing is written before it is clear that the file is ours or empty, and all of it at once.
pub(super) async fn open(file: &File, layout: Layout) -> Result<SqliteConnection, StoreError> {
    let refused = |error| not_opened(file.path(), error);
    let mut connection = options(file).connect().await.map_err(refused)?;
    let met = meet(&mut connection, file, layout).await;
    let prepared = match met {
        Ok(_) => prepare(&mut connection, file, layout).await,
        Err(error) => Err(error),
    };
    match prepared {
        Ok(()) => Ok(connection),
        Err(error) => {
            // What it came to is known already.
            let _ = connection.close().await;
            Err(error)
        }
    }
}

async fn prepare(
    connection: &mut SqliteConnection,
    file: &File,
    layout: Layout,
) -> Result<(), StoreError> {
    let refused = |error| not_opened(file.path(), error);
    let hurry = sqlx::query(NO_WAITING).execute(&mut *connection).await;
    hurry.map_err(refused)?;
    enter_wal(connection, file).await?;
    begin(connection).await.map_err(refused)?;
    // Another process may have been faster.
    let made = match meet(connection, file, layout).await {
        Ok(version) if version == layout.version() => Ok(()),
        Ok(version) => bring_up_to_date(connection, file, layout, version).await,
        Err(error) => Err(error),
    };
    let end = if made.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let finished = sqlx::query(end).execute(connection).await.map_err(refused);
    made.and(finished.map(drop))
}

/// Sees whether the tables of the file are ours: the version that they are of, 0 where there are
/// none.
async fn meet(
    connection: &mut SqliteConnection,
    file: &File,
    layout: Layout,
) -> Result<usize, StoreError> {
    let refused = |error| not_opened(file.path(), error);
    let foreign = |what| told_of(StoreErrorKind::Configuration, file.path(), what);
    let tables = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name IN \
         ('jwt_meta', 'jwt_users', 'jwt_sessions', 'jwt_log', 'jwt_leases', 'jwt_audit')";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?;
    if tables.is_empty() {
        return Ok(0);
    }
    if !tables.iter().any(|table| table == "jwt_meta") {
        return Err(foreign(FOREIGN));
    }
    let said: Result<Option<i64>, _> = sqlx::query_scalar("SELECT version FROM jwt_meta")
        .fetch_optional(&mut *connection)
        .await;
    let said = match said {
        Ok(said) => said,
        Err(error) if is_busy(&error) => return Err(failed(error)),
        Err(_) => None,
    };
    let version = layout.judge(said).map_err(|misfit| match misfit {
        Misfit::Newer(_) => foreign(NEWER),
        Misfit::Foreign => foreign(FOREIGN),
    })?;
    if version == layout.version() {
        look_at_columns(connection, file).await?;
    }
    Ok(version)
}

/// Sees whether the tables hold what the statements ask for.
async fn look_at_columns(connection: &mut SqliteConnection, file: &File) -> Result<(), StoreError> {
    for look in COLUMNS.into_iter().chain([INDEX]) {
        match sqlx::query(look).fetch_optional(&mut *connection).await {
            Ok(_) => {}
            Err(error) if is_sql(&error) => {
                let kind = StoreErrorKind::Configuration;
                let what = if look == INDEX { UNINDEXED } else { FOREIGN };
                return Err(told_of(kind, file.path(), what));
            }
            Err(error) => return Err(not_opened(file.path(), error)),
        }
    }
    Ok(())
}

/// Makes the tables, or has older ones go through what they lack.
async fn bring_up_to_date(
    connection: &mut SqliteConnection,
    file: &File,
    layout: Layout,
    version: usize,
) -> Result<(), StoreError> {
    for step in layout.after(version) {
        let done = sqlx::raw_sql(step).execute(&mut *connection).await;
        done.map_err(|error| match version {
            0 => not_opened(file.path(), error),
            _ => not_brought_up_to_date(file.path(), error),
        })?;
    }
    let latest = i64::try_from(layout.version()).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO jwt_meta (one, version, deployment, history) VALUES (1, ?, ?, ?) \
         ON CONFLICT (one) DO UPDATE SET version = excluded.version",
    )
    .bind(latest)
    .bind(Uuid::now_v7().as_bytes().as_slice())
    .bind(Uuid::now_v7().as_bytes().as_slice())
    .execute(&mut *connection)
    .await
    .map_err(|error| not_opened(file.path(), error))?;
    if version > 0 {
        tracing::info!(file = %file.path().display(), from = version, to = latest, "brought the tables up to date");
    }
    look_at_columns(connection, file).await
}

/// Turns write-ahead logging on; whoever else has the file open must be let finish first, and
/// SQLite does not wait for them by itself.
async fn enter_wal(connection: &mut SqliteConnection, file: &File) -> Result<(), StoreError> {
    let mut tries = 0;
    let mode: String = loop {
        let mode = sqlx::query_scalar("PRAGMA journal_mode = WAL")
            .fetch_one(&mut *connection)
            .await;
        match mode {
            Ok(mode) => break mode,
            Err(error) if is_busy(&error) && tries < TRIES => tries += 1,
            Err(error) => return Err(not_opened(file.path(), error)),
        }
        tokio::time::sleep(NAP).await;
    };
    if mode.eq_ignore_ascii_case("wal") {
        return Ok(());
    }
    let what = "its file system cannot share memory between processes, which write-ahead logging needs: choose a local disk";
    Err(told_of(StoreErrorKind::Configuration, file.path(), what))
}

/// Begins a transaction that nobody else writes beside.
///
/// SQLite's own waiting doubles its naps, so that of two busy processes one could starve; this
/// one keeps them short.
pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut tries = 0;
    loop {
        let begun = sqlx::query("BEGIN IMMEDIATE")
            .execute(&mut *connection)
            .await;
        match begun {
            Ok(_) => return Ok(()),
            Err(error) if is_busy(&error) && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(NAP).await;
    }
}

/// The tables that this code reads and writes.
pub(super) const LAYOUT: Layout = Layout::new(&[
    include_str!("schema.sql"),
    include_str!("audit.sql"),
    include_str!("highest.sql"),
]);

/// What finds each column, and reads nothing.
const COLUMNS: [&str; 6] = [
    "SELECT one, version, deployment, history, limits, covered_until, settles_at, highest FROM jwt_meta LIMIT 0",
    "SELECT id, revoked_gen, roles_gen FROM jwt_users LIMIT 0",
    "SELECT id, user, operation, due_at, ended_at, ended_by, record FROM jwt_sessions LIMIT 0",
    "SELECT number, id, subject, until, entry FROM jwt_log LIMIT 0",
    "SELECT node, until, lease FROM jwt_leases LIMIT 0",
    "SELECT number, id, at, user, session, entry FROM jwt_audit LIMIT 0",
];

/// What finds the index that a statement names.
const INDEX: &str =
    "SELECT user, ended_at, id FROM jwt_sessions INDEXED BY jwt_sessions_user LIMIT 0";

const UNINDEXED: &str =
    "it has lost an index: CREATE INDEX jwt_sessions_user ON jwt_sessions (user, ended_at, id)";
const FOREIGN: &str = "it holds tables named jwt_… that are not of this crate: choose another file";
const NEWER: &str =
    "it was written by a newer version of tower-jwt-session: use that version, or another file";

/// How long SQLite waits for a lock, which readers hardly ever have to.
const PATIENCE: Duration = Duration::from_secs(5);
/// How the writer waits instead: by naps of its own, for about as long.
const NO_WAITING: &str = "PRAGMA busy_timeout = 0";
const NAP: Duration = Duration::from_millis(1);
const TRIES: u32 = 2_500;
