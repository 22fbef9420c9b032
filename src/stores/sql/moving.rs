//! Sessions on their way from or to another store.

use super::rows::Rows;
use super::steps::Steps;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::RevocationEntry;
use crate::session::{Export, ExportCursor, Imported, StoredSession};
use crate::token::SessionId;

impl<R: Rows> Steps<R> {
    pub(super) async fn export(
        &mut self,
        from: Option<&ExportCursor>,
        limit: usize,
    ) -> Result<Export, StoreError> {
        let limit = limit.max(1);
        let after = from.map(|from| from.0.parse::<SessionId>()).transpose();
        let after = after.map_err(|_| {
            StoreError::new(StoreErrorKind::Configuration, R::BACKEND)
                .with_source("this is no place in an export of this store")
        })?;
        let rows = self.rows.all_after(after, limit).await?;
        let last = rows.last().filter(|_| rows.len() >= limit);
        let next = last.map(|(row, _)| ExportCursor(row.id.to_string()));
        let (mut sessions, mut unreadable) = (Vec::new(), 0);
        for (row, operation) in rows {
            match (row.found, operation) {
                (Some(found), Some(operation)) => sessions.push(StoredSession {
                    record: found.record,
                    operation,
                    ended_by: found.ended_by,
                    counters: found.counters,
                }),
                (None, _) | (_, None) => unreadable += 1,
            }
        }
        Ok(Export {
            sessions,
            next,
            unreadable,
        })
    }

    pub(super) async fn export_log(&mut self) -> Result<Vec<RevocationEntry>, StoreError> {
        let lines = self.rows.log_all(self.now).await?.into_iter();
        Ok(lines.map(|line| line.entry).collect())
    }

    pub(super) async fn import(
        &mut self,
        sessions: Vec<StoredSession>,
    ) -> Result<Imported, StoreError> {
        let mut done = Imported::default();
        for stored in sessions {
            self.rows
                .raise_counters(&stored.record.user, stored.counters)
                .await?;
            match self.rows.session(stored.record.id).await? {
                None => {
                    self.rows.insert(&stored.record, &stored.operation).await?;
                    if stored.record.ended.is_some() {
                        self.rows.update(&stored.record, stored.ended_by).await?;
                    }
                    done.made += 1;
                }
                Some(here) => match here.record.brought(&stored.record) {
                    None => done.kept += 1,
                    Some(record) => {
                        let by = stored.ended_by.filter(|_| record.ended.is_some());
                        self.rows.update(&record, by).await?;
                        done.changed += 1;
                    }
                },
            }
        }
        Ok(done)
    }
}
