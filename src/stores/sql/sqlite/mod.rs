//! The SQLite store: an embedded file that survives whatever happens to the process.

mod address;
mod audit;
mod columns;
mod error;
mod file;
mod job;
mod news;
mod open;
mod opened;
mod pieces;
mod statements;
mod tables;
#[cfg(test)]
mod tests;
mod upkeep;
mod values;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use tokio::sync::Mutex;

use self::error::{BACKEND, told};
use self::job::{Reading, Writing, reading};
use self::news::News;
use self::open::LAYOUT;
use self::opened::Opened;
use crate::BoxFuture;
use crate::clock::{Clock, SystemClock};
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{
    Answer, Attached, Committed, Cursor, EntryId, FleetLimits, Glance, Lease, Poll, PollRequest,
    Question, RevocationEntry, RevocationStore,
};
use crate::session::{
    AuditLog, Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, Population, RefreshAttempt, RefreshOutcome, SessionChange, SessionRecord,
    SessionStore, SignInOutcome, Swept, Upkeep, Use,
};
use crate::stores::sql::layout::Layout;
use crate::token::{SessionId, UserId};

/// Keeps everything in one SQLite file, by a library that is built in.
///
/// For one machine: what it acknowledged survives the process, `kill -9` and, as far as the disk
/// keeps its word, the power (write-ahead logging, `synchronous=FULL`). Writes that come at once
/// share one wait for the disk. The store's clock is that of the machine. The tables are named
/// `jwt_…`, so the file may be one that the application keeps its own tables in; it is switched to
/// write-ahead logging then.
///
/// Several processes may share a file on a local disk. Each hears of what the others revoke by
/// looking at the file every 20 milliseconds.
///
/// The file is made for its owner alone (mode 0600) where there is none. When it is replaced by
/// another while the store is open, as by restoring a backup, what stands there is opened, and
/// every node finds out by its next poll. Cloning shares the open file.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_jwt_session::{JwtSession, SqliteStore};
///
/// # let folder = std::env::temp_dir().join(format!("doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let store = SqliteStore::open(folder.join("sessions.db")).await?;
/// let auth = JwtSession::builder()
///     .hmac_secret(b"an example; 32 random bytes in earnest")
///     .store(store)
///     .build()?;
/// # std::fs::remove_dir_all(&folder)?;
/// # let _ = auth;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    layout: Layout,
    opened: ArcSwapOption<Opened>,
    /// Whoever opens holds it.
    opening: Arc<Mutex<()>>,
    news: Arc<News>,
}

impl SqliteStore {
    /// A store in the file of that name, which is opened, and made where there is none, when it
    /// is first needed: by [`JwtSession::start`](crate::JwtSession::start), or else by the first
    /// request.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let shared = Shared {
            path: path.as_ref().to_owned(),
            layout: LAYOUT,
            opened: ArcSwapOption::empty(),
            opening: Arc::default(),
            news: Arc::default(),
        };
        Self {
            clock: Arc::new(SystemClock),
            shared: Arc::new(shared),
        }
    }

    /// The same, opened at once.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] whose source says what to do: of the kind
    /// [`Configuration`](crate::StoreErrorKind::Configuration) when the folder does not exist,
    /// the file cannot be written, was written by a newer version or holds tables of the same
    /// names that are not ours; [`Corrupt`](crate::StoreErrorKind::Corrupt) when it is damaged or
    /// no SQLite database at all.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let store = Self::new(path);
        store.opened().await?;
        Ok(store)
    }

    /// The path in an address, as `SESSION_STORE` holds one: as plain as `sqlite:sessions.db`, or
    /// as a URL, with a path as it stands after two slashes and an absolute one after three, but
    /// for `sqlite:///./sessions.db`, which is how some write a relative one. `None` where it
    /// names no file.
    #[must_use]
    pub fn path_of(address: &str) -> Option<&Path> {
        address::path_of(address).map(Path::new)
    }

    /// The same file by another clock, for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    async fn opened(&self) -> Result<Arc<Opened>, StoreError> {
        let usable = || {
            let opened = self.shared.opened.load_full();
            opened.filter(|opened| !opened.is_over())
        };
        if let Some(opened) = usable() {
            return Ok(opened);
        }
        let lock = self.shared.opening.clone().lock_owned().await;
        if let Some(opened) = usable() {
            return Ok(opened);
        }
        let shared = self.shared.clone();
        // In a task of its own: a caller whose deadline is short must not undo what it began.
        let opening = tokio::spawn(async move {
            let _lock = lock;
            let Shared { path, news, .. } = &*shared;
            let opened = Opened::new(path, shared.layout, news.clone()).await?;
            let opened = Arc::new(opened);
            shared.opened.store(Some(opened.clone()));
            // Whoever waits for news has not seen this file yet.
            shared.news.spread();
            Ok(opened)
        });
        let gone = |_| told(StoreErrorKind::Unavailable, "the runtime is shutting down");
        opening.await.map_err(gone)?
    }

    fn write<'s, T, F>(&'s self, step: F) -> BoxFuture<'s, Result<T, StoreError>>
    where
        F: for<'a> FnOnce(&'a mut Writing) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        Box::pin(async move {
            let opened = self.opened().await?;
            opened.write(step, self.clock.clone()).await
        })
    }

    async fn reading(&self) -> Result<Reading<PoolConnection<Sqlite>>, StoreError> {
        let connection = self.opened().await?.reader().await?;
        Ok(reading(connection, &*self.clock))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.shared.path)
            .finish_non_exhaustive()
    }
}

impl RevocationStore for SqliteStore {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    fn attach(&self, limits: FleetLimits) -> BoxFuture<'_, Result<Attached, StoreError>> {
        self.write(move |steps| Box::pin(steps.attach(limits)))
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> BoxFuture<'a, Result<Poll, StoreError>> {
        Box::pin(async move {
            let opened = self.opened().await?;
            let (node, history, lifetime) = (request.node, request.history, request.lease);
            let applied = request.since.cloned().unwrap_or_default();
            opened
                .write(
                    move |steps| Box::pin(steps.lease(node, history, applied, lifetime)),
                    self.clock.clone(),
                )
                .await?;
            // Beside the writer, whom a long log would keep from writing.
            let mut snapshot = reading(opened.snapshot().await?, &*self.clock);
            snapshot.poll(&request).await
        })
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        // Made now, not at the first poll of the future: what happens in between counts too.
        let heard = self.shared.news.heard();
        Box::pin(async move {
            // A file that is not open is not watched. Why it cannot be, the next poll tells.
            let _ = self.opened().await;
            heard.await;
        })
    }

    fn glance<'a>(
        &'a self,
        since: &'a Cursor,
        history: u128,
    ) -> BoxFuture<'a, Result<Glance, StoreError>> {
        Box::pin(async move {
            let snapshot = self.opened().await?.snapshot().await?;
            reading(snapshot, &*self.clock).glance(since, history).await
        })
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            let look = self.reading().await?.look(question).await?;
            if look.mark.is_none() {
                return Ok(look.answer);
            }
            // What was read may have changed by the time of the write, which asks again.
            let question = question.clone();
            self.write(move |steps| Box::pin(async move { steps.ask(&question).await }))
                .await
        })
    }

    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        self.write(move |steps| Box::pin(steps.append(entries)))
    }

    fn leases(&self) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        Box::pin(async move { self.reading().await?.leases().await })
    }
}

impl SessionStore for SqliteStore {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        Some(self)
    }

    fn counters<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<Counters, StoreError>> {
        Box::pin(async move { self.reading().await?.counters(user).await })
    }

    fn sign_in(&self, session: NewSession) -> BoxFuture<'_, Result<SignInOutcome, StoreError>> {
        self.write(move |steps| Box::pin(steps.sign_in(session)))
    }

    fn refresh(
        &self,
        attempt: RefreshAttempt,
    ) -> BoxFuture<'_, Result<RefreshOutcome, StoreError>> {
        self.write(move |steps| Box::pin(async move { steps.refresh(&attempt).await }))
    }

    fn end(&self, request: EndSession) -> BoxFuture<'_, Result<EndOutcome, StoreError>> {
        self.write(move |steps| Box::pin(steps.end_one(request)))
    }

    fn end_all(&self, request: EndAll) -> BoxFuture<'_, Result<EndAllOutcome, StoreError>> {
        self.write(move |steps| Box::pin(async move { steps.end_all(&request).await }))
    }

    fn raise_roles<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        let user = user.clone();
        self.write(move |steps| Box::pin(async move { steps.raise_roles(&user, entry).await }))
    }

    fn find(&self, id: SessionId) -> BoxFuture<'_, Result<Option<SessionRecord>, StoreError>> {
        Box::pin(async move { self.reading().await?.find(id).await })
    }

    fn list<'a>(
        &'a self,
        user: &'a UserId,
        listing: Listing,
    ) -> BoxFuture<'a, Result<Vec<SessionRecord>, StoreError>> {
        Box::pin(async move { self.reading().await?.list(user, listing).await })
    }

    fn count<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { self.reading().await?.count(user).await })
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> BoxFuture<'a, Result<Option<SessionRecord>, StoreError>> {
        let user = user.clone();
        self.write(move |steps| Box::pin(async move { steps.change(id, &user, change).await }))
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> BoxFuture<'a, Result<(), StoreError>> {
        let uses = uses.to_vec();
        self.write(move |steps| Box::pin(async move { steps.touch(&uses).await }))
    }

    fn sweep(&self, retention: Duration, batch: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        self.write(move |steps| Box::pin(steps.sweep(retention, batch)))
    }

    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(async move { self.reading().await?.page(&request).await })
    }

    fn population(&self) -> BoxFuture<'_, Result<Population, StoreError>> {
        Box::pin(async move { self.reading().await?.population().await })
    }

    fn erase<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<EndAllOutcome, StoreError>> {
        let user = user.clone();
        self.write(move |steps| Box::pin(async move { steps.erase(&user, entry).await }))
    }

    fn upkeep(&self) -> Option<&dyn Upkeep> {
        Some(self)
    }
}
