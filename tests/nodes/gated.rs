//! An SQLite file beyond a link: every call asks its way through a gate first, and again with its
//! answer. It stands for the stores that are servers where the link is the matter.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tower_jwt_session::revocation::{
    Answer, Attached, Committed, EntryId, FleetLimits, Lease, Poll, PollRequest, Question,
    RevocationEntry, RevocationStore,
};
use tower_jwt_session::session::{
    AuditLog, Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, RefreshAttempt, RefreshOutcome, SessionChange, SessionRecord, SignInOutcome,
    Swept, Use,
};
use tower_jwt_session::{
    BoxFuture, SessionId, SessionStore, SqliteStore, StoreError, StoreErrorKind, UserId,
};

/// The gate of a file: whoever gets through may do what they came for.
pub struct Gate {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Gate {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let accepting = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    // Ends with the one who came.
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        Self {
            address,
            accepting: accepting.abort_handle(),
        }
    }

    /// The address of a file behind it.
    pub fn before(&self, file: &std::path::Path) -> String {
        format!("{SCHEME}{}/{}", self.address, file.display())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A file behind a gate.
pub struct Gated {
    gate: SocketAddr,
    file: SqliteStore,
}

impl Gated {
    /// The store of such an address.
    pub fn at(address: &str) -> Option<Self> {
        let (gate, path) = address.strip_prefix(SCHEME)?.split_once('/')?;
        Some(Self {
            gate: gate.parse().ok()?,
            file: SqliteStore::new(path),
        })
    }

    fn through<'a, T: Send + 'a>(
        &'a self,
        call: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let lost = |error: std::io::Error| {
            StoreError::new(StoreErrorKind::Unavailable, "gated").with_source(error)
        };
        Box::pin(async move {
            let mut way = TcpStream::connect(self.gate).await.map_err(lost)?;
            pass(&mut way).await.map_err(lost)?;
            let answer = call.await;
            pass(&mut way).await.map_err(lost)?;
            answer
        })
    }
}

async fn pass(way: &mut TcpStream) -> std::io::Result<()> {
    way.write_all(b"x").await?;
    way.read_exact(&mut [0]).await.map(drop)
}

impl fmt::Debug for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gated").finish_non_exhaustive()
    }
}

type Answered<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl RevocationStore for Gated {
    fn backend(&self) -> &'static str {
        "gated"
    }

    fn attach(&self, limits: FleetLimits) -> Answered<'_, Attached> {
        self.through(self.file.attach(limits))
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> Answered<'a, Poll> {
        self.through(self.file.poll(request))
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Answered<'a, Answer> {
        self.through(self.file.ask(question))
    }

    fn append(&self, entries: Vec<RevocationEntry>) -> Answered<'_, Committed> {
        self.through(self.file.append(entries))
    }

    fn leases(&self) -> Answered<'_, Vec<Lease>> {
        self.through(self.file.leases())
    }
}

impl SessionStore for Gated {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        self.file.audit_log()
    }

    fn counters<'a>(&'a self, user: &'a UserId) -> Answered<'a, Counters> {
        self.through(self.file.counters(user))
    }

    fn sign_in(&self, session: NewSession) -> Answered<'_, SignInOutcome> {
        self.through(self.file.sign_in(session))
    }

    fn refresh(&self, attempt: RefreshAttempt) -> Answered<'_, RefreshOutcome> {
        self.through(self.file.refresh(attempt))
    }

    fn end(&self, request: EndSession) -> Answered<'_, EndOutcome> {
        self.through(self.file.end(request))
    }

    fn end_all(&self, request: EndAll) -> Answered<'_, EndAllOutcome> {
        self.through(self.file.end_all(request))
    }

    fn raise_roles<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, Committed> {
        self.through(self.file.raise_roles(user, entry))
    }

    fn find(&self, id: SessionId) -> Answered<'_, Option<SessionRecord>> {
        self.through(self.file.find(id))
    }

    fn list<'a>(&'a self, user: &'a UserId, listing: Listing) -> Answered<'a, Vec<SessionRecord>> {
        self.through(self.file.list(user, listing))
    }

    fn count<'a>(&'a self, user: &'a UserId) -> Answered<'a, u64> {
        self.through(self.file.count(user))
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> Answered<'a, Option<SessionRecord>> {
        self.through(self.file.change(id, user, change))
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> Answered<'a, ()> {
        self.through(self.file.touch(uses))
    }

    fn sweep(&self, retention: Duration, batch: usize) -> Answered<'_, Swept> {
        self.through(self.file.sweep(retention, batch))
    }

    fn page(&self, request: PageRequest) -> Answered<'_, Page> {
        self.through(self.file.page(request))
    }

    fn erase<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, EndAllOutcome> {
        self.through(self.file.erase(user, entry))
    }
}

const SCHEME: &str = "gated://";
