//! Writes whose outcome is not known yet: at most two for whatever they end, however often it is asked for.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use tokio::sync::{oneshot, watch};

use super::entry::{RevocationEntry, Revoked};
use crate::error::StoreError;
use crate::token::{SessionId, TokenId, UserId};

/// What a write is about: two of the same may be one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WriteKey {
    verb: &'static str,
    user: Option<UserId>,
    session: Option<SessionId>,
    token: Option<TokenId>,
}

/// What is known of a write.
#[derive(Clone, Debug)]
pub(super) enum Heard<T> {
    /// It is on its way, or waits for its turn.
    Nothing,
    /// The store is not even tried: its breaker is open.
    Shed,
    /// Its outcome.
    Done(Result<T, StoreError>),
}

/// The writes under way.
///
/// A write that was not begun yet does for everybody who asks for the same until it is; one that
/// was begun does for nobody else, because what has to end may be younger than it.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    open: Mutex<HashMap<Key, Slot, RandomState>>,
}

type Key = (TypeId, WriteKey);

/// One write is under way, and perhaps another waits for its turn.
#[derive(Debug, Default)]
struct Slot {
    /// Whether the write under way has failed and is being repeated.
    failing: bool,
    next: Option<Next>,
}

#[derive(Debug)]
struct Next {
    tentative: Vec<RevocationEntry>,
    turn: oneshot::Sender<Vec<RevocationEntry>>,
    /// A `watch::Receiver<Heard<T>>`.
    outcome: Box<dyn Any + Send>,
}

/// What to do about a write.
pub(super) enum Entered<T> {
    /// Begin it.
    Begin(Vec<RevocationEntry>, watch::Sender<Heard<T>>),
    /// Begin it when its turn comes, with the entries that hold for it then.
    Wait(
        oneshot::Receiver<Vec<RevocationEntry>>,
        watch::Sender<Heard<T>>,
    ),
    /// Another of the same will do; these entries are held no more for it.
    Joined(Vec<RevocationEntry>),
}

/// A write that has its turn; it gives it on when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    unsettled: &'a Unsettled,
    key: Key,
}

impl WriteKey {
    /// The key of what an entry says.
    pub(crate) fn of(revoked: &Revoked) -> Self {
        let (verb, user, session, token) = match revoked {
            Revoked::Roles { user, .. } => ("roles", Some(user), None, None),
            Revoked::Session { session, user } => ("session", user.as_ref(), Some(*session), None),
            Revoked::Token { token, user } => ("token", user.as_ref(), None, Some(token)),
            Revoked::User { user, except, .. } => ("user", Some(user), *except, None),
        };
        Self {
            verb,
            user: user.cloned(),
            session,
            token: token.cloned(),
        }
    }

    /// The key of another verb about a user.
    pub(crate) fn of_user(verb: &'static str, user: &UserId) -> Self {
        Self {
            verb,
            user: Some(user.clone()),
            session: None,
            token: None,
        }
    }
}

impl Unsettled {
    /// How many things are being ended of which the outcome is not known.
    pub(super) fn len(&self) -> usize {
        self.open().len()
    }

    /// Whether a write of this key is under way and has failed before.
    pub(super) fn is_failing<T: 'static>(&self, key: &WriteKey) -> bool {
        let key = (TypeId::of::<T>(), key.clone());
        self.open().get(&key).is_some_and(|slot| slot.failing)
    }

    /// Finds a place for a write, and what tells of its outcome; `None` when there are too many.
    pub(super) fn enter<T: Clone + Send + Sync + 'static>(
        &self,
        key: &WriteKey,
        tentative: Vec<RevocationEntry>,
    ) -> Option<(Entered<T>, watch::Receiver<Heard<T>>)> {
        let key = (TypeId::of::<T>(), key.clone());
        let mut open = self.open();
        let Some(slot) = open.get_mut(&key) else {
            if open.len() >= MAX_UNSETTLED {
                return None;
            }
            open.insert(key, Slot::default());
            let (sender, receiver) = watch::channel(Heard::Nothing);
            return Some((Entered::Begin(tentative, sender), receiver));
        };
        if let Some(next) = &mut slot.next
            && let Some(outcome) = next.outcome.downcast_ref::<watch::Receiver<Heard<T>>>()
        {
            let outcome = outcome.clone();
            // The latest says the most: it also puts out what came to be meanwhile.
            let before = std::mem::replace(&mut next.tentative, tentative);
            return Some((Entered::Joined(before), outcome));
        }
        let (sender, receiver) = watch::channel(Heard::Nothing);
        let (turn, comes) = oneshot::channel();
        slot.next = Some(Next {
            tentative,
            turn,
            outcome: Box::new(receiver.clone()),
        });
        Some((Entered::Wait(comes, sender), receiver))
    }

    /// The turn of a write that [`enter`](Self::enter) let begin.
    pub(super) fn turn<T: 'static>(&self, key: &WriteKey) -> Turn<'_> {
        Turn {
            unsettled: self,
            key: (TypeId::of::<T>(), key.clone()),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Key, Slot, RandomState>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Notes that a try failed, for those who come meanwhile: they need not wait.
    pub(super) fn failing(&self) {
        if let Some(slot) = self.unsettled.open().get_mut(&self.key) {
            slot.failing = true;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut open = self.unsettled.open();
        let slot = open.get_mut(&self.key);
        let next = slot.and_then(|slot| std::mem::take(slot).next);
        let taken = next.is_some_and(|next| next.turn.send(next.tentative).is_ok());
        if !taken {
            open.remove(&self.key);
        }
    }
}

/// Each costs a task that goes on trying, and an entry that holds here meanwhile.
pub(super) const MAX_UNSETTLED: usize = 10_000;
