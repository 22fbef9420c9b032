//! What a sign-in reads first, what it takes, and whose session a token can end.

mod support;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use support::{SECRET, admit, builder, sign_in, user};
use tower_jwt_session::events::Event;
use tower_jwt_session::revocation::EntryId;
use tower_jwt_session::session::Authentication;
use tower_jwt_session::testing;
use tower_jwt_session::{
    ClaimsSource, Clock, Device, Grants, JwtSession, Lifetimes, MemoryStore, Rejection,
    SessionError, SessionLimit, SessionStore, UnixTime, UserId,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// An application in which roles change while they are read: what it answers is the old ones.
#[derive(Clone)]
struct Racing {
    store: MemoryStore,
    changes: Arc<AtomicBool>,
}

impl ClaimsSource for Racing {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let read = Grants::default().role("former");
        if self.changes.swap(false, Ordering::SeqCst) {
            let raised = self.store.raise_roles(user, EntryId::random()).await;
            raised.expect("memory is always there");
        }
        Ok(Some(read))
    }
}

fn racing() -> (JwtSession, Racing, testing::ManualClock) {
    let (builder, clock) = builder();
    let source = Racing {
        store: MemoryStore::with_clock(Arc::new(clock.clone())),
        changes: Arc::default(),
    };
    let builder = builder.store(source.store.clone());
    let auth = builder.claims_source(source.clone()).build().unwrap();
    (auth, source, clock)
}

/// What becomes of a token; the store is asked, as nothing was started.
async fn assert_stale(auth: &JwtSession, token: &str) {
    let refused = admit(auth, token).await.map(|_| ());
    assert_eq!(refused, Err(Rejection::TokenStale));
}

#[tokio::test]
async fn a_role_change_between_ticket_and_sign_in_makes_the_token_stale_at_once() {
    let (auth, _source, _clock) = racing();
    let ada = user("ada");
    let ticket = auth.sessions().ticket(&ada).await.unwrap();
    auth.sessions().roles_changed(&ada).await.unwrap();
    let signed_in = auth.sessions().sign_in(ticket, Device::default());
    let tokens = signed_in.await.unwrap().tokens();
    assert_stale(&auth, &tokens.access_token).await;
    sign_in(&auth, &ada).await.unwrap();
}

#[tokio::test]
async fn roles_that_changed_while_they_were_read_are_stale_whatever_reads_them() {
    let (auth, source, clock) = racing();
    let ada = user("ada");
    source.changes.store(true, Ordering::SeqCst);
    let tokens = sign_in(&auth, &ada).await.unwrap();
    assert_stale(&auth, &tokens.access_token).await;

    clock.advance(HOUR);
    source.changes.store(true, Ordering::SeqCst);
    let refresh_token = tokens.refresh_token.as_deref().unwrap();
    let tokens = auth.sessions().refresh(refresh_token).await.unwrap();
    assert_stale(&auth, &tokens.access_token).await;

    let good = sign_in(&auth, &ada).await.unwrap();
    let session = admit(&auth, &good.access_token).await.unwrap();
    source.changes.store(true, Ordering::SeqCst);
    let again = auth.sessions();
    let again = again.reauthenticated(&session, Authentication::default());
    assert_stale(&auth, &again.await.unwrap().access_token).await;
}

#[tokio::test]
async fn a_token_counts_from_its_ticket_however_long_the_password_took() {
    let (builder, clock) = builder();
    let auth = builder.build().unwrap();
    clock.advance(Duration::from_millis(300));
    let taken_at = clock.now();
    let ticket = auth.sessions().ticket(&user("ada")).await.unwrap();
    clock.advance(Duration::from_secs(200));
    let signed_in = auth.sessions().sign_in(ticket, Device::default());
    let tokens = signed_in.await.unwrap().tokens();
    let session = admit(&auth, &tokens.access_token).await.unwrap();
    let facts = session.token().facts();
    assert!(facts.issued_at.unwrap() <= taken_at);
    let end = taken_at + Lifetimes::default().access();
    assert!(facts.expires_at >= end);
    assert!(facts.expires_at <= end + Duration::from_secs(1));
    assert!(tokens.expires_in <= 7_200 - 199);
}

#[tokio::test]
async fn a_user_whom_the_application_forgot_is_signed_out_by_the_next_sign_in() {
    let (auth, mint, _clock) = testing::session();
    let _running = auth.start().await.unwrap();
    let before = mint.user("ada").tokens().await;
    let other = mint.user("bob").tokens().await;
    admit(&auth, &before.access_token).await.unwrap();
    mint.remove(&user("ada"));
    let refused = sign_in(&auth, &user("ada")).await;
    assert!(matches!(refused, Err(SessionError::UnknownUser)));
    admit(&auth, &before.access_token).await.unwrap_err();
    assert_eq!(auth.sessions().count(&user("ada")).await.unwrap(), 0);
    admit(&auth, &other.access_token).await.unwrap();
}

#[tokio::test]
async fn a_user_whom_the_application_forgot_is_signed_out_by_proving_who_they_are() {
    let (auth, mint, _clock) = testing::session();
    let _running = auth.start().await.unwrap();
    let one = mint.user("ada").tokens().await;
    let other = mint.user("ada").tokens().await;
    let session = admit(&auth, &one.access_token).await.unwrap();
    admit(&auth, &other.access_token).await.unwrap();
    mint.remove(&user("ada"));
    let proven = auth.sessions();
    let proven = proven.reauthenticated(&session, Authentication::default());
    assert!(matches!(proven.await, Err(SessionError::UnknownUser)));
    for tokens in [&one, &other] {
        admit(&auth, &tokens.access_token).await.unwrap_err();
    }
    assert_eq!(auth.sessions().count(&user("ada")).await.unwrap(), 0);
}

#[tokio::test]
async fn what_a_sign_in_takes_is_bounded_and_refused_before_anything_is_made() {
    let (auth, _clock) = testing::session_with(tower_jwt_session::session::NoGrants);
    let ada = user("ada");
    let signing_in = async || {
        let ticket = auth.sessions().ticket(&ada).await.unwrap();
        auth.sessions().sign_in(ticket, Device::default())
    };
    let json = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for refused in [
        signing_in().await.named("x".repeat(65)),
        signing_in().await.named("a\nb"),
        signing_in().await.data(json(4_097)),
        signing_in().await.data("{"),
        signing_in().await.idempotency_key(""),
        signing_in().await.idempotency_key([7; 256]),
    ] {
        let refused = refused.await;
        assert!(matches!(refused, Err(SessionError::InvalidInput { .. })));
    }
    assert_eq!(auth.sessions().count(&ada).await.unwrap(), 0);

    let largest = signing_in().await.named(format!(" {} ", "x".repeat(64)));
    let largest = largest.data(json(4_096)).idempotency_key([7; 255]);
    let made = largest.await.unwrap().session;
    assert_eq!(made.name, Some("x".repeat(64)));
    let data = auth.sessions().data(&ada, made.id).await.unwrap();
    assert_eq!(data, Some(json(4_096)));
}

#[tokio::test]
async fn a_sign_in_beyond_the_limit_is_told_and_ends_nobody() {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ears = heard.clone();
    let (builder, _clock) = builder();
    let hear = move |_: UnixTime, event: &Event| match event {
        Event::SignInRefused { user } => ears.lock().unwrap().push(format!("refused {user}")),
        Event::SignedIn { user, .. } => ears.lock().unwrap().push(format!("in {user}")),
        Event::Ended { .. } => ears.lock().unwrap().push("ended".to_owned()),
        _ => {}
    };
    let builder = builder.limit(SessionLimit::rejecting(1)).observer(hear);
    let auth = builder.build().unwrap();
    sign_in(&auth, &user("ada")).await.unwrap();
    let refused = sign_in(&auth, &user("ada")).await;
    assert!(matches!(refused, Err(SessionError::LimitReached)));
    assert_eq!(*heard.lock().unwrap(), ["in ada", "refused ada"]);
}

/// The token with another user in it, signed as ours are.
fn handed_to(name: &str, token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"] = name.into();
    let signed = format!(
        "{}.{}",
        parts[0],
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn signing_out_by_an_expired_token_never_ends_another_users_session() {
    let (builder, clock) = builder();
    let auth = builder.build().unwrap();
    let ada = user("ada");
    let tokens = sign_in(&auth, &ada).await.unwrap();
    let (ours, bobs) = (
        handed_to("ada", &tokens.access_token),
        handed_to("bob", &tokens.access_token),
    );
    clock.advance(3 * HOUR);
    let ended = auth.sessions().end_by_access_token(&bobs).await;
    assert!(matches!(ended, Err(SessionError::NotFound)));
    assert_eq!(auth.sessions().count(&ada).await.unwrap(), 1);
    let ended = auth.sessions().end_by_access_token(&ours).await;
    assert_eq!(ended.unwrap().count(), 1);
}
