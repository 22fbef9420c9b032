//! The audit log: a ring.

use std::collections::{HashSet, VecDeque};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use super::MemoryStore;
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::EntryId;
use crate::session::{AuditCursor, AuditEntry, AuditLog, AuditPage, AuditRequest};
use crate::token::UserId;

/// The latest entries, numbered as they came.
#[derive(Debug, Default)]
pub(super) struct Ring {
    entries: VecDeque<(u64, AuditEntry)>,
    ids: HashSet<EntryId>,
    last: u64,
}

impl Ring {
    fn record(&mut self, entries: &[AuditEntry]) {
        for entry in entries {
            if self.ids.insert(entry.id) {
                self.last += 1;
                self.entries.push_back((self.last, entry.clone()));
            }
        }
        self.shorten(MOST);
    }

    fn read(&self, request: &AuditRequest) -> AuditPage {
        let before = request.before.map_or(u64::MAX, |cursor| cursor.0[0]);
        let older = self.entries.iter().rev();
        let mut asked = older
            .skip_while(|(number, _)| *number >= before)
            .filter(|(_, entry)| request.is_about(entry))
            .peekable();
        let mut page = AuditPage::default();
        while page.entries.len() < request.limit.max(1)
            && let Some((number, entry)) = asked.next()
        {
            page.entries.push(entry.clone());
            page.next = asked.peek().map(|_| AuditCursor([*number, 0, 0]));
        }
        page
    }

    fn tidy(&mut self, from: UnixTime, most: usize) {
        while self
            .entries
            .front()
            .is_some_and(|(_, entry)| entry.at < from)
        {
            self.pop();
        }
        self.shorten(most);
    }

    fn forget(&mut self, user: &UserId) {
        self.entries
            .retain(|(_, entry)| entry.user.as_ref() != Some(user));
        self.ids = self.entries.iter().map(|(_, entry)| entry.id).collect();
    }

    fn shorten(&mut self, most: usize) {
        while self.entries.len() > most {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, entry)) = self.entries.pop_front() {
            self.ids.remove(&entry.id);
        }
    }
}

impl MemoryStore {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        let ring = self.shared.audit.lock();
        ring.unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditLog for MemoryStore {
    fn record<'a>(&'a self, entries: &'a [AuditEntry]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.ring().record(entries);
            Ok(())
        })
    }

    fn read(&self, request: AuditRequest) -> BoxFuture<'_, Result<AuditPage, StoreError>> {
        Box::pin(async move { Ok(self.ring().read(&request)) })
    }

    fn tidy(
        &self,
        keep: Duration,
        most: u64,
        _batch: usize,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let from = self.shared.clock.now() - keep;
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            self.ring().tidy(from, most);
            Ok(false)
        })
    }

    fn forget<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.ring().forget(user);
            Ok(())
        })
    }
}

/// Some 3 MB.
const MOST: usize = 10_000;
