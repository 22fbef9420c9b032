//! Up to where a log was read.
//!
//! Transactions do not become visible in the order of their numbers, so no number says what was
//! read. A snapshot does: the next poll reads what its own sees and the one before did not,
//! however long some other transaction stays open. In front of it stands the number of the
//! transaction that wrote the poll's lease. A writer that has committed reads the number that no
//! ended transaction has reached; a lease of at least that number was committed later, and the
//! snapshot that was taken after it has seen the write.

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
        let [_, xmin, xmax, open @ ..] = cursor.0.as_slice() else {
            return None;
        };
        let within = open.iter().all(|xid| (xmin..xmax).contains(&xid));
        (xmin <= xmax && within && open.is_sorted()).then(|| Self {
            xmin: *xmin,
            xmax: *xmax,
            open: open.to_vec(),
        })
    }

    pub(super) fn into_cursor(self, lease: u64) -> Cursor {
        let mut parts = vec![lease, self.xmin, self.xmax];
        parts.extend(self.open);
        Cursor(parts)
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

/// Where something landed that was committed before this number was read.
pub(super) fn position(next: u64) -> LogPosition {
    LogPosition {
        part: 0,
        value: next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_survives_the_way_through_a_cursor() {
        for text in ["10:10:", "10:20:10,14,15"] {
            let snapshot = Snapshot::parse(text).expect("it is one");
            let cursor = snapshot.clone().into_cursor(19);
            assert_eq!(Snapshot::of(&cursor), Some(snapshot));
            assert!(cursor.covers(position(19)) && !cursor.covers(position(20)));
        }
    }

    #[test]
    fn what_is_no_snapshot_is_not_sent_to_the_server() {
        for text in ["", "10", "10:20", "a:b:", "10:20:x"] {
            assert_eq!(Snapshot::parse(text), None, "{text}");
        }
        for parts in [
            vec![],
            vec![1],
            vec![1, 2],
            vec![1, 3, 2],
            vec![1, 2, 3, 3],
            vec![1, 2, 9, 5, 4],
        ] {
            assert_eq!(Snapshot::of(&Cursor(parts.clone())), None, "{parts:?}");
        }
    }
}
