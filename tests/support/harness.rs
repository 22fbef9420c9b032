//! A store of any kind, as the suite for stores wants to have it.
#![allow(dead_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_jwt_session::SessionStore;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::testing::conformance::Harness;

/// As many stores of one content as there are nodes, asked in turn; what they stand on is kept.
pub struct Stores<K> {
    nodes: Vec<Arc<dyn SessionStore>>,
    turn: AtomicUsize,
    clock: Option<ManualClock>,
    can_be_away: bool,
    _kept: K,
}

impl<K> Stores<K> {
    pub fn new<S: SessionStore>(nodes: impl IntoIterator<Item = S>, kept: K) -> Self {
        let nodes = nodes.into_iter();
        Self {
            nodes: nodes.map(|store| Arc::new(store) as _).collect(),
            turn: AtomicUsize::new(0),
            clock: None,
            can_be_away: true,
            _kept: kept,
        }
    }

    /// The clock that the stores were made with.
    pub fn held_by(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Nobody can be without it, as with what is in this process or cannot be cut off.
    pub fn never_away(mut self) -> Self {
        self.can_be_away = false;
        self
    }
}

impl<K: Send + Sync + 'static> Harness for Stores<K> {
    fn store(&self) -> Arc<dyn SessionStore> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.nodes[turn % self.nodes.len()].clone()
    }

    fn advance(&self, by: Duration) -> bool {
        if let Some(clock) = &self.clock {
            clock.advance(by);
        }
        self.clock.is_some()
    }

    fn set_back(&self, by: Duration) -> bool {
        if let Some(clock) = &self.clock {
            clock.step_wall_back(by);
        }
        self.clock.is_some()
    }

    fn gives_hints(&self) -> bool {
        true
    }

    fn can_be_away(&self) -> bool {
        self.can_be_away
    }
}
