//! The rules of revocation, each with what happens without it.

mod answers;
mod entries;
mod everywhere;
mod fake;
mod fullness;
mod inspecting;
mod keeping;
mod log;
mod looks;
mod lost;
mod requests;
mod signals;
mod watching;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use fake::{FakeStore, HandClock};

use super::*;
use crate::error::StoreErrorKind;
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::{Binding, Counter, TokenFacts};

/// A node over a store that a test moves by hand.
struct Bench {
    store: Arc<FakeStore>,
    clock: Arc<HandClock>,
    node: Arc<Revocations>,
}

const STALENESS: Duration = Duration::from_secs(30);
const SKEW: Duration = Duration::from_secs(2);
const NEVER: Terms = terms(Confirm::Never);
const FIRST_SIGHT: Terms = terms(Confirm::FirstSight);
const ALWAYS: Terms = terms(Confirm::Always);

const fn terms(confirm: Confirm) -> Terms {
    Terms {
        confirm,
        on_store_failure: OnStoreFailure::Reject,
    }
}

impl Bench {
    /// A node that has not read anything yet, with room for `max_entries`.
    fn unloaded(max_entries: usize) -> Self {
        let clock = Arc::new(HandClock::default());
        let store = Arc::new(FakeStore::new(clock.clone()));
        let node = node_on(&store, &clock, max_entries);
        Self { store, clock, node }
    }

    /// A node that has loaded the log.
    async fn with_room_for(max_entries: usize) -> Self {
        let bench = Self::unloaded(max_entries);
        bench.node.load().await.expect("the store is up");
        bench
    }

    async fn new() -> Self {
        Self::with_room_for(100).await
    }

    fn check(&self, token: &VerifiedToken, terms: &Terms) -> Verdict {
        self.node.check(token.clone(), terms, self.clock.instants())
    }

    /// What becomes of a request, with a question to the store where there has to be one.
    async fn request(&self, token: &VerifiedToken, terms: &Terms) -> Result<ActiveToken, Refusal> {
        match self.check(token, terms) {
            Verdict::Active(active) => Ok(active),
            Verdict::Ask(pending) => self.node.clone().ask(pending).await,
            Verdict::Refused(refusal) => Err(refusal),
        }
    }

    /// The question of a request that has to ask.
    fn pending(&self, token: &VerifiedToken, terms: &Terms) -> Box<Pending> {
        match self.check(token, terms) {
            Verdict::Ask(pending) => pending,
            other => panic!("should have to ask: {other:?}"),
        }
    }

    /// One round of following the log.
    async fn poll(&self) {
        self.node.step().await.expect("the store is up");
    }

    /// Ends a session through this node.
    async fn end(&self, session: SessionId, user: &UserId) -> Committed {
        let entry = ends(session, Some(user), self.store.now());
        let store = self.store.clone();
        let written = entry.clone();
        self.node
            .commit(
                WriteKey::of(&entry.revoked),
                vec![entry],
                move || {
                    let (store, entry) = (store.clone(), written.clone());
                    Box::pin(async move { store.append(vec![entry]).await })
                },
                |committed: &Committed| Some(committed),
                |_| (),
            )
            .await
            .expect("the store is up")
    }

    /// Whether a request would be let in without another look.
    fn is_warm(&self, token: &VerifiedToken, confirmed: bool) -> bool {
        let now = self.clock.instants();
        self.node
            .local
            .is_still_in(token.standing(), confirmed, now)
    }
}

fn node_on(store: &Arc<FakeStore>, clock: &Arc<HandClock>, max_entries: usize) -> Arc<Revocations> {
    let settings = RevocationSettings {
        max_staleness: STALENESS,
        store_timeout: Duration::from_millis(250),
        poll_interval: Duration::from_secs(1),
        max_entries,
        max_answers: 100,
        limits: fake::LIMITS,
    };
    Revocations::new(NodeId::random(), store.clone(), settings, clock.clone())
}

fn user(name: &str) -> UserId {
    UserId::new(name).expect("a good id")
}

/// A token of ours, of the first generation of a new session.
fn facts_of(name: &str) -> TokenFacts {
    let session = SessionId::random();
    TokenFacts {
        user: user(name),
        session: Some(session),
        token: Some(TokenId::of_generation(session, 1)),
        binding: Some(Binding {
            generation: 1,
            revoked_gen: Counter::from_u64(5),
            roles_gen: Counter::from_u64(5),
        }),
        issued_at: Some(fake::START),
        expires_at: fake::START + Duration::from_secs(7200),
    }
}

/// A token of another issuer: its session is not in our store.
fn foreign_facts_of(name: &str) -> TokenFacts {
    TokenFacts {
        binding: None,
        ..facts_of(name)
    }
}

fn token_of(facts: &TokenFacts) -> VerifiedToken {
    VerifiedToken::for_tests(facts.clone())
}

fn entry(revoked: Revoked, at: UnixTime) -> RevocationEntry {
    RevocationEntry {
        id: EntryId::random(),
        revoked,
        reason: EndReason::SignedOut,
        at,
        until: at + fake::LIMITS.entry_lifetime(),
    }
}

fn ends(session: SessionId, user: Option<&UserId>, at: UnixTime) -> RevocationEntry {
    let user = user.cloned();
    entry(Revoked::Session { session, user }, at)
}

fn ends_token(facts: &TokenFacts, at: UnixTime) -> RevocationEntry {
    ends(facts.session.expect("it has one"), Some(&facts.user), at)
}

fn signed_out() -> Refusal {
    Refusal::Revoked(EndReason::SignedOut)
}

fn away() -> Refusal {
    Refusal::StoreUnavailable {
        retry_after: Duration::from_secs(1),
    }
}

/// Lets other tasks run until something is so.
async fn until(so: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("what was waited for did not happen");
}
