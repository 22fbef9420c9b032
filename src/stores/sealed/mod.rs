//! Session data encrypted before any store sees it.

mod audit;
mod keys;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keys::Place;
pub use keys::{SealError, SealKey, SealKeys};

use crate::BoxFuture;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{
    Answer, Attached, Committed, Cursor, EntryId, FleetLimits, Glance, Lease, LogPosition, Poll,
    PollRequest, Question, RevocationEntry, RevocationStore,
};
use crate::session::{
    AuditLog, Counters, Device, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession,
    Page, PageRequest, Population, RefreshAttempt, RefreshOutcome, SessionChange, SessionRecord,
    SessionStore, SignInOutcome, Swept, Upkeep, Use,
};
use crate::token::{SessionId, UserId};

/// A store that sees a session's device, name and data, where it was seen and what is unusual about
/// it only encrypted.
///
/// AES-256-GCM-SIV (RFC 8452) under a key that the store never has; each text is bound to its
/// session, user and field. What a store needs to decide stays readable to it: ids, instants,
/// counters, how the session ended, and the kind of the device. Tokens are in no store anyway.
///
/// Records from before there was a key are read as they are, and sealed when they change. A record that no key
/// opens still lists, as an unknown device; refreshing it, or anything else that
/// would hand its data to the application, is [`StoreErrorKind::Configuration`].
///
/// It protects what is read off a disk, a backup or the wire. Somebody who can *write* to the store can
/// put a plain text in a sealed one's place.
#[derive(Clone, Debug)]
pub struct SealedStore {
    store: Arc<dyn SessionStore>,
    keys: Arc<ArcSwap<SealKeys>>,
}

impl SealedStore {
    /// Encrypts what goes into `store`.
    pub fn new(store: Arc<dyn SessionStore>, keys: SealKeys) -> Self {
        let keys = Arc::new(ArcSwap::from_pointee(keys));
        Self { store, keys }
    }

    /// Exchanges the keys, for all clones. Bring a new key in as one that only opens on every node
    /// first, and keep an old one for as long as sessions live and stay listed.
    pub fn replace_keys(&self, keys: SealKeys) {
        self.keys.store(Arc::new(keys));
    }

    pub(crate) fn as_store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.clone())
    }

    fn refused(&self, error: SealError) -> StoreError {
        StoreError::new(StoreErrorKind::Configuration, self.store.backend()).with_source(error)
    }

    fn seal(&self, place: Place<'_>, text: Option<String>) -> Result<Option<String>, StoreError> {
        text.map(|text| self.keys.load().seal(place, &text))
            .transpose()
            .map_err(|error| self.refused(error))
    }

    /// A new session as the store may see it. The device is one text in the place of its label.
    fn sealed(&self, mut session: NewSession) -> Result<NewSession, StoreError> {
        let user = session.user.clone();
        let place = Place::of(session.id, &user);
        session.name = self.seal(place(NAME), session.name)?;
        session.data = self.seal(place(DATA), session.data)?;
        let text = serde_json::to_string(&session.device).map_err(|error| {
            StoreError::new(StoreErrorKind::Corrupt, self.store.backend()).with_source(error)
        })?;
        let label = self.seal(place(DEVICE), Some(text))?;
        session.device = Device {
            label: label.unwrap_or_default(),
            kind: session.device.kind,
            ..Device::default()
        };
        Ok(session)
    }

    fn opened(&self, mut record: SessionRecord) -> Result<SessionRecord, SealError> {
        let place = |field| Place {
            session: record.id,
            user: &record.user,
            field,
        };
        let keys = self.keys.load();
        let open = |field, text: &Option<String>| match text {
            Some(text) => keys.open(place(field), text).map(Some),
            None => Ok(None),
        };
        let name = open(NAME, &record.name)?;
        let data = open(DATA, &record.data)?;
        let flag = open(FLAG, &record.flag)?;
        let seen = open(SEEN, &record.seen)?;
        let label = keys.open(place(DEVICE), &record.device.label)?;
        if label != record.device.label {
            record.device = serde_json::from_str(&label).map_err(|_| SealError)?;
        }
        record.name = name;
        record.data = data;
        record.flag = flag;
        record.seen = seen;
        Ok(record)
    }

    /// The session for the application.
    fn open(&self, record: SessionRecord) -> Result<SessionRecord, StoreError> {
        self.opened(record).map_err(|error| self.refused(error))
    }

    /// The session for people, who must see it to end it, even where it cannot be read.
    fn show(&self, record: SessionRecord) -> SessionRecord {
        let nameless = SessionRecord {
            name: None,
            data: None,
            flag: None,
            seen: None,
            device: Device {
                kind: record.device.kind,
                ..Device::default()
            },
            ..record.clone()
        };
        self.opened(record).unwrap_or_else(|error| {
            tracing::error!(session = %nameless.id, %error, "shown without its device");
            nameless
        })
    }

    fn show_all(&self, records: Vec<SessionRecord>) -> Vec<SessionRecord> {
        records
            .into_iter()
            .map(|record| self.show(record))
            .collect()
    }

    fn signed_in(&self, outcome: SignInOutcome) -> Result<SignInOutcome, StoreError> {
        Ok(match outcome {
            SignInOutcome::Created {
                record,
                ended,
                committed,
                first,
            } => SignInOutcome::Created {
                record: self.open(record)?,
                ended: self.show_all(ended),
                committed,
                first,
            },
            SignInOutcome::LimitReached { ended, committed } => SignInOutcome::LimitReached {
                ended: self.show_all(ended),
                committed,
            },
            SignInOutcome::Repeated { record } => SignInOutcome::Repeated {
                record: self.open(record)?,
            },
            outcome @ (SignInOutcome::Superseded | SignInOutcome::TicketOutdated) => outcome,
        })
    }

    fn refreshed(&self, outcome: RefreshOutcome) -> Result<RefreshOutcome, StoreError> {
        Ok(match outcome {
            RefreshOutcome::Granted {
                record,
                counters,
                how,
                committed,
            } => RefreshOutcome::Granted {
                record: self.open(record)?,
                counters,
                how,
                committed,
            },
            RefreshOutcome::Over {
                reason,
                record,
                committed,
            } => RefreshOutcome::Over {
                reason,
                record: record.map(|record| self.show(record)),
                committed,
            },
            RefreshOutcome::Reused { record, committed } => RefreshOutcome::Reused {
                record: self.show(record),
                committed,
            },
            outcome @ (RefreshOutcome::TooMany | RefreshOutcome::Unknown) => outcome,
        })
    }

    fn all_ended(&self, outcome: EndAllOutcome) -> EndAllOutcome {
        match outcome {
            EndAllOutcome::Ended { records, committed } => EndAllOutcome::Ended {
                records: self.show_all(records),
                committed,
            },
            EndAllOutcome::ExceptNotAlive => EndAllOutcome::ExceptNotAlive,
        }
    }
}

impl RevocationStore for SealedStore {
    fn backend(&self) -> &'static str {
        self.store.backend()
    }

    fn attach(&self, limits: FleetLimits) -> BoxFuture<'_, Result<Attached, StoreError>> {
        self.store.attach(limits)
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> BoxFuture<'a, Result<Poll, StoreError>> {
        self.store.poll(request)
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        self.store.hint()
    }

    fn glance<'a>(
        &'a self,
        since: &'a Cursor,
        history: u128,
    ) -> BoxFuture<'a, Result<Glance, StoreError>> {
        self.store.glance(since, history)
    }

    fn has_read(&self, cursor: &Cursor, position: LogPosition) -> bool {
        self.store.has_read(cursor, position)
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Answer, StoreError>> {
        self.store.ask(question)
    }

    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        self.store.append(entries)
    }

    fn leases(&self) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        self.store.leases()
    }
}

impl SessionStore for SealedStore {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        self.store.audit_log().map(|_| self as &dyn AuditLog)
    }

    fn counters<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<Counters, StoreError>> {
        self.store.counters(user)
    }

    fn sign_in(&self, session: NewSession) -> BoxFuture<'_, Result<SignInOutcome, StoreError>> {
        Box::pin(async move {
            let outcome = self.store.sign_in(self.sealed(session)?).await?;
            self.signed_in(outcome)
        })
    }

    fn refresh(
        &self,
        attempt: RefreshAttempt,
    ) -> BoxFuture<'_, Result<RefreshOutcome, StoreError>> {
        Box::pin(async move { self.refreshed(self.store.refresh(attempt).await?) })
    }

    fn end(&self, request: EndSession) -> BoxFuture<'_, Result<EndOutcome, StoreError>> {
        Box::pin(async move {
            Ok(match self.store.end(request).await? {
                EndOutcome::Ended {
                    record,
                    now,
                    committed,
                } => EndOutcome::Ended {
                    record: self.show(record),
                    now,
                    committed,
                },
                EndOutcome::NotFound => EndOutcome::NotFound,
            })
        })
    }

    fn end_all(&self, request: EndAll) -> BoxFuture<'_, Result<EndAllOutcome, StoreError>> {
        Box::pin(async move { Ok(self.all_ended(self.store.end_all(request).await?)) })
    }

    fn raise_roles<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        self.store.raise_roles(user, entry)
    }

    fn find(&self, id: SessionId) -> BoxFuture<'_, Result<Option<SessionRecord>, StoreError>> {
        Box::pin(async move {
            let found = self.store.find(id).await?;
            found.map(|record| self.open(record)).transpose()
        })
    }

    fn list<'a>(
        &'a self,
        user: &'a UserId,
        listing: Listing,
    ) -> BoxFuture<'a, Result<Vec<SessionRecord>, StoreError>> {
        Box::pin(async move { Ok(self.show_all(self.store.list(user, listing).await?)) })
    }

    fn count<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.store.count(user)
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> BoxFuture<'a, Result<Option<SessionRecord>, StoreError>> {
        Box::pin(async move {
            let place = Place::of(id, user);
            let change = match change {
                SessionChange::Name(name) => SessionChange::Name(self.seal(place(NAME), name)?),
                SessionChange::Data(data) => SessionChange::Data(self.seal(place(DATA), data)?),
                SessionChange::Flag(flag) => SessionChange::Flag(self.seal(place(FLAG), flag)?),
                SessionChange::Seen(seen) => SessionChange::Seen(self.seal(place(SEEN), seen)?),
                change @ SessionChange::Authenticated { .. } => change,
            };
            let changed = self.store.change(id, user, change).await?;
            changed.map(|record| self.open(record)).transpose()
        })
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.touch(uses)
    }

    fn sweep(&self, retention: Duration, batch: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(async move {
            let swept = self.store.sweep(retention, batch).await?;
            Ok(Swept {
                ended: self.show_all(swept.ended),
                ..swept
            })
        })
    }

    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(async move {
            let page = self.store.page(request).await?;
            Ok(Page {
                records: self.show_all(page.records),
                ..page
            })
        })
    }

    fn population(&self) -> BoxFuture<'_, Result<Population, StoreError>> {
        self.store.population()
    }

    fn erase<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<EndAllOutcome, StoreError>> {
        Box::pin(async move { Ok(self.all_ended(self.store.erase(user, entry).await?)) })
    }

    /// What is sealed is moved as it is: both stores need the same keys.
    fn upkeep(&self) -> Option<&dyn Upkeep> {
        self.store.upkeep()
    }
}

const DATA: &str = "data";
const DEVICE: &str = "device";
const FLAG: &str = "flag";
const NAME: &str = "name";
const SEEN: &str = "seen";
