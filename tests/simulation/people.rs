//! Who uses the service: honest devices, an administrator, a thief.

mod ending;
mod hearing;
mod telling;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tower_jwt_session::{Device, Rejection, SessionError, SessionId, Tokens};

pub use ending::admin;
pub use hearing::hears;
pub use telling::{brief, told};

use ending::{change_password, change_roles, end_others, sign_out};

use crate::clock::Millis;
use crate::model::Token;
use crate::node::{Route, State, admit};
use crate::plan::Plan;
use crate::world::{Event, World};

pub struct People {
    pub devices: Vec<Honest>,
    /// What was stolen, and what the thief made of it.
    pub loot: Option<Arc<Token>>,
    /// Every pair that anybody held.
    pub seen: Vec<Arc<Token>>,
    /// Who was let in where, when everything was mended.
    pub welcome: HashSet<(SessionId, usize)>,
    /// Nobody does anything of their own accord any more.
    pub quiet: bool,
    patience: Millis,
}

/// One device of somebody who means well: it keeps one pair, which all its tabs share.
pub struct Honest {
    user: usize,
    password: u64,
    pub holds: Option<Arc<Token>>,
    signing_in: Option<SigningIn>,
    /// When a refresh was last sent, while none was answered.
    refreshing: Option<Millis>,
    stale: bool,
}

struct SigningIn {
    key: String,
    password: u64,
    sent: Millis,
}

/// What a task of a process came to.
#[derive(Debug)]
pub enum Happened {
    SignedIn {
        device: usize,
        key: String,
        sent: Millis,
        outcome: Result<Tokens, Failure>,
    },
    Refreshed {
        whose: Whose,
        presented: Arc<Token>,
        sent: Millis,
        begun: Millis,
        outcome: Result<Tokens, Failure>,
    },
    Asked {
        whose: Whose,
        token: Arc<Token>,
        route: Route,
        sent: Millis,
        settled: bool,
        outcome: Result<(), Rejection>,
    },
    Answered {
        call: usize,
        outcome: Result<(), Failure>,
        /// Whether the node has said that anybody is out.
        promised: bool,
    },
    Everywhere {
        call: usize,
        holds: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Device(usize),
    Thief,
    Nobody,
}

/// Why a verb failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Come back later with the same.
    Later,
    WrongPassword,
    /// The client did not wait for it.
    HungUp,
    /// No.
    No(String),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) if error.is_unavailable() => Self::Later,
            SessionError::TooManyRepeats { .. } => Self::Later,
            other => Self::No(format!("{other:?}")),
        }
    }
}

impl People {
    pub fn new(plan: &Plan, rng: &mut Rng) -> Self {
        let honest = |_| Honest {
            user: rng.usize(..plan.users),
            password: 0,
            holds: None,
            signing_in: None,
            refreshing: None,
            stale: false,
        };
        Self {
            devices: (0..plan.devices).map(honest).collect(),
            loot: None,
            seen: Vec::new(),
            welcome: HashSet::new(),
            quiet: false,
            patience: (plan.settings.grace / 3).max(600),
        }
    }
}

pub fn some_node(world: &mut World) -> Option<usize> {
    let up: Vec<_> = (0..world.nodes.len())
        .filter(|node| world.nodes[*node].state != State::Down)
        .collect();
    (!up.is_empty()).then(|| up[world.rng.usize(..up.len())])
}

/// A device does something, and will again.
pub fn acts(world: &mut World, device: usize) {
    if world.people.quiet {
        return;
    }
    let wait = world.rng.u64(100..2500);
    world.after(wait, Event::Act(device));
    let Some(node) = some_node(world) else { return };
    let now = world.now;
    if world.people.devices[device].holds.is_none() {
        sign_in(world, device, node);
        return;
    }
    let honest = &world.people.devices[device];
    let patience = world.people.patience;
    if let Some(sent) = honest.refreshing {
        if now > sent + patience {
            refresh(world, device, node);
        }
        return;
    }
    let wants = if honest.stale {
        90
    } else {
        world.rng.u64(..100)
    };
    match wants {
        0..70 => request(world, device, node),
        70..78 => sign_out(world, device, node),
        78..81 => change_roles(world, device, node),
        81..83 => change_password(world, device, node),
        83..86 => end_others(world, device, node),
        86..90 => {
            // Two tabs at once.
            refresh(world, device, node);
            if let Some(other) = some_node(world) {
                refresh(world, device, other);
            }
        }
        _ => refresh(world, device, node),
    }
}

fn sign_in(world: &mut World, device: usize, node: usize) {
    let now = world.now;
    let patience = world.people.patience;
    let honest = &mut world.people.devices[device];
    let again = honest.signing_in.take();
    if let Some(before) = again {
        if now <= before.sent + patience + 800 {
            honest.signing_in = Some(before);
            return;
        }
        honest.signing_in = Some(SigningIn {
            sent: now,
            ..before
        });
    } else {
        honest.signing_in = Some(SigningIn {
            key: format!("device {device} at {now}"),
            password: honest.password,
            sent: now,
        });
    }
    let Some(SigningIn { key, password, .. }) = &honest.signing_in else {
        return;
    };
    let (key, password, user) = (key.clone(), *password, honest.user);
    let slow = Duration::from_millis(world.rng.u64(1..300));
    let users = world.users.clone();
    world.story.tell(now, || {
        format!("device {device} signs in at node {node} as {key:?}")
    });
    world.reach_node(node, move |alive| {
        alive.spawn(move |auth, results| async move {
            let outcome = async {
                let user = users.nth(user);
                let ticket = auth.sessions().ticket(&user.id).await?;
                let good = user.password() == password;
                tokio::time::sleep(slow).await;
                if !good {
                    return Err(Failure::WrongPassword);
                }
                let sign_in = auth.sessions().sign_in(ticket, Device::default());
                Ok(sign_in.idempotency_key(key.as_bytes()).await?.tokens())
            };
            let outcome = outcome.await;
            results.tell(Happened::SignedIn {
                device,
                key,
                sent: now,
                outcome,
            });
        });
    });
}

fn refresh(world: &mut World, device: usize, node: usize) {
    let now = world.now;
    let honest = &mut world.people.devices[device];
    let Some(token) = honest.holds.clone() else {
        return;
    };
    honest.refreshing = Some(now);
    send_refresh(world, Whose::Device(device), token, node);
}

pub fn send_refresh(world: &mut World, whose: Whose, token: Arc<Token>, node: usize) {
    let now = world.now;
    let life = world.nodes[node].life;
    world.story.tell(now, || {
        format!(
            "{whose:?} refreshes generation {} at node {node}",
            token.generation
        )
    });
    world.model.attempt(&token, node, life, now);
    world.reach_node(node, move |alive| {
        alive.spawn(move |auth, results| async move {
            let begun = results.now();
            let outcome = auth.sessions().refresh(&token.refresh).await;
            results.tell(Happened::Refreshed {
                whose,
                presented: token,
                sent: now,
                begun,
                outcome: outcome.map_err(Failure::from),
            });
        });
    });
}

fn request(world: &mut World, device: usize, node: usize) {
    let Some(token) = world.people.devices[device].holds.clone() else {
        return;
    };
    let route = match world.rng.u64(..10) {
        0 => Route::Always,
        1 => Route::ViewOnly,
        2 => Route::Lenient,
        _ => Route::Usual,
    };
    let at_once = if world.rng.u64(..5) == 0 { 3 } else { 1 };
    for _ in 0..at_once {
        ask(
            world,
            Whose::Device(device),
            token.clone(),
            node,
            route,
            false,
        );
    }
    if world.rng.u64(..5) == 0 {
        let wait = world.rng.u64(1..30);
        world.after(wait, Event::Ask(token, node, route));
    }
}

pub fn ask(
    world: &mut World,
    whose: Whose,
    token: Arc<Token>,
    node: usize,
    route: Route,
    settled: bool,
) {
    let now = world.now;
    world.reach_node(node, move |alive| {
        alive.spawn(move |auth, results| async move {
            let outcome = admit(&auth, &token.text, route).await;
            results.tell(Happened::Asked {
                whose,
                token,
                route,
                sent: now,
                settled,
                outcome,
            });
        });
    });
}
/// A thief steals a pair once, and uses what there is from then on.
pub fn thief(world: &mut World) {
    if world.people.quiet {
        return;
    }
    let wait = world.rng.u64(300..6000);
    world.after(wait, Event::Thief);
    let Some(node) = some_node(world) else { return };
    let Some(token) = world.people.loot.clone() else {
        let device = world.rng.usize(..world.people.devices.len());
        if let Some(token) = world.people.devices[device].holds.clone() {
            world
                .story
                .tell(world.now, || format!("device {device} is robbed"));
            world.model.doom(token.session, "stolen");
            world.people.loot = Some(token);
        }
        return;
    };
    if world.rng.bool() {
        ask(world, Whose::Thief, token, node, Route::Usual, false);
    } else {
        send_refresh(world, Whose::Thief, token, node);
    }
}
