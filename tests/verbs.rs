//! What the verbs promise, over the memory store and a clock that is held.

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{SECRET, admit, builder, sign_in, user};
use tower::Layer;
use tower_jwt_session::events::Event;
use tower_jwt_session::guard::RequireRole;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::Authentication;
use tower_jwt_session::testing::{self, ManualClock};
use tower_jwt_session::token::RawToken;
use tower_jwt_session::verify::{Algorithm, Key, KeyState, TokenPolicy};
use tower_jwt_session::{
    ClaimsSource, Clock, Device, Environment, Grants, Instants, JwtSession, Lifetimes, MemoryStore,
    Rejection, SessionError, SessionLimit, UnixTime,
};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_repeated_sign_in_answers_the_same_tokens() {
    let (builder, _clock) = builder();
    let auth = builder.build().unwrap();
    let ada = user("ada");
    let mut answers = Vec::new();
    for _ in 0..2 {
        let ticket = auth.sessions().ticket(&ada).await.unwrap();
        let signing_in = auth.sessions().sign_in(ticket, Device::default());
        answers.push(signing_in.idempotency_key("once").await.unwrap().tokens());
    }
    assert_eq!(answers[0].refresh_token, answers[1].refresh_token);
    assert_eq!(answers[0].access_token, answers[1].access_token);
    assert_eq!(auth.sessions().count(&ada).await.unwrap(), 1);

    let id = answers[0].session_id;
    auth.sessions().end(id, EndReason::SignedOut).await.unwrap();
    let ticket = auth.sessions().ticket(&ada).await.unwrap();
    let signing_in = auth.sessions().sign_in(ticket, Device::default());
    let refused = signing_in.idempotency_key("once").await.unwrap_err();
    assert!(matches!(refused, SessionError::SignInSuperseded));
}

#[tokio::test]
async fn what_is_printed_of_tokens_names_their_session_and_none_of_them() {
    let (builder, _clock) = builder();
    let auth = builder.build().unwrap();
    let ticket = auth.sessions().ticket(&user("ada")).await.unwrap();
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await;
    let tokens = signed_in.unwrap().tokens();
    let raw = RawToken::from_parameter(&tokens.access_token);
    let session = admit(&auth, &tokens.access_token).await.unwrap();
    for printed in [
        format!("{tokens:?}"),
        format!("{raw:?}"),
        format!("{session:?}"),
        format!("{auth:?}"),
    ] {
        for secret in [Some(&tokens.access_token), tokens.refresh_token.as_ref()] {
            let secret = secret.unwrap();
            let (_, signature) = secret.rsplit_once('.').unwrap_or(("", secret));
            assert!(!printed.contains(signature), "{printed}");
        }
    }
    let id = tokens.session_id.to_string();
    assert!(format!("{tokens:?}").contains(&id));
    assert!(format!("{session:?}").starts_with("Session("));
    assert!(format!("{session:?}").contains(&id));
    let sessions = auth.sessions();
    assert_eq!(format!("{sessions:?}"), "Sessions { .. }");
    let ending = sessions.end_all(&user("ada"));
    assert!(format!("{ending:?}").starts_with("EndAll { user: "));
    assert_eq!(
        format!("{:?}", ending.await.unwrap()),
        "Done { count: 1, .. }"
    );
    let ticket = sessions.ticket(&user("ada")).await.unwrap();
    let signing_in = sessions.sign_in(ticket, Device::default());
    assert!(format!("{signing_in:?}").starts_with("SignIn { user: "));
    let length = tokens.access_token.len().to_string();
    assert!(format!("{raw:?}").contains(&length));
}

#[test]
fn a_guard_says_what_it_asks_for() {
    let guard = RequireRole::new("owner");
    let service = guard.clone().layer(());
    for printed in [
        format!("{guard:?}"),
        format!("{service:?}"),
        format!("{:?}", service.clone()),
    ] {
        assert!(printed.contains("owner"), "{printed}");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_repeated_late_answers_a_token_that_is_good() {
    let (builder, clock) = builder();
    let auth = builder.build().unwrap();
    let ada = user("ada");
    let repeat = async || {
        let ticket = auth.sessions().ticket(&ada).await.unwrap();
        let signing_in = auth.sessions().sign_in(ticket, Device::default());
        signing_in.idempotency_key("once").await.unwrap().tokens()
    };
    let first = repeat().await;
    clock.advance(3 * HOUR);
    let late = repeat().await;
    assert_eq!(late.session_id, first.session_id);
    assert_eq!((late.generation, late.expires_in), (2, 7_200));
    admit(&auth, &late.access_token).await.unwrap();
    assert_eq!(auth.sessions().count(&ada).await.unwrap(), 1);

    // Whoever has the first answer by then goes on with it.
    let refreshed = auth.sessions().refresh(&first.refresh_token.unwrap()).await;
    assert_eq!(refreshed.unwrap().generation, 2);

    clock.advance(31 * 24 * HOUR);
    let ticket = auth.sessions().ticket(&ada).await.unwrap();
    let over = auth.sessions().sign_in(ticket, Device::default());
    let over = over.idempotency_key("once").await.unwrap_err();
    assert!(matches!(over, SessionError::SignInSuperseded), "{over}");
}

#[tokio::test]
async fn a_ticket_from_before_everything_was_ended_makes_no_session() {
    let (builder, _clock) = builder();
    let auth = builder.build().unwrap();
    let ada = user("ada");
    let ticket = auth.sessions().ticket(&ada).await.unwrap();
    auth.sessions().end_all(&ada).await.unwrap();
    let refused = auth.sessions().sign_in(ticket, Device::default()).await;
    assert!(matches!(refused, Err(SessionError::TicketOutdated)));
}

#[tokio::test]
async fn a_ticket_lasts_five_minutes() {
    let (builder, clock) = builder();
    let auth = builder.build().unwrap();
    let ticket = auth.sessions().ticket(&user("ada")).await.unwrap();
    clock.advance(Duration::from_secs(301));
    let refused = auth.sessions().sign_in(ticket, Device::default()).await;
    assert!(matches!(refused, Err(SessionError::TicketOutdated)));
}

#[tokio::test]
async fn ending_the_others_spares_the_one_that_asks() {
    let (auth, mint, _clock) = testing::session();
    let _running = auth.start().await.unwrap();
    let first = mint.user("ada").tokens().await;
    let second = mint.user("ada").tokens().await;
    let session = admit(&auth, &first.access_token).await.unwrap();
    let done = auth
        .sessions()
        .end_all(session.subject())
        .except(session.id())
        .because(EndReason::PasswordChanged);
    let done = done.await.unwrap();
    assert_eq!(done.count(), 1);
    done.everywhere().await.unwrap();
    admit(&auth, &first.access_token).await.unwrap();
    admit(&auth, &second.access_token).await.unwrap_err();

    let refreshed = auth
        .sessions()
        .refresh(first.refresh_token.as_deref().unwrap());
    admit(&auth, &refreshed.await.unwrap().access_token)
        .await
        .unwrap();
}

#[tokio::test]
async fn sparing_a_session_that_is_not_alive_ends_nothing() {
    let (auth, mint, _clock) = testing::session();
    let spared = mint.user("bob").tokens().await;
    let ours = mint.user("ada").tokens().await;
    let ending = auth
        .sessions()
        .end_all(&user("ada"))
        .except(spared.session_id);
    assert!(matches!(ending.await, Err(SessionError::NotFound)));
    admit(&auth, &ours.access_token).await.unwrap();
}

#[tokio::test]
async fn another_users_session_is_not_found_and_stays() {
    let (auth, mint, _clock) = testing::session();
    let _running = auth.start().await.unwrap();
    let theirs = mint.user("ada").tokens().await;
    let (bob, id) = (user("bob"), theirs.session_id);
    let sessions = auth.sessions();
    let ended = sessions.end_own(&bob, id, EndReason::UserRevoked).await;
    assert!(matches!(ended, Err(SessionError::NotFound)));
    let renamed = sessions.rename(&bob, id, Some("mine")).await;
    assert!(matches!(renamed, Err(SessionError::NotFound)));
    let read = sessions.data(&bob, id).await;
    assert!(matches!(read, Err(SessionError::NotFound)));
    admit(&auth, &theirs.access_token).await.unwrap();
}

#[tokio::test]
async fn ended_sessions_stay_listed_with_their_reason() {
    let (auth, mint, _clock) = testing::session();
    let ada = user("ada");
    for _ in 0..3 {
        let tokens = mint.user("ada").tokens().await;
        let ended = auth.sessions().end_by_access_token(&tokens.access_token);
        assert_eq!(ended.await.unwrap().count(), 1);
    }
    let ended = auth.sessions().list_ended(&ada).await.unwrap();
    assert_eq!(ended.len(), 3);
    assert!(
        ended
            .iter()
            .all(|one| one.ended_reason == Some("signed_out"))
    );
    assert!(auth.sessions().list(&ada).await.unwrap().is_empty());
}

#[tokio::test]
async fn signing_out_takes_an_expired_access_token_and_an_old_refresh_token() {
    let (auth, mint, clock) = testing::session();
    let tokens = mint.user("ada").tokens().await;
    clock.advance(3 * HOUR);
    let ended = auth.sessions().end_by_access_token(&tokens.access_token);
    assert_eq!(ended.await.unwrap().count(), 1);

    let first = mint.user("ada").tokens().await;
    let old = first.refresh_token.unwrap();
    clock.advance(HOUR);
    auth.sessions().refresh(&old).await.unwrap();
    let ended = auth.sessions().end_by_refresh_token(&old);
    assert_eq!(ended.await.unwrap().count(), 1);
    assert_eq!(auth.sessions().count(&user("ada")).await.unwrap(), 0);
}

#[tokio::test]
async fn a_role_change_makes_tokens_stale_until_a_refresh_brings_the_role() {
    let (auth, mint, clock) = testing::session();
    let _running = auth.start().await.unwrap();
    let before = mint.user("ada").tokens().await;
    clock.advance(HOUR);
    mint.set_grants(&user("ada"), Grants::default().role("admin"));
    auth.sessions().roles_changed(&user("ada")).await.unwrap();
    let refused = admit(&auth, &before.access_token).await.unwrap_err();
    assert_eq!(refused, Rejection::TokenStale);
    let after = auth
        .sessions()
        .refresh(before.refresh_token.as_deref().unwrap());
    let session = admit(&auth, &after.await.unwrap().access_token)
        .await
        .unwrap();
    assert!(session.has_role("admin"));
}

#[tokio::test]
async fn a_user_whom_the_application_forgot_is_signed_out_by_the_next_refresh() {
    let (auth, mint, clock) = testing::session();
    let _running = auth.start().await.unwrap();
    let one = mint.user("ada").tokens().await;
    let other = mint.user("ada").tokens().await;
    mint.remove(&user("ada"));
    clock.advance(HOUR);
    let refused = auth
        .sessions()
        .refresh(one.refresh_token.as_deref().unwrap());
    assert!(matches!(refused.await, Err(SessionError::UnknownUser)));
    admit(&auth, &other.access_token).await.unwrap_err();
    assert_eq!(auth.sessions().count(&user("ada")).await.unwrap(), 0);
}

#[tokio::test]
async fn an_erased_user_leaves_no_record_and_no_way_back() {
    let (auth, mint, clock) = testing::session();
    let _running = auth.start().await.unwrap();
    let tokens = mint.user("ada").tokens().await;
    clock.advance(HOUR);
    auth.sessions().erase(&user("ada")).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap_err();
    let refreshed = auth
        .sessions()
        .refresh(tokens.refresh_token.as_deref().unwrap());
    assert!(matches!(refreshed.await, Err(SessionError::InvalidToken)));
    let sessions = auth.sessions();
    assert!(sessions.list_ended(&user("ada")).await.unwrap().is_empty());
    let again = mint.user("ada").tokens().await;
    admit(&auth, &again.access_token).await.unwrap();
}

#[tokio::test]
async fn names_are_bounded_and_free_of_control_characters() {
    let (auth, mint, _clock) = testing::session();
    let id = mint.user("ada").tokens().await.session_id;
    let (ada, sessions) = (user("ada"), auth.sessions());
    for bad in [
        "",
        "  ",
        "a\u{0}b",
        "a\nb",
        "\u{200b}",
        "\u{202e}eman",
        &"x".repeat(65),
    ] {
        let refused = sessions.rename(&ada, id, Some(bad)).await;
        assert!(
            matches!(refused, Err(SessionError::InvalidInput { .. })),
            "{bad:?}"
        );
    }
    let named = sessions
        .rename(&ada, id, Some("Ada's laptop"))
        .await
        .unwrap();
    assert_eq!(named.name.as_deref(), Some("Ada's laptop"));
    let unnamed = sessions.rename(&ada, id, None).await.unwrap();
    assert_eq!(unnamed.name, None);
}

#[tokio::test]
async fn data_beside_a_session_is_json_and_bounded() {
    let (auth, mint, _clock) = testing::session();
    let id = mint.user("ada").tokens().await.session_id;
    let (ada, sessions) = (user("ada"), auth.sessions());
    let cart = r#"{"cart":[1,2]}"#.to_owned();
    sessions
        .set_data(&ada, id, Some(cart.clone()))
        .await
        .unwrap();
    assert_eq!(sessions.data(&ada, id).await.unwrap(), Some(cart));
    let long = format!("\"{}\"", "x".repeat(4096));
    for bad in ["{".to_owned(), long] {
        let refused = sessions.set_data(&ada, id, Some(bad)).await;
        assert!(matches!(refused, Err(SessionError::InvalidInput { .. })));
    }
}

#[tokio::test]
async fn uses_are_written_down_in_batches_and_refreshes_are_none() {
    let (auth, mint, clock) = testing::session();
    let running = auth.start().await.unwrap();
    let tokens = mint.user("ada").tokens().await;
    let at = |minutes: u64| ManualClock::START + Duration::from_secs(60 * minutes);
    let ada = user("ada");

    clock.advance(Duration::from_secs(600));
    auth.sessions()
        .refresh(tokens.refresh_token.as_deref().unwrap())
        .await
        .unwrap();
    let listed = auth.sessions().list(&ada).await.unwrap();
    assert_eq!(listed[0].last_active, at(0), "a refresh is no use");

    admit(&auth, &tokens.access_token).await.unwrap();
    clock.advance(Duration::from_secs(5));
    admit(&auth, &tokens.access_token).await.unwrap();
    running.shutdown().await;
    let listed = auth.sessions().list(&ada).await.unwrap();
    assert_eq!(listed[0].last_active, at(10));
}

#[tokio::test]
async fn an_idle_session_is_over_and_neither_listed_nor_refreshed() {
    let (builder, clock) = builder();
    let auth = builder
        .lifetimes(Lifetimes::owasp())
        .limit(SessionLimit::rejecting(1))
        .build()
        .unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    assert!(matches!(
        sign_in(&auth, &user("ada")).await,
        Err(SessionError::LimitReached)
    ));
    clock.advance(Duration::from_secs(30 * 60));
    assert!(auth.sessions().list(&user("ada")).await.unwrap().is_empty());
    let refreshed = auth
        .sessions()
        .refresh(tokens.refresh_token.as_deref().unwrap());
    assert!(matches!(
        refreshed.await,
        Err(SessionError::Over(EndReason::Idle))
    ));
    sign_in(&auth, &user("ada")).await.unwrap();
}

#[tokio::test]
async fn no_token_outlives_the_absolute_end_of_its_session() {
    let (builder, clock) = builder();
    let lifetimes = Lifetimes::default()
        .with_refresh(10 * HOUR)
        .with_session(10 * HOUR);
    let auth = builder.lifetimes(lifetimes).build().unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    clock.advance(9 * HOUR);
    let last = auth
        .sessions()
        .refresh(tokens.refresh_token.as_deref().unwrap());
    let last = last.await.unwrap();
    assert_eq!(last.expires_in, 3_600);
    clock.advance(HOUR);
    let refreshed = auth
        .sessions()
        .refresh(last.refresh_token.as_deref().unwrap());
    assert!(matches!(
        refreshed.await,
        Err(SessionError::Over(EndReason::Expired))
    ));
}

#[tokio::test]
async fn proving_again_who_one_is_makes_the_sign_in_fresh_and_prolongs_nothing() {
    let (auth, mint, clock) = testing::session();
    let _running = auth.start().await.unwrap();
    let tokens = mint.user("ada").tokens().await;
    clock.advance(HOUR);
    let session = admit(&auth, &tokens.access_token).await.unwrap();
    session.require_fresh(Duration::from_secs(60)).unwrap_err();
    let authentication = Authentication {
        acr: Some("urn:example:two".to_owned()),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
    };
    let renewed = auth
        .sessions()
        .reauthenticated(&session, authentication)
        .await
        .unwrap();
    assert!(renewed.refresh_token.is_none());
    let fresh = admit(&auth, &renewed.access_token).await.unwrap();
    fresh.require_fresh(Duration::from_secs(60)).unwrap();
    clock.advance(Duration::from_secs(59));
    fresh.require_fresh(Duration::from_secs(60)).unwrap();
    clock.advance(Duration::from_secs(1));
    let over = fresh.require_fresh(Duration::from_secs(60));
    over.expect_err("a minute ago is not less than a minute ago");
    assert_eq!(fresh.expires_at(), session.expires_at());
    assert_eq!(fresh.token().acr(), Some("urn:example:two"));
}

#[tokio::test]
async fn every_end_of_a_session_is_one_event() {
    let heard: Arc<Mutex<Vec<EndReason>>> = Arc::default();
    let (builder, clock) = builder();
    let ears = heard.clone();
    let auth = builder
        .limit(SessionLimit::evicting(1))
        .observer(move |_: UnixTime, event: &Event| {
            if let Event::Ended { reason, .. } = event {
                ears.lock().unwrap().push(reason.clone());
            }
        })
        .build()
        .unwrap();
    let take = || std::mem::take(&mut *heard.lock().unwrap());
    let ada = user("ada");

    let first = sign_in(&auth, &ada).await.unwrap();
    let second = sign_in(&auth, &ada).await.unwrap();
    assert_eq!(take(), [EndReason::Evicted]);
    auth.sessions()
        .end(first.session_id, EndReason::SignedOut)
        .await
        .unwrap();
    assert_eq!(take(), [], "it had ended before");
    auth.sessions()
        .end(second.session_id, EndReason::SignedOut)
        .await
        .unwrap();
    assert_eq!(take(), [EndReason::SignedOut]);

    let stolen = sign_in(&auth, &ada).await.unwrap().refresh_token.unwrap();
    for _ in 0..2 {
        clock.advance(HOUR);
        let next = auth.sessions().refresh(&stolen).await;
        if let Ok(next) = next {
            let next = next.refresh_token.unwrap();
            clock.advance(HOUR);
            auth.sessions().refresh(&next).await.unwrap();
        }
    }
    assert_eq!(take(), [EndReason::RefreshReused]);

    sign_in(&auth, &ada).await.unwrap();
    auth.sessions()
        .end_all(&ada)
        .because(EndReason::PasswordChanged)
        .await
        .unwrap();
    assert_eq!(take(), [EndReason::PasswordChanged]);
    sign_in(&auth, &ada).await.unwrap();
    auth.sessions().erase(&ada).await.unwrap();
    assert_eq!(take(), [EndReason::UserRemoved]);
}

/// A clock of a process that is stopped for ten seconds once, right after it was read.
#[derive(Debug)]
struct Stopping {
    clock: ManualClock,
    reads_until_stopped: AtomicU32,
}

impl Clock for Stopping {
    fn now(&self) -> UnixTime {
        let now = self.clock.now();
        if self.reads_until_stopped.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.clock.advance(Duration::from_secs(10));
        }
        now
    }

    fn instants(&self) -> Instants {
        self.clock.instants()
    }
}

#[tokio::test]
async fn an_answer_that_comes_after_a_pause_is_thrown_away() {
    let clock = ManualClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let stopping = Arc::new(Stopping {
        clock: clock.clone(),
        reads_until_stopped: AtomicU32::new(0),
    });
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .store(store)
        .clock(stopping.clone())
        .build()
        .unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let presented = tokens.refresh_token.unwrap();

    // The first reading fixes the times of the new token; the pause is while the store answers.
    stopping.reads_until_stopped.store(1, Ordering::SeqCst);
    let refused = auth.sessions().refresh(&presented).await.unwrap_err();
    assert!(matches!(refused, SessionError::Store(error) if error.is_unavailable()));
    auth.sessions()
        .refresh(&presented)
        .await
        .expect("the client tries again");
}

#[test]
fn every_mistake_of_the_environment_is_reported_at_once_with_its_fix() {
    let env = Environment::from_pairs([
        ("JWT_SECRET", "hunter2"),
        ("JWT_ACCESS_TOKEN_EXPIRY", "2h"),
        ("JWT_REFRESH_TOKEN_EXPIRY", "1h"),
        ("JWT_LEEWAY", "5"),
        ("JWT_SESSION_LIMIT_POLICY", "drop"),
        ("JWT_ROTATION_GRACE", "2h"),
        ("SESSION_STORE", "redis:/localhost"),
    ]);
    let error = JwtSession::builder().with_env(&env).build().unwrap_err();
    let text = error.to_string();
    for expected in [
        "JWT_REFRESH_TOKEN_EXPIRY (1h) is shorter than JWT_ACCESS_TOKEN_EXPIRY (2h)",
        "JWT_LEEWAY \"5\" has no unit",
        "JWT_SESSION_LIMIT_POLICY \"drop\"",
        "JWT_ROTATION_GRACE",
        "SESSION_STORE",
        "the secret has 7 bytes, HS256 needs at least 32",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(error.len(), 6);
    assert!(!text.contains("hunter2"), "no secret is shown: {text}");
}

#[test]
fn placeholder_secrets_and_keys_of_the_wrong_type_are_refused_when_it_is_built() {
    for secret in [
        "your-super-secret-jwt-key-here",
        "secret",
        "changeme-changeme-changeme-changeme",
    ] {
        let error = JwtSession::builder()
            .hmac_secret(secret)
            .build()
            .unwrap_err();
        assert!(error.to_string().contains("openssl rand"), "{error}");
    }
    let env = Environment::from_pairs([
        ("JWT_ALGORITHM", "RS256"),
        ("JWT_PRIVATE_KEY_FILE", "/nonexistent.pem"),
    ]);
    assert!(JwtSession::builder().with_env(&env).build().is_err());
}

#[tokio::test]
async fn what_the_environment_says_is_what_holds() {
    let env = Environment::from_pairs([
        ("JWT_SECRET", std::str::from_utf8(SECRET).unwrap()),
        ("JWT_ACCESS_TOKEN_EXPIRY", "10m"),
        ("JWT_MAX_CONCURRENT_SESSIONS", "1"),
        ("JWT_SESSION_LIMIT_POLICY", "reject"),
        ("JWT_ISSUER", "https://id.example"),
    ]);
    let auth = JwtSession::builder().with_env(&env).build().unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    assert!((598..=600).contains(&tokens.expires_in));
    let session = admit(&auth, &tokens.access_token).await.unwrap();
    assert_eq!(session.token().issuer(), Some("https://id.example"));
    let refused = sign_in(&auth, &user("ada")).await.unwrap_err();
    assert_eq!(refused.to_string(), "maximum concurrent sessions exceeded");
}

/// The application's own claims.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Tenant {
    tenant: u32,
}

struct Tenants;

impl ClaimsSource<Tenant> for Tenants {
    type Error = std::convert::Infallible;

    async fn claims(
        &self,
        _user: &tower_jwt_session::UserId,
    ) -> Result<Option<Grants<Tenant>>, Self::Error> {
        Ok(Some(Grants::new(Tenant { tenant: 7 }).role("user")))
    }
}

#[tokio::test]
async fn custom_claims_reach_the_handler_in_their_own_type() {
    let (builder, _clock) = builder();
    let auth = builder.claims_source(Tenants).build().unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let session = admit(&auth, &tokens.access_token).await.unwrap();
    let typed = session.clone().with_claims::<Tenant>().unwrap();
    assert_eq!(typed.claims(), &Tenant { tenant: 7 });
    let wrong = session.with_claims::<std::collections::BTreeMap<String, String>>();
    assert!(matches!(wrong, Err(Rejection::Misconfigured { .. })));
}

/// Claims that no token can carry.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Colliding {
    exp: u32,
}

struct Collisions;

impl ClaimsSource<Colliding> for Collisions {
    type Error = std::convert::Infallible;

    async fn claims(
        &self,
        _user: &tower_jwt_session::UserId,
    ) -> Result<Option<Grants<Colliding>>, Self::Error> {
        Ok(Some(Grants::new(Colliding { exp: 1 })))
    }
}

#[tokio::test]
async fn claims_that_no_token_can_carry_make_no_session() {
    let (auth, _clock) = testing::session_with(Collisions);
    let refused = sign_in(&auth, &user("ada")).await.unwrap_err();
    assert!(matches!(refused, SessionError::Token(_)));
    assert_eq!(auth.sessions().count(&user("ada")).await.unwrap(), 0);
}

#[tokio::test]
async fn signing_out_with_a_token_of_another_issuer_revokes_that_token() {
    let theirs = Key::generate(Some("idp"), Algorithm::Es256).unwrap();
    let clock = ManualClock::new();
    let policy = TokenPolicy::new("https://idp.example", "app");
    let idp = JwtSession::builder()
        .key(theirs.clone(), KeyState::Sign)
        .refresh_secret(SECRET)
        .token_policy(policy)
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let token = sign_in(&idp, &user("ada")).await.unwrap().access_token;

    let (ours, _) = builder();
    let ours = ours
        .clock(Arc::new(clock.clone()))
        .token_policy(TokenPolicy::new("ours", "app"))
        .key(theirs.foreign("https://idp.example"), KeyState::VerifyOnly)
        .build()
        .unwrap();
    let _running = ours.start().await.unwrap();
    let session = admit(&ours, &token).await.unwrap();
    assert_eq!(session.token().issuer(), Some("https://idp.example"));
    ours.sessions().end_by_access_token(&token).await.unwrap();
    let refused = admit(&ours, &token).await.unwrap_err();
    assert!(matches!(refused, Rejection::TokenRevoked { .. }));
}

#[tokio::test]
async fn a_start_that_was_given_up_can_be_tried_again() {
    let (auth, _mint, _clock) = testing::session();
    {
        let mut starting = std::pin::pin!(auth.start());
        // Begun, and dropped before it is done or in the very moment that it is.
        let _ = futures_util::poll!(&mut starting);
    }
    let running = auth.start().await;
    assert!(running.is_ok(), "{running:?}");
    assert!(auth.start().await.is_err(), "it runs already");
}

#[test]
fn absurd_durations_are_a_problem_and_not_a_panic() {
    for (name, value) in [
        ("JWT_ROTATION_GRACE", "300000000000y"),
        ("JWT_AUTO_REFRESH_THRESHOLD", "300000000000y"),
        ("JWT_SESSION_EXPIRY", "300000000000y"),
        ("STORE_TIMEOUT", "0s"),
        ("REVOCATION_MAX_STALENESS", "300000000000y"),
    ] {
        let env = Environment::from_pairs([(name, value)]);
        let built = JwtSession::builder().with_env(&env).build();
        assert!(built.is_err(), "{name}={value}");
    }
}

#[tokio::test]
async fn cleaning_up_ends_what_is_over_and_forgets_what_is_old() {
    let (builder, clock) = builder();
    let auth = builder.build().unwrap();
    for name in ["ada", "bob"] {
        sign_in(&auth, &user(name)).await.unwrap();
    }
    let clean_up = async || {
        let done = auth.sessions().clean_up().await.unwrap();
        (done.ended, done.forgotten, done.more)
    };
    assert_eq!(clean_up().await, (0, 0, false));
    clock.advance(400 * 24 * HOUR);
    assert_eq!(clean_up().await, (2, 0, false));
    clock.advance(400 * 24 * HOUR);
    assert_eq!(clean_up().await, (0, 2, false));
}

#[tokio::test]
async fn a_refresh_token_that_has_a_successor_is_good_until_its_own_end_and_a_grace() {
    let (builder, clock) = builder();
    let auth = builder.build().unwrap();
    let first = sign_in(&auth, &user("ada"))
        .await
        .unwrap()
        .refresh_token
        .unwrap();
    let sessions = auth.sessions();
    let worth = async |token: &str| {
        sessions
            .inspect_refresh_token(token)
            .await
            .unwrap()
            .unwrap()
    };
    let alone = worth(&first).await;
    clock.advance(HOUR);
    let second = sessions
        .refresh(&first)
        .await
        .unwrap()
        .refresh_token
        .unwrap();
    let (before, now) = (worth(&first).await, worth(&second).await);
    assert_eq!((before.generation, now.generation), (1, 2));
    assert_eq!(
        before.expires_at,
        alone.expires_at + Duration::from_secs(30)
    );
    assert_eq!(now.expires_at, alone.expires_at + HOUR);
    assert_eq!((before.issued_at, now.issued_at), (None, Some(clock.now())));
}

#[tokio::test]
async fn who_repeats_a_refresh_too_often_is_told_to_wait_for_less_than_the_grace() {
    let (builder, _clock) = builder();
    let auth = builder.build().unwrap();
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let token = tokens.refresh_token.unwrap();
    for _ in 0..300 {
        match auth.sessions().refresh(&token).await {
            Ok(_) => {}
            Err(SessionError::TooManyRepeats { retry_after }) => {
                assert_eq!(retry_after, Duration::from_secs(15));
                return;
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("there is no end to it");
}
