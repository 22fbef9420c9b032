//! What a seed makes of the world: its settings, and what will go wrong when.

use std::time::Duration;

use fastrand::Rng;
use tower_jwt_session::revocation::RevocationSettings;
use tower_jwt_session::verify::TokenPolicy;
use tower_jwt_session::{Lifetimes, Rotation, SessionLimit};

use crate::clock::Millis;

/// The settings of one fleet, the same on every node.
#[derive(Clone, Debug)]
pub struct Settings {
    pub access: Millis,
    pub grace: Millis,
    pub staleness: Millis,
    pub poll: Millis,
    pub timeout: Millis,
    pub skew: Millis,
    pub limit: SessionLimit,
    pub room: usize,
    /// Every second use of a refresh token is theft.
    pub strict: bool,
}

/// The world of one seed.
#[derive(Clone, Debug)]
pub struct Plan {
    pub settings: Settings,
    pub nodes: usize,
    pub users: usize,
    pub devices: usize,
    /// Nothing goes wrong.
    pub calm: bool,
    pub thief: bool,
    /// How long people act and things go wrong.
    pub active: Millis,
    pub faults: Vec<(Millis, Fault)>,
    /// How long a message takes, mostly.
    pub latency: Millis,
    /// How many messages in a thousand are lost while nothing else goes wrong.
    pub loss: u64,
    /// How many calls in a thousand reach the store twice.
    pub doubles: u64,
    pub administrators: usize,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing passes between a node and the store.
    Cut {
        node: usize,
        lasting: Millis,
    },
    /// Everything is late.
    Slow {
        lasting: Millis,
        by: Millis,
    },
    Crash {
        node: usize,
        lasting: Millis,
    },
    Still {
        node: usize,
        lasting: Millis,
        asleep: bool,
    },
    /// The store is away: it says so, or is silent.
    Away {
        lasting: Millis,
        silent: bool,
    },
    /// The store stands still, and then does what it was asked.
    Frozen {
        lasting: Millis,
    },
    /// The store starts again with what it had, under another name of its history or not.
    Restart {
        renamed: bool,
    },
    /// The replica takes over; what came to the primary in the last `lag` is lost.
    Failover {
        lag: Millis,
        renamed: bool,
    },
    NodeClock {
        node: usize,
        offset: i64,
    },
    StoreClock {
        offset: i64,
    },
}

/// Further than any clock should be from true time, in microseconds.
pub const DAY: i64 = 86_400_000_000;

impl Plan {
    pub fn of(rng: &mut Rng) -> Self {
        let calm = rng.u64(..100) < 10;
        let grace = rng.u64(2..=5) * 1000;
        let settings = Settings {
            access: rng.u64(40..=80) * 1000,
            grace,
            staleness: rng.u64(2..=6) * 1000,
            poll: rng.u64(300..=900),
            timeout: rng.u64(100..=250),
            skew: 2000,
            limit: match rng.u64(..10) {
                0..=5 => SessionLimit::evicting(3),
                6..=7 => SessionLimit::rejecting(3),
                _ => SessionLimit::evicting(10),
            },
            room: if rng.u64(..10) == 0 { 3 } else { 1000 },
            strict: rng.u64(..20) == 0,
        };
        let nodes = rng.usize(2..=3);
        let active = rng.u64(20..=60) * 1000;
        let mut plan = Self {
            settings,
            nodes,
            users: rng.usize(1..=2),
            devices: rng.usize(2..=4),
            calm,
            thief: rng.u64(..10) < 2,
            active,
            faults: Vec::new(),
            latency: rng.u64(1..=10),
            loss: if calm { 0 } else { rng.u64(..15) },
            doubles: if calm { 0 } else { rng.u64(..30) },
            administrators: 1,
        };
        if !calm {
            for _ in 0..rng.usize(1..=6) {
                let fault = plan.fault(rng);
                let at = rng.u64(2000..active);
                // There is one replica.
                if !(plan.fails_over() && matches!(fault, Fault::Failover { .. })) {
                    plan.faults.push((at, fault));
                }
            }
        }
        let apart = rng.clone().u64(..) ^ 0x7e11_0f17;
        plan.together(&mut Rng::with_seed(apart));
        plan
    }

    fn fault(&self, rng: &mut Rng) -> Fault {
        let node = rng.usize(..self.nodes);
        let skew = self.settings.skew as i64 * 1000;
        let lasting = match rng.u64(..4) {
            0 => rng.u64(50..500),
            1 | 2 => rng.u64(500..5000),
            _ => rng.u64(5000..15_000),
        };
        match rng.u64(..20) {
            0..=3 => Fault::Cut { node, lasting },
            4 | 5 => Fault::Slow {
                lasting,
                by: rng.u64(20..800),
            },
            6 | 7 => Fault::Crash { node, lasting },
            8 | 9 => Fault::Still {
                node,
                lasting,
                asleep: false,
            },
            10 => Fault::Still {
                node,
                lasting,
                asleep: true,
            },
            11 | 12 => Fault::Away {
                lasting,
                silent: rng.bool(),
            },
            13 => Fault::Frozen { lasting },
            14 => Fault::Restart {
                renamed: rng.bool(),
            },
            15 | 16 => Fault::Failover {
                lag: if rng.u64(..3) == 0 {
                    0
                } else {
                    rng.u64(50..6000)
                },
                renamed: rng.u64(..4) > 0,
            },
            17 | 18 => Fault::NodeClock {
                node,
                offset: match rng.u64(..8) {
                    0 => DAY,
                    1 => -DAY,
                    _ => rng.i64(-skew..=skew),
                },
            },
            _ => Fault::StoreClock {
                offset: rng.i64(-skew..=skew),
            },
        }
    }

    /// Until when a replica hears of what the primary does; later it is behind.
    pub fn replicated_until(&self) -> Millis {
        let failover = self.faults.iter().find_map(|(at, fault)| match fault {
            Fault::Failover { lag, .. } => Some(at - lag.min(at)),
            _ => None,
        });
        failover.unwrap_or(Millis::MAX)
    }

    /// Whether any clock is further off than it may be.
    pub fn is_wild(&self) -> bool {
        self.faults.iter().any(
            |(_, fault)| matches!(fault, Fault::NodeClock { offset, .. } if offset.abs() == DAY),
        )
    }

    pub fn fails_over(&self) -> bool {
        self.faults
            .iter()
            .any(|(_, fault)| matches!(fault, Fault::Failover { .. }))
    }
}

impl Settings {
    pub fn lifetimes(&self) -> Lifetimes {
        Lifetimes::default().with_access(millis(self.access))
    }

    pub fn rotation(&self) -> Rotation {
        let rotation = if self.strict {
            Rotation::strict()
        } else {
            Rotation::default().with_grace(millis(self.grace))
        };
        rotation.with_suggestion(millis(self.access / 4))
    }

    pub fn revocation(&self) -> RevocationSettings {
        RevocationSettings::default()
            .with_max_staleness(millis(self.staleness))
            .with_poll_interval(millis(self.poll))
            .with_store_timeout(millis(self.timeout))
            .with_max_entries(self.room)
            .with_skew(millis(self.skew))
    }

    pub fn policy(&self) -> TokenPolicy {
        TokenPolicy::new("the service", "the service").with_cache_size(64 * 1024)
    }
}

fn millis(millis: Millis) -> Duration {
    Duration::from_millis(millis)
}
