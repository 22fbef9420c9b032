//! Opening a database: what server it is, whose the tables are, and making them.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::error::{STANDBY, caused, misconfigured, told};
use super::link::{Link, Trouble};
use super::literal::{Id, Name, Text, list};
use super::names::Names;
use crate::error::{StoreError, StoreErrorKind};
use crate::stores::sql::layout::{Layout, Misfit};

/// Finds the tables, or makes them: all at once or not at all. Nothing is made twice where
/// several nodes start at once, and nothing is asked for that the user may not do where the
/// tables are there.
pub(super) async fn open(
    link: &mut Link,
    schema: Option<&str>,
    layout: Layout,
) -> Result<Names, StoreError> {
    let server = Server::meet(link, schema).await?;
    let schema = server.schema.as_str();
    if meet(link, &server, layout).await? < layout.version() {
        let made = make(link, &server, layout).await;
        if made.is_err() {
            link.undo().await;
        }
        made?;
    }
    let names = Names::new(schema, timeline(link).await, system(link).await);
    link.finish();
    Ok(names)
}

/// What is to be known of a server.
struct Server {
    schema: String,
    user: String,
}

impl Server {
    async fn meet(link: &mut Link, schema: Option<&str>) -> Result<Self, StoreError> {
        let home = match schema {
            Some(schema) => Text(schema).to_string(),
            None => "coalesce((SELECT n.nspname::text FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.oid = to_regclass('jwt_meta')), current_schema()::text)"
                .to_owned(),
        };
        let question = format!(
            "SELECT current_setting('server_version_num')::integer AS version, \
             current_setting('server_version') AS named, pg_is_in_recovery() AS standby, \
             current_setting('server_encoding') AS encoding, {home} AS home, \
             current_user::text AS me, current_setting('synchronous_commit') AS waits, \
             current_setting('fsync') AS fsync"
        );
        let rows = link.run(question).await?;
        let row = rows.first().ok_or_else(no_answer)?;
        let version: i32 = row.try_get("version").map_err(|_| no_answer())?;
        new_enough(version, &text(row, "named"))?;
        if row.try_get("standby").unwrap_or(true) {
            link.misled();
            return Err(told(StoreErrorKind::Unavailable, STANDBY));
        }
        let encoding = text(row, "encoding");
        if encoding != "UTF8" {
            return Err(misconfigured(format!(
                "the database is encoded in {encoding}: make one with ENCODING 'UTF8'"
            )));
        }
        warn(&text(row, "waits"), &text(row, "fsync"));
        let schema = text(row, "home");
        if schema.is_empty() || schema.len() > LONGEST_NAME {
            return Err(misconfigured(
                "there is no schema to put the tables in: name one, or set the search_path of the user",
            ));
        }
        Ok(Self {
            schema,
            user: text(row, "me"),
        })
    }
}

/// Refuses a server that lacks what the statements use.
pub(super) fn new_enough(version: i32, named: &str) -> Result<(), StoreError> {
    if version >= OLDEST {
        return Ok(());
    }
    Err(misconfigured(format!(
        "the server is PostgreSQL {named}, and 13 is the oldest that can be used: upgrade it"
    )))
}

/// Sees whether the tables are ours, and may be used: the version that they are of, 0 where there
/// are none.
async fn meet(link: &mut Link, server: &Server, layout: Layout) -> Result<usize, StoreError> {
    let Server { schema, user } = server;
    let question = format!(
        "SELECT c.relname::text AS name, c.relkind::text AS kind, \
         has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND \
         has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE') AS usable, \
         has_schema_privilege(n.oid, 'USAGE') AS reachable, \
         pg_has_role(c.relowner, 'USAGE') AS owned, EXISTS (SELECT 1 FROM pg_attribute a \
         WHERE a.attrelid = c.oid AND a.attname = 'deployment' AND NOT a.attisdropped) AS meta \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = {} AND c.relname IN ({})",
        Text(schema),
        list(tables().map(Text))
    );
    let rows = link.run(question).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let flag = |row: &PgRow, name: &str| row.try_get(name).unwrap_or(false);
    let meta = rows.iter().find(|row| text(row, "name") == "jwt_meta");
    let named = |table: &str| rows.iter().any(|row| text(row, "name") == table);
    let complete =
        FIRST_TABLES.into_iter().all(named) && rows.iter().all(|row| text(row, "kind") == "r");
    if !complete || !meta.is_some_and(|row| flag(row, "meta")) {
        return Err(foreign(schema));
    }
    if !rows
        .iter()
        .all(|row| flag(row, "usable") && flag(row, "reachable"))
    {
        return Err(misconfigured(format!(
            "the user {user} may not use the tables: GRANT USAGE ON SCHEMA {schema} TO {user}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {user}",
            list(tables().map(|table| format!("{schema}.{table}")))
        )));
    }
    if let Some(routine) = refused_routine(link, schema).await? {
        return Err(misconfigured(format!(
            "the user {user} may not use {schema}.{routine}: \
             GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {schema} TO {user}"
        )));
    }
    let version = version(link, schema, layout).await?;
    if version < layout.version() && !rows.iter().all(|row| flag(row, "owned")) {
        return Err(misconfigured(format!(
            "the tables in the schema {schema} are of an older version, and the user {user} may not change them: \
             let their owner start this version once"
        )));
    }
    Ok(version)
}

/// One of our functions and procedures that the user may not call.
async fn refused_routine(link: &mut Link, schema: &str) -> Result<Option<String>, StoreError> {
    let question = format!(
        "SELECT p.proname::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE n.nspname = {} AND p.proname IN ({}) \
         AND NOT has_function_privilege(p.oid, 'EXECUTE') ORDER BY 1 LIMIT 1",
        Text(schema),
        list(ROUTINES.into_iter().map(Text))
    );
    let rows = link.run(question).await?;
    Ok(rows.first().map(|row| text(row, "name")))
}

/// The version that the tables are of, once it is clear that they hold what the statements ask for.
async fn version(link: &mut Link, schema: &str, layout: Layout) -> Result<usize, StoreError> {
    let question = format!("SELECT version FROM {}.jwt_meta", Name(schema));
    let rows = fitting(link, schema, question).await?;
    let said = rows
        .first()
        .and_then(|row| row.try_get::<i64, _>("version").ok());
    let version = layout.judge(said).map_err(|misfit| match misfit {
        Misfit::Newer(version) => misconfigured(format!(
            "the tables in the schema {schema} are of version {version}, written by a newer version of \
             tower-jwt-session: use that version, or another schema"
        )),
        Misfit::Foreign => foreign(schema),
    })?;
    if version == layout.version() {
        fitting(link, schema, columns(schema)).await?;
    }
    Ok(version)
}

/// What finds each column, and reads nothing.
fn columns(schema: &str) -> String {
    let schema = Name(schema);
    let look = |(table, columns)| format!("SELECT {columns} FROM {schema}.{table} LIMIT 0; ");
    COLUMNS.into_iter().map(look).collect()
}

/// Runs what only tables of somebody else do not answer.
async fn fitting(
    link: &mut Link,
    schema: &str,
    question: String,
) -> Result<Vec<PgRow>, StoreError> {
    let answer = link.run(question).await;
    answer.map_err(|error| match link.trouble() {
        Some(Trouble::Uprooted) => foreign(schema),
        _ => error,
    })
}

/// Makes the tables, or brings them up to date, unless another node was faster.
async fn make(link: &mut Link, server: &Server, layout: Layout) -> Result<(), StoreError> {
    let Server { schema, user } = server;
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
         SELECT pg_advisory_xact_lock({MAKING})::text; \
         SELECT has_database_privilege(current_database(), 'CREATE') AS may_make, \
         current_database()::text AS here, \
         (SELECT has_schema_privilege(n.oid, 'CREATE') FROM pg_namespace n WHERE n.nspname = {}) AS may_fill",
        Text(schema)
    );
    let rows = link.run(begin).await?;
    let row = rows.last().ok_or_else(no_answer)?;
    let found = meet(link, server, layout).await?;
    if found == layout.version() {
        link.run("COMMIT".to_owned()).await?;
        return Ok(());
    }
    let mut statements = String::new();
    if found == 0 && place(row, schema, user)? == Place::Missing {
        statements.push_str(&format!("CREATE SCHEMA {}; ", Name(schema)));
    }
    let quoted = Name(schema).to_string();
    for step in layout.after(found) {
        statements.push_str(&step.replace("{schema}", &quoted));
        statements.push_str("; ");
    }
    let version = layout.version();
    statements.push_str(&format!(
        "INSERT INTO {quoted}.jwt_meta (one, version, deployment) VALUES (1, {version}, {}) \
         ON CONFLICT (one) DO UPDATE SET version = excluded.version; {}COMMIT",
        Id(Uuid::now_v7().as_bytes()),
        columns(schema),
    ));
    let made = link.run(statements).await;
    let error = match (made, found) {
        (Ok(_), 0) => return Ok(()),
        (Ok(_), from) => {
            tracing::info!(schema, from, to = version, "brought the tables up to date");
            return Ok(());
        }
        (Err(error), _) => error,
    };
    Err(match link.trouble() {
        Some(Trouble::Uprooted) if found == 0 => foreign(schema),
        Some(Trouble::Uprooted | Trouble::Other) if found > 0 => stuck(schema, error),
        _ => error,
    })
}

/// Where tables are to be made.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    There,
    Missing,
}

/// Whether the schema is there, and the user may make what is to be made.
fn place(row: &PgRow, schema: &str, user: &str) -> Result<Place, StoreError> {
    let may_fill: Option<bool> = row.try_get("may_fill").map_err(|_| no_answer())?;
    match may_fill {
        Some(true) => Ok(Place::There),
        Some(false) => Err(misconfigured(format!(
            "the user {user} may not make tables in the schema {schema}: \
             GRANT CREATE, USAGE ON SCHEMA {schema} TO {user}"
        ))),
        None if row.try_get("may_make").unwrap_or(false) => Ok(Place::Missing),
        None => {
            let here = text(row, "here");
            Err(misconfigured(format!(
                "there is no schema {schema}, and the user {user} may not make it: \
                 CREATE SCHEMA {schema} AUTHORIZATION {user}, or GRANT CREATE ON DATABASE {here} TO {user}"
            )))
        }
    }
}

/// How the timeline can be told here: the first says it from the moment of a promotion, the
/// second from the checkpoint after it.
async fn timeline(link: &mut Link) -> &'static str {
    let ways = [
        "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)",
        "(SELECT timeline_id::text FROM pg_control_checkpoint())",
    ];
    for way in ways {
        if link.run(format!("SELECT {way}")).await.is_ok() {
            return way;
        }
    }
    tracing::warn!(
        "the server does not tell its timeline: a promoted standby is noticed only by the entries that it lost"
    );
    "''"
}

/// How the server's identity can be told here, if at all.
async fn system(link: &mut Link) -> &'static str {
    let way = "(SELECT system_identifier::text FROM pg_control_system())";
    match link.run(format!("SELECT {way}")).await {
        Ok(_) => way,
        Err(_) => "''",
    }
}

fn warn(synchronous_commit: &str, fsync: &str) {
    if synchronous_commit == "off" {
        tracing::warn!(
            "synchronous_commit is off: sessions and revocations that were acknowledged may be lost when the server crashes"
        );
    }
    if fsync == "off" {
        tracing::warn!("fsync is off: the database may not survive a crash of its machine");
    }
}

fn tables() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().map(|(table, _)| table)
}

fn foreign(schema: &str) -> StoreError {
    misconfigured(format!(
        "the schema {schema} holds tables named jwt_… that are not of this crate: choose another schema"
    ))
}

fn stuck(schema: &str, error: StoreError) -> StoreError {
    caused(
        StoreErrorKind::Configuration,
        format!(
            "the tables in the schema {schema} cannot be brought up to date, and are as they were: \
             go on with the version that wrote them, and report this"
        ),
        error,
    )
}

fn no_answer() -> StoreError {
    told(
        StoreErrorKind::Unavailable,
        "the server does not say what it is",
    )
}

fn text(row: &PgRow, name: &str) -> String {
    let text: Option<String> = row.try_get(name).unwrap_or_default();
    text.unwrap_or_default()
}

/// The tables that this code reads and writes.
pub(super) const LAYOUT: Layout = Layout::new(&[
    include_str!("schema.sql"),
    include_str!("audit.sql"),
    include_str!("highest.sql"),
    include_str!("ahead.sql"),
]);
const COLUMNS: [(&str, &str); 6] = [
    (
        "jwt_meta",
        "one, version, deployment, limits, covered_until, settles_at, highest",
    ),
    ("jwt_users", "id, revoked_gen, roles_gen"),
    (
        "jwt_sessions",
        "id, user_id, user_key, operation, due_at, ended_at, ended_by, record",
    ),
    ("jwt_log", "number, id, xid, subject, until, entry"),
    ("jwt_leases", "node, until, lease"),
    ("jwt_audit", "number, id, at, user_id, session_id, entry"),
];
const ROUTINES: [&str; 4] = [
    "jwt_before_sign_in",
    "jwt_before_refresh",
    "jwt_make",
    "jwt_go_on",
];
/// Tables of any version have these.
const FIRST_TABLES: [&str; 5] = [
    "jwt_meta",
    "jwt_users",
    "jwt_sessions",
    "jwt_log",
    "jwt_leases",
];
/// The lock under which tables are made.
const MAKING: i64 = 0x6a77_745f_6d61_6b65;
const OLDEST: i32 = 130_000;
/// In bytes, as PostgreSQL cuts names off.
const LONGEST_NAME: usize = 63;
