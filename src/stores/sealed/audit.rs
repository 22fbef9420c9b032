//! The audit log as the store may see it: where somebody was, and on which device, is one sealed text
//! in the place of the device.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SealedStore;
use super::keys::Place;
use crate::BoxFuture;
use crate::error::{StoreError, StoreErrorKind};
use crate::session::{AuditEntry, AuditLog, AuditPage, AuditRequest};
use crate::token::{SessionId, UserId};

#[derive(Serialize, Deserialize)]
struct Whereabouts {
    address: Option<IpAddr>,
    device: Option<String>,
}

impl SealedStore {
    fn sealed_entry(&self, mut entry: AuditEntry) -> Result<AuditEntry, StoreError> {
        let Some(user) = entry.user.clone() else {
            return Ok(entry);
        };
        if entry.address.is_none() && entry.device.is_none() {
            return Ok(entry);
        }
        let whereabouts = Whereabouts {
            address: entry.address.take(),
            device: entry.device.take(),
        };
        let text = serde_json::to_string(&whereabouts).map_err(|error| {
            StoreError::new(StoreErrorKind::Corrupt, self.store.backend()).with_source(error)
        })?;
        entry.device = self.seal(place(&entry, &user), Some(text))?;
        Ok(entry)
    }

    /// The entry for people, who are shown that something happened even where no key opens it.
    fn shown_entry(&self, mut entry: AuditEntry) -> AuditEntry {
        let (Some(user), Some(sealed)) = (entry.user.clone(), entry.device.take()) else {
            return entry;
        };
        match self.keys.load().open(place(&entry, &user), &sealed) {
            // From before there was a key.
            Ok(text) if text == sealed => entry.device = Some(text),
            Ok(text) => match serde_json::from_str::<Whereabouts>(&text) {
                Ok(whereabouts) => {
                    entry.address = whereabouts.address;
                    entry.device = whereabouts.device;
                }
                Err(error) => {
                    tracing::error!(entry = ?entry.id, %error, "shown without its device");
                }
            },
            Err(error) => tracing::error!(entry = ?entry.id, %error, "shown without its device"),
        }
        entry
    }

    fn log(&self) -> Result<&dyn AuditLog, StoreError> {
        self.store.audit_log().ok_or_else(|| {
            StoreError::new(StoreErrorKind::Configuration, self.store.backend())
                .with_source("it keeps no audit log")
        })
    }
}

/// The entry itself stands in the place of a session, so that its text opens in no other.
fn place<'a>(entry: &AuditEntry, user: &'a UserId) -> Place<'a> {
    Place {
        session: SessionId::from_bytes(*entry.id.as_bytes()),
        user,
        field: "audit",
    }
}

impl AuditLog for SealedStore {
    fn record<'a>(&'a self, entries: &'a [AuditEntry]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let sealed = entries.iter().map(|entry| self.sealed_entry(entry.clone()));
            let sealed: Vec<_> = sealed.collect::<Result<_, _>>()?;
            self.log()?.record(&sealed).await
        })
    }

    fn read(&self, request: AuditRequest) -> BoxFuture<'_, Result<AuditPage, StoreError>> {
        Box::pin(async move {
            let page = self.log()?.read(request).await?;
            let shown = page.entries.into_iter();
            Ok(AuditPage {
                entries: shown.map(|entry| self.shown_entry(entry)).collect(),
                next: page.next,
            })
        })
    }

    fn tidy(
        &self,
        keep: Duration,
        most: u64,
        batch: usize,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move { self.log()?.tidy(keep, most, batch).await })
    }

    fn usual_bound(&self) -> u64 {
        self.store.audit_log().map_or(0, AuditLog::usual_bound)
    }

    fn forget<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.log()?.forget(user).await })
    }
}
