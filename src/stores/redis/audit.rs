//! The audit log in streams: one on a server, on a cluster one in each part.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::Value;

use super::RedisStore;
use super::error::{BACKEND, failed, garbled};
use super::reply;
use super::scripts::{SCRIPTS, duration, number, optional};
use crate::BoxFuture;
use crate::error::{StoreError, StoreErrorKind};
use crate::session::{AuditCursor, AuditEntry, AuditLog, AuditPage, AuditRequest};
use crate::token::UserId;

/// Where an entry stands: the instant and the number of its stream, and which stream that is. All
/// of them together are in this order.
type Place = [u64; 3];

/// What one stream was found to hold.
struct Seen {
    entries: Vec<(Place, Option<AuditEntry>)>,
    /// Up to where it was looked at; `None` where that is all of it.
    up_to: Option<Place>,
}

impl RedisStore {
    async fn put(&self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut shares: BTreeMap<u16, Vec<String>> = BTreeMap::new();
        for entry in entries {
            let text = serde_json::to_string(entry).map_err(|error| {
                StoreError::new(StoreErrorKind::Corrupt, BACKEND).with_source(error)
            })?;
            let id = u128::from_be_bytes(*entry.id.as_bytes());
            shares
                .entry(self.part_of_entry(entry))
                .or_default()
                .extend([
                    format!("{id:032x}"),
                    optional(entry.user.as_ref()),
                    optional(entry.session),
                    text,
                ]);
        }
        for (part, args) in shares {
            self.run_bare(part, &SCRIPTS.audit_put, args, failed)
                .await?;
        }
        Ok(())
    }

    /// All about a user is in the user's part; what is about nobody is anywhere.
    fn part_of_entry(&self, entry: &AuditEntry) -> u16 {
        match &entry.user {
            Some(user) => self.part_of(user),
            None => self.part_at(entry.id.as_bytes()[15]),
        }
    }

    /// Looks until something is found, but not for ever: a page may be empty and not the last.
    async fn audit_page(&self, mut request: AuditRequest) -> Result<AuditPage, StoreError> {
        let mut page = AuditPage::default();
        for _ in 0..LOOKS {
            page = self.look_back(&request).await?;
            if !page.entries.is_empty() || page.next.is_none() {
                break;
            }
            request.before = page.next;
        }
        Ok(page)
    }

    async fn look_back(&self, request: &AuditRequest) -> Result<AuditPage, StoreError> {
        let limit = request.limit.clamp(1, LONGEST);
        let parts = match &request.user {
            Some(user) => self.part_of(user)..=self.part_of(user),
            None => 0..=self.parts() - 1,
        };
        // Of many streams each has a share of the page; one that has more of it makes the page shorter.
        let share = match parts.len() {
            1 => limit,
            streams => (2 * limit).div_ceil(streams) + SPARE,
        };
        let asked = parts.map(|part| {
            let args = vec![
                optional(request.user.as_ref()),
                optional(request.session),
                before(request.before, part),
                share.to_string(),
                LOOKED_AT.to_string(),
            ];
            (part, args)
        });
        let verb = &SCRIPTS.audit_read;
        let answers = self.run_some(verb, asked.collect(), failed).await?;
        let mut seen = Vec::new();
        for (part, answer) in answers {
            seen.push(read(part, answer)?);
        }
        Ok(join(seen, limit))
    }

    async fn forget_audit(&self, user: &UserId) -> Result<(), StoreError> {
        let part = self.part_of(user);
        let mut from = Some("-".to_owned());
        while let Some(start) = from {
            let args = vec![user.to_string(), start];
            let verb = &SCRIPTS.audit_forget;
            let answer = self.run_bare(part, verb, args, failed).await?;
            let last = reply::optional(answer, reply::text)?;
            from = last.map(|last| format!("({last}"));
        }
        Ok(())
    }
}

/// From where a stream is read back so that what stands before a place in all of them comes.
fn before(cursor: Option<AuditCursor>, part: u16) -> String {
    match cursor {
        None => "+".to_owned(),
        Some(AuditCursor([at, number, of])) if u64::from(part) < of => format!("{at}-{number}"),
        Some(AuditCursor([0, 0, _])) => "0-0".to_owned(),
        Some(AuditCursor([at, number, _])) => format!("({at}-{number}"),
    }
}

/// The entries of all streams that were looked at for as far back, the latest first.
fn join(seen: Vec<Seen>, limit: usize) -> AuditPage {
    let horizon = seen.iter().filter_map(|seen| seen.up_to).max();
    let entries = seen.into_iter().flat_map(|seen| seen.entries);
    let mut entries: Vec<_> = entries
        .filter(|(place, _)| horizon.is_none_or(|horizon| *place >= horizon))
        .collect();
    entries.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
    let cut = entries.len() > limit;
    entries.truncate(limit);
    let last = entries.last().map(|(place, _)| *place);
    let next = if cut { last } else { horizon };
    AuditPage {
        entries: entries.into_iter().filter_map(|(_, entry)| entry).collect(),
        next: next.map(AuditCursor),
    }
}

fn read(part: u16, answer: Value) -> Result<Seen, StoreError> {
    let [entries, up_to] = reply::fixed(answer)?;
    let mut seen = Seen {
        entries: Vec::new(),
        up_to: reply::optional(up_to, |id| place(part, id))?,
    };
    for line in reply::list(entries)? {
        let [id, text] = reply::fixed(line)?;
        let place = place(part, id)?;
        let entry = serde_json::from_str(&reply::text(text)?);
        if let Err(error) = &entry {
            tracing::error!(?place, %error, "skipped an entry of the audit log that cannot be read");
        }
        seen.entries.push((place, entry.ok()));
    }
    Ok(seen)
}

fn place(part: u16, id: Value) -> Result<Place, StoreError> {
    let id = reply::text(id)?;
    let (at, number) = id.split_once('-').ok_or_else(garbled)?;
    let read = |text: &str| text.parse().map_err(|_| garbled());
    Ok([read(at)?, read(number)?, part.into()])
}

impl AuditLog for RedisStore {
    fn record<'a>(&'a self, entries: &'a [AuditEntry]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.put(entries))
    }

    fn read(&self, request: AuditRequest) -> BoxFuture<'_, Result<AuditPage, StoreError>> {
        Box::pin(self.audit_page(request))
    }

    fn tidy(
        &self,
        keep: Duration,
        most: u64,
        batch: usize,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            let most = most.div_ceil(self.parts().into());
            let batch = batch.clamp(1, LONGEST);
            let args = |_| vec![duration(keep), number(most), batch.to_string()];
            let mut more = false;
            for answer in self.run_all(&SCRIPTS.audit_tidy, args).await? {
                more |= reply::number(answer)? == 1;
            }
            Ok(more)
        })
    }

    /// Some 45 MB of the server's memory, which sessions need more.
    fn usual_bound(&self) -> u64 {
        100_000
    }

    fn forget<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.forget_audit(user))
    }
}

/// How many entries one script hands out or removes at most: others wait for it meanwhile.
const LONGEST: usize = 1_000;
/// How many more each of many streams is asked for than its share.
const SPARE: usize = 8;
/// How many it looks at.
const LOOKED_AT: usize = 5_000;
/// How often it is asked for one page.
const LOOKS: usize = 20;
