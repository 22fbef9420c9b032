//! Rows of an answer as what they stand for. What is no such thing is left out and reported.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::cursor::{Snapshot, position};
use super::error::{STANDBY, told};
use crate::clock::UnixTime;
use crate::crypto::digest;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{Cursor, EntryId, Highest, Lease, NodeId};
use crate::session::{Counters, Idleness};
use crate::stores::codec;
use crate::stores::sql::rows::{Fleet, Found, Line, Row};
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

/// What kind of row it is.
pub(super) fn tag(row: &PgRow) -> Option<i32> {
    row.try_get("q").ok()
}

/// Whether it is a row of a kind; what a function read ahead is of several.
pub(super) fn is(row: &PgRow, kind: i32) -> bool {
    use super::tag as kinds;
    match tag(row) {
        Some(kinds::AHEAD) => matches!(
            kind,
            kinds::LOCKED | kinds::FLEET | kinds::USER | kinds::PROBE
        ),
        found => found == Some(kind),
    }
}

/// The columns `id, record, ended_by, revoked_gen, roles_gen`.
pub(super) fn session(row: &PgRow) -> Option<Row> {
    let Some(id) = uuid(row, "id").map(SessionId::from_bytes) else {
        tracing::error!("skipped a session whose id cannot be read");
        return None;
    };
    let text = row.try_get::<&str, _>("record").unwrap_or_default();
    let found = codec::decode_session(id, text).map(|record| Found {
        record,
        ended_by: uuid(row, "ended_by").map(EntryId::from_bytes),
        counters: counters(row),
    });
    Some(Row { id, found })
}

/// The column `operation`.
pub(super) fn operation(row: &PgRow) -> Option<[u8; 32]> {
    // In an answer of the simple protocol bytes are text.
    let bytes: Vec<u8> = row.try_get("operation").ok()?;
    bytes.try_into().ok()
}

/// The columns `number, xid, id, subject, until, entry`.
pub(super) fn line(row: &PgRow, now: UnixTime) -> Option<Line> {
    let number = row.try_get::<i64, _>("number").ok()?.cast_unsigned();
    // Where the transaction is not told, nobody has read it.
    let xid = xid(row, "xid").unwrap_or(u64::MAX);
    let Some(id) = uuid(row, "id").map(EntryId::from_bytes) else {
        tracing::error!(
            number,
            "skipped a line of the revocation log whose id cannot be read"
        );
        return None;
    };
    let until = instant(row.try_get("until").unwrap_or(i64::MAX));
    let subject = row.try_get::<&str, _>("subject").unwrap_or_default();
    let text = row.try_get::<&str, _>("entry").unwrap_or_default();
    let entry = codec::decode_entry(id, subject, until, text, now)?;
    Some(Line {
        entry,
        at: position(xid),
    })
}

/// The columns `revoked_gen, roles_gen`, absent for a user of whom nothing is known.
pub(super) fn counters(row: &PgRow) -> Counters {
    let counter = |name| {
        let value: Option<i64> = row.try_get(name).ok().flatten();
        value.map_or(Counter::ZERO, |value| {
            Counter::from_u64(value.cast_unsigned())
        })
    };
    Counters {
        revoked_gen: counter("revoked_gen"),
        roles_gen: counter("roles_gen"),
    }
}

/// A yes or no.
pub(super) fn flag(row: &PgRow, name: &str) -> bool {
    row.try_get(name).unwrap_or(false)
}

/// The column `key`.
pub(super) fn key(row: &PgRow) -> Option<String> {
    row.try_get("key").ok()
}

/// The column `id` of a user.
pub(super) fn user(row: &PgRow) -> Option<UserId> {
    UserId::new(row.try_get::<&str, _>("id").ok()?).ok()
}

/// A number of a transaction.
pub(super) fn xid(row: &PgRow, name: &str) -> Option<u64> {
    row.try_get::<&str, _>(name).ok()?.parse().ok()
}

/// The columns `node, until, lease`. One that cannot be read has applied nothing: leaving it out
/// would call a revocation seen by all that one has not seen.
pub(super) fn lease(row: &PgRow, history: u128) -> Lease {
    let text = row.try_get::<&str, _>("lease").unwrap_or_default();
    serde_json::from_str(text).unwrap_or_else(|_| Lease {
        node: NodeId(u128::from_be_bytes(uuid(row, "node").unwrap_or_default())),
        history,
        applied: Cursor::default(),
        until: instant(row.try_get("until").unwrap_or(i64::MAX)),
    })
}

/// What an answer says of the fleet, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greeting {
    pub(super) fleet: Fleet,
    pub(super) now: UnixTime,
    pub(super) xmax: u64,
}

/// The columns of a greeting.
pub(super) fn greeting(rows: &[PgRow]) -> Result<Greeting, StoreError> {
    let lost = || {
        told(
            StoreErrorKind::Corrupt,
            "the table jwt_meta has lost its row: restore it from a backup",
        )
    };
    let row = rows.iter().find(|row| is(row, super::tag::FLEET));
    let row = row.ok_or_else(lost)?;
    if row.try_get("standby").unwrap_or(true) {
        return Err(told(StoreErrorKind::Unavailable, STANDBY));
    }
    let read = || {
        let deployment = u128::from_be_bytes(uuid(row, "deployment")?);
        let limits: Option<&str> = row.try_get("limits").ok()?;
        Some(Greeting {
            fleet: Fleet {
                deployment,
                history: history(deployment, row)?,
                limits: limits.map(serde_json::from_str).transpose().ok()?,
                idleness: Idleness {
                    covered_until: instant(row.try_get("covered_until").ok()?),
                    settles_at: instant(row.try_get("settles_at").ok()?),
                },
                highest: Highest::kept(instant(row.try_get("highest").ok()?)),
            },
            now: instant(row.try_get("now").ok()?),
            xmax: xid(row, "xmax")?,
        })
    };
    read().ok_or_else(lost)
}

/// Names the history of the log: another deployment, another server or another timeline is
/// another one. A standby that is promoted begins a timeline, and so does a restored backup.
pub(super) fn history(deployment: u128, row: &PgRow) -> Option<u128> {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&deployment.to_be_bytes());
    for name in ["system", "timeline"] {
        context.update(row.try_get::<&str, _>(name).ok()?.as_bytes());
        context.update(&[0]);
    }
    let digest = context.finish();
    let bytes = digest.as_ref().get(..16)?;
    Some(u128::from_be_bytes(bytes.try_into().ok()?))
}

pub(super) fn instant(column: i64) -> UnixTime {
    UnixTime::from_micros(column.max(0).cast_unsigned())
}

fn uuid(row: &PgRow, name: &str) -> Option<[u8; 16]> {
    let text: Option<&str> = row.try_get(name).ok()?;
    Some(Uuid::parse_str(text?).ok()?.into_bytes())
}

/// A count.
pub(super) fn count(row: &PgRow, name: &str) -> Option<u64> {
    row.try_get::<i64, _>(name).ok().map(i64::cast_unsigned)
}

/// The cursor of a poll: what it saw.
pub(super) fn cursor(rows: &[PgRow]) -> Option<Cursor> {
    use super::tag as kind;
    let of = |wanted| rows.iter().find(|row| tag(row) == Some(wanted));
    let text: &str = of(kind::FLEET)?.try_get("snapshot").ok()?;
    Some(Snapshot::parse(text)?.into_cursor())
}
