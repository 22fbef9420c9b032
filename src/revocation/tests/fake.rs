//! A store and a clock that tests move by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use super::super::{
    About, Answer, Attached, Committed, Cursor, FleetLimits, Glance, Lease, LogPosition, NodeId,
    Poll, PollRequest, Question, RevocationEntry, RevocationStore,
};
use super::SKEW;
use crate::BoxFuture;
use crate::clock::{Clock, Instants, UnixTime};
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::EntryId;
use crate::token::SessionId;

pub(super) const START: UnixTime = UnixTime::from_secs(1_800_000_000);
pub(super) const LIMITS: FleetLimits = FleetLimits {
    access_lifetime: Duration::from_secs(7200),
    leeway: Duration::from_secs(5),
    skew: SKEW,
};

/// Both clocks stand until they are moved.
#[derive(Debug)]
pub(super) struct HandClock {
    wall: AtomicU64,
    monotonic: AtomicU64,
}

impl Default for HandClock {
    fn default() -> Self {
        Self {
            wall: AtomicU64::new(START.as_micros()),
            monotonic: AtomicU64::new(1_000_000),
        }
    }
}

impl HandClock {
    pub(super) fn advance(&self, by: Duration) {
        self.advance_wall(by);
        self.advance_monotonic(by);
    }

    /// A step of the wall clock, or a sleep of the machine.
    pub(super) fn advance_wall(&self, by: Duration) {
        self.wall.fetch_add(micros(by), Ordering::SeqCst);
    }

    pub(super) fn set_back_wall(&self, by: Duration) {
        self.wall.fetch_sub(micros(by), Ordering::SeqCst);
    }

    pub(super) fn advance_monotonic(&self, by: Duration) {
        self.monotonic.fetch_add(micros(by), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_micros(self.wall.load(Ordering::SeqCst))
    }

    fn instants(&self) -> Instants {
        Instants {
            wall: self.now(),
            monotonic: Duration::from_micros(self.monotonic.load(Ordering::SeqCst)),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

/// A store whose log is a list, and whose answers can be held back after they were made.
#[derive(Debug)]
pub(super) struct FakeStore {
    state: Mutex<State>,
    answers: Gate,
    polls: Gate,
    appends: Gate,
    hints: Notify,
    clock: Arc<HandClock>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) log: Vec<RevocationEntry>,
    pub(super) history: u128,
    pub(super) deployment: u128,
    pub(super) leases: Vec<Lease>,
    /// Sessions that the store does not know.
    pub(super) unknown: Vec<SessionId>,
    /// What every call fails with.
    pub(super) fails: Option<StoreErrorKind>,
    pub(super) asked: Vec<Question>,
    pub(super) polled: Vec<Polled>,
    pub(super) appended: Vec<Vec<RevocationEntry>>,
    /// How long each piece of a whole log takes.
    pub(super) pieces: Vec<Duration>,
    /// When it was looked how far the nodes have read.
    pub(super) looked: Vec<tokio::time::Instant>,
}

/// What a poll asked for.
#[derive(Clone, Debug)]
pub(super) struct Polled {
    pub(super) since: Option<Cursor>,
    pub(super) lease: Duration,
    pub(super) probes: Vec<EntryId>,
}

/// While it is shut, each call needs a permit to come back.
#[derive(Debug)]
struct Gate {
    shut: Mutex<bool>,
    permits: Semaphore,
}

impl Gate {
    fn open() -> Self {
        Self {
            shut: Mutex::new(false),
            permits: Semaphore::new(0),
        }
    }

    async fn pass(&self) {
        let shut = *self.shut.lock().unwrap();
        if shut {
            self.permits.acquire().await.unwrap().forget();
        }
    }
}

impl FakeStore {
    pub(super) fn new(clock: Arc<HandClock>) -> Self {
        Self {
            state: Mutex::new(State {
                log: Vec::new(),
                history: 1,
                deployment: 1,
                leases: Vec::new(),
                unknown: Vec::new(),
                fails: None,
                asked: Vec::new(),
                polled: Vec::new(),
                appended: Vec::new(),
                pieces: Vec::new(),
                looked: Vec::new(),
            }),
            answers: Gate::open(),
            polls: Gate::open(),
            appends: Gate::open(),
            hints: Notify::new(),
            clock,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn hold_answers(&self) {
        *self.answers.shut.lock().unwrap() = true;
    }

    pub(super) fn release_answers(&self, count: usize) {
        self.answers.permits.add_permits(count);
    }

    pub(super) fn hold_polls(&self) {
        *self.polls.shut.lock().unwrap() = true;
    }

    pub(super) fn release_polls(&self, count: usize) {
        self.polls.permits.add_permits(count);
    }

    /// Polls come back again; those that wait now never do.
    pub(super) fn answer_new_polls(&self) {
        *self.polls.shut.lock().unwrap() = false;
    }

    pub(super) fn hold_appends(&self) {
        *self.appends.shut.lock().unwrap() = true;
    }

    pub(super) fn release_appends(&self, count: usize) {
        self.appends.permits.add_permits(count);
    }

    /// Another node writes.
    pub(super) fn write(&self, entry: RevocationEntry) {
        self.state().log.push(entry);
    }

    pub(super) fn hint_at_news(&self) {
        self.hints.notify_one();
    }

    pub(super) fn questions(&self) -> usize {
        self.state().asked.len()
    }

    pub(super) fn polls(&self) -> usize {
        self.state().polled.len()
    }

    /// Another node, and how far it has read.
    pub(super) fn lease(&self, node: u128, applied: usize, until: UnixTime) {
        let mut state = self.state();
        let history = state.history;
        state.leases.retain(|lease| lease.node != NodeId(node));
        state.leases.push(Lease {
            node: NodeId(node),
            history,
            applied: Cursor(vec![applied as u64]),
            until,
        });
    }
}

impl State {
    fn up(&self) -> Result<(), StoreError> {
        match self.fails {
            Some(kind) => Err(StoreError::new(kind, "fake")),
            None => Ok(()),
        }
    }

    fn answer(&self, question: &Question) -> Answer {
        let facts = &question.facts;
        for entry in &self.log {
            match entry.effect_on(facts, SKEW) {
                Some(super::Effect::Revoked(reason)) => return Answer::Revoked(reason),
                Some(super::Effect::Stale) => return Answer::Stale,
                None => {}
            }
        }
        let lost = facts.session.is_none_or(|sid| self.unknown.contains(&sid));
        if question.about == About::Session && lost {
            return Answer::Unknown;
        }
        Answer::Alive
    }

    fn append(&mut self, entries: Vec<RevocationEntry>, now: UnixTime) -> Committed {
        self.appended.push(entries.clone());
        let mut written = Vec::new();
        for mut entry in entries {
            if entry.until == UnixTime::EPOCH {
                entry.until = now + LIMITS.entry_lifetime();
            }
            if !self.log.iter().any(|old| old.id == entry.id) {
                self.log.push(entry.clone());
            }
            written.push(entry);
        }
        Committed {
            entries: written,
            positions: vec![LogPosition {
                part: 0,
                value: self.log.len() as u64,
            }],
            leases: self.leases.clone(),
            history: self.history,
            now,
        }
    }
}

impl RevocationStore for FakeStore {
    fn backend(&self) -> &'static str {
        "fake"
    }

    fn attach(&self, limits: FleetLimits) -> BoxFuture<'_, Result<Attached, StoreError>> {
        Box::pin(async move {
            let state = self.state();
            state.up()?;
            Ok(Attached {
                deployment: state.deployment,
                limits,
            })
        })
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> BoxFuture<'a, Result<Poll, StoreError>> {
        Box::pin(async move {
            let poll = {
                let mut state = self.state();
                state.polled.push(Polled {
                    since: request.since.cloned(),
                    lease: request.lease,
                    probes: request.probes.to_vec(),
                });
                state.up()?;
                let read = request.since.map_or(0, |cursor| cursor.0[0] as usize);
                let known = |id: &EntryId| state.log.iter().any(|entry| entry.id == *id);
                Poll {
                    history: state.history,
                    entries: state.log[read.min(state.log.len())..].to_vec(),
                    cursor: Cursor(vec![state.log.len() as u64]),
                    missing: request
                        .probes
                        .iter()
                        .copied()
                        .filter(|id| !known(id))
                        .collect(),
                    now: self.now(),
                }
            };
            self.polls.pass().await;
            if let Some(pieces) = request.pieces {
                let takes = self.state().pieces.clone();
                for takes in takes {
                    tokio::time::sleep(takes).await;
                    pieces.one_more();
                }
            }
            Ok(poll)
        })
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.hints.notified())
    }

    fn glance<'a>(
        &'a self,
        since: &'a Cursor,
        history: u128,
    ) -> BoxFuture<'a, Result<Glance, StoreError>> {
        let state = self.state();
        let read = state.log.len().min(since.0[0] as usize);
        let same = state.history == history;
        let news = match same {
            true => Glance {
                entries: state.log[read..].to_vec(),
                cursor: Some(Cursor(vec![state.log.len() as u64])),
            },
            false => Glance::default(),
        };
        Box::pin(std::future::ready(state.up().map(|()| news)))
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async move {
            let answer = {
                let mut state = self.state();
                state.asked.push(question.clone());
                state.up()?;
                state.answer(question)
            };
            self.answers.pass().await;
            Ok(answer)
        })
    }

    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(async move {
            let committed = {
                let mut state = self.state();
                state.up()?;
                state.append(entries, self.now())
            };
            self.appends.pass().await;
            Ok(committed)
        })
    }

    fn leases(&self) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        Box::pin(async move {
            let mut state = self.state();
            state.looked.push(tokio::time::Instant::now());
            state.up()?;
            Ok(state.leases.clone())
        })
    }
}
