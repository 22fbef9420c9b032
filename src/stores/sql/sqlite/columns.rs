//! Rows of the tables as what they stand for. What is no such thing is left out and reported.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::clock::UnixTime;
use crate::revocation::{EntryId, Highest, LogPosition};
use crate::session::{Counters, Idleness};
use crate::stores::codec;
use crate::stores::sql::rows::{Fleet, Found, Line, Row};
use crate::token::SessionId;
use crate::verify::Counter;

/// The columns `id, record, ended_by, revoked_gen, roles_gen`.
pub(super) fn session(row: &SqliteRow) -> Option<Row> {
    let Some(id) = sixteen(row, "id").map(SessionId::from_bytes) else {
        tracing::error!("skipped a session whose id cannot be read");
        return None;
    };
    let text = row.try_get::<&str, _>("record").unwrap_or_default();
    let found = codec::decode_session(id, text).map(|record| Found {
        record,
        ended_by: sixteen(row, "ended_by").map(EntryId::from_bytes),
        counters: counters(row),
    });
    Some(Row { id, found })
}

/// The column `operation`.
pub(super) fn operation(row: &SqliteRow) -> Option<&[u8; 32]> {
    let bytes: &[u8] = row.try_get("operation").ok()?;
    bytes.try_into().ok()
}

/// The columns `number, id, subject, until, entry`.
pub(super) fn line(row: &SqliteRow, now: UnixTime) -> Option<Line> {
    let number = row.try_get::<i64, _>("number").ok()?.cast_unsigned();
    let Some(id) = sixteen(row, "id").map(EntryId::from_bytes) else {
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
    let at = LogPosition {
        part: 0,
        value: number,
    };
    Some(Line { entry, at })
}

/// The columns `revoked_gen, roles_gen`, absent for a user of whom nothing is known.
pub(super) fn counters(row: &SqliteRow) -> Counters {
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

/// The columns `deployment, history, limits, covered_until, settles_at, highest`.
pub(super) fn fleet(row: &SqliteRow) -> Option<Fleet> {
    let limits: Option<&str> = row.try_get("limits").ok()?;
    Some(Fleet {
        deployment: u128::from_be_bytes(sixteen(row, "deployment")?),
        history: u128::from_be_bytes(sixteen(row, "history")?),
        limits: limits.map(serde_json::from_str).transpose().ok()?,
        idleness: Idleness {
            covered_until: instant(row.try_get("covered_until").ok()?),
            settles_at: instant(row.try_get("settles_at").ok()?),
        },
        highest: Highest::kept(instant(row.try_get("highest").ok()?)),
    })
}

/// An instant as a column holds it, in microseconds; what is too late for SQLite's integers is
/// as late as they can say.
pub(super) fn integer(at: UnixTime) -> i64 {
    i64::try_from(at.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn instant(column: i64) -> UnixTime {
    UnixTime::from_micros(column.max(0).cast_unsigned())
}

fn sixteen(row: &SqliteRow, name: &str) -> Option<[u8; 16]> {
    let bytes: Option<&[u8]> = row.try_get(name).ok()?;
    bytes?.try_into().ok()
}
