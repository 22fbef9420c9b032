//! What goes wrong, and how it is mended.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::{Event, World};
use crate::node::State;
use crate::plan::Fault;

impl World {
    pub(super) fn fault(&mut self, fault: Fault) {
        self.story.tell(self.now, || format!("FAULT {fault:?}"));
        match fault {
            Fault::Cut { node, lasting } => self.cut[node] = self.now + lasting,
            Fault::Slow { lasting, by } => self.slow = (self.now + lasting, by),
            Fault::Crash { node, lasting } => {
                self.nodes[node].kill();
                self.after(lasting, Event::Start(node));
            }
            Fault::Still {
                node,
                lasting,
                asleep,
            } => {
                if self.nodes[node].state == State::Up {
                    self.nodes[node].state = State::Still { asleep };
                    self.after(lasting, Event::Wake(node));
                }
            }
            Fault::Away { lasting, silent } => self.away = (self.now + lasting, silent),
            Fault::Frozen { lasting } => self.frozen = self.now + lasting,
            Fault::Restart { renamed } => {
                self.away = (self.now + self.rng.u64(100..1500), false);
                if renamed {
                    self.copies.primary.rename();
                }
            }
            Fault::Failover { renamed, .. } => self.fail_over(renamed),
            Fault::NodeClock { node, offset } => {
                self.nodes[node].offset.store(offset, Ordering::Relaxed);
            }
            Fault::StoreClock { offset } => self.store_offset = offset,
        }
    }

    fn fail_over(&mut self, renamed: bool) {
        if self.copies.replica.is_none() {
            return;
        }
        self.show_clock();
        self.copies.replicate(self.now.min(self.behind));
        let lost: HashSet<u64> = self.copies.promote(renamed).into_iter().collect();
        let users = self.lost_users.iter().filter(|(ran, _)| lost.contains(ran));
        let users: Vec<_> = users.map(|(_, user)| user.clone()).collect();
        self.story
            .tell(self.now, || format!("{} operations are lost", lost.len()));
        if !lost.is_empty() {
            self.model.loses(self.now, &lost, users, renamed);
        }
        self.away = (self.now + self.rng.u64(50..1000), self.rng.bool());
    }

    /// Everything that was wrong is mended; nothing new goes wrong.
    pub fn heal(&mut self) {
        self.story
            .tell(self.now, || "everything is mended".to_owned());
        self.healed = true;
        self.cut.fill(0);
        self.slow = (0, 0);
        self.away = (0, false);
        self.frozen = 0;
        for node in 0..self.nodes.len() {
            match self.nodes[node].state {
                State::Down => self.at(self.now, Event::Start(node)),
                State::Still { .. } => self.at(self.now, Event::Wake(node)),
                State::Up => {}
            }
            // A clock that is a day off is set right.
            let offset = &self.nodes[node].offset;
            let skew = self.plan.settings.skew as i64 * 1000;
            let right = offset.load(Ordering::Relaxed).clamp(-skew, skew);
            offset.store(right, Ordering::Relaxed);
        }
    }
}
