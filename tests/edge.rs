//! Limits on attempts, failed refreshes, places, and the headers of answers: over HTTP, in process.

mod support;

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use support::{builder, sign_in, user};
use tower::ServiceExt;
use tower_jwt_session::events::Event;
use tower_jwt_session::session::{AddressDetail, RefreshFailure};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    Device, GeoIpDatabase, JwtSession, JwtSessionBuilder, Peer, RateLimit, TrustedProxies, UnixTime,
};

const WINDOW: Duration = Duration::from_secs(900);
const REFRESHES: [(&str, &str); 3] = [
    ("/api/auth/refresh", "refresh_token"),
    ("/api/token/refresh", "refreshToken"),
    ("/api/token/auto-refresh", "refreshToken"),
];

fn limited(max: u32) -> (JwtSession, ManualClock) {
    let (builder, clock) = builder();
    let builder = builder.rate_limit(RateLimit::new(max, WINDOW));
    (builder.build().expect("a good configuration"), clock)
}

fn app(auth: &JwtSession) -> Router {
    Router::new().merge(auth.routes()).merge(auth.auth_routes())
}

async fn post(auth: &JwtSession, from: Option<&str>, path: &str, body: Value) -> Response {
    let request = Request::post(path).header("content-type", "application/json");
    let mut request = request.body(Body::from(body.to_string())).unwrap();
    if let Some(from) = from {
        let address: IpAddr = from.parse().unwrap();
        request.extensions_mut().insert(Peer::Address(address));
    }
    app(auth).oneshot(request).await.unwrap()
}

async fn document(response: Response) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn refreshes_from_one_address_are_limited_on_every_path_together() {
    let (auth, clock) = limited(6);
    for (path, field) in REFRESHES.iter().cycle().take(6) {
        let body = json!({ *field: "nonsense", "accessToken": "nonsense" });
        let answer = post(&auth, Some("192.0.2.1"), path, body).await;
        assert_eq!(answer.status(), 401, "{path}");
        assert_eq!(answer.headers()["ratelimit-limit"], "6");
        assert!(answer.headers().contains_key("ratelimit-remaining"));
        assert!(answer.headers().contains_key("ratelimit-reset"));
    }
    for (path, _) in REFRESHES {
        let answer = post(&auth, Some("192.0.2.1"), path, json!("whatever")).await;
        assert_eq!(answer.status(), 429, "{path}");
        assert_eq!(answer.headers()["retry-after"], "150");
        assert_eq!(answer.headers()["ratelimit-remaining"], "0");
        let envelope = path.starts_with("/api/token/");
        let document = document(answer).await;
        assert_eq!(document["code"], "rate_limited");
        assert_eq!(document.get("success").is_some(), envelope, "{path}");
    }
    let (path, _) = REFRESHES[0];
    let other = post(&auth, Some("192.0.2.2"), path, json!({})).await;
    assert_eq!(other.status(), 422);
    clock.advance(Duration::from_secs(150));
    let later = post(&auth, Some("192.0.2.1"), path, json!({})).await;
    assert_eq!(later.status(), 422);
}

#[tokio::test]
async fn a_session_is_limited_wherever_its_token_is_brought_from() {
    let (auth, clock) = limited(5);
    let mut tokens = sign_in(&auth, &user("ada")).await.unwrap();
    for host in 1..=5 {
        clock.advance(Duration::from_millis(1));
        let from = format!("192.0.2.{host}");
        let body = json!({ "refresh_token": tokens.refresh_token });
        let answer = post(&auth, Some(&from), "/api/auth/refresh", body).await;
        assert_eq!(answer.status(), 200);
        tokens.refresh_token = document(answer).await["refresh_token"]
            .as_str()
            .map(str::to_owned);
    }
    let body = json!({ "refresh_token": tokens.refresh_token });
    let answer = post(&auth, Some("192.0.2.9"), "/api/auth/refresh", body).await;
    assert_eq!(answer.status(), 429);
    let forged = json!({ "refresh_token": "nonsense" });
    let answer = post(&auth, Some("192.0.2.9"), "/api/auth/refresh", forged).await;
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn without_a_limit_nothing_is_counted_and_nothing_is_told_of_it() {
    let (auth, _clock) = limited(0);
    for _ in 0..300 {
        let answer = post(&auth, Some("192.0.2.1"), "/api/auth/refresh", json!({})).await;
        assert_eq!(answer.status(), 422);
        assert!(!answer.headers().contains_key("ratelimit-limit"));
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_a_limit_of_its_own() {
    let (builder, _clock) = builder();
    let auth = builder
        .rate_limit(RateLimit::new(2, WINDOW))
        .trusted_proxies(TrustedProxies::parse("10.0.0.0/8").unwrap())
        .build()
        .unwrap();
    let ask = async |client: &str| {
        let request = Request::post("/api/auth/refresh")
            .header("content-type", "application/json")
            .header("x-forwarded-for", format!("198.51.100.1, {client}"))
            .extension(Peer::Address([10, 0, 0, 1].into()));
        let request = request.body(Body::from("{}")).unwrap();
        app(&auth).oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!([ask("192.0.2.1").await, ask("192.0.2.1").await], [422, 422]);
    assert_eq!(ask("192.0.2.1").await, 429);
    assert_eq!(ask("192.0.2.2").await, 422);
}

type Heard = Arc<Mutex<Vec<Event>>>;

fn listening() -> (JwtSessionBuilder, ManualClock, Heard) {
    let heard = Heard::default();
    let hears = heard.clone();
    let (builder, clock) = builder();
    let builder = builder.observer(move |_: UnixTime, event: &Event| {
        hears.lock().unwrap().push(event.clone());
    });
    (builder, clock, heard)
}

/// Why, whose, from where, and the two counts.
type Failed = (RefreshFailure, Option<String>, Option<IpAddr>, u32, u32);

fn failures(heard: &Heard) -> Vec<Failed> {
    let heard = heard.lock().unwrap();
    let failed = heard.iter().filter_map(|event| match event {
        Event::RefreshFailed {
            user,
            address,
            why,
            failures,
            ..
        } => {
            let user = user.as_ref().map(ToString::to_string);
            Some((*why, user, *address, failures.session, failures.address))
        }
        _ => None,
    });
    failed.collect()
}

#[tokio::test]
async fn a_failed_refresh_is_counted_by_session_and_address_and_told() {
    let (builder, clock, heard) = listening();
    let auth = builder.build().unwrap();
    let ada = user("ada");
    let first = sign_in(&auth, &ada).await.unwrap();
    let second = sign_in(&auth, &ada).await.unwrap();
    let old = json!({ "refresh_token": first.refresh_token });

    post(&auth, Some("192.0.2.1"), "/api/auth/refresh", old.clone()).await;
    clock.advance(Duration::from_secs(120));
    let refreshed = sign_out_and_refresh(&auth, &first.refresh_token).await;
    assert_eq!(refreshed, 401);
    let forged = json!({ "refresh_token": "nonsense" });
    post(&auth, Some("192.0.2.7"), "/api/auth/refresh", forged).await;
    post(&auth, Some("192.0.2.7"), "/api/auth/refresh", old).await;

    let address: Option<IpAddr> = Some("192.0.2.7".parse().unwrap());
    let ada = Some("ada".to_owned());
    assert_eq!(
        failures(&heard),
        [
            (RefreshFailure::Over, ada.clone(), None, 1, 0),
            (RefreshFailure::InvalidToken, None, address, 0, 1),
            (RefreshFailure::Over, ada, address, 2, 2),
        ]
    );
    let counts = auth.sessions().failures(Some(first.session_id), address);
    assert_eq!((counts.session, counts.address), (2, 2));

    let request = Request::get("/api/token/session-stats/ada");
    let request = request.header("authorization", format!("Bearer {}", second.access_token));
    let answer = app(&auth).oneshot(request.body(Body::empty()).unwrap());
    let answer = document(answer.await.unwrap()).await;
    assert_eq!(answer["data"]["failedRefreshes"], 2, "{answer}");
}

/// What a refresh of a session answers that was ended just before.
async fn sign_out_and_refresh(auth: &JwtSession, refresh_token: &Option<String>) -> u16 {
    let token = refresh_token.as_deref().unwrap();
    let _done = auth.sessions().end_by_refresh_token(token).await.unwrap();
    let body = json!({ "refresh_token": token });
    let answer = post(auth, None, "/api/auth/refresh", body).await;
    answer.status().as_u16()
}

#[tokio::test]
async fn a_stolen_token_that_comes_back_is_a_failure_by_name() {
    let (builder, clock, heard) = listening();
    let auth = builder.build().unwrap();
    let stolen = sign_in(&auth, &user("ada")).await.unwrap();
    let mut token = stolen.refresh_token.clone();
    for _ in 0..2 {
        clock.advance(Duration::from_secs(600));
        let next = auth.sessions().refresh(&token.unwrap()).await.unwrap();
        token = next.refresh_token;
    }
    clock.advance(Duration::from_secs(600));
    let body = json!({ "refresh_token": stolen.refresh_token });
    let answer = post(&auth, Some("198.51.100.1"), "/api/auth/refresh", body).await;
    assert_eq!(document(answer).await["code"], "refresh_reused");
    let [(why, ..)] = failures(&heard)[..] else {
        panic!("one failure, not {:?}", failures(&heard));
    };
    assert_eq!(why, RefreshFailure::Reused);
}

#[tokio::test]
async fn a_session_shows_where_it_was_signed_in_and_perhaps_no_more_than_the_network() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/geoip/places.mmdb");
    let (builder, _clock) = builder();
    let auth = builder
        .locator(GeoIpDatabase::open(&file).unwrap())
        .stored_addresses(AddressDetail::Shortened)
        .build()
        .unwrap();
    let ada = user("ada");
    let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)";
    let mut device = Device::from_user_agent(phone);
    device.address = Some("192.0.2.77".parse().unwrap());
    let ticket = auth.sessions().ticket(&ada).await.unwrap();
    let signed_in = auth.sessions().sign_in(ticket, device).await.unwrap();
    let token = signed_in.tokens().access_token;

    let request = Request::get("/sessions").header("authorization", format!("Bearer {token}"));
    let answer = app(&auth).oneshot(request.body(Body::empty()).unwrap());
    let session = document(answer.await.unwrap()).await[0].take();
    assert_eq!(session["country"], "Germany");
    assert_eq!(session["city"], "Berlin");
    assert_eq!(session["ip_address"], "192.0.2.0");
    assert_eq!(session["is_mobile"], true);
}

#[tokio::test]
async fn every_answer_tells_browsers_what_not_to_do_with_it() {
    let (auth, _clock) = limited(100);
    for (path, status) in [
        ("/sessions", 401),
        ("/api/token/health", 200),
        ("/.well-known/jwks.json", 200),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = app(&auth).oneshot(request).await.unwrap();
        let headers = answer.headers();
        if status == 200 {
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
            assert_eq!(headers["x-frame-options"], "DENY", "{path}");
            assert!(headers.contains_key("content-security-policy"), "{path}");
        }
        assert!(!headers.contains_key("strict-transport-security"), "{path}");
    }
    let tokens = sign_in(&auth, &user("ada")).await.unwrap();
    let body = json!({ "refresh_token": tokens.refresh_token });
    let answer = post(&auth, None, "/api/auth/refresh", body).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
}
