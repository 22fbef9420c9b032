//! Whether this node can do its work.

use std::time::Duration;

use serde_json::{Value, json};

use super::envelope::success;
use super::{Endpoints, Problem, Response};
use crate::revocation::ViewStatus;
use crate::token::UserId;
use crate::verify::CustomClaims;

/// What a node can still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// It answers from its own view.
    Ready,
    /// It has to ask the store for every answer, and the store answers.
    Degraded,
    /// It can neither answer nor ask.
    Down,
}

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /api/token/health`: 200 while this node can answer, from its view or by asking the
    /// store; else 503. Tells ages and counts, no names and no secrets.
    pub async fn health(&self) -> Response {
        let view = self.auth.view();
        let reachable = view.fresh || self.store_answers().await;
        let health = Health::of(&view, reachable);
        let facts = json!({
            "status": health.as_str(),
            "store": { "reachable": reachable },
            "view": view_facts(&view),
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
    fn of(view: &ViewStatus, store_answers: bool) -> Self {
        if view.fresh && view.complete {
            Self::Ready
        } else if store_answers {
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

fn view_facts(view: &ViewStatus) -> Value {
    json!({
        "following": view.following,
        "fresh": view.fresh,
        "complete": view.complete,
        "ageMs": view.age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        "entries": view.entries,
    })
}

const RETRY_AFTER: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn view(fresh: bool, complete: bool) -> ViewStatus {
        ViewStatus {
            following: true,
            fresh,
            age: None,
            entries: 0,
            complete,
            cursor: None,
        }
    }

    #[test]
    fn a_node_is_down_only_when_it_can_neither_answer_nor_ask() {
        assert_eq!(Health::of(&view(true, true), true), Health::Ready);
        assert_eq!(Health::of(&view(true, false), true), Health::Degraded);
        assert_eq!(Health::of(&view(false, true), true), Health::Degraded);
        assert_eq!(Health::of(&view(false, true), false), Health::Down);
    }
}
