//! A mixed load that says what was acknowledged, and, before it is tried, what is about to end.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tower_jwt_session::revocation::{EndReason, RevocationSettings};
use tower_jwt_session::{
    Environment, JwtSession, JwtSessionBuilder, SessionError, SessionId, SessionLimit, Tokens,
};

use crate::support::{SECRET, sign_in, user};

/// A node on the store of an address, patient with a busy machine.
pub fn node(address: &str) -> JwtSessionBuilder {
    let settings = RevocationSettings::default().with_store_timeout(Duration::from_secs(20));
    JwtSession::builder()
        .hmac_secret(SECRET)
        .revocation(settings)
        .limit(SessionLimit::UNLIMITED)
        .with_env(&Environment::from_pairs([
            ("SESSION_STORE", address),
            ("JWT_MAX_CONCURRENT_SESSIONS", "0"),
        ]))
}

/// Works in a process of its own, and says everything on its output.
pub async fn until_killed(address: &str, round: &str) {
    let auth = node(address).build().unwrap();
    let _running = auth.start().await.unwrap();
    say("started".to_owned());
    at_once(&auth, round, &(Arc::new(say) as Say))
        .join_all()
        .await;
}

/// Says a line on the output of a process that is about to be killed.
pub fn say(line: String) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(format!("@ {line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// How many users are at work.
pub const USERS: u32 = 8;

pub fn name(round: impl std::fmt::Display, number: u32) -> String {
    format!("user-{round}-{number}")
}

/// What is said of sessions, a line at a time.
pub type Say = Arc<dyn Fn(String) + Send + Sync>;

/// Eight users do what users do, for as long as the set is kept.
pub fn at_once(auth: &JwtSession, round: &str, say: &Say) -> JoinSet<()> {
    let tasks = (0..USERS).map(|number| {
        let (auth, say) = (auth.clone(), say.clone());
        let name = name(round, number);
        async move {
            let mut worker = Worker {
                auth,
                name,
                say,
                held: Vec::new(),
            };
            loop {
                if worker.step().await.is_err() {
                    worker.failed().await;
                }
            }
        }
    });
    tasks.collect()
}

struct Worker {
    auth: JwtSession,
    name: String,
    say: Say,
    held: Vec<(SessionId, String)>,
}

impl Worker {
    async fn step(&mut self) -> Result<(), SessionError> {
        match fastrand::u32(0..100) {
            0..40 => {
                let tokens = sign_in(&self.auth, &user(&self.name)).await?;
                let refresh = self.acknowledged(&tokens);
                self.held.push((tokens.session_id, refresh));
            }
            40..75 if !self.held.is_empty() => {
                let of = fastrand::usize(..self.held.len());
                let tokens = self.auth.sessions().refresh(&self.held[of].1).await?;
                self.held[of].1 = self.acknowledged(&tokens);
            }
            75..97 if !self.held.is_empty() => {
                let (id, _) = self.held.swap_remove(fastrand::usize(..self.held.len()));
                (self.say)(format!("ending {id}"));
                let ended = self.auth.sessions().end(id, EndReason::AdminRevoked);
                ended.await?;
                (self.say)(format!("ended {id}"));
            }
            97.. => {
                let held = std::mem::take(&mut self.held);
                for (id, _) in &held {
                    (self.say)(format!("ending {id}"));
                }
                // One whose outcome is not known goes on, and ends whatever comes to be meanwhile.
                while self
                    .auth
                    .sessions()
                    .end_all(&user(&self.name))
                    .await
                    .is_err()
                {
                    self.failed().await;
                }
                for (id, _) in &held {
                    (self.say)(format!("ended {id}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What became of it is not known, and nobody was told that it worked.
    async fn failed(&self) {
        (self.say)("failed".to_owned());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    fn acknowledged(&self, tokens: &Tokens) -> String {
        let refresh = tokens.refresh_token.clone().unwrap_or_default();
        let (id, access) = (tokens.session_id, &tokens.access_token);
        (self.say)(format!("alive {id} {refresh} {access}"));
        refresh
    }
}
