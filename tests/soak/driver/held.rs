//! What a client holds of a session.

use std::time::{Duration, Instant};

use super::model::{Asked, Ending};
use super::{ACCESS, LEEWAY};

/// A session as its client knows it.
#[derive(Clone, Debug)]
pub struct Held {
    pub session: String,
    /// The newest is the last.
    pub tokens: Vec<Access>,
    pub refresh: String,
    pub generation: u32,
    /// The refresh token before, and when the one after it came.
    pub former: Option<(String, Instant)>,
    /// Whether the newest token was let in.
    pub used: bool,
    pub ending: Ending,
    /// When a refresh was first tried of which no answer came.
    pub trying: Option<Instant>,
    pub refresh_at: Instant,
    pub over_at: Instant,
}

/// An access token.
#[derive(Clone, Debug)]
pub struct Access {
    pub text: String,
    /// It has not run out before, and has after.
    pub good_until: Instant,
    pub dead_from: Instant,
    pub roles: Ending,
    /// Which process of each node let it in before.
    pub seen: [u32; 2],
}

/// The words of a pair.
pub struct Pair<'a> {
    pub session: &'a str,
    pub access: &'a str,
    pub refresh: &'a str,
    pub generation: u32,
}

impl<'a> Pair<'a> {
    pub fn read(said: &'a str) -> Option<Self> {
        let words: Vec<&str> = said.split(' ').collect();
        let [session, access, refresh, generation] = words[..] else {
            return None;
        };
        Some(Self {
            session,
            access,
            refresh,
            generation: generation.parse().ok()?,
        })
    }
}

impl Held {
    /// A session that was just made.
    pub fn new(pair: &Pair<'_>, asked: Asked) -> Self {
        let life = fastrand::f64();
        Self {
            session: pair.session.to_owned(),
            tokens: vec![Access::new(pair.access, asked.sent, asked.answered)],
            refresh: pair.refresh.to_owned(),
            generation: pair.generation,
            former: None,
            used: false,
            ending: Ending::No,
            trying: None,
            refresh_at: Instant::now() + some(REFRESHES),
            over_at: Instant::now() + LIVES.mul_f64(0.02 + 0.98 * life * life),
        }
    }

    /// Takes in what a refresh answered.
    pub fn refreshed(&mut self, pair: &Pair<'_>, asked: Asked) {
        let since = self.trying.take().unwrap_or(asked.sent);
        let mut access = Access::new(pair.access, since, asked.answered);
        if pair.generation == self.generation {
            // Given again: nothing is prolonged.
            if let Some(last) = self.tokens.pop() {
                access.good_until = last.good_until;
                access.dead_from = last.dead_from;
                if last.text == access.text {
                    access.seen = last.seen;
                }
            }
        } else {
            let former = std::mem::replace(&mut self.refresh, pair.refresh.to_owned());
            self.former = Some((former, Instant::now()));
            self.used = false;
            self.generation = pair.generation;
        }
        self.tokens.push(access);
        if self.tokens.len() > TOKENS {
            self.tokens.remove(0);
        }
        self.refresh_at = Instant::now() + some(REFRESHES);
    }
}

impl Access {
    fn new(text: &str, asked: Instant, answered: Instant) -> Self {
        let second = Duration::from_secs(1);
        Self {
            text: text.to_owned(),
            good_until: asked + ACCESS,
            dead_from: answered + ACCESS + LEEWAY + second * 2,
            roles: Ending::No,
            seen: [0; 2],
        }
    }
}

fn some(time: Duration) -> Duration {
    time.mul_f64(0.5 + fastrand::f64())
}

/// Some get to be this old; most end earlier.
const LIVES: Duration = Duration::from_secs(90);
const REFRESHES: Duration = Duration::from_secs(18);
const TOKENS: usize = 3;
