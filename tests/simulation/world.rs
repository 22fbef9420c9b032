//! The scheduler: what happens next, in the order of true time, and by nobody's leave.

mod faults;

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use tokio::sync::oneshot;
use tower_jwt_session::UserId;

use crate::clock::{Millis, StoreClock};
use crate::ground::Copies;
use crate::link::{Op, Reply, Sent};
use crate::model::{Model, Token};
use crate::node::{Alive, Arrival, Node, Route, State, Stirred};
use crate::people::{Happened, People, Whose};
use crate::plan::{Fault, Plan};
use crate::users::Users;

pub struct World {
    pub plan: Plan,
    pub rng: Rng,
    pub now: Millis,
    pub nodes: Vec<Node<Happened>>,
    pub users: Arc<Users>,
    pub model: Model,
    pub copies: Copies,
    pub story: Story,
    pub people: People,
    queue: BTreeMap<(Millis, u64), Event>,
    numbered: u64,
    cut: Vec<Millis>,
    slow: (Millis, Millis),
    away: (Millis, bool),
    frozen: Millis,
    store_offset: i64,
    /// Answers that never come: whoever waits for them hears nothing.
    unanswered: Vec<oneshot::Sender<Reply>>,
    lost_users: Vec<(u64, UserId)>,
    pub healed: bool,
    /// Until when the replica hears of what the primary does.
    behind: Millis,
}

/// What is told of a story, if anybody listens.
#[derive(Debug, Default)]
pub struct Story {
    pub aloud: bool,
    /// What all lines come to, so that two tellings can be compared.
    pub digest: u64,
}

pub enum Event {
    AtStore {
        node: usize,
        life: u32,
        op: Op,
        reply: Option<oneshot::Sender<Reply>>,
    },
    AtNode {
        node: usize,
        life: u32,
        arrival: Arrival<Happened>,
    },
    Act(usize),
    Ask(Arc<Token>, usize, Route),
    Admin,
    Thief,
    Fault(Fault),
    Start(usize),
    Wake(usize),
    Replicate,
}

/// How far nodes run before it is looked at what others said meanwhile: so much may one be ahead of
/// another, in milliseconds.
const STRIDE: Millis = 20;

impl Story {
    pub fn tell(&mut self, now: Millis, line: impl FnOnce() -> String) {
        let line = line();
        for byte in line.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        self.digest = self.digest.wrapping_add(now);
        if self.aloud {
            println!("{now:>7} {line}");
        }
    }
}

impl World {
    pub fn new(seed: u64, aloud: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let plan = Plan::of(&mut rng);
        let users = Arc::new(Users::new(plan.users));
        let names = (0..users.len()).map(|number| users.nth(number).id.clone());
        let skew = plan.settings.skew as i64 * 1000;
        let offset = |rng: &mut Rng| if plan.calm { 0 } else { rng.i64(-skew..=skew) };
        let nodes = (0..plan.nodes)
            .map(|_| Node::new(offset(&mut rng)))
            .collect();
        let store_offset = offset(&mut rng);
        let clock = StoreClock::default();
        clock.set(0, store_offset);
        let mut world = Self {
            model: Model::new(&plan.settings, names.collect(), plan.calm, plan.is_wild()),
            copies: Copies::new(clock, plan.fails_over()),
            behind: plan.replicated_until(),
            people: People::new(&plan, &mut rng),
            story: Story { aloud, digest: 0 },
            cut: vec![0; plan.nodes],
            slow: (0, 0),
            away: (0, false),
            frozen: 0,
            store_offset,
            unanswered: Vec::new(),
            lost_users: Vec::new(),
            healed: false,
            queue: BTreeMap::new(),
            numbered: 0,
            now: 0,
            rng,
            nodes,
            users,
            plan,
        };
        let plan = world.plan.clone();
        world.story.tell(0, || format!("{plan:?}"));
        world.begin();
        world
    }

    fn begin(&mut self) {
        for node in 0..self.nodes.len() {
            let at = self.rng.u64(..300);
            self.at(at, Event::Start(node));
        }
        for (at, fault) in self.plan.faults.clone() {
            self.at(at, Event::Fault(fault));
        }
        for device in 0..self.plan.devices {
            let at = self.rng.u64(500..3000);
            self.at(at, Event::Act(device));
        }
        for _ in 0..self.plan.administrators {
            let at = self.rng.u64(4000..self.plan.active);
            self.at(at, Event::Admin);
        }
        if self.plan.thief {
            let at = self.rng.u64(4000..self.plan.active);
            self.at(at, Event::Thief);
        }
        if self.plan.fails_over() {
            self.at(50, Event::Replicate);
        }
    }

    pub fn at(&mut self, at: Millis, event: Event) {
        self.numbered += 1;
        self.queue.insert((at.max(self.now), self.numbered), event);
    }

    pub fn after(&mut self, wait: Millis, event: Event) {
        self.at(self.now + wait, event);
    }

    /// Lets everything happen until `until`.
    pub fn run(&mut self, until: Millis) {
        loop {
            let first = self.queue.first_key_value().map(|((at, _), _)| *at);
            let next = first.unwrap_or(until).min(until).min(self.now + STRIDE);
            if self.let_nodes_run(next) {
                continue;
            }
            self.now = next;
            if let Some(event) = self.due() {
                self.happens(event);
            } else if next >= until {
                return;
            }
        }
    }

    fn due(&mut self) -> Option<Event> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= self.now).then(|| first.remove())
    }

    /// Whether any node has said something on the way.
    fn let_nodes_run(&mut self, until: Millis) -> bool {
        let mut stirred = false;
        for node in 0..self.nodes.len() {
            if let Some(said) = self.nodes[node].run(until) {
                stirred = true;
                self.said(node, said);
            }
        }
        stirred
    }

    fn said(&mut self, node: usize, said: Stirred<Happened>) {
        let life = self.nodes[node].life;
        for Sent { op, reply } in said.sent {
            self.story.tell(said.at, || {
                format!("node {node} asks {}", crate::people::brief(&op))
            });
            if let Op::Refresh(attempt) = &op {
                let (generation, operation) =
                    (attempt.presented.generation, attempt.presented.operation);
                self.model
                    .leaves(node, life, attempt.session, generation, operation);
            }
            self.send(node, life, said.at, op, reply);
        }
        for (at, happened) in said.told {
            crate::people::hears(self, at, node, life, happened);
        }
    }

    fn send(&mut self, node: usize, life: u32, at: Millis, op: Op, reply: oneshot::Sender<Reply>) {
        if at < self.cut[node] || self.is_lost() {
            self.lose(node, life, at, reply);
            return;
        }
        let reaches = at + self.delay();
        if !self.healed && self.rng.u64(..1000) < self.plan.doubles {
            let again = reaches + self.rng.u64(1..2000);
            let op = op.clone();
            self.at(
                again,
                Event::AtStore {
                    node,
                    life,
                    op,
                    reply: None,
                },
            );
        }
        let reply = Some(reply);
        self.at(
            reaches,
            Event::AtStore {
                node,
                life,
                op,
                reply,
            },
        );
    }

    fn is_lost(&mut self) -> bool {
        !self.healed && self.rng.u64(..1000) < self.plan.loss
    }

    /// A message is lost: silently, or with its connection.
    fn lose(&mut self, node: usize, life: u32, at: Millis, reply: oneshot::Sender<Reply>) {
        if self.rng.u64(..3) > 0 {
            self.unanswered.push(reply);
            return;
        }
        let wait = self.rng.u64(1..50);
        let arrival = Box::new(move |_: &Alive<Happened>| drop(reply));
        self.at(
            at + wait,
            Event::AtNode {
                node,
                life,
                arrival,
            },
        );
    }

    fn delay(&mut self) -> Millis {
        let usual = 1 + self.rng.u64(..=self.plan.latency);
        if self.plan.calm || self.healed {
            return usual;
        }
        let (until, by) = self.slow;
        let slow = if self.now < until {
            self.rng.u64(..=by)
        } else {
            0
        };
        let rare = if self.rng.u64(..100) == 0 {
            self.rng.u64(..1500)
        } else {
            0
        };
        usual + slow + rare
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::AtStore {
                node,
                life,
                op,
                reply,
            } => self.at_store(node, life, op, reply),
            Event::AtNode {
                node,
                life,
                arrival,
            } => self.nodes[node].arrive(life, arrival),
            Event::Act(device) => crate::people::acts(self, device),
            Event::Ask(token, node, route) => {
                crate::people::ask(self, Whose::Nobody, token, node, route, false);
            }
            Event::Admin => crate::people::admin(self),
            Event::Thief => crate::people::thief(self),
            Event::Fault(fault) => self.fault(fault),
            Event::Start(node) => {
                if self.nodes[node].state == State::Down {
                    self.story.tell(self.now, || format!("node {node} starts"));
                    let users = self.users.clone();
                    self.nodes[node].start(self.now, &self.plan.settings, &users);
                }
            }
            Event::Wake(node) => {
                self.story.tell(self.now, || format!("node {node} goes on"));
                self.nodes[node].wake(self.now);
            }
            Event::Replicate => {
                let until = self.now.min(self.behind);
                self.show_clock();
                self.copies.replicate(until);
                let wait = self.rng.u64(20..200);
                self.after(wait, Event::Replicate);
            }
        }
    }

    fn show_clock(&self) -> tower_jwt_session::UnixTime {
        self.copies.clock.set(self.now, self.store_offset)
    }

    fn at_store(&mut self, node: usize, life: u32, op: Op, reply: Option<oneshot::Sender<Reply>>) {
        let (until, silent) = self.away;
        if self.now < until {
            match reply {
                Some(reply) if silent => self.unanswered.push(reply),
                reply => {
                    let arrival = Box::new(move |_: &Alive<Happened>| drop(reply));
                    let wait = self.delay();
                    self.after(
                        wait,
                        Event::AtNode {
                            node,
                            life,
                            arrival,
                        },
                    );
                }
            }
            return;
        }
        if self.now < self.frozen {
            self.at(
                self.frozen,
                Event::AtStore {
                    node,
                    life,
                    op,
                    reply,
                },
            );
            return;
        }
        self.show_clock();
        if let Op::Refresh(attempt) = &op {
            let operation = attempt.presented.operation;
            self.model.reaches(self.now, attempt.session, operation);
        }
        let (ran, answer, did, grown) = self.copies.run(self.now, &op);
        if let Some(user) = whose(&op, &self.copies) {
            self.lost_users.push((ran, user));
        }
        for did in did {
            self.story.tell(self.now, || {
                format!("  store: {}", crate::people::told(&did))
            });
            self.model.did(self.now, ran, did);
        }
        if grown {
            self.push_hints();
        }
        let Some(reply) = reply else { return };
        if self.now < self.cut[node] || self.is_lost() {
            self.lose(node, life, self.now, reply);
            return;
        }
        let wait = self.delay();
        let arrival = Box::new(move |_: &Alive<Happened>| {
            // Whoever asked may have given up.
            let _ = reply.send(answer);
        });
        self.after(
            wait,
            Event::AtNode {
                node,
                life,
                arrival,
            },
        );
    }

    fn push_hints(&mut self) {
        for node in 0..self.nodes.len() {
            if self.now < self.cut[node] || self.is_lost() {
                continue;
            }
            let (life, wait) = (self.nodes[node].life, self.delay());
            let arrival = Box::new(|alive: &Alive<Happened>| alive.hint());
            self.after(
                wait,
                Event::AtNode {
                    node,
                    life,
                    arrival,
                },
            );
        }
    }

    /// Sends something to a node, which arrives at once unless the node stands still.
    pub fn reach_node(
        &mut self,
        node: usize,
        arrival: impl FnOnce(&Alive<Happened>) + Send + 'static,
    ) {
        let life = self.nodes[node].life;
        self.nodes[node].arrive(life, arrival);
    }
}

/// Whose sessions an operation may change.
fn whose(op: &Op, copies: &Copies) -> Option<UserId> {
    let of = |id| copies.primary.find(id).map(|record| record.user);
    match op {
        Op::SignIn(new) => Some(new.user.clone()),
        Op::EndAll(request) => Some(request.user.clone()),
        Op::Erase(user, _) | Op::RaiseRoles(user, _) => Some(user.clone()),
        Op::End(request) => of(request.session),
        Op::Refresh(attempt) => of(attempt.session),
        Op::Ask(question) => Some(question.facts.user.clone()),
        Op::Append(entries) => entries.first()?.revoked.user().cloned(),
        _ => None,
    }
}
