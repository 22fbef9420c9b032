//! Looking at the file, and moving its sessions.

use std::fs::Metadata;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row as _};

use super::error::{no_file, not_opened};
use super::values::FLEET;
use super::{SqliteStore, columns};
use crate::BoxFuture;
use crate::diagnosis::{Check, StoreReport};
use crate::error::StoreError;
use crate::revocation::RevocationEntry;
use crate::session::{Export, ExportCursor, Imported, StoredSession, Upkeep};

impl Upkeep for SqliteStore {
    fn inspect(&self) -> BoxFuture<'_, StoreReport> {
        Box::pin(look(&self.shared.path))
    }

    fn export(
        &self,
        from: Option<ExportCursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Export, StoreError>> {
        Box::pin(async move { self.reading().await?.export(from.as_ref(), limit).await })
    }

    fn export_log(&self) -> BoxFuture<'_, Result<Vec<RevocationEntry>, StoreError>> {
        Box::pin(async move { self.reading().await?.export_log().await })
    }

    fn import(&self, sessions: Vec<StoredSession>) -> BoxFuture<'_, Result<Imported, StoreError>> {
        self.write(move |steps| Box::pin(steps.import(sessions)))
    }
}

async fn look(path: &Path) -> StoreReport {
    let mut report = StoreReport::default();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    report.checks.extend(disk(folder));
    match std::fs::metadata(path) {
        Ok(metadata) => {
            report.checks.push(owner_alone(path, &metadata));
            if let Err(error) = look_into(path, &metadata, &mut report).await {
                report.checks.push(refused(path, &error));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && folder.is_dir() => {
            let seen = format!("{} is made at the first start", path.display());
            report.checks.push(Check::ok(STORE, seen));
        }
        Err(error) => report.checks.push(refused(path, &no_file(path, error))),
    }
    report
}

async fn look_into(
    path: &Path,
    metadata: &Metadata,
    report: &mut StoreReport,
) -> Result<(), StoreError> {
    let not_opened = |error| not_opened(path, error);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(not_opened)?;
    let looked = look_at_tables(&mut connection, report).await;
    // What was asked is known already.
    let _ = connection.close().await;
    let journal = looked.map_err(not_opened)?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let waiting = std::fs::metadata(log).map_or(0, |log| log.len());
    let seen = format!(
        "{} in {} ({} KiB, {} KiB of them in the log), journal {journal}",
        report.version.as_deref().unwrap_or("SQLite"),
        path.display(),
        (metadata.len() + waiting) / 1024,
        waiting / 1024
    );
    report.checks.insert(0, Check::ok(STORE, seen));
    Ok(())
}

/// What the file says of itself, and how it keeps its journal.
async fn look_at_tables(
    connection: &mut SqliteConnection,
    report: &mut StoreReport,
) -> Result<String, sqlx::Error> {
    let sql = "SELECT sqlite_version() AS version, \
         (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'jwt_meta') AS made, \
         (SELECT journal_mode FROM pragma_journal_mode) AS journal";
    let row = sqlx::query(sql).fetch_one(&mut *connection).await?;
    let version: String = row.try_get("version")?;
    report.version = Some(format!("SQLite {version}"));
    if row.try_get::<i64, _>("made")? > 0 {
        let row = sqlx::query(FLEET).fetch_optional(connection).await?;
        match row.as_ref().and_then(columns::fleet) {
            Some(fleet) => {
                report.deployment = Some(fleet.deployment);
                report.limits = fleet.limits;
            }
            None => report.checks.push(Check::fail(
                "store tables",
                "the file holds a table jwt_meta that is not of this crate, or damaged",
                "choose another file, or restore it from a backup",
            )),
        }
    }
    row.try_get("journal")
}

fn refused(path: &Path, error: &StoreError) -> Check {
    let why = std::error::Error::source(error).map(ToString::to_string);
    Check::fail(
        STORE,
        why.unwrap_or_else(|| error.to_string()),
        format!(
            "see what is said of {}, and docs/troubleshooting.md",
            path.display()
        ),
    )
}

/// How much room there is; nothing where the system does not say.
fn disk(folder: &Path) -> Option<Check> {
    let room = rustix::fs::statvfs(folder).ok()?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let seen = format!("{} MiB free in {}", free >> 20, folder.display());
    Some(match free {
        ..LITTLE => Check::fail(DISK, seen, FIX_DISK),
        LITTLE..SOME => Check::warn(DISK, seen, FIX_DISK),
        SOME.. => Check::ok(DISK, seen),
    })
}

/// Whether the file is for its owner alone: it says who is signed in where.
#[cfg(unix)]
fn owner_alone(path: &Path, metadata: &Metadata) -> Check {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    let seen = format!("{} has mode {mode:04o}", path.display());
    if mode & 0o077 == 0 {
        return Check::ok(PERMISSIONS, seen);
    }
    Check::warn(PERMISSIONS, seen, format!("chmod 600 {}", path.display()))
}

#[cfg(not(unix))]
fn owner_alone(path: &Path, _metadata: &Metadata) -> Check {
    Check::ok(PERMISSIONS, path.display().to_string())
}

const STORE: &str = "store";
const DISK: &str = "disk space";
const PERMISSIONS: &str = "store permissions";
const FIX_DISK: &str = "make room: nothing can be signed in or ended on a full disk";
const LITTLE: u64 = 16 << 20;
const SOME: u64 = 256 << 20;
