//! Whether this node can do its work.

use std::time::Duration;

use serde_json::{Value, json};

use super::envelope::success;
use super::{Endpoints, Problem, Response};
use crate::NodeStatus;
use crate::revocation::{StoreStatus, ViewStatus};
use crate::token::UserId;
use crate::verify::CustomClaims;

/// What a node can still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// It answers from its own view, and the store answers.
    Ready,
    /// Some requests are answered: from the view, by asking the store, or by what was admitted
    /// before.
    Degraded,
    /// It can neither answer nor ask.
    Down,
}

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /api/token/health`: 200 while any route can still answer, from the view, by asking the
    /// store, or by terms that go on without either; else 503. Tells ages, counts and the states of
    /// the breakers, no names and no secrets.
    pub async fn health(&self) -> Response {
        let status = self.auth.status();
        let reachable = status.view.fresh || self.store_answers().await;
        let health = Health::of(&status, reachable);
        let facts = json!({
            "status": health.as_str(),
            "store": store_facts(reachable, &status.store),
            "view": view_facts(&status.view),
            "keys": { "canSign": self.auth.keys().can_sign() },
        });
        if health != Health::Down {
            return success("Token service is healthy", facts);
        }
        Problem::store_unavailable(RETRY_AFTER)
            .in_envelope()
            .with_member("data", facts)
            .into_response()
    }

    /// Asked only when the view cannot prove it: a poll that was complete proves as much.
    async fn store_answers(&self) -> bool {
        let Ok(nobody) = UserId::new("health") else {
            return false;
        };
        self.auth.sessions().count(&nobody).await.is_ok()
    }
}

impl Health {
    fn of(status: &NodeStatus, store_answers: bool) -> Self {
        let view = &status.view;
        if view.fresh && view.complete && status.store.is_well() {
            Self::Ready
        } else if view.fresh || store_answers || status.lenient {
            Self::Degraded
        } else {
            Self::Down
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

fn store_facts(reachable: bool, store: &StoreStatus) -> Value {
    json!({
        "reachable": reachable,
        "breakers": {
            "confirm": store.confirm.as_str(),
            "follow": store.follow.as_str(),
            "list": store.list.as_str(),
            "write": store.write.as_str(),
        },
    })
}

fn view_facts(view: &ViewStatus) -> Value {
    json!({
        "following": view.following,
        "fresh": view.fresh,
        "complete": view.complete,
        "ageMs": view.age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        "entries": view.entries,
        "cursor": view.cursor.as_ref().map(|cursor| &cursor.0),
        "unsettled": view.unsettled,
    })
}

const RETRY_AFTER: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JwtSession;
    use crate::revocation::BreakerState;

    /// The status of a node, changed.
    fn status(change: impl FnOnce(&mut NodeStatus)) -> NodeStatus {
        let auth = JwtSession::builder()
            .hmac_secret(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e")
            .build()
            .expect("it is complete");
        let mut status = auth.status();
        status.view.fresh = true;
        status.view.complete = true;
        change(&mut status);
        status
    }

    #[test]
    fn a_node_is_ready_when_its_view_answers_and_the_store_does() {
        let health = Health::of(&status(|_| ()), true);
        assert_eq!(health, Health::Ready);
    }

    #[test]
    fn a_node_is_degraded_while_anything_can_still_be_answered() {
        type Change = fn(&mut NodeStatus);
        let changes: [(Change, bool); 5] = [
            (|status| status.view.complete = false, true),
            (|status| status.view.complete = false, false),
            (|status| status.view.fresh = false, true),
            (|status| status.store.write = BreakerState::Open, true),
            (
                |status| {
                    status.view.fresh = false;
                    status.lenient = true;
                },
                false,
            ),
        ];
        for (change, store_answers) in changes {
            let health = Health::of(&status(change), store_answers);
            assert_eq!(health, Health::Degraded);
        }
    }

    #[test]
    fn a_node_is_down_only_when_it_can_neither_answer_nor_ask() {
        let stale = status(|status| status.view.fresh = false);
        assert_eq!(Health::of(&stale, false), Health::Down);
    }
}
