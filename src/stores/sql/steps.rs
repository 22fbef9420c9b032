//! The steps that the others are made of.

use std::time::Duration;

use super::rows::{Fleet, Found, Line, Rows};
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{Committed, EndReason, EntryId, FleetLimits, RevocationEntry, Revoked};
use crate::session::{Ended, SessionRecord};
use crate::token::{SessionId, UserId};

/// The verbs over the tables, at an instant of the store's clock.
#[derive(Debug)]
pub(super) struct Steps<R> {
    pub(super) rows: R,
    pub(super) now: UnixTime,
}

/// An entry of the log that has no instants yet.
#[derive(Debug)]
pub(super) struct NewLine {
    pub(super) id: EntryId,
    pub(super) revoked: Revoked,
    pub(super) reason: EndReason,
}

impl Found {
    pub(super) fn is_alive(&self, now: UnixTime, excused: bool) -> bool {
        let revoked_gen = self.counters.revoked_gen;
        self.record.is_alive(now, revoked_gen, excused)
    }

    /// Why the session is over, ended or not.
    pub(super) fn over(&self, now: UnixTime, excused: bool) -> Option<EndReason> {
        let revoked_gen = self.counters.revoked_gen;
        self.record.over(now, revoked_gen, excused)
    }
}

impl NewLine {
    /// The line about one session.
    pub(super) fn of_session(
        id: EntryId,
        session: SessionId,
        user: &UserId,
        reason: EndReason,
    ) -> Self {
        Self {
            id,
            revoked: Revoked::Session {
                session,
                user: Some(user.clone()),
            },
            reason,
        }
    }
}

impl<R: Rows> Steps<R> {
    /// Whether being unused is excused now. Asked of the tables only where one of the sessions
    /// would else be over for it at an instant, so it costs the others nothing.
    pub(super) async fn excuses<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r SessionRecord, IntoIter: Send> + Send,
        at: UnixTime,
    ) -> Result<bool, StoreError> {
        let idle = |record: &SessionRecord| record.expired(at, false) == Some(EndReason::Idle);
        if !records.into_iter().any(idle) {
            return Ok(false);
        }
        Ok(self.rows.fleet().await?.idleness.suspended(self.now))
    }

    /// Ends an open session by a log entry of its own, which the caller commits.
    pub(super) async fn end_session(
        &mut self,
        mut record: SessionRecord,
        ended: Ended,
        entry: EntryId,
    ) -> Result<(SessionRecord, NewLine), StoreError> {
        let line = NewLine::of_session(entry, record.id, &record.user, ended.reason.clone());
        record.ended = Some(ended);
        self.rows.update(&record, Some(entry)).await?;
        Ok((record, line))
    }

    /// Ends sessions that nobody ended: they are over, or give way.
    pub(super) async fn end_over(
        &mut self,
        over: impl IntoIterator<Item = (SessionRecord, EndReason), IntoIter: Send> + Send,
    ) -> Result<(Vec<SessionRecord>, Vec<NewLine>), StoreError> {
        let (mut records, mut lines) = (Vec::new(), Vec::new());
        for (record, reason) in over {
            let ended = self.ended(reason);
            let (record, line) = self.end_session(record, ended, EntryId::random()).await?;
            records.push(record);
            lines.push(line);
        }
        Ok((records, lines))
    }

    /// The end that something comes to now without anybody's doing.
    pub(super) fn ended(&self, reason: EndReason) -> Ended {
        Ended {
            at: self.now,
            reason,
            by: None,
        }
    }

    /// Writes lines into the log; those whose name it knows stay as they are and live longer.
    pub(super) async fn commit(&mut self, lines: Vec<NewLine>) -> Result<Committed, StoreError> {
        let fleet = self.rows.fleet().await?;
        let until = self.until(&fleet);
        let mut standing = Vec::new();
        for line in lines {
            let entry = RevocationEntry {
                id: line.id,
                revoked: line.revoked,
                reason: line.reason,
                at: self.now,
                until,
            };
            standing.push(self.rows.log_put(&entry, self.now).await?);
        }
        self.committed(standing, fleet.history).await
    }

    /// Until when an entry that is written now must be known.
    pub(super) fn until(&self, fleet: &Fleet) -> UnixTime {
        let lifetime = fleet.limits.unwrap_or(BEFORE_ATTACH).entry_lifetime();
        fleet.highest.since(self.now) + lifetime
    }

    /// The same where there may be nothing to write.
    pub(super) async fn commit_any(
        &mut self,
        lines: Vec<NewLine>,
    ) -> Result<Option<Committed>, StoreError> {
        if lines.is_empty() {
            return Ok(None);
        }
        self.commit(lines).await.map(Some)
    }

    /// What a writer learns of lines that the log holds.
    pub(super) async fn committed(
        &mut self,
        lines: Vec<Line>,
        history: u128,
    ) -> Result<Committed, StoreError> {
        let (entries, positions) = lines.into_iter().map(|line| (line.entry, line.at)).unzip();
        Ok(Committed {
            entries,
            positions,
            leases: self.rows.leases(self.now).await?,
            history,
            now: self.now,
        })
    }

    /// The same of the one entry that an earlier run of the same write left, if it did.
    pub(super) async fn committed_before(
        &mut self,
        id: EntryId,
    ) -> Result<Option<Committed>, StoreError> {
        let Some(line) = self.rows.log_get(id, self.now).await? else {
            return Ok(None);
        };
        let history = self.rows.fleet().await?.history;
        self.committed(vec![line], history).await.map(Some)
    }
}

/// What is taken for granted until the first node says how long its tokens live: more than any
/// sensible one.
const BEFORE_ATTACH: FleetLimits = FleetLimits {
    access_lifetime: Duration::from_secs(24 * 60 * 60),
    leeway: Duration::from_secs(60),
    skew: Duration::from_secs(60),
};
