//! The whole log, many lines at a time.
//!
//! The driver keeps all rows of an answer until the last has come, and a row of each line takes
//! several times what is in it. So a row brings many lines, and is taken apart on another thread
//! while the server is at the next; all of them are of one snapshot. Where one does not come apart
//! as it should, its lines are read by themselves.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use tokio::task::spawn_blocking;

use super::cursor::position;
use super::error::told;
use super::link::Link;
use super::names::{Names, Now};
use super::{columns, known, tag};
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::error::StoreErrorKind::{Corrupt, Unavailable};
use crate::revocation::Pieces;
use crate::stores::sql::apart::{BETWEEN, Columns, PIECE};
use crate::stores::sql::rows::Line;

impl Names {
    /// Unexpired lines after a number, as one row.
    pub(super) fn piece_after(&self, read: i64, now: UnixTime) -> String {
        let between = u32::from(BETWEEN);
        // The sum keeps PostgreSQL from looking for a piece among all that ends later.
        format!(
            "SELECT {} AS q, count(*) AS lines, max(number) AS last, \
             string_agg(id::text, '') AS ids, string_agg(until::text, ' ') AS untils, \
             string_agg(subject, chr({between})) AS subjects, \
             string_agg(entry, chr({between})) AS entries \
             FROM (SELECT number, id, subject, until, entry FROM {} \
             WHERE number > {read} AND until + 0 > {} ORDER BY number LIMIT {PIECE}) l; ",
            tag::PIECE,
            self.log,
            Now::At(now)
        )
    }
}

/// The lines from the first piece on, which came with other rows; ends the transaction.
pub(super) async fn read_on(
    link: &mut Link,
    names: &Names,
    rows: &mut Vec<PgRow>,
    now: UnixTime,
    pieces: Option<&Pieces>,
) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::new();
    let (mut piece, mut read) = (taken(rows)?, 0);
    while let Some((last, held)) = ends(&piece)? {
        let span = (read, last);
        if held < PIECE {
            let taken = apart(&piece, now);
            collect(link, names, &mut lines, taken, span, now).await?;
            break;
        }
        // Off this thread, while the server is at the next.
        let taking = spawn_blocking(move || apart(&piece, now));
        let mut next = link.run(names.piece_after(last, now)).await?;
        let gone = |_| told(Unavailable, "the runtime is shutting down");
        let taken = taking.await.map_err(gone)?;
        collect(link, names, &mut lines, taken, span, now).await?;
        if let Some(pieces) = pieces {
            pieces.one_more();
        }
        (piece, read) = (self::taken(&mut next)?, last);
    }
    link.run("COMMIT".to_owned()).await?;
    Ok(lines)
}

async fn collect(
    link: &mut Link,
    names: &Names,
    lines: &mut Vec<Line>,
    taken: Option<Vec<Line>>,
    (read, last): (i64, i64),
    now: UnixTime,
) -> Result<(), StoreError> {
    if let Some(taken) = taken {
        lines.extend(taken);
        return Ok(());
    }
    let span = format!("l.number > {read} AND l.number <= {last}");
    let rows = link
        .run(names.lines(tag::LINE, &span, Now::At(now)))
        .await?;
    lines.extend(known::lines(&rows, tag::LINE, now));
    Ok(())
}

/// The piece among the rows.
fn taken(rows: &mut Vec<PgRow>) -> Result<PgRow, StoreError> {
    let is_piece = |row: &PgRow| columns::tag(row) == Some(tag::PIECE);
    let at = rows.iter().position(is_piece);
    let at = at.ok_or_else(|| told(Corrupt, "the log was counted without a result"))?;
    Ok(rows.swap_remove(at))
}

/// The last number of a piece, and how many lines it holds; `None` where there is none.
fn ends(piece: &PgRow) -> Result<Option<(i64, i64)>, StoreError> {
    let unread = |_| told(Corrupt, "the end of a piece of the log cannot be read");
    let last: Option<i64> = piece.try_get("last").map_err(unread)?;
    let lines = piece.try_get("lines").map_err(unread)?;
    Ok(last.map(|last| (last, lines)))
}

/// The lines of a piece; `None` where a column does not hold one value for each of them.
fn apart(piece: &PgRow, now: UnixTime) -> Option<Vec<Line>> {
    let text = |name| piece.try_get::<&str, _>(name).ok();
    let columns = Columns {
        count: piece.try_get::<i64, _>("lines").ok()?.try_into().ok()?,
        ids: text("ids")?,
        id: ID,
        untils: text("untils")?,
        subjects: text("subjects")?,
        entries: text("entries")?,
    };
    // A poll tells up to where it has read by its snapshot, not by its lines.
    columns.apart(now, || Some(position(u64::MAX)))
}

/// The digits of an id, with what stands between them.
const ID: usize = 36;
