//! What seldom comes together by chance, and is worst together: one story in four has one of these on top
//! of what goes wrong anyway.

use fastrand::Rng;

use crate::clock::Millis;
use crate::plan::{DAY, Fault, Plan};

impl Plan {
    /// `rng` is a source of its own, so that a story without any of this is told as before.
    pub(super) fn together(&mut self, rng: &mut Rng) {
        if self.calm || rng.u64(..4) > 0 {
            return;
        }
        match rng.u64(..6) {
            0 => self.cut_off_and_set_back(rng),
            1 => self.stands_still_over_a_poll(rng),
            2 => self.lost_while_clocks_were_ahead(rng),
            3 => self.failover_without_leases(rng),
            4 => self.ends_on_a_clock_that_is_behind(rng),
            _ => self.lost_and_slow(rng),
        }
    }

    /// Nothing goes wrong any more once everything is to be mended.
    fn push(&mut self, at: Millis, fault: Fault) {
        self.faults.push((at.min(self.active - 1), fault));
    }

    /// A node without the store, whose wall clock would call its view fresh for ever.
    fn cut_off_and_set_back(&mut self, rng: &mut Rng) {
        let (node, at) = (rng.usize(..self.nodes), rng.u64(3000..self.active));
        let lasting = self.settings.staleness + rng.u64(1000..10_000);
        self.push(at, Fault::Cut { node, lasting });
        let at = at + rng.u64(..self.settings.staleness);
        self.push(at, Fault::NodeClock { node, offset: -DAY });
    }

    /// The answer to a poll waits as long as the process stands still, and is old when it is read. Then the
    /// store is out of reach.
    fn stands_still_over_a_poll(&mut self, rng: &mut Rng) {
        let (node, at) = (rng.usize(..self.nodes), rng.u64(3000..self.active));
        self.push(
            at,
            Fault::Slow {
                lasting: 4000,
                by: 900,
            },
        );
        let at = at + rng.u64(1000..3000);
        let lasting = self.settings.staleness + rng.u64(..4000);
        self.push(
            at,
            Fault::Still {
                node,
                lasting,
                asleep: false,
            },
        );
        // Nothing leaves the node any more, and what came before it stood still is there.
        let cut = at + lasting.saturating_sub(200);
        let lasting = rng.u64(500..4000);
        self.push(cut, Fault::Cut { node, lasting });
    }

    /// All wall clocks are a day ahead for a moment; later the store loses the end of its log, and a node that
    /// knew it starts anew.
    fn lost_while_clocks_were_ahead(&mut self, rng: &mut Rng) {
        if self.fails_over() {
            return;
        }
        let at = rng.u64(1000..self.active / 2);
        let lasting = rng.u64(1000..2500);
        for node in 0..self.nodes {
            self.push(at, Fault::NodeClock { node, offset: DAY });
            self.push(at + lasting, Fault::NodeClock { node, offset: 0 });
        }
        let fault = Fault::Failover {
            lag: rng.u64(500..6000),
            renamed: rng.bool(),
        };
        let after = rng.u64((at + lasting + 1000).min(self.active)..=self.active);
        self.push(after, fault);
        let (node, wait) = (rng.usize(..self.nodes), rng.u64(200..4000));
        self.push(after + wait, Fault::Crash { node, lasting: 300 });
        self.administrators = 4;
    }

    /// A replica that never heard of the leases takes over while a node is cut off.
    fn failover_without_leases(&mut self, rng: &mut Rng) {
        if self.fails_over() {
            return;
        }
        let lease = self.settings.staleness + 2 * self.settings.skew;
        let at = rng.u64(lease + 2000..=self.active.max(lease + 3000));
        let lag = lease + rng.u64(500..2000);
        self.push(at, Fault::Failover { lag, renamed: true });
        let node = rng.usize(..self.nodes);
        let before = rng.u64(50..self.settings.staleness / 3);
        let lasting = before + self.settings.staleness + 1000;
        self.push(at - before, Fault::Cut { node, lasting });
        self.administrators = 6;
    }

    /// Everything is ended again and again, also on a node whose clock is behind, by what tokens of other
    /// nodes survive or by more, and which loses the store from time to time.
    fn ends_on_a_clock_that_is_behind(&mut self, rng: &mut Rng) {
        let node = rng.usize(..self.nodes);
        self.push(
            rng.u64(..3000),
            Fault::NodeClock {
                node,
                offset: match rng.u64(..4) {
                    0 => -DAY,
                    _ => -4_500_000,
                },
            },
        );
        for _ in 0..6 {
            let lasting = rng.u64(800..3000);
            self.push(rng.u64(5000..self.active), Fault::Cut { node, lasting });
        }
        self.administrators = 6;
    }

    /// The log loses its end, and everything about it is slow: what is written back comes late.
    fn lost_and_slow(&mut self, rng: &mut Rng) {
        if self.fails_over() {
            return;
        }
        let at = rng.u64(5000..self.active);
        let fault = Fault::Failover {
            lag: rng.u64(1000..6000),
            renamed: rng.bool(),
        };
        self.push(at, fault);
        let by = rng.u64(400..1000);
        self.push(at, Fault::Slow { lasting: 8000, by });
        self.administrators = 3;
    }
}
