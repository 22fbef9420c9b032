//! Opening a file: whose it is, and its tables.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use uuid::Uuid;

use super::error::{failed, is_busy, not_opened, told_of};
use super::file::File;
use crate::error::{StoreError, StoreErrorKind};

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
pub(super) async fn open(file: &File) -> Result<SqliteConnection, StoreError> {
    let refused = |error| not_opened(file.path(), error);
    let mut connection = options(file).connect().await.map_err(refused)?;
    let met = meet(&mut connection, file).await;
    let prepared = match met {
        Ok(_) => prepare(&mut connection, file).await,
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

async fn prepare(connection: &mut SqliteConnection, file: &File) -> Result<(), StoreError> {
    let refused = |error| not_opened(file.path(), error);
    let hurry = sqlx::query(NO_WAITING).execute(&mut *connection).await;
    hurry.map_err(refused)?;
    enter_wal(connection, file).await?;
    begin(connection).await.map_err(refused)?;
    // Another process may have been faster.
    let made = match meet(connection, file).await {
        Ok(Contents::Empty) => create(connection).await.map_err(refused),
        Ok(Contents::Ours) => Ok(()),
        Ok(Contents::Older) => bring_up_to_date(connection).await.map_err(refused),
        Err(error) => Err(error),
    };
    let end = if made.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let finished = sqlx::query(end).execute(connection).await.map_err(refused);
    made.and(finished.map(drop))
}

/// What a file holds.
enum Contents {
    Empty,
    Older,
    Ours,
}

/// Sees whether the file is one of ours, and of a version that this code knows.
async fn meet(connection: &mut SqliteConnection, file: &File) -> Result<Contents, StoreError> {
    let refused = |error| not_opened(file.path(), error);
    let foreign = |what| told_of(StoreErrorKind::Configuration, file.path(), what);
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN \
         ('jwt_meta', 'jwt_users', 'jwt_sessions', 'jwt_log', 'jwt_leases')";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut *connection)
        .await
        .map_err(refused)?;
    if tables.is_empty() {
        return Ok(Contents::Empty);
    }
    if !tables.iter().any(|table| table == "jwt_meta") {
        return Err(foreign(FOREIGN));
    }
    let version: Result<Option<i64>, _> = sqlx::query_scalar("SELECT version FROM jwt_meta")
        .fetch_optional(connection)
        .await;
    match version {
        Ok(Some(VERSION)) => Ok(Contents::Ours),
        Ok(Some(1)) => Ok(Contents::Older),
        Ok(Some(version)) if version > VERSION => Err(foreign(NEWER)),
        Err(error) if is_busy(&error) => Err(failed(error)),
        Ok(_) | Err(_) => Err(foreign(FOREIGN)),
    }
}

async fn bring_up_to_date(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(include_str!("audit.sql"))
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE jwt_meta SET version = ?")
        .bind(VERSION)
        .execute(connection)
        .await
        .map(drop)
}

async fn create(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(concat!(
        include_str!("schema.sql"),
        include_str!("audit.sql")
    ))
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO jwt_meta (one, version, deployment, history) VALUES (1, ?, ?, ?)")
        .bind(VERSION)
        .bind(Uuid::now_v7().as_bytes().as_slice())
        .bind(Uuid::now_v7().as_bytes().as_slice())
        .execute(connection)
        .await
        .map(drop)
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

/// The version of the tables that this code writes.
const VERSION: i64 = 2;

const FOREIGN: &str = "it holds tables named jwt_… that are not of this crate: choose another file";
const NEWER: &str =
    "it was written by a newer version of tower-jwt-session: use that version, or another file";

/// How long SQLite waits for a lock, which readers hardly ever have to.
const PATIENCE: Duration = Duration::from_secs(5);
/// How the writer waits instead: by naps of its own, for about as long.
const NO_WAITING: &str = "PRAGMA busy_timeout = 0";
const NAP: Duration = Duration::from_millis(1);
const TRIES: u32 = 2_500;
