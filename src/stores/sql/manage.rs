//! Reading sessions, and what changes without ending them.

use std::cmp::Reverse;

use super::rows::{Row, Rows};
use super::steps::Steps;
use crate::error::StoreError;
use crate::session::{Counters, Listing, Page, PageRequest, SessionChange, SessionRecord, Use};
use crate::token::{SessionId, UserId};

impl<R: Rows> Steps<R> {
    pub(super) async fn counters(&mut self, user: &UserId) -> Result<Counters, StoreError> {
        self.rows.counters(user).await
    }

    pub(super) async fn find(
        &mut self,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        Ok(self.rows.session(id).await?.map(|found| found.record))
    }

    pub(super) async fn list(
        &mut self,
        user: &UserId,
        listing: Listing,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        if listing == Listing::Ended {
            let ended = self.rows.ended_of(user).await?.into_iter();
            return Ok(ended.map(|found| found.record).collect());
        }
        let mut live = self.live(user).await?;
        live.sort_by_key(|record| Reverse((record.last_active_at, record.id)));
        Ok(live)
    }

    pub(super) async fn count(&mut self, user: &UserId) -> Result<u64, StoreError> {
        Ok(self.live(user).await?.len() as u64)
    }

    pub(super) async fn count_all(&mut self) -> Result<Option<u64>, StoreError> {
        self.rows.count_open().await.map(Some)
    }

    async fn live(&mut self, user: &UserId) -> Result<Vec<SessionRecord>, StoreError> {
        let open = self.rows.open_of(user).await?;
        let records: Vec<_> = open.iter().map(|found| &found.record).collect();
        let excused = self.excuses(records, self.now).await?;
        Ok(open
            .into_iter()
            .filter(|found| found.is_alive(self.now, excused))
            .map(|found| found.record)
            .collect())
    }

    pub(super) async fn change(
        &mut self,
        id: SessionId,
        user: &UserId,
        change: SessionChange,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let found = self.rows.session(id).await?;
        let Some(found) = found.filter(|found| found.record.user == *user) else {
            return Ok(None);
        };
        let excused = self.excuses([&found.record], self.now).await?;
        if !found.is_alive(self.now, excused) {
            return Ok(None);
        }
        let mut record = found.record;
        change.apply(&mut record);
        self.rows.update(&record, None).await?;
        Ok(Some(record))
    }

    pub(super) async fn touch(&mut self, uses: &[Use]) -> Result<(), StoreError> {
        for used in uses {
            // The node's clock may be ahead; a use in the future would put off the idle end.
            let at = used.at.min(self.now);
            // Judged when it was used: a flush that comes late must not end a session that was
            // in use, nor revive one that had been idle for too long by then.
            let Some(found) = self.rows.session(used.session).await? else {
                continue;
            };
            let excused = self.excuses([&found.record], at).await?;
            if !found.is_alive(at, excused) {
                continue;
            }
            let mut record = found.record;
            record.last_active_at = record.last_active_at.max(at);
            record.refresh.ever_used = true;
            self.rows.update(&record, None).await?;
        }
        Ok(())
    }

    pub(super) async fn page(&mut self, request: &PageRequest) -> Result<Page, StoreError> {
        let limit = request.limit.max(1);
        let fetch = limit.saturating_add(1);
        let mut records = Vec::new();
        let mut after = request.after;
        while records.len() <= limit {
            let user = request.user.as_ref();
            let rows = self.rows.open_after(user, after, fetch).await?;
            let more = rows.len() >= fetch;
            after = rows.last().map(|row: &Row| row.id);
            let found = rows.iter().filter_map(|row| row.found.as_ref());
            let found: Vec<_> = found.map(|found| &found.record).collect();
            let excused = self.excuses(found, self.now).await?;
            let live = rows
                .into_iter()
                .filter_map(|row| row.found)
                .filter(|found| found.is_alive(self.now, excused))
                .map(|found| found.record);
            records.extend(live);
            if !more {
                break;
            }
        }
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.id);
        Ok(Page { records, next })
    }
}
