//! The log, many lines at a time.
//!
//! A row costs a trip between threads and an allocation for each column. One of many lines is taken
//! apart on another thread while the next is read. Where it does not come apart as it should, its
//! lines are read by themselves.

use std::ops::DerefMut;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row as _, query};
use tokio::task::{JoinHandle, spawn_blocking};

use super::columns;
use super::error::told;
use super::statements::Tables;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::error::StoreErrorKind::{Corrupt, Unavailable};
use crate::revocation::{LogPosition, Pieces};
use crate::stores::sql::apart::{Columns, PIECE};
use crate::stores::sql::rows::Line;

impl<C: DerefMut<Target = SqliteConnection> + Send> Tables<C> {
    /// The lines after a number, in the order of the log.
    pub(super) async fn lines_after(
        &mut self,
        mut read: u64,
        now: UnixTime,
        pieces: Option<&Pieces>,
    ) -> Result<Vec<Line>, StoreError> {
        let mut lines = Vec::new();
        let mut before: Option<(Span, JoinHandle<_>)> = None;
        loop {
            let piece = self.piece(read, now).await?;
            if let Some((span, taking)) = before.take() {
                let taken = taking.await.map_err(|_| told(Unavailable, GONE))?;
                self.collect(&mut lines, taken, span, now).await?;
            }
            let Some((last, held)) = ends(&piece)? else {
                return Ok(lines);
            };
            let span = Span { after: read, last };
            if held < PIECE {
                self.collect(&mut lines, apart(&piece, now), span, now)
                    .await?;
                return Ok(lines);
            }
            // Off this thread, while the next is read.
            before = Some((span, spawn_blocking(move || apart(&piece, now))));
            read = last;
            if let Some(pieces) = pieces {
                pieces.one_more();
            }
        }
    }

    async fn collect(
        &mut self,
        lines: &mut Vec<Line>,
        taken: Option<Vec<Line>>,
        span: Span,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        match taken {
            Some(taken) => lines.extend(taken),
            None => lines.extend(self.lines_within(span, now).await?),
        }
        Ok(())
    }

    async fn piece(&mut self, read: u64, now: UnixTime) -> Result<SqliteRow, StoreError> {
        // The sign keeps SQLite from looking for the order in an index of ends.
        let sql = "SELECT count(*) AS lines, max(number) AS last, \
             group_concat(number, ' ') AS numbers, group_concat(hex(id), '') AS ids, \
             group_concat(until, ' ') AS untils, group_concat(subject, char(31)) AS subjects, \
             group_concat(entry, char(31)) AS entries FROM (SELECT number, id, until, subject, entry \
             FROM jwt_log WHERE number > ? AND +until > ? ORDER BY number LIMIT ?)";
        let statement = query(sql)
            .bind(read.cast_signed())
            .bind(columns::integer(now))
            .bind(PIECE);
        let row = self.one(statement).await?;
        row.ok_or_else(|| told(Corrupt, "the log was counted without a result"))
    }

    /// The same of a few, a row each.
    async fn lines_within(&mut self, span: Span, now: UnixTime) -> Result<Vec<Line>, StoreError> {
        let sql = "SELECT number, id, subject, until, entry FROM jwt_log \
             WHERE number > ? AND number <= ? AND +until > ? ORDER BY number";
        let statement = query(sql)
            .bind(span.after.cast_signed())
            .bind(span.last.cast_signed())
            .bind(columns::integer(now));
        let rows = self.all(statement).await?;
        let lines = rows.iter().filter_map(|row| columns::line(row, now));
        Ok(lines.collect())
    }
}

/// The numbers that a piece stands for.
#[derive(Clone, Copy, Debug)]
struct Span {
    after: u64,
    last: u64,
}

/// The last number of a piece, and how many lines it holds; `None` where there is none.
fn ends(piece: &SqliteRow) -> Result<Option<(u64, i64)>, StoreError> {
    let unread = |_| told(Corrupt, "the end of a piece of the log cannot be read");
    let last: Option<i64> = piece.try_get("last").map_err(unread)?;
    let lines = piece.try_get("lines").map_err(unread)?;
    Ok(last.map(|last| (last.cast_unsigned(), lines)))
}

/// The lines of a piece; `None` where a column does not hold one value for each of them.
fn apart(piece: &SqliteRow, now: UnixTime) -> Option<Vec<Line>> {
    let text = |name| piece.try_get::<&str, _>(name).ok();
    let mut numbers = text("numbers")?.split(' ');
    let columns = Columns {
        count: piece.try_get::<i64, _>("lines").ok()?.try_into().ok()?,
        ids: text("ids")?,
        id: ID,
        untils: text("untils")?,
        subjects: text("subjects")?,
        entries: text("entries")?,
    };
    columns.apart(now, || {
        let value = numbers.next()?.parse().ok()?;
        Some(LogPosition { part: 0, value })
    })
}

const GONE: &str = "the runtime is shutting down";

/// The digits of an id.
const ID: usize = 32;
