//! Who puts somebody out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::Done;
use tower_jwt_session::{JwtSession, SessionError};

use super::{Failure, Happened, some_node};
use crate::model::Whom;
use crate::node::Results;
use crate::world::{Event, World};

/// `asks_first` where the verb has to read something before it knows what to end.
fn call<F>(
    world: &mut World,
    whom: Whom,
    node: usize,
    asks_first: bool,
    verb: impl FnOnce(JwtSession) -> F + Send + 'static,
) where
    F: Future<Output = Result<Done, SessionError>> + Send + 'static,
{
    let (now, life) = (world.now, world.nodes[node].life);
    world
        .story
        .tell(now, || format!("node {node} is to end {}", named(&whom)));
    let call = world.model.call(whom, node, life, now);
    let everywhere = world.rng.u64(..10) < 4;
    let hangs_up = world.rng.u64(..10) < 2;
    let patience = if hangs_up {
        world.rng.u64(1..100)
    } else {
        60_000
    };
    world.reach_node(node, move |alive| {
        alive.spawn(move |auth, results: Arc<Results<Happened>>| async move {
            let outcome = timeout(Duration::from_millis(patience), verb(auth)).await;
            let (done, outcome) = match outcome {
                Ok(Ok(done)) => (Some(done), Ok(())),
                Ok(Err(error)) => (None, Err(Failure::from(error))),
                Err(_) => (None, Err(Failure::HungUp)),
            };
            let promised = outcome.is_ok() || !asks_first;
            results.tell(Happened::Answered {
                call,
                outcome,
                promised,
            });
            if let Some(done) = done.filter(|_| everywhere) {
                let holds = done.everywhere().await.is_ok();
                results.tell(Happened::Everywhere { call, holds });
            }
        });
    });
}

fn named(whom: &Whom) -> String {
    match whom {
        Whom::Session(_) => "a session".to_owned(),
        Whom::Everything { user, except } => {
            format!("everything of user {user}, but {}", except.iter().count())
        }
        other => {
            let told = format!("{other:?}");
            told.split(" except").next().unwrap_or_default().to_owned()
        }
    }
}

pub(super) fn sign_out(world: &mut World, device: usize, node: usize) {
    let honest = &mut world.people.devices[device];
    let user = honest.user;
    let Some(token) = honest.holds.take() else {
        return;
    };
    honest.refreshing = None;
    let owner = world.users.nth(user).id.clone();
    let session = token.session;
    let by_refresh = world.rng.bool();
    call(
        world,
        Whom::Session(session),
        node,
        by_refresh,
        move |auth| async move {
            let sessions = auth.sessions();
            if by_refresh {
                sessions.end_by_refresh_token(&token.refresh).await
            } else {
                sessions
                    .end_own(&owner, session, EndReason::SignedOut)
                    .await
            }
        },
    );
}

pub(super) fn end_others(world: &mut World, device: usize, node: usize) {
    let honest = &world.people.devices[device];
    let user = honest.user;
    let except = honest.holds.as_ref().map(|token| token.session);
    let owner = world.users.nth(user).id.clone();
    call(
        world,
        Whom::Everything { user, except },
        node,
        false,
        move |auth| async move { auth.sessions().end_all(&owner).except(except).await },
    );
}

pub(super) fn change_password(world: &mut World, device: usize, node: usize) {
    let honest = &world.people.devices[device];
    let user = honest.user;
    let except = honest.holds.as_ref().map(|token| token.session);
    let users = world.users.clone();
    // The new password is written first.
    let below = users.nth(user).password.fetch_add(1, Ordering::Relaxed) + 1;
    world.people.devices[device].password = below;
    call(
        world,
        Whom::Password {
            user,
            below,
            except,
        },
        node,
        false,
        move |auth| async move {
            let owner = &users.nth(user).id;
            let reason = EndReason::PasswordChanged;
            auth.sessions()
                .end_all(owner)
                .except(except)
                .because(reason)
                .await
        },
    );
}

pub(super) fn change_roles(world: &mut World, device: usize, node: usize) {
    let user = world.people.devices[device].user;
    let users = world.users.clone();
    let below = users.nth(user).roles.fetch_add(1, Ordering::Relaxed) + 1;
    call(
        world,
        Whom::Roles { user, below },
        node,
        false,
        move |auth| async move { auth.sessions().roles_changed(&users.nth(user).id).await },
    );
}

/// An administrator ends a session, or everything of a user.
pub fn admin(world: &mut World) {
    if world.people.quiet {
        return;
    }
    let wait = world.rng.u64(4000..20_000);
    world.after(wait, Event::Admin);
    let Some(node) = some_node(world) else { return };
    let user = world.rng.usize(..world.users.len());
    let owner = world.users.nth(user).id.clone();
    if world.rng.bool() {
        let whom = Whom::Everything { user, except: None };
        call(world, whom, node, false, move |auth| async move {
            auth.sessions().end_all(&owner).await
        });
        return;
    }
    let live = world
        .people
        .devices
        .iter()
        .filter_map(|device| device.holds.clone());
    let live: Vec<_> = live.collect();
    if live.is_empty() {
        return;
    }
    let session = live[world.rng.usize(..live.len())].session;
    call(
        world,
        Whom::Session(session),
        node,
        false,
        move |auth| async move { auth.sessions().end(session, EndReason::AdminRevoked).await },
    );
}
