//! A flood of bad tokens, through the layer.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwt_session::middleware::Anonymous;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::verify::{Algorithm, BadTokenShare, Key, KeyState, TokenPolicy};
use tower_jwt_session::{
    ClientAddress, Device, JwtSession, Rejection, SessionError, SessionLimit, UserId,
};

struct World {
    auth: JwtSession,
    key: Key,
    clock: Arc<ManualClock>,
}

impl World {
    async fn new() -> Self {
        Self::with(BadTokenShare::default()).await
    }

    async fn with(share: BadTokenShare) -> Self {
        Self::over(share, Key::generate(Some("k"), Algorithm::Es256).unwrap()).await
    }

    async fn over(share: BadTokenShare, key: Key) -> Self {
        let clock = Arc::new(ManualClock::new());
        let auth = JwtSession::builder()
            .key(key.clone(), KeyState::Sign)
            .limit(SessionLimit::UNLIMITED)
            .refresh_secret(b"0d4c1b7f9a3e5628d7c0f1e2b3a49586")
            .token_policy(TokenPolicy::new("a", "a").with_bad_token_share(share))
            .clock(clock.clone())
            .build()
            .unwrap();
        std::mem::forget(auth.start().await.unwrap());
        Self { auth, key, clock }
    }

    async fn token(&self, user: &str) -> String {
        let sessions = self.auth.sessions();
        let ticket = sessions.ticket(&UserId::new(user).unwrap()).await.unwrap();
        let signed_in = sessions.sign_in(ticket, Device::default()).await.unwrap();
        signed_in.tokens().access_token.to_string()
    }

    async fn ask(&self, token: &str, from: Option<&str>) -> (StatusCode, Option<Rejection>) {
        let answer = self.send(request(token, from)).await;
        (
            answer.status(),
            answer.extensions().get::<Rejection>().cloned(),
        )
    }

    /// Whether somebody new is looked at from one of these: two networks share their place by
    /// chance, once in some thousands; not two of them.
    async fn looks_at(&self, token: &str, from: [&str; 2]) -> bool {
        let [first, second] = from;
        self.ask(token, Some(first)).await.0 == StatusCode::OK
            || self.ask(token, Some(second)).await.0 == StatusCode::OK
    }

    async fn send(&self, request: Request<()>) -> Response<Full<Bytes>> {
        let layer = self.auth.layer().with_anonymous(Anonymous::Allow);
        let mut service = layer.layer(service_fn(|_| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        service.ready().await.unwrap().call(request).await.unwrap()
    }

    /// Floods from an address until no new token is looked at.
    async fn flood(&self, from: Option<&str>) {
        let forged = forged(&self.token("somebody").await);
        for _ in 0..1_000_000 {
            match self.ask(&forged, from).await {
                (_, Some(Rejection::InvalidToken)) => {}
                (StatusCode::SERVICE_UNAVAILABLE, Some(Rejection::Overloaded { .. })) => return,
                other => panic!("neither refused nor asked to wait: {other:?}"),
            }
        }
        panic!("a million forged tokens were checked");
    }
}

fn request(token: &str, from: Option<&str>) -> Request<()> {
    let mut request = Request::new(());
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    if let Some(from) = from {
        let address: IpAddr = from.parse().unwrap();
        request
            .extensions_mut()
            .insert(ClientAddress::from(address));
    }
    request
}

/// The same under a signature that is none.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    format!(
        "{signed}.{}A",
        signature[..signature.len() - 1]
            .chars()
            .rev()
            .collect::<String>()
    )
}

#[tokio::test]
async fn who_is_known_goes_on_and_who_is_new_is_told_when_to_come_again() {
    let world = World::new().await;
    let known = world.token("ada").await;
    assert_eq!(world.ask(&known, None).await.0, StatusCode::OK);
    world.flood(None).await;
    assert_eq!(world.ask(&known, None).await.0, StatusCode::OK);

    let new = world.token("grace").await;
    let answer = world.send(request(&new, None)).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(
        world.ask(&new, None).await.0,
        StatusCode::OK,
        "as it was told"
    );
}

#[tokio::test]
async fn a_flood_from_one_network_keeps_nobody_of_another_out() {
    let world = World::new().await;
    world.flood(Some("203.0.113.7")).await;
    let new = world.token("grace").await;
    let (status, _) = world.ask(&new, Some("203.0.113.7")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(world.looks_at(&new, ["198.51.100.1", "192.0.2.1"]).await);

    let world = World::new().await;
    world.flood(Some("2001:db8:1:2::3")).await;
    let new = world.token("grace").await;
    let (status, _) = world.ask(&new, Some("2001:db8:1:2:ffff::1")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "the same customer");
    let elsewhere = ["2001:db8:1:3::3", "2001:db8:1:4::3"];
    assert!(world.looks_at(&new, elsewhere).await);
}

#[tokio::test]
async fn a_token_that_was_not_looked_at_is_called_neither_dead_nor_nobodys() {
    let world = World::new().await;
    world.flood(None).await;
    let new = world.token("grace").await;
    let sessions = world.auth.sessions();
    let ended = sessions.end_by_access_token(&new).await;
    assert!(
        matches!(ended, Err(SessionError::Overloaded { .. })),
        "{ended:?}"
    );
    let parsed = world.auth.parse(&new).await;
    assert!(
        matches!(
            parsed,
            Err(tower_jwt_session::ParseError::StoreUnavailable { .. })
        ),
        "{parsed:?}"
    );
    let told = world.auth.introspect(&new).await;
    assert!(
        matches!(
            told,
            tower_jwt_session::Introspection::StoreUnavailable { .. }
        ),
        "{told:?}"
    );

    let mut request = Request::new(());
    let cookie = format!("__Host-at={new}").parse().unwrap();
    request.headers_mut().insert(header::COOKIE, cookie);
    let answer = world.send(request).await;
    assert_eq!(
        answer.status(),
        StatusCode::SERVICE_UNAVAILABLE,
        "not taken for nobody"
    );
}

#[tokio::test]
async fn also_questions_in_vain_have_their_share() {
    let world = World::with(BadTokenShare::percent(1)).await;
    let known = world.token("ada").await;
    assert_eq!(world.ask(&known, None).await.0, StatusCode::OK);
    // The same key, and a store that knows other sessions.
    let elsewhere = World::over(BadTokenShare::default(), world.key.clone()).await;
    let cores = std::thread::available_parallelism().unwrap().get();
    let mut asked = 0;
    loop {
        let token = elsewhere.token("grace").await;
        match world.ask(&token, None).await.1 {
            Some(Rejection::TokenRevoked { reason: None }) => asked += 1,
            Some(Rejection::Overloaded { .. }) => break,
            other => panic!("neither refused nor asked to wait: {other:?}"),
        }
        assert!(asked <= 60 * cores, "the store is asked without end");
    }
    assert!(asked >= 40 * cores, "{asked}");
    assert_eq!(world.ask(&known, None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_question_in_vain_costs_what_its_signature_did() {
    let asked = async |algorithm| {
        let key = Key::generate(Some("k"), algorithm).unwrap();
        let world = World::over(BadTokenShare::percent(1), key.clone()).await;
        let elsewhere = World::over(BadTokenShare::default(), key).await;
        let mut asked = 0;
        loop {
            let token = elsewhere.token("grace").await;
            match world.ask(&token, None).await.1 {
                Some(Rejection::TokenRevoked { reason: None }) => asked += 1,
                Some(Rejection::Overloaded { .. }) => return asked,
                other => panic!("neither refused nor asked to wait: {other:?}"),
            }
            assert!(asked < 10_000, "the store is asked without end");
        }
    };
    let (cheap, dear) = (asked(Algorithm::Es256).await, asked(Algorithm::Es384).await);
    assert!(dear * 2 < cheap, "{dear} of ES384, {cheap} of ES256");
}

#[tokio::test]
async fn with_the_share_off_every_token_is_checked() {
    let world = World::with(BadTokenShare::UNLIMITED).await;
    let bad = forged(&world.token("somebody").await);
    let cores = std::thread::available_parallelism().unwrap().get();
    for _ in 0..1_500 * cores {
        assert_eq!(world.ask(&bad, None).await.1, Some(Rejection::InvalidToken));
    }
}
