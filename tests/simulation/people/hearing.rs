//! What people make of what they are answered.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_jwt_session::{Rejection, SessionId, Tokens};

use super::telling::said;
use super::{Failure, Happened, Whose};
use crate::clock::Millis;
use crate::model::Token;
use crate::world::World;

/// Something comes back from a node.
pub fn hears(world: &mut World, at: Millis, node: usize, life: u32, happened: Happened) {
    world.story.tell(at, || said(node, &happened));
    match happened {
        Happened::SignedIn {
            device,
            key,
            sent,
            outcome,
        } => signed_in(world, at, device, &key, sent, outcome),
        Happened::Refreshed {
            whose,
            presented,
            sent,
            begun,
            outcome,
        } => {
            if outcome.is_ok() {
                world.model.answers(at, begun);
            }
            refreshed(world, at, whose, &presented, sent, outcome);
        }
        Happened::Asked {
            whose,
            token,
            route,
            sent,
            settled,
            outcome,
        } => {
            if outcome.is_ok() {
                if settled {
                    world.people.welcome.insert((token.session, node));
                }
                world
                    .model
                    .admitted(&token, node, life, route, sent, settled);
            }
            asked(world, at, whose, &token, outcome);
        }
        Happened::Answered {
            call,
            outcome,
            promised,
        } => {
            let call = &mut world.model.calls[call];
            match outcome {
                _ if !promised => {}
                Ok(()) => call.answered = Some((at, true)),
                Err(Failure::Later | Failure::HungUp) => call.answered = Some((at, false)),
                Err(_) => {}
            }
        }
        Happened::Everywhere { call, holds } => {
            if holds {
                world.model.calls[call].everywhere = Some(at);
            }
        }
    }
}

fn signed_in(
    world: &mut World,
    at: Millis,
    device: usize,
    key: &str,
    sent: Millis,
    outcome: Result<Tokens, Failure>,
) {
    let (user, asked) = {
        let honest = &world.people.devices[device];
        let Some(asked) = honest.signing_in.as_ref().filter(|asked| asked.key == key) else {
            return;
        };
        (honest.user, asked.password)
    };
    if at > sent + world.people.patience + 800 || world.rng.u64(..100) < lost(world) {
        return;
    }
    match outcome {
        Ok(tokens) => {
            let token = pocket(world, user, &tokens, Some(asked));
            let honest = &mut world.people.devices[device];
            honest.signing_in = None;
            honest.refreshing = None;
            honest.stale = false;
            honest.holds = Some(token);
        }
        Err(Failure::Later | Failure::HungUp) => {}
        Err(Failure::WrongPassword) => {
            let password = world.users.nth(user).password();
            let honest = &mut world.people.devices[device];
            honest.password = password;
            honest.signing_in = None;
        }
        Err(Failure::No(_)) => world.people.devices[device].signing_in = None,
    }
}

/// How many answers in a hundred never arrive.
fn lost(world: &World) -> u64 {
    if world.plan.calm || world.healed {
        0
    } else {
        4
    }
}

fn refreshed(
    world: &mut World,
    at: Millis,
    whose: Whose,
    presented: &Arc<Token>,
    sent: Millis,
    outcome: Result<Tokens, Failure>,
) {
    let mine = match whose {
        Whose::Device(device) => {
            let holds = world.people.devices[device].holds.as_ref();
            if holds.is_none_or(|token| token.session != presented.session) {
                return;
            }
            if at > sent + world.people.patience || world.rng.u64(..100) < lost(world) {
                return;
            }
            Some(device)
        }
        Whose::Thief | Whose::Nobody => None,
    };
    match (mine, outcome) {
        (Some(device), Ok(tokens)) => {
            let token = pocket(world, presented.user, &tokens, None);
            let honest = &mut world.people.devices[device];
            honest.refreshing = None;
            honest.stale = false;
            // A lower generation never takes the place of a higher one.
            if honest
                .holds
                .as_ref()
                .is_some_and(|now| now.generation <= token.generation)
            {
                honest.holds = Some(token);
            }
        }
        (None, Ok(tokens)) => {
            let token = pocket(world, presented.user, &tokens, None);
            if whose == Whose::Thief {
                world.people.loot = Some(token);
            }
        }
        (Some(device), Err(Failure::No(why))) => {
            let holds = world.people.devices[device].holds.as_ref();
            let latest = holds.is_some_and(|token| token.generation == presented.generation);
            if latest {
                signed_out(world, at, device, presented.session, &why);
            }
        }
        (_, Err(_)) => {}
    }
}

fn asked(
    world: &mut World,
    at: Millis,
    whose: Whose,
    token: &Arc<Token>,
    outcome: Result<(), Rejection>,
) {
    let Whose::Device(device) = whose else { return };
    let holds = world.people.devices[device].holds.as_ref();
    if holds.is_none_or(|now| !Arc::ptr_eq(now, token)) {
        return;
    }
    match outcome {
        Ok(()) | Err(Rejection::StoreUnavailable { .. }) => {}
        Err(Rejection::TokenExpired | Rejection::TokenStale | Rejection::InvalidToken) => {
            world.people.devices[device].stale = true;
        }
        Err(other) => signed_out(world, at, device, token.session, &format!("{other:?}")),
    }
}

/// The service says that a session is over. Was it to be?
fn signed_out(world: &mut World, at: Millis, device: usize, session: SessionId, why: &str) {
    if !world.model.is_doomed(session) {
        let problem =
            format!("{at}: device {device} was signed out of {session} by accident: {why}");
        world.model.problems.push(problem);
    }
    let honest = &mut world.people.devices[device];
    honest.holds = None;
    honest.refreshing = None;
    honest.stale = false;
}

/// Takes a pair in.
fn pocket(world: &mut World, user: usize, tokens: &Tokens, password: Option<u64>) -> Arc<Token> {
    let claims = tokens.access_token.split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap_or_default();
    let number = |name: &str| claims[name].as_u64().unwrap_or_default();
    let roles = claims["roles"][0]
        .as_str()
        .and_then(|role| role.get(1..)?.parse().ok());
    let token = Arc::new(Token {
        text: tokens.access_token.clone(),
        refresh: tokens.refresh_token.clone().unwrap_or_default(),
        session: tokens.session_id,
        user,
        generation: tokens.generation,
        roles: roles.expect("every token carries a version of the roles"),
        stamp: (
            claims["jti"].as_str().unwrap_or_default().to_owned(),
            number("iat"),
            number("exp"),
        ),
    });
    world.model.holds(&token, password);
    world.people.seen.push(token.clone());
    token
}
