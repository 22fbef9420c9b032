//! What was said of sessions, held against what a store knows of them.

use std::collections::HashMap;

use tower_jwt_session::{JwtSession, SessionId};

use crate::support::admit;

/// What a service said until it, or its store, was killed.
#[derive(Debug, Default)]
pub struct Ledger {
    sessions: HashMap<SessionId, Said>,
    pub failures: u64,
}

#[derive(Debug, Default)]
struct Said {
    refresh: String,
    access: Vec<String>,
    ending: bool,
    ended: bool,
}

/// How it compares, summed up over all kills.
#[derive(Debug, Default)]
pub struct Tally {
    pub kills: u32,
    /// Sessions that were acknowledged and are alive.
    pub alive: u64,
    /// Refreshes that were acknowledged.
    pub rotated: u64,
    /// Sessions whose end was acknowledged.
    pub ended: u64,
    /// Sessions that were being ended: whether they are over nobody was told.
    pub open: u64,
    /// What was acknowledged and is not there.
    pub lost: Vec<String>,
    /// What was revoked and is let in.
    pub revived: Vec<String>,
    /// Calls that failed.
    pub failures: u64,
    /// The access tokens of ended sessions, which are never let in again.
    pub dead: Vec<String>,
}

impl Ledger {
    /// Takes a line of [`work`](crate::work) down.
    pub fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [what, rest @ ..] = words.as_slice() else {
            return;
        };
        let Some(id) = rest.first().and_then(|id| id.parse().ok()) else {
            self.failures += u64::from(*what == "failed");
            return;
        };
        let session = self.sessions.entry(id).or_default();
        match (*what, rest) {
            ("alive", [_, refresh, access]) => {
                session.refresh = (*refresh).to_owned();
                session.access.push((*access).to_owned());
            }
            ("ending", _) => session.ending = true,
            ("ended", _) => session.ended = true,
            _ => panic!("what is said begins with alive, ending or ended"),
        }
    }

    /// The sessions whose sign-in was acknowledged and that nobody has begun to end, and those whose end was.
    pub fn told(&self) -> (Vec<SessionId>, Vec<SessionId>) {
        let all = self.sessions.iter();
        let alive = all
            .clone()
            .filter(|(_, said)| !said.ending && !said.access.is_empty());
        let ended = all.filter(|(_, said)| said.ended);
        let ids = |(id, _): (&SessionId, &Said)| *id;
        (alive.map(ids).collect(), ended.map(ids).collect())
    }

    /// Compares it with what a node finds that was started afterwards.
    pub async fn compare(self, auth: &JwtSession, tally: &mut Tally) {
        tally.failures += self.failures;
        for (id, said) in self.sessions {
            if said.ended {
                tally.ended += 1;
                said.compare_ended(id, auth, tally).await;
            } else if said.ending {
                tally.open += 1;
            } else {
                tally.alive += 1;
                tally.rotated += said.access.len() as u64 - 1;
                said.compare_alive(id, auth, tally).await;
            }
        }
    }
}

impl Said {
    async fn compare_ended(self, id: SessionId, auth: &JwtSession, tally: &mut Tally) {
        for access in &self.access {
            if admit(auth, access).await.is_ok() {
                tally.revived.push(format!("access token of {id}"));
            }
        }
        if auth.sessions().refresh(&self.refresh).await.is_ok() {
            tally.revived.push(format!("refresh token of {id}"));
        }
        tally.dead.extend(self.access);
    }

    async fn compare_alive(self, id: SessionId, auth: &JwtSession, tally: &mut Tally) {
        let access = self.access.last().map(String::as_str).unwrap_or_default();
        if let Err(rejection) = admit(auth, access).await {
            tally
                .lost
                .push(format!("access token of {id}: {rejection:?}"));
        }
        match auth.sessions().refresh(&self.refresh).await {
            Ok(tokens) if tokens.session_id == id => {}
            Ok(tokens) => tally
                .lost
                .push(format!("{id} became {}", tokens.session_id)),
            Err(error) => tally.lost.push(format!("refresh token of {id}: {error}")),
        }
    }
}
