//! Looking at the server, and moving its sessions.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::PostgresStore;
use super::columns::instant;
use super::known::Asked;
use super::link::Link;
use super::literal::{Name, Text};
use super::names::key_of;
use super::opened::Shared;
use super::pools::Class;
use super::run::Ahead;
use crate::BoxFuture;
use crate::clock::{Clock as _, SystemClock};
use crate::diagnosis::{Check, ClockReading, StoreReport};
use crate::error::StoreError;
use crate::revocation::RevocationEntry;
use crate::session::{Export, ExportCursor, Imported, StoredSession, Upkeep};
use crate::token::SessionId;

impl Upkeep for PostgresStore {
    fn inspect(&self) -> BoxFuture<'_, StoreReport> {
        Box::pin(self.shared.inspect())
    }

    fn export(
        &self,
        from: Option<ExportCursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Export, StoreError>> {
        let asked = Asked::default();
        Box::pin(self.read(Class::List, asked, move |steps| {
            let from = from.clone();
            Box::pin(async move { steps.export(from.as_ref(), limit).await })
        }))
    }

    fn export_log(&self) -> BoxFuture<'_, Result<Vec<RevocationEntry>, StoreError>> {
        let asked = Asked::default();
        Box::pin(self.read(Class::List, asked, |steps| Box::pin(steps.export_log())))
    }

    fn import(&self, sessions: Vec<StoredSession>) -> BoxFuture<'_, Result<Imported, StoreError>> {
        Box::pin(async move {
            let ids: Vec<SessionId> = sessions.iter().map(|stored| stored.record.id).collect();
            let users = sessions.iter().map(|stored| stored.record.user.as_str());
            let ahead = Ahead {
                keys: users.map(key_of).collect(),
                asked: Asked {
                    sessions: &ids,
                    ..Asked::default()
                },
                ..Ahead::default()
            };
            let sessions = &sessions;
            self.write(ahead, |steps| Box::pin(steps.import(sessions.clone())))
                .await
        })
    }
}

impl Shared {
    async fn inspect(&self) -> StoreReport {
        let mut report = StoreReport::default();
        let looked = async {
            let link = self.acquire(Class::List).await;
            let mut link = link.map_err(super::opened::Failure::into_error)?;
            look(&mut link, self.schema(), &mut report).await?;
            link.finish();
            Ok::<_, StoreError>(())
        };
        if let Err(error) = looked.await {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            let why = why.unwrap_or_else(|| error.to_string());
            let fix = "see what is said of it, and docs/troubleshooting.md";
            report.checks.push(Check::fail(STORE, why, fix));
        }
        report
    }
}

async fn look(
    link: &mut Link,
    schema: Option<&str>,
    report: &mut StoreReport,
) -> Result<(), StoreError> {
    let meta = match schema {
        Some(schema) => Text(&format!("{}.jwt_meta", Name(schema))).to_string(),
        None => "'jwt_meta'".to_owned(),
    };
    let question = format!(
        "SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby, \
         current_setting('synchronous_commit') AS waits, current_setting('fsync') AS fsync, \
         current_setting('full_page_writes') AS pages, \
         current_setting('max_connections')::integer AS most, \
         (SELECT count(*) FROM pg_stat_activity)::integer AS taken, \
         (SELECT count(*) FROM pg_stat_replication)::integer AS standbys, \
         current_setting('synchronous_standby_names') AS awaited, \
         (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now, \
         to_regclass({meta})::text AS meta"
    );
    let clock = SystemClock;
    let asked = clock.now();
    let rows = link.run(question).await?;
    let answered = clock.now();
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let version = format!("PostgreSQL {}", text(row, "version"));
    report.checks.push(Check::ok(STORE, version.as_str()));
    report.version = Some(version);
    report.clock = row.try_get("now").ok().map(|now| ClockReading {
        asked,
        said: instant(now),
        answered,
    });
    report
        .checks
        .extend([persistence(row), replication(row), connections(row)]);
    let meta = text(row, "meta");
    if !meta.is_empty() {
        // The name as the server wrote it, quoted where it has to be.
        let question = format!("SELECT deployment::text AS deployment, limits FROM {meta}");
        let rows = link.run(question).await?;
        let row = rows.first();
        let read = |name| row.map(|row| text(row, name)).unwrap_or_default();
        let deployment = Uuid::parse_str(&read("deployment")).ok();
        report.deployment = deployment.map(|id| id.as_u128());
        report.limits = serde_json::from_str(&read("limits")).ok();
    }
    Ok(())
}

fn persistence(row: &PgRow) -> Check {
    let [waits, fsync, pages] = ["waits", "fsync", "pages"].map(|name| text(row, name));
    let seen = format!("synchronous_commit {waits}, fsync {fsync}, full_page_writes {pages}");
    if fsync == "off" || pages == "off" {
        let fix = "set both on: the database may not survive a crash of its machine";
        return Check::warn(PERSISTENCE, seen, fix);
    }
    if waits == "off" {
        let fix = "set synchronous_commit on: what was acknowledged may be lost in a crash";
        return Check::warn(PERSISTENCE, seen, fix);
    }
    Check::ok(PERSISTENCE, seen)
}

fn replication(row: &PgRow) -> Check {
    if row.try_get("standby").unwrap_or(false) {
        let fix = "name the primary in SESSION_STORE: nothing can be written here";
        return Check::fail(REPLICATION, "this server is a standby", fix);
    }
    let standbys: i32 = row.try_get("standbys").unwrap_or_default();
    let awaited = text(row, "awaited");
    let seen = match (standbys, awaited.as_str()) {
        (0, _) => "no standby".to_owned(),
        (count, "") => format!("{count} standbys, none awaited: a failover may lose the latest"),
        (count, awaited) => format!("{count} standbys, commits wait for {awaited}"),
    };
    Check::ok(REPLICATION, seen)
}

fn connections(row: &PgRow) -> Check {
    let [taken, most] = ["taken", "most"].map(|name| row.try_get::<i32, _>(name).unwrap_or(0));
    let seen = format!("{taken} of {most} taken, a node takes up to 17");
    if most - taken < 17 {
        let fix = "raise max_connections, or put a pooler in between";
        return Check::warn(CONNECTIONS, seen, fix);
    }
    Check::ok(CONNECTIONS, seen)
}

fn text(row: &PgRow, name: &str) -> String {
    let text: Option<String> = row.try_get(name).unwrap_or_default();
    text.unwrap_or_default()
}

const STORE: &str = "store";
const PERSISTENCE: &str = "store persistence";
const REPLICATION: &str = "store replication";
const CONNECTIONS: &str = "store connections";
