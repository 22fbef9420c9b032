//! What was read ahead, with the statements that began.

use std::collections::{HashMap, HashSet};

use sqlx::postgres::PgRow;

use super::columns::{self, Greeting};
use super::names::{Lock, Names, Now};
use super::tag;
use crate::clock::UnixTime;
use crate::revocation::{Cursor, EntryId, RevocationEntry};
use crate::session::{Counters, NewSession};
use crate::stores::sql::rows::{Found, Line};
use crate::token::{SessionId, UserId};

/// What was asked ahead.
#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    pub(super) sessions: &'a [SessionId],
    pub(super) user: Option<&'a UserId>,
    pub(super) operation: Option<&'a [u8; 32]>,
    /// Several sign-ins of different users.
    pub(super) sign_ins: &'a [NewSession],
    pub(super) entries: &'a [EntryId],
    pub(super) about: Option<&'a [String; 3]>,
    /// Whether it is a single sign-in or refresh: one call asks, and takes the lock where that is
    /// free.
    pub(super) at_once: bool,
}

/// What the steps need not ask any more. Sessions are handed out once: a second look must see
/// what was written meanwhile. Counters are those of users whose lock is held.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) sessions: HashMap<SessionId, Option<Found>>,
    pub(super) lines: HashMap<EntryId, Option<Line>>,
    pub(super) counters: HashMap<UserId, Counters>,
    /// Whether there is a record of any session of theirs.
    pub(super) users: HashMap<UserId, bool>,
    pub(super) before_sign_in: HashMap<UserId, BeforeSignIn>,
    pub(super) about: Option<Vec<RevocationEntry>>,
    pub(super) log: Option<(Option<Cursor>, Vec<Line>, Cursor)>,
    /// The text of the session that was read last.
    pub(super) text: Option<String>,
    /// Whose locks were free, by what was asked for them.
    pub(super) held: HashSet<String>,
}

/// The open sessions of a user, and the one that an operation made.
pub(super) type BeforeSignIn = (Vec<Found>, Option<Found>);

impl Asked<'_> {
    /// The one call that asks, with what the whole fleet shares.
    pub(super) fn call(&self, names: &Names, now: Now) -> Option<String> {
        match *self {
            Self {
                at_once: true,
                user: Some(user),
                operation: Some(operation),
                ..
            } => Some(names.all_before_sign_in(user, operation, now)),
            Self {
                at_once: true,
                sessions: &[session],
                entries: &[entry],
                ..
            } => Some(names.all_before_refresh(session, entry, now)),
            _ => None,
        }
    }

    /// The statements that ask.
    pub(super) fn statements(&self, names: &Names, lock: Lock, now: Now) -> String {
        let mut statements = String::new();
        if !self.sessions.is_empty() {
            statements.push_str(&names.sessions_of(self.sessions, lock));
        }
        if let Some(user) = self.user {
            statements.push_str(&names.user(user));
            if let Some(operation) = self.operation {
                statements.push_str(&names.before_sign_in(user, operation, lock));
            }
        }
        if !self.sign_ins.is_empty() {
            statements.push_str(&names.users(self.sign_ins));
            statements.push_str(&names.before_sign_ins(self.sign_ins, lock));
        }
        if !self.entries.is_empty() {
            statements.push_str(&names.lines_of(tag::PROBE, self.entries, now));
        }
        if let Some(subjects) = self.about {
            statements.push_str(&names.lines_about(subjects, now));
        }
        statements
    }
}

impl Known {
    pub(super) fn read(rows: &[PgRow], asked: &Asked<'_>, greeting: &Greeting) -> Self {
        let mut known = Self::default();
        let now = greeting.now;
        let of = |kind| rows.iter().filter(move |row| columns::is(row, kind));
        known.sessions = asked.sessions.iter().map(|id| (*id, None)).collect();
        for row in of(tag::SESSION) {
            if let Some(row) = columns::session(row) {
                known.sessions.insert(row.id, row.found);
            }
            known.text = sqlx::Row::try_get(row, "record").ok();
        }
        if let (Some(user), Some(row)) = (asked.user, of(tag::USER).next()) {
            known.note_user(user.clone(), row);
            if asked.operation.is_some() {
                let before = before_sign_in(of(tag::OPEN));
                known.before_sign_in.insert(user.clone(), before);
            }
        }
        if !asked.sign_ins.is_empty() {
            known.read_sign_ins(rows, asked.sign_ins);
        }
        let held = of(tag::LOCKED).filter(|row| columns::flag(row, "held"));
        known.held = held.filter_map(columns::key).collect();
        known.lines = asked.entries.iter().map(|id| (*id, None)).collect();
        for line in of(tag::PROBE).filter_map(|row| columns::line(row, now)) {
            known.lines.insert(line.entry.id, Some(line));
        }
        if asked.about.is_some() {
            let lines = of(tag::LINE).filter_map(|row| columns::line(row, now));
            known.about = Some(lines.map(|line| line.entry).collect());
        }
        known
    }

    fn note_user(&mut self, user: UserId, row: &PgRow) {
        self.counters.insert(user.clone(), columns::counters(row));
        self.users.insert(user, columns::flag(row, "known"));
    }

    fn read_sign_ins(&mut self, rows: &[PgRow], new: &[NewSession]) {
        let empty = new
            .iter()
            .map(|new| (new.user.clone(), BeforeSignIn::default()));
        self.before_sign_in = empty.collect();
        for row in rows {
            match columns::tag(row) {
                Some(tag::USER) => {
                    if let Some(user) = columns::user(row) {
                        self.note_user(user, row);
                    }
                }
                Some(kind @ (tag::MADE | tag::OPEN)) => {
                    let found = columns::session(row).and_then(|row| row.found);
                    let Some(found) = found else { continue };
                    let before = self.before_sign_in.entry(found.record.user.clone());
                    let (open, made) = before.or_default();
                    if kind == tag::MADE {
                        *made = Some(found);
                    } else {
                        open.push(found);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The open sessions among the rows, and the one that is `made` by the operation.
pub(super) fn before_sign_in<'r>(rows: impl Iterator<Item = &'r PgRow>) -> BeforeSignIn {
    let (mut open, mut made) = (Vec::new(), None);
    for row in rows {
        let Some(found) = columns::session(row).and_then(|row| row.found) else {
            continue;
        };
        if columns::flag(row, "made") {
            made = Some(found.clone());
        }
        if found.record.ended.is_none() {
            open.push(found);
        }
    }
    (open, made)
}

/// The lines among the rows of a kind.
pub(super) fn lines(rows: &[PgRow], kind: i32, now: UnixTime) -> Vec<Line> {
    let of_kind = rows.iter().filter(|row| columns::tag(row) == Some(kind));
    of_kind.filter_map(|row| columns::line(row, now)).collect()
}
