//! What may be answered: written from the rules, and judged when the story is over and everything
//! is known.

mod judging;
mod learning;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tower_jwt_session::revocation::{EntryId, Revoked};
use tower_jwt_session::{SessionId, UserId};

use crate::clock::Millis;
use crate::ground::Did;
use crate::node::Route;
use crate::plan::Settings;

/// An access token in somebody's hands.
#[derive(Debug)]
pub struct Token {
    pub text: String,
    pub refresh: String,
    pub session: SessionId,
    pub user: usize,
    pub generation: u32,
    /// Which version of the roles it carries.
    pub roles: u64,
    /// What an answer that is given again repeats.
    pub stamp: (String, u64, u64),
}

/// Who a deed puts out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    Session(SessionId),
    Everything {
        user: usize,
        except: Option<SessionId>,
    },
    /// Everything that was signed in with an older password, whenever.
    Password {
        user: usize,
        below: u64,
        except: Option<SessionId>,
    },
    /// Tokens with older roles.
    Roles {
        user: usize,
        below: u64,
    },
}

impl Whom {
    /// Whether a session is spared, which may be over: then nothing ends.
    fn spares(&self) -> bool {
        matches!(
            self,
            Self::Everything {
                except: Some(_),
                ..
            } | Self::Password {
                except: Some(_),
                ..
            }
        )
    }
}

/// A verb that puts somebody out.
#[derive(Debug)]
pub struct Call {
    pub whom: Whom,
    pub node: usize,
    pub life: u32,
    pub sent: Millis,
    /// When it answered, and whether it said that it holds.
    pub answered: Option<(Millis, bool)>,
    pub everywhere: Option<Millis>,
}

/// A line of the log, as the store took it in.
#[derive(Debug)]
struct Out {
    id: EntryId,
    revoked: Revoked,
    at: Millis,
    ran: u64,
    lost: bool,
}

/// A request that was let in.
#[derive(Debug)]
struct Admission {
    token: Arc<Token>,
    node: usize,
    life: u32,
    route: Route,
    sent: Millis,
    settled: bool,
}

#[derive(Debug)]
struct Known {
    user: UserId,
    made: Millis,
    ran: u64,
    lost: bool,
    /// Why it may end although its owner did nothing.
    doomed: Option<&'static str>,
    password: Option<u64>,
    stamps: HashMap<u32, (String, u64, u64)>,
}

/// A refresh that a client sent.
#[derive(Debug)]
struct Attempt {
    session: SessionId,
    generation: u32,
    node: usize,
    life: u32,
    sent: Millis,
    operation: Option<u128>,
}

#[derive(Debug)]
pub struct Model {
    settings: Settings,
    names: Vec<UserId>,
    calm: bool,
    /// Whether any clock is further off than it may be.
    wild: bool,
    sessions: HashMap<SessionId, Known>,
    operations: HashMap<[u8; 32], SessionId>,
    outs: Vec<Out>,
    pub calls: Vec<Call>,
    admissions: Vec<Admission>,
    attempts: Vec<Attempt>,
    tainted: HashSet<UserId>,
    lost: bool,
    /// When.
    lost_at: Millis,
    /// Whether the loss had no name.
    unnoticed: bool,
    lives: Vec<u32>,
    pub problems: Vec<String>,
    pub judged: usize,
}

/// A view with less room than this may be full.
pub const CROWDED: usize = 100;

/// How long a change may take to reach another node while nothing goes wrong.
const PUSHED: Millis = 400;

impl Model {
    pub fn new(settings: &Settings, names: Vec<UserId>, calm: bool, wild: bool) -> Self {
        Self {
            settings: settings.clone(),
            names,
            calm,
            wild,
            sessions: HashMap::new(),
            operations: HashMap::new(),
            outs: Vec::new(),
            calls: Vec::new(),
            admissions: Vec::new(),
            attempts: Vec::new(),
            tainted: HashSet::new(),
            lost: false,
            lost_at: 0,
            unnoticed: false,
            lives: Vec::new(),
            problems: Vec::new(),
            judged: 0,
        }
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < 5 {
            self.problems.push(problem);
        }
    }

    /// What the store did.
    pub fn did(&mut self, at: Millis, ran: u64, did: Did) {
        match did {
            Did::Entered(entry) => self.entered(at, ran, entry),
            Did::SignedIn {
                new,
                before,
                outcome,
            } => self.signed_in(at, ran, &new, &before, outcome),
            Did::Refreshed {
                session,
                presented,
                expected,
                outcome,
            } => self.refreshed(at, session, presented, expected, &outcome),
            Did::Ended(record) => self.ended(at, &record),
        }
    }
    /// A session may end from now on although its owner goes on.
    pub fn doom(&mut self, session: SessionId, why: &'static str) {
        if let Some(known) = self.sessions.get_mut(&session) {
            known.doomed.get_or_insert(why);
        }
    }

    /// Whether a session may be over although its owner did nothing.
    pub fn is_doomed(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_none_or(|known| {
            known.doomed.is_some()
                || known.lost
                || self.tainted.contains(&known.user)
                || self.ends_meanwhile(session, known)
        })
    }

    /// Whether everything of the user ends while the session is made.
    fn ends_meanwhile(&self, session: SessionId, known: &Known) -> bool {
        self.calls.iter().any(|call| match &call.whom {
            Whom::Everything { user, except } | Whom::Password { user, except, .. } => {
                self.names[*user] == known.user
                    && *except != Some(session)
                    && call
                        .answered
                        .is_none_or(|(at, holds)| !holds || at >= known.made)
            }
            _ => false,
        })
    }

    /// Somebody asks for an end.
    pub fn call(&mut self, whom: Whom, node: usize, life: u32, sent: Millis) -> usize {
        match &whom {
            Whom::Session(id) => self.doom(*id, "ended"),
            Whom::Everything { user, except } | Whom::Password { user, except, .. } => {
                let user = &self.names[*user];
                for (id, known) in &mut self.sessions {
                    if known.user == *user && Some(*id) != *except {
                        known.doomed.get_or_insert("everything ended");
                    }
                }
            }
            Whom::Roles { .. } => {}
        }
        self.calls.push(Call {
            whom,
            node,
            life,
            sent,
            answered: None,
            everywhere: None,
        });
        self.calls.len() - 1
    }

    /// An answer to a refresh that a process began at `begun`.
    pub fn answers(&mut self, at: Millis, begun: Millis) {
        // Twice the deadline and a second, and what the clock may have been set back meanwhile.
        let most = 2 * self.settings.timeout + 1000 + 2 * self.settings.skew + 1000;
        if at > begun + most && !self.wild {
            self.problem(format!(
                "{at}: the answer to a refresh of {begun} was too late"
            ));
        }
    }

    pub fn attempt(&mut self, token: &Token, node: usize, life: u32, sent: Millis) {
        self.attempts.push(Attempt {
            session: token.session,
            generation: token.generation,
            node,
            life,
            sent,
            operation: None,
        });
    }

    /// A refresh leaves a node.
    pub fn leaves(
        &mut self,
        node: usize,
        life: u32,
        session: SessionId,
        generation: u32,
        operation: u128,
    ) {
        if self
            .attempts
            .iter()
            .any(|attempt| attempt.operation == Some(operation))
        {
            return;
        }
        let attempt = self.attempts.iter_mut().find(|attempt| {
            (attempt.node, attempt.life) == (node, life)
                && (attempt.session, attempt.generation) == (session, generation)
                && attempt.operation.is_none()
        });
        if let Some(attempt) = attempt {
            attempt.operation = Some(operation);
        }
    }

    /// A refresh reaches the store. One that is late by more than half a grace may look like theft.
    pub fn reaches(&mut self, at: Millis, session: SessionId, operation: u128) {
        let sent = self
            .attempts
            .iter()
            .find(|attempt| attempt.operation == Some(operation))
            .map(|attempt| attempt.sent);
        if self.settings.strict || sent.is_none_or(|sent| at > sent + self.settings.grace / 2) {
            self.doom(session, "a refresh was late");
        }
    }

    /// Somebody holds a pair.
    pub fn holds(&mut self, token: &Token, password: Option<u64>) {
        let lost = self.lost;
        let Some(known) = self.sessions.get_mut(&token.session) else {
            return;
        };
        if password.is_some() {
            known.password = password;
        }
        let before = known.stamps.insert(token.generation, token.stamp.clone());
        if let Some(before) = before
            && before != token.stamp
            && !lost
        {
            let problem = format!(
                "generation {} of {} was answered as {before:?} and as {:?}",
                token.generation, token.session, token.stamp
            );
            self.problem(problem);
        }
    }

    pub fn admitted(
        &mut self,
        token: &Arc<Token>,
        node: usize,
        life: u32,
        route: Route,
        sent: Millis,
        settled: bool,
    ) {
        self.admissions.push(Admission {
            token: token.clone(),
            node,
            life,
            route,
            sent,
            settled,
        });
    }

    /// The store lost what these operations did.
    pub fn loses(
        &mut self,
        at: Millis,
        ran: &HashSet<u64>,
        users: impl IntoIterator<Item = UserId>,
        renamed: bool,
    ) {
        self.lost = true;
        self.lost_at = at;
        self.unnoticed |= !renamed;
        for out in &mut self.outs {
            out.lost |= ran.contains(&out.ran);
        }
        for known in self.sessions.values_mut() {
            known.lost |= ran.contains(&known.ran);
        }
        self.tainted.extend(users);
    }

    /// The lives of the processes at the end.
    pub fn ends(&mut self, lives: Vec<u32>) {
        self.lives = lives;
    }
}
