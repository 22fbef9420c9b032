//! The log, many lines at a time.
//!
//! A row costs a trip between threads and an allocation for each column, which is more than what is
//! in a line of the log. So a row brings a column of many lines, joined by a character that no
//! line holds, and is taken apart on another thread while the next is read. Where one does not
//! come apart as it should, its lines are read by themselves.

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
use crate::revocation::{EntryId, LogPosition};
use crate::stores::codec;
use crate::stores::sql::rows::Line;

impl<C: DerefMut<Target = SqliteConnection> + Send> Tables<C> {
    /// The lines after a number, in the order of the log.
    pub(super) async fn lines_after(
        &mut self,
        mut read: u64,
        now: UnixTime,
    ) -> Result<Vec<Line>, StoreError> {
        let mut lines = Vec::new();
        let mut before: Option<(Span, JoinHandle<_>)> = None;
        loop {
            let piece = self.piece(read, now).await?;
            if let Some((span, taking)) = before.take() {
                let taken = taking.await.map_err(|_| told(Unavailable, GONE))?;
                self.collect(&mut lines, taken, span, now).await?;
            }
            let Some((last, held)) = ends(&piece) else {
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
fn ends(piece: &SqliteRow) -> Option<(u64, i64)> {
    let last: Option<i64> = piece.try_get("last").ok()?;
    Some((last?.cast_unsigned(), piece.try_get("lines").ok()?))
}

/// The lines of a piece; `None` where a column does not hold one value for each of them.
fn apart(piece: &SqliteRow, now: UnixTime) -> Option<Vec<Line>> {
    let text = |name| piece.try_get::<&str, _>(name).ok();
    let count = usize::try_from(piece.try_get::<i64, _>("lines").ok()?).ok()?;
    let ids = text("ids")?.as_bytes();
    if ids.len() != count * ID {
        return None;
    }
    let mut ids = ids.chunks_exact(ID);
    let mut numbers = text("numbers")?.split(' ');
    let mut untils = text("untils")?.split(' ');
    let mut subjects = text("subjects")?.split(BETWEEN);
    let mut entries = text("entries")?.split(BETWEEN);
    let mut lines = Vec::with_capacity(count);
    for _ in 0..count {
        let id = u128::from_str_radix(std::str::from_utf8(ids.next()?).ok()?, 16).ok()?;
        let id = EntryId::from_bytes(id.to_be_bytes());
        let value = numbers.next()?.parse().ok()?;
        let until = columns::instant(untils.next()?.parse().ok()?);
        let (subject, entry) = (subjects.next()?, entries.next()?);
        let entry = codec::decode_entry(id, subject, until, entry, now);
        let at = LogPosition { part: 0, value };
        lines.extend(entry.map(|entry| Line { entry, at }));
    }
    let over = subjects.next().is_none() && entries.next().is_none();
    over.then_some(lines)
}

const GONE: &str = "the runtime is shutting down";

/// How many lines make a piece: about a megabyte of text.
const PIECE: i64 = 4096;
/// Names and lines are written without control characters.
const BETWEEN: char = '\u{1f}';
/// The digits of an id.
const ID: usize = 32;
