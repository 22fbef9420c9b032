//! What the steps of a store take.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_jwt_session::revocation::{About, Answer, EndReason, Question};
use tower_jwt_session::session::refresh::{Presented, RefreshRules, SeedHash};
use tower_jwt_session::session::{
    EndAll, Listing, RefreshAttempt, RefreshOutcome, SessionRecord, SignInOutcome,
};
use tower_jwt_session::verify::{Binding, Counter, TokenFacts};
use tower_jwt_session::{Clock, SessionId, SessionStore, SystemClock, UserId};

use crate::rate::new_session;
use crate::results::median;
use crate::scale::user_name;

/// A session, and what its refresh tokens are made of.
#[derive(Clone)]
pub struct Live {
    pub record: SessionRecord,
    seed: SeedHash,
    generation: u32,
}

/// Sessions that a store was filled with, and which of them are not as they were then.
#[derive(Default)]
pub struct Filled {
    pub users: u64,
    used: HashSet<u64>,
    ended: HashSet<u64>,
}

impl Filled {
    /// One that is as it was filled, and is not drawn again.
    fn draw(&mut self, by: &SessionRecord) -> Live {
        let number = loop {
            let number = fastrand::u64(0..self.users * SESSIONS_OF_A_USER);
            let is_ended = self.ended.contains(&(number / SESSIONS_OF_A_USER));
            if !is_ended && self.used.insert(number) {
                break number;
            }
        };
        let (id, user) = (session_id(number), user_id(number / SESSIONS_OF_A_USER));
        Live {
            record: SessionRecord {
                id,
                user,
                ..by.clone()
            },
            seed: SEED,
            generation: 1,
        }
    }
}

/// Milliseconds, in the order of [`STEPS`].
pub struct Steps([Vec<f64>; STEPS.len()]);

impl Steps {
    pub async fn measure(store: &Arc<dyn SessionStore>, filled: &mut Filled) -> Self {
        let mut steps = Self([const { Vec::new() }; STEPS.len()]);
        for _ in 0..TIMES {
            let began = Instant::now();
            let new = Live::new(store, None).await;
            steps.note(0, began);

            let mut old = filled.draw(&new.record);
            let began = Instant::now();
            old.refresh(store).await;
            steps.note(1, began);

            let old = filled.draw(&new.record);
            let began = Instant::now();
            old.check(store).await;
            steps.note(2, began);

            let user = user_id(fastrand::u64(0..filled.users));
            let began = Instant::now();
            let listed = store.list(&user, Listing::Live).await;
            steps.note(3, began);
            drop(listed.expect("the store answers"));
        }
        let ends = REVOKED.min(filled.users / 2);
        for which in 0..ends {
            // No user twice: the second time there would be nothing to end.
            let number = (which * filled.users / ends..filled.users)
                .find(|number| filled.ended.insert(*number))
                .expect("at most half of them are ended");
            let user = user_id(number);
            let began = Instant::now();
            let ended = store
                .end_all(EndAll::new(user, EndReason::UserRevoked))
                .await;
            steps.note(4, began);
            ended.expect("the store answers");
        }
        steps
    }

    pub fn millis(&self) -> [f64; STEPS.len()] {
        self.0.clone().map(median)
    }

    fn note(&mut self, step: usize, began: Instant) {
        self.0[step].push(began.elapsed().as_secs_f64() * 1_000.0);
    }
}

impl Live {
    /// Signs in, a user of its own or this one.
    pub async fn new(store: &Arc<dyn SessionStore>, user: Option<&UserId>) -> Self {
        let mut new = new_session();
        if let Some(user) = user {
            new.user = user.clone();
        }
        let seed = new.seed;
        let Ok(SignInOutcome::Created { record, .. }) = store.sign_in(new).await else {
            panic!("a session is made");
        };
        Self {
            record,
            seed,
            generation: 1,
        }
    }

    pub async fn refresh(&mut self, store: &Arc<dyn SessionStore>) {
        let now = SystemClock.now();
        let presented = Presented {
            generation: self.generation,
            operation: u128::from(self.generation),
            issued_at: now,
            access_expires_at: now + HOUR,
        };
        let rules = RefreshRules {
            grace: Duration::ZERO,
            lifetime: 24 * HOUR,
        };
        let attempt = RefreshAttempt::new(self.record.id, 0, self.seed, presented, rules);
        let refreshed = store.refresh(attempt).await;
        assert!(matches!(refreshed, Ok(RefreshOutcome::Granted { .. })));
        self.generation += 1;
    }

    pub async fn check(&self, store: &Arc<dyn SessionStore>) {
        let facts = TokenFacts {
            user: self.record.user.clone(),
            session: Some(self.record.id),
            token: None,
            binding: Some(Binding {
                generation: self.generation,
                revoked_gen: self.record.revoked_gen,
                roles_gen: Counter::ZERO,
            }),
            issued_at: None,
            expires_at: SystemClock.now() + HOUR,
        };
        let answer = store.ask(&Question::new(facts, About::Session)).await;
        assert_eq!(answer.expect("the store answers"), Answer::Alive);
    }
}

/// The session of a number, as the stores are filled with them.
pub fn session_id(number: u64) -> SessionId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&[0x01, 0x90, 0, 0, 0, 0, 0x70, 0]);
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(bytes)
}

/// The user of a number.
pub fn user_id(number: u64) -> UserId {
    UserId::new(user_name(&format!("{number:010}"))).expect("it is a name")
}

pub const SESSIONS_OF_A_USER: u64 = 10;
/// What the refresh tokens of all sessions are made of that a store was filled with.
pub const SEED: SeedHash = SeedHash::from_bytes([7; 32]);
pub const STEPS: [&str; 5] = ["sign-in", "refresh", "check", "list", "revoke all"];
pub const TIMES: u64 = 300;
pub const REVOKED: u64 = 40;
const HOUR: Duration = Duration::from_secs(60 * 60);
