//! What is told of a story, without what differs from one telling to the next.

use tower_jwt_session::{Rejection, Tokens};

use super::{Failure, Happened};
use crate::ground::Did;
use crate::link::Op;

pub fn said(node: usize, happened: &Happened) -> String {
    match happened {
        Happened::SignedIn {
            device, outcome, ..
        } => format!("node {node}: device {device} signed in: {}", short(outcome)),
        Happened::Refreshed { whose, outcome, .. } => {
            format!("node {node}: {whose:?} refreshed: {}", short(outcome))
        }
        Happened::Asked {
            whose,
            token,
            route,
            outcome,
            ..
        } => {
            let outcome = outcome.as_ref().map_err(Rejection::code);
            format!(
                "node {node}: {whose:?} with generation {} ({route:?}): {outcome:?}",
                token.generation
            )
        }
        Happened::Answered { call, outcome, .. } => {
            format!("node {node}: call {call}: {outcome:?}")
        }
        Happened::Everywhere { call, holds } => {
            format!("node {node}: call {call} everywhere: {holds}")
        }
    }
}

fn short(outcome: &Result<Tokens, Failure>) -> String {
    match outcome {
        Ok(tokens) => format!("generation {}", tokens.generation),
        Err(Failure::No(why)) => why.split(['(', '{']).next().unwrap_or_default().to_owned(),
        Err(failure) => format!("{failure:?}"),
    }
}

/// What the store did.
pub fn told(did: &Did) -> String {
    match did {
        Did::Entered(entry) => {
            let what = format!("{:?}", entry.revoked);
            let what = what.split([' ', '{']).next().unwrap_or_default().to_owned();
            format!("{what} is out: {:?}", entry.reason)
        }
        Did::SignedIn { outcome, .. } => {
            let told = format!("{outcome:?}");
            told.split([' ', '{']).next().unwrap_or_default().to_owned()
        }
        Did::Refreshed {
            presented,
            expected,
            ..
        } => format!("generation {presented}: {expected:?}"),
        Did::Ended(record) => {
            format!(
                "a session ended: {:?}",
                record.ended.as_ref().map(|ended| &ended.reason)
            )
        }
    }
}

/// What a node asks the store.
pub fn brief(op: &Op) -> String {
    match op {
        Op::Refresh(attempt) => format!("Refresh of generation {}", attempt.presented.generation),
        Op::Poll(reading) => format!("Poll since {:?}", reading.since),
        Op::Append(entries) => format!("Append of {}", entries.len()),
        other => {
            let told = format!("{other:?}");
            told.split(['(', ' ']).next().unwrap_or_default().to_owned()
        }
    }
}
