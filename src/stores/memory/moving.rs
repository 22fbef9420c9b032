//! Looking at the store, and moving its sessions.

use super::state::State;
use super::{BACKEND, MemoryStore};
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::diagnosis::StoreReport;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::RevocationEntry;
use crate::session::{Export, ExportCursor, Imported, SessionRecord, StoredSession, Upkeep};
use crate::token::SessionId;

impl Upkeep for MemoryStore {
    fn inspect(&self) -> BoxFuture<'_, StoreReport> {
        Box::pin(async move { self.step(|state, _| state.inspect()) })
    }

    fn export(
        &self,
        from: Option<ExportCursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Export, StoreError>> {
        Box::pin(async move { self.step(|state, _| state.export(from.as_ref(), limit)) })
    }

    fn export_log(&self) -> BoxFuture<'_, Result<Vec<RevocationEntry>, StoreError>> {
        self.run(|state, now| state.export_log(now))
    }

    fn import(&self, sessions: Vec<StoredSession>) -> BoxFuture<'_, Result<Imported, StoreError>> {
        self.run(|state, _| state.import(sessions))
    }
}

impl State {
    pub(super) fn inspect(&self) -> StoreReport {
        StoreReport {
            version: Some("memory".to_owned()),
            deployment: Some(self.deployment),
            limits: self.limits,
            clock: None,
            checks: Vec::new(),
        }
    }

    pub(super) fn export(
        &self,
        from: Option<&ExportCursor>,
        limit: usize,
    ) -> Result<Export, StoreError> {
        let limit = limit.max(1);
        let after = from.map(|from| from.0.parse::<SessionId>()).transpose();
        let after = after.map_err(|_| {
            StoreError::new(StoreErrorKind::Configuration, BACKEND)
                .with_source("this is no place in an export of this store")
        })?;
        let sessions: Vec<_> = self
            .records
            .all_after(after, limit)
            .into_iter()
            .map(|(record, operation, ended_by)| StoredSession {
                record: record.clone(),
                operation,
                ended_by,
                counters: self.counters(&record.user),
            })
            .collect();
        let last = sessions.last().filter(|_| sessions.len() == limit);
        let next = last.map(|last| ExportCursor(last.record.id.to_string()));
        Ok(Export {
            sessions,
            next,
            unreadable: 0,
        })
    }

    pub(super) fn export_log(&self, now: UnixTime) -> Vec<RevocationEntry> {
        let matters = |entry: &&RevocationEntry| entry.until > now;
        self.log.after(None).filter(matters).cloned().collect()
    }

    pub(super) fn import(&mut self, sessions: Vec<StoredSession>) -> Imported {
        let mut done = Imported::default();
        for stored in sessions {
            let user = stored.record.user.clone();
            self.raise_revoked_gen(&user, stored.counters.revoked_gen);
            self.raise_roles_gen(&user, stored.counters.roles_gen);
            match self.records.get(stored.record.id) {
                None => {
                    let open = SessionRecord {
                        ended: None,
                        ..stored.record.clone()
                    };
                    self.records.insert(open, stored.operation);
                    self.finish(stored);
                    done.made += 1;
                }
                Some(here) => match here.brought(&stored.record) {
                    None => done.kept += 1,
                    Some(record) => {
                        let open = SessionRecord {
                            ended: None,
                            ..record.clone()
                        };
                        self.records.update(record.id, |here| *here = open);
                        self.finish(StoredSession { record, ..stored });
                        done.changed += 1;
                    }
                },
            }
        }
        done
    }

    fn finish(&mut self, stored: StoredSession) {
        if let Some(ended) = stored.record.ended {
            self.records.end(stored.record.id, ended, stored.ended_by);
        }
    }
}
