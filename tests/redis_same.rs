//! What the scripts decide is what the memory store decides, whatever happens in whatever order.

mod redis_server;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use redis_server::Server;
use tower_jwt_session::revocation::{
    About, EndReason, EntryId, FleetLimits, NodeId, PollRequest, Question, RevocationEntry,
    RevocationStore, Revoked,
};
use tower_jwt_session::session::refresh::{Presented, RefreshRules, SeedHash};
use tower_jwt_session::session::{
    Authentication, EndAll, EndSession, Idleness, Listing, NewSession, PageRequest, RefreshAttempt,
    SessionChange, SignInOutcome, Transport, Use,
};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::verify::{Binding, Counter, TokenFacts};
use tower_jwt_session::{
    Clock, MemoryStore, SessionId, SessionLimit, SessionStore, StoreError, TokenId, UnixTime,
    UserId,
};

const LIMITS: FleetLimits = FleetLimits {
    access_lifetime: Duration::from_secs(900),
    leeway: Duration::from_secs(60),
    skew: Duration::from_secs(5),
};

/// What happens. Sessions, users and operations are chosen among few, so that they meet.
#[derive(Clone, Debug)]
enum Step {
    Append(usize, u8, u64, u64),
    Ask(usize, u32, bool, bool),
    Change(usize, usize, u8),
    End(usize, Option<usize>, usize),
    EndAll(usize, Option<usize>, usize),
    Erase(usize, usize),
    Look(usize),
    Pass(u64),
    RaiseRoles(usize, usize),
    Refresh(usize, i64, usize, u64, bool, usize),
    SignIn(SignIn),
    Sweep(u64, usize),
    Touch(usize, u64),
}

#[derive(Clone, Debug)]
struct SignIn {
    user: usize,
    operation: u8,
    limit: SessionLimit,
    refresh: u64,
    absolute: u64,
    idle: Option<u64>,
    outdated: bool,
    name: Option<String>,
}

fn sign_in() -> impl Strategy<Value = Step> {
    let limit = prop_oneof![
        Just(SessionLimit::UNLIMITED),
        (1..4_u32).prop_map(SessionLimit::evicting),
        (1..4_u32).prop_map(SessionLimit::rejecting),
    ];
    let lives = (
        10..4_000_u64,
        10..8_000_u64,
        prop::option::of(10..2_000_u64),
    );
    (
        0..3_usize,
        any::<u8>(),
        limit,
        lives,
        prop::bool::weighted(0.05),
        prop::option::of("\\PC{0,12}"),
    )
        .prop_map(|(user, operation, limit, lives, outdated, name)| {
            Step::SignIn(SignIn {
                user,
                operation: operation % 40,
                limit,
                refresh: lives.0,
                absolute: lives.1,
                idle: lives.2,
                outdated,
                name,
            })
        })
}

fn step() -> impl Strategy<Value = Step> {
    let session = || 0..12_usize;
    let entry = || 0..60_usize;
    prop_oneof![
        6 => sign_in(),
        10 => (session(), -3..3_i64, 0..6_usize, prop_oneof![Just(0_u64), Just(1), Just(30), Just(200)], any::<bool>(), entry())
            .prop_map(|(of, ahead, operation, grace, revoke, entry)| Step::Refresh(of, ahead, operation, grace, revoke, entry)),
        6 => prop_oneof![0..5_u64, 20..90_u64, 200..3_000_u64].prop_map(Step::Pass),
        4 => (session(), 1..5_u32, any::<bool>(), any::<bool>()).prop_map(|(of, n, log, foreign)| Step::Ask(of, n, log, foreign)),
        2 => (session(), prop::option::weighted(0.3, 0..3_usize), entry()).prop_map(|(of, owner, entry)| Step::End(of, owner, entry)),
        1 => (0..3_usize, prop::option::of(session()), entry()).prop_map(|(of, except, entry)| Step::EndAll(of, except, entry)),
        1 => (0..3_usize, entry()).prop_map(|(of, entry)| Step::RaiseRoles(of, entry)),
        1 => (0..3_usize, entry()).prop_map(|(of, entry)| Step::Erase(of, entry)),
        1 => (session(), 0..5_u8, 0..3_000_u64, 0..3_000_u64).prop_map(|(of, kind, back, on)| Step::Append(of, kind, back, on)),
        2 => (session(), 0..400_u64).prop_map(|(of, ago)| Step::Touch(of, ago)),
        1 => (session(), 0..3_usize, 0..3_u8).prop_map(|(of, user, what)| Step::Change(of, user, what)),
        1 => (0..4_000_u64, 1..5_usize).prop_map(|(retention, batch)| Step::Sweep(retention, batch)),
        2 => (0..3_usize).prop_map(Step::Look),
    ]
}

/// Both stores, and what the steps choose among.
struct Pair {
    memory: MemoryStore,
    redis: Arc<dyn SessionStore>,
    clock: ManualClock,
    users: Vec<UserId>,
    made: Vec<(SessionId, usize, u8)>,
    entries: Vec<EntryId>,
}

/// Ends without a name of its own get a random one, which no two stores share.
fn same<T: std::fmt::Debug>(step: &Step, memory: T, redis: T, known: &[EntryId]) {
    let (memory, redis) = (plain(&memory, known), plain(&redis, known));
    if memory != redis {
        let same = memory.bytes().zip(redis.bytes());
        let at = same.take_while(|(one, other)| one == other).count();
        let around = |text: &str| {
            let bytes = &text.as_bytes()[at.saturating_sub(200)..(at + 200).min(text.len())];
            String::from_utf8_lossy(bytes).into_owned()
        };
        let (memory, redis) = (around(&memory), around(&redis));
        panic!("{step:?}\n memory: {memory}\n  redis: {redis}");
    }
}

/// How it is shown, with names that are random and histories blotted out.
fn plain(value: &impl std::fmt::Debug, known: &[EntryId]) -> String {
    let text = format!("{value:?}");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("history: ") {
        out.push_str(&rest[..at]);
        rest = rest[at + 9..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    let marker = "RevocationEntry { id: ";
    let mut blotted = String::new();
    let mut rest = out.as_str();
    while let Some(at) = rest.find(marker) {
        let (before, after) = rest.split_at(at + marker.len());
        blotted.push_str(before);
        let (id, after) = after.split_at(after.find(',').expect("more follows"));
        let is_known = known.iter().any(|entry| format!("{entry:?}") == id);
        blotted.push_str(if is_known { id } else { "random" });
        rest = after;
    }
    blotted + rest
}

impl Pair {
    async fn new(server: &Server) -> Self {
        let clock = ManualClock::new();
        let prefix = format!("same-{}", SessionId::random());
        let held: Arc<dyn Clock> = Arc::new(clock.clone());
        let redis = server
            .store()
            .with_blacklist(false)
            .with_clock(held.clone());
        let redis = redis.with_prefix(&prefix).expect("it is one");
        let memory = MemoryStore::with_clock(held);
        memory.attach(LIMITS).await.expect("it fits");
        redis.attach(LIMITS).await.expect("it fits");
        Self {
            memory,
            redis: Arc::new(redis),
            clock,
            users: ["ada", "bob {}: \u{1f600}", "c'\"\\"]
                .map(|name| UserId::new(name).expect("it is a name"))
                .into(),
            made: Vec::new(),
            entries: (0..60).map(|_| EntryId::random()).collect(),
        }
    }

    fn session(&self, of: usize) -> (SessionId, usize, u8) {
        match self.made.len() {
            0 => (SessionId::random(), 0, 0),
            // The latest are of most interest.
            len => self.made[len - 1 - of % len.min(12)],
        }
    }

    fn now(&self) -> UnixTime {
        self.clock.now()
    }

    async fn run(&mut self, step: &Step) {
        let (memory, redis) = (self.memory.clone(), self.redis.clone());
        let known = self.entries.clone();
        macro_rules! both {
            ($store:ident => $call:expr) => {{
                let of_memory = {
                    let $store = &memory;
                    $call.await.ok()
                };
                let of_redis = {
                    let $store = &redis;
                    $call.await.ok()
                };
                same(step, of_memory.clone(), of_redis, &known);
                of_memory
            }};
        }
        match step {
            Step::SignIn(sign_in) => {
                let new = self.new_session(sign_in).await;
                let (id, operation) = (new.id, sign_in.operation);
                let outcome = both!(store => store.sign_in(new.clone()));
                if let Some(SignInOutcome::Created { .. }) = outcome {
                    self.made.push((id, sign_in.user, operation));
                }
            }
            Step::Refresh(of, ahead, operation, grace, revoke, entry) => {
                let attempt = self
                    .attempt(*of, *ahead, *operation, *grace, *revoke, *entry)
                    .await;
                both!(store => store.refresh(attempt.clone()));
            }
            Step::Pass(seconds) => {
                // Odd microseconds, so that whole ones are no accident.
                self.clock
                    .advance(Duration::from_micros(seconds * 1_000_003));
            }
            Step::Ask(of, generation, log, foreign) => {
                let question = self.question(*of, *generation, *log, *foreign).await;
                both!(store => store.ask(&question));
            }
            Step::End(of, owner, entry) => {
                let (session, user, _) = self.session(*of);
                let owner = owner.map(|owner| self.users[(user + owner / 2) % 3].clone());
                let mut request = EndSession::new(session, EndReason::UserRevoked);
                request.by = owner.clone();
                request.owner = owner;
                request.entry = self.entries[*entry];
                both!(store => store.end(request.clone()));
            }
            Step::EndAll(user, except, entry) => {
                let user = &self.users[*user];
                let mut request = EndAll::new(user.clone(), EndReason::PasswordChanged);
                request.except = except.map(|of| self.session(of).0);
                request.by = Some(user.clone());
                request.entry = self.entries[*entry];
                both!(store => store.end_all(request.clone()));
            }
            Step::RaiseRoles(user, entry) => {
                both!(store => store.raise_roles(&self.users[*user], self.entries[*entry]));
            }
            Step::Erase(user, entry) => {
                both!(store => store.erase(&self.users[*user], self.entries[*entry]));
            }
            Step::Append(of, kind, back, on) => {
                let entries = vec![self.entry(*of, *kind, *back, *on)];
                both!(store => store.append(entries.clone()));
            }
            Step::Touch(of, ago) => {
                let (session, ..) = self.session(*of);
                let at = self.now() + Duration::from_secs(20) - Duration::from_secs(*ago);
                let uses = [Use::new(session, 0, at)];
                both!(store => store.touch(&uses));
            }
            Step::Change(of, user, what) => {
                let (session, ..) = self.session(*of);
                let change = match what {
                    0 => SessionChange::Name(None),
                    1 => SessionChange::Name(Some("\u{e9}\"'".to_owned())),
                    _ => SessionChange::Authenticated {
                        at: self.now(),
                        authentication: Authentication {
                            acr: Some("high".to_owned()),
                            amr: vec!["otp".to_owned()],
                        },
                    },
                };
                both!(store => store.change(session, &self.users[*user], change.clone()));
            }
            Step::Sweep(retention, batch) => {
                // Which of several that are over goes first is the store's own affair.
                let batch = if *batch > 2 { 1_000 } else { 0 };
                let retention = Duration::from_secs(*retention);
                both!(store => async {
                    let mut swept = store.sweep(retention, batch).await?;
                    // One that lives longer than it was to is put off when the sweep comes to it.
                    swept.more &= batch > 0;
                    Ok::<_, StoreError>(swept)
                });
            }
            Step::Look(user) => self.look(*user, step).await,
        }
    }

    async fn look(&self, user: usize, step: &Step) {
        let user = &self.users[user];
        for (id, ..) in &self.made {
            let of_memory = self.memory.find(*id).await.ok();
            same(
                step,
                of_memory,
                self.redis.find(*id).await.ok(),
                &self.entries,
            );
        }
        for listing in [Listing::Live, Listing::Ended] {
            let of_memory = self.memory.list(user, listing).await.ok();
            let of_redis = self.redis.list(user, listing).await.ok();
            same(step, of_memory, of_redis, &self.entries);
        }
        let page = PageRequest::new(3);
        let of_memory = self.memory.page(page.clone()).await.ok();
        same(
            step,
            of_memory,
            self.redis.page(page).await.ok(),
            &self.entries,
        );
        let of_memory = self.memory.count(user).await.ok();
        same(
            step,
            of_memory,
            self.redis.count(user).await.ok(),
            &self.entries,
        );
        let of_memory = self.memory.counters(user).await.ok();
        same(
            step,
            of_memory,
            self.redis.counters(user).await.ok(),
            &self.entries,
        );
        // The memory store is never away from anybody, so this one is not either.
        let mut request = PollRequest::new(NodeId(7), WHOLE_STORY);
        request.probes = &self.entries[..10];
        let of_memory = self.memory.poll(request.clone()).await.ok();
        same(
            step,
            of_memory,
            self.redis.poll(request).await.ok(),
            &self.entries,
        );
    }

    async fn new_session(&self, sign_in: &SignIn) -> NewSession {
        let user = self.users[sign_in.user].clone();
        let counters = self.memory.counters(&user).await.expect("it answers");
        let seconds = Duration::from_secs;
        let operation = sign_in.operation;
        let mut new = NewSession::new(
            SessionId::random(),
            user,
            SeedHash::from_bytes([operation; 32]),
            [operation; 32],
            self.now().floor_to_secs(),
        );
        new.revoked_gen = counters.revoked_gen;
        if sign_in.outdated {
            new.revoked_gen = Counter::from_u64(counters.revoked_gen.as_u64() + 1);
        }
        new.access_expires_at = self.now() + seconds(900);
        new.refresh_lifetime = seconds(sign_in.refresh);
        new.absolute_lifetime = seconds(sign_in.absolute);
        new.idle_lifetime = sign_in.idle.map(seconds);
        new.limit = sign_in.limit;
        new.name.clone_from(&sign_in.name);
        new.transport = Transport::Cookie;
        new.data = Some("{\"a\":[]}".to_owned());
        new
    }

    async fn attempt(
        &self,
        of: usize,
        ahead: i64,
        operation: usize,
        grace: u64,
        revoke_predecessor: bool,
        entry: usize,
    ) -> RefreshAttempt {
        let (session, user, seed) = self.session(of);
        let found = self.memory.find(session).await.expect("it answers");
        let current = found.map_or(1, |record| record.refresh.generation);
        // Mostly the current one or the one before.
        let generation = match ahead {
            -3 => 0,
            2 => i64::from(u32::MAX) * i64::from(entry == 0) + i64::from(current) + 2,
            ahead => i64::from(current) + ahead.min(0),
        };
        let presented = Presented {
            generation: u32::try_from(generation.clamp(0, i64::from(u32::MAX)))
                .expect("it is within"),
            operation: operation as u128 * (u128::MAX / 6),
            issued_at: self.now().floor_to_secs(),
            access_expires_at: self.now() + Duration::from_secs(900),
        };
        let rules = RefreshRules {
            grace: match grace {
                1 => Duration::from_nanos(1),
                grace => Duration::from_secs(grace),
            },
            lifetime: Duration::from_secs(3_000),
        };
        let seed = SeedHash::from_bytes([seed; 32]);
        let mut attempt = RefreshAttempt::new(session, user as u8, seed, presented, rules);
        attempt.revoke_predecessor = revoke_predecessor;
        attempt.entry = self.entries[entry];
        attempt
    }

    async fn question(&self, of: usize, generation: u32, log: bool, foreign: bool) -> Question {
        let (session, user, _) = self.session(of);
        let user = self.users[user].clone();
        let counters = self.memory.counters(&user).await.expect("it answers");
        let found = self.memory.find(session).await.expect("it answers");
        let revoked_gen = found.map_or(Counter::ZERO, |record| record.revoked_gen);
        let facts = TokenFacts {
            user,
            session: Some(session),
            token: Some(TokenId::of_generation(session, generation)),
            binding: (!foreign).then_some(Binding {
                generation,
                revoked_gen,
                roles_gen: counters.roles_gen,
            }),
            issued_at: Some(self.now() - Duration::from_secs(u64::from(generation) * 5)),
            expires_at: self.now() + Duration::from_secs(900),
        };
        Question::new(facts, if log { About::Log } else { About::Session })
    }

    fn entry(&self, of: usize, kind: u8, back: u64, on: u64) -> RevocationEntry {
        let (session, user, _) = self.session(of);
        let owner = self.users[user].clone();
        let below = Counter::from_u64((self.now() - Duration::from_secs(back)).as_micros());
        let revoked = match kind {
            0 => Revoked::Roles { user: owner, below },
            1 => Revoked::Session {
                session,
                user: None,
            },
            2 => Revoked::Session {
                session,
                user: Some(self.users[(user + usize::from(back.is_multiple_of(2))) % 3].clone()),
            },
            3 => Revoked::Token {
                token: TokenId::of_generation(session, 2),
                user: Some(owner),
            },
            _ => Revoked::User {
                user: owner,
                below,
                except: on.is_multiple_of(2).then_some(session),
            },
        };
        RevocationEntry {
            id: self.entries[(back % 60) as usize],
            revoked,
            reason: EndReason::AdminRevoked,
            at: if on.is_multiple_of(3) {
                UnixTime::EPOCH
            } else {
                self.now()
            },
            until: if back.is_multiple_of(3) {
                UnixTime::EPOCH
            } else {
                self.now() + Duration::from_secs(on)
            },
        }
    }
}

const WHOLE_STORY: Duration = Duration::from_secs(100 * 24 * 60 * 60);
const STORIES: u32 = 300;
const STEPS: usize = 60;

#[test]
fn scripts_and_memory_decide_alike() {
    let server = Server::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("there are threads");
    let config = Config {
        cases: STORIES,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    };
    let stories = prop::collection::vec(step(), 1..STEPS);
    TestRunner::new(config)
        .run(&stories, |story| {
            runtime.block_on(async {
                let mut pair = Pair::new(&server).await;
                for step in &story {
                    pair.run(step).await;
                }
                for user in 0..3 {
                    pair.look(user, &Step::Look(user)).await;
                }
            });
            Ok(())
        })
        .expect("both decide alike");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_over_as_it_comes_is_in_no_answer() {
    let server = Server::new();
    for kind in 0..5 {
        let mut pair = Pair::new(&server).await;
        pair.run(&Step::Append(0, kind, 988, 0)).await;
    }
}

/// A session that was not used since it was made is there as long as that is excused.
async fn outages_are_excused(server: &Server, polls: &[(u64, Option<u64>)]) {
    let pair = Pair::new(server).await;
    let sign_in = SignIn {
        user: 0,
        operation: 1,
        limit: SessionLimit::UNLIMITED,
        refresh: 1_000_000,
        absolute: 1_000_000,
        idle: Some(0),
        outdated: false,
        name: None,
    };
    let new = pair.new_session(&sign_in).await;
    let user = new.user.clone();
    pair.redis.sign_in(new).await.expect("it answers");
    let mut idleness = Idleness::default();
    for (pause, lease) in polls {
        pair.clock.advance(Duration::from_micros(*pause));
        let excused = || u64::from(idleness.suspended(pair.now()));
        let count = pair.redis.count(&user).await.expect("it answers");
        assert_eq!(count, excused(), "{idleness:?} at {}", pair.now());
        if let Some(lease) = lease.map(Duration::from_micros) {
            let request = PollRequest::new(NodeId(7), lease);
            pair.redis.poll(request).await.expect("it answers");
            idleness = idleness.polled(pair.now(), lease).unwrap_or(idleness);
        }
    }
}

#[test]
fn scripts_excuse_from_an_outage_as_the_shared_rule_does() {
    let server = Server::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("there are threads");
    let config = Config {
        cases: STORIES / 3,
        failure_persistence: None,
        ..Config::default()
    };
    // Mostly near the instants that decide, where a microsecond matters.
    let instant = prop_oneof![
        0..60_000_000_u64,
        0..4_u64,
        Just(30_000_000),
        Just(15_000_000)
    ];
    let lease = prop_oneof![1..60_000_000_u64, 1..9_u64, Just(30_000_000)];
    let polls = prop::collection::vec((instant, prop::option::weighted(0.7, lease)), 1..30);
    TestRunner::new(config)
        .run(&polls, |polls| {
            runtime.block_on(outages_are_excused(&server, &polls));
            Ok(())
        })
        .expect("both excuse alike");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refresh_takes_one_round_trip_and_a_sign_in_two() {
    let server = Server::new();
    let mut pair = Pair::new(&server).await;
    let calls = || {
        let stats: String = server.run(&["INFO", "commandstats"]);
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        let calls = line.and_then(|line| line.split(',').next());
        calls.map_or(0, |calls| calls.parse::<u64>().expect("a number"))
    };
    let sign_in = SignIn {
        user: 0,
        operation: 1,
        limit: SessionLimit::UNLIMITED,
        refresh: 1_000,
        absolute: 1_000,
        idle: None,
        outdated: false,
        name: None,
    };
    // The scripts are loaded by their first use.
    pair.run(&Step::SignIn(sign_in.clone())).await;
    pair.run(&Step::Refresh(0, 0, 1, 30, false, 0)).await;
    pair.redis
        .counters(&pair.users[0])
        .await
        .expect("it answers");
    let mut new = pair.new_session(&sign_in).await;
    new.operation = [7; 32];
    let before = calls();
    pair.redis.counters(&new.user).await.expect("it answers");
    let made = pair.redis.sign_in(new).await;
    assert!(matches!(made, Ok(SignInOutcome::Created { .. })));
    assert_eq!(calls() - before, 2);
    let attempt = pair.attempt(0, 0, 1, 30, false, 1).await;
    let before = calls();
    pair.redis.refresh(attempt).await.expect("it answers");
    assert_eq!(calls() - before, 1);
}
