//! Many lines of the log in one row.
//!
//! A row of its own for each line costs more than what is in the line. So a row brings a column of
//! many lines, joined by what no line holds.

use uuid::Uuid;

use super::rows::Line;
use crate::clock::UnixTime;
use crate::revocation::{EntryId, LogPosition};
use crate::stores::codec;

/// The columns of so many lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    pub(super) count: usize,
    /// One behind the other, each as long as `id`.
    pub(super) ids: &'a str,
    pub(super) id: usize,
    /// In microseconds, with spaces between them.
    pub(super) untils: &'a str,
    /// With [`BETWEEN`] between them, as the following.
    pub(super) subjects: &'a str,
    pub(super) entries: &'a str,
}

impl Columns<'_> {
    /// The lines, each at what `place` says of the next; `None` where a column does not hold one
    /// value for each of them.
    pub(super) fn apart(
        self,
        now: UnixTime,
        mut place: impl FnMut() -> Option<LogPosition>,
    ) -> Option<Vec<Line>> {
        if self.ids.len() != self.count.checked_mul(self.id)? {
            return None;
        }
        let mut ids = self.ids.as_bytes().chunks_exact(self.id);
        let mut untils = self.untils.split(' ');
        let mut subjects = self.subjects.split(BETWEEN);
        let mut entries = self.entries.split(BETWEEN);
        let mut lines = Vec::with_capacity(self.count);
        for _ in 0..self.count {
            let id = Uuid::try_parse_ascii(ids.next()?).ok()?;
            let id = EntryId::from_bytes(id.into_bytes());
            let until: i64 = untils.next()?.parse().ok()?;
            let until = UnixTime::from_micros(until.max(0).cast_unsigned());
            let (subject, entry) = (subjects.next()?, entries.next()?);
            let at = place()?;
            let entry = codec::decode_entry(id, subject, until, entry, now);
            lines.extend(entry.map(|entry| Line { entry, at }));
        }
        let over = subjects.next().is_none() && entries.next().is_none();
        over.then_some(lines)
    }
}

/// How many lines make a piece: about a megabyte of text.
pub(super) const PIECE: i64 = 4096;
/// Names and lines are written without control characters.
pub(super) const BETWEEN: char = '\u{1f}';
