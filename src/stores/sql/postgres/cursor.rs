//! Up to where a log was read.
//!
//! Transactions do not become visible in the order of their numbers, so no number says what was
//! read. A snapshot does: the next poll reads what its own sees and the one before did not,
//! however long some other transaction stays open. An entry lands at the number of the transaction
//! that wrote it, and whoever has read up to a snapshot that sees this transaction has read it.
//! No other number will do: one that was looked up after the commit is ever larger while others
//! write, and a poll that has read the entry may stand below it.

use crate::revocation::{Cursor, LogPosition};

/// What a poll saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    xmin: u64,
    xmax: u64,
    /// Those between that had not ended.
    open: Vec<u64>,
}

impl Snapshot {
    /// From PostgreSQL's text, `xmin:xmax:xip,…`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (xmin, xmax) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let open = parts.next()?.split(',').filter(|part| !part.is_empty());
        let open: Result<Vec<u64>, _> = open.map(str::parse).collect();
        Some(Self {
            xmin,
            xmax,
            open: open.ok()?,
        })
    }

    /// From a cursor that this store made.
    pub(super) fn of(cursor: &Cursor) -> Option<Self> {
        let [xmin, xmax, open @ ..] = cursor.0.as_slice() else {
            return None;
        };
        let within = open.iter().all(|xid| (xmin..xmax).contains(&xid));
        (xmin <= xmax && within && open.is_sorted()).then(|| Self {
            xmin: *xmin,
            xmax: *xmax,
            open: open.to_vec(),
        })
    }

    pub(super) fn into_cursor(self) -> Cursor {
        let mut parts = vec![self.xmin, self.xmax];
        parts.extend(self.open);
        Cursor(parts)
    }

    fn sees(&self, xid: u64) -> bool {
        xid < self.xmin || xid < self.xmax && self.open.binary_search(&xid).is_err()
    }

    /// Whether a server that has come this far may have taken it.
    pub(super) fn is_known_to(&self, xmax: u64) -> bool {
        self.xmax <= xmax
    }

    /// A condition over `l`: it was not seen then.
    pub(super) fn unseen(&self) -> String {
        let open: Vec<String> = self.open.iter().map(u64::to_string).collect();
        format!(
            "l.xid >= '{}'::xid8 AND NOT pg_visible_in_snapshot(l.xid, '{}:{}:{}'::pg_snapshot)",
            self.xmin,
            self.xmin,
            self.xmax,
            open.join(",")
        )
    }
}

/// Where something landed that a transaction of this number wrote.
///
/// The plain comparison with a cursor is true where nothing older was open any more, which is never
/// too early; [`has_read`] also knows what was.
pub(super) fn position(xid: u64) -> LogPosition {
    LogPosition {
        part: 0,
        value: xid.saturating_add(1),
    }
}

/// Whether who has read up to a cursor has read what landed there.
pub(super) fn has_read(cursor: &Cursor, position: LogPosition) -> bool {
    let snapshot = Snapshot::of(cursor);
    let xid = position.value.checked_sub(1);
    position.part == 0
        && xid
            .zip(snapshot)
            .is_some_and(|(xid, snapshot)| snapshot.sees(xid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_survives_the_way_through_a_cursor() {
        for text in ["10:10:", "10:20:10,14,15"] {
            let snapshot = Snapshot::parse(text).expect("it is one");
            let cursor = snapshot.clone().into_cursor();
            assert_eq!(Snapshot::of(&cursor), Some(snapshot));
        }
    }

    #[test]
    fn what_a_snapshot_sees_was_read_and_nothing_else() {
        let snapshot = Snapshot::parse("10:20:10,14,15").expect("it is one");
        let cursor = snapshot.into_cursor();
        for xid in 0..30 {
            let seen = xid < 20 && ![10, 14, 15].contains(&xid);
            assert_eq!(has_read(&cursor, position(xid)), seen, "{xid}");
            // Whoever compares plainly may wait longer, and never too short.
            assert!(seen || !cursor.covers(position(xid)), "{xid}");
        }
        let elsewhere = LogPosition { part: 1, value: 2 };
        assert!(!has_read(&cursor, elsewhere));
        assert!(!has_read(&Cursor::default(), position(3)));
        assert!(!has_read(&Cursor(vec![7, 3, 9]), position(1)));
    }

    #[test]
    fn what_is_no_snapshot_is_not_sent_to_the_server() {
        for text in ["", "10", "10:20", "a:b:", "10:20:x"] {
            assert_eq!(Snapshot::parse(text), None, "{text}");
        }
        for parts in [vec![], vec![1], vec![3, 2], vec![2, 3, 3], vec![2, 9, 5, 4]] {
            assert_eq!(Snapshot::of(&Cursor(parts.clone())), None, "{parts:?}");
        }
    }
}
