//! Tokens of another issuer at the endpoints: a `sub`, a `sid` or a role that happens to be one of
//! ours gives nobody our users' sessions.

mod support;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use support::{SECRET, admit, sign_in, user};
use tower::ServiceExt;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::verify::{Algorithm, Key, KeyState, Origin, TokenPolicy};
use tower_jwt_session::{Clock, JwtSession, Running, Tokens};

const THEIRS: &[u8] = b"4f1c9d7e2b8a6053fe1d9c7b5a3f8e6d4c2b";

/// Ada's session here, and how another issuer would speak of somebody.
struct World {
    auth: JwtSession,
    app: Router,
    ada: Tokens,
    clock: ManualClock,
    _running: Running,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let key = |id, secret| Key::hmac(Some(id), Algorithm::Hs256, secret).unwrap();
        let issuer = Some("them".into());
        let theirs = key("theirs", THEIRS).with_origin(Origin::Foreign { issuer });
        let auth = JwtSession::builder()
            .key(key("ours", SECRET), KeyState::Sign)
            .key(theirs, KeyState::VerifyOnly)
            .refresh_secret(SECRET)
            .token_policy(TokenPolicy::new("us", "us").add_issuer("them"))
            .clock(std::sync::Arc::new(clock.clone()))
            .build()
            .unwrap();
        let running = auth.start().await.unwrap();
        let ada = sign_in(&auth, &user("ada")).await.unwrap();
        Self {
            app: auth.routes().merge(auth.auth_routes()),
            auth,
            ada,
            clock,
            _running: running,
        }
    }

    /// A genuine token of theirs, for a user of the name "ada" and an administrator there.
    fn theirs(&self, session: &str) -> String {
        let now = self.clock.instants().wall.as_secs();
        let header = json!({ "alg": "HS256", "kid": "theirs", "typ": "at+jwt" });
        let claims = json!({
            "iss": "them", "aud": "us", "sub": "ada", "sid": session, "jti": "their-token",
            "roles": ["admin"], "iat": now, "exp": now + 600,
            "gen": 1, "ugen": u64::MAX, "rgen": u64::MAX,
        });
        let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, THEIRS);
        let tag = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    async fn call(&self, token: &str, method: &str, path: &str) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        let answer = self.app.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let document: Value = serde_json::from_slice(&body).unwrap_or_default();
        (status, document["code"].clone())
    }

    async fn ada_is_still_here(&self) -> bool {
        admit(&self.auth, &self.ada.access_token).await.is_ok()
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_sees_and_ends_no_sessions_of_ours() {
    let world = World::new().await;
    let session = world.ada.session_id.to_string();
    let theirs = world.theirs(&session);
    admit(&world.auth, &theirs).await.expect("it is genuine");
    let own = format!("/sessions/{session}");
    let name = format!("{own}/name?name=mine");
    let ended_as_admin = format!("/api/admin/sessions/{session}");
    let rows = [
        ("GET", "/sessions", "insufficient_scope"),
        ("GET", "/sessions?state=ended", "insufficient_scope"),
        ("DELETE", &own, "insufficient_scope"),
        ("PATCH", &name, "insufficient_scope"),
        ("POST", "/sessions/revoke-all", "insufficient_scope"),
        (
            "POST",
            "/sessions/revoke-all?keep_current=false",
            "insufficient_scope",
        ),
        ("GET", "/api/token/session-stats/ada", "insufficient_scope"),
        ("GET", "/api/token/session-stats/bob", "insufficient_role"),
        ("GET", "/api/admin/sessions", "insufficient_role"),
        ("GET", "/api/admin/audit", "insufficient_role"),
        ("DELETE", &ended_as_admin, "insufficient_role"),
        (
            "POST",
            "/api/admin/users/ada/revoke-all",
            "insufficient_role",
        ),
        (
            "DELETE",
            "/api/admin/users/ada/sessions",
            "insufficient_role",
        ),
    ];
    for (method, path, code) in rows {
        let answer = world.call(&theirs, method, path).await;
        assert_eq!(answer, (403, code.into()), "{method} {path}");
        assert!(world.ada_is_still_here().await, "{method} {path}");
    }
}

#[tokio::test]
async fn a_sign_out_with_a_token_of_another_issuer_never_claims_what_is_not_so() {
    let world = World::new().await;
    let theirs = world.theirs("their-session");
    let (status, _) = world.call(&theirs, "POST", "/api/auth/logout").await;
    let admitted = admit(&world.auth, &theirs).await.is_ok();
    assert_eq!(status == 204, !admitted, "{status}");
    assert!(world.ada_is_still_here().await);
}

#[tokio::test]
async fn a_sign_out_from_a_session_that_has_ended_is_done() {
    let world = World::new().await;
    for _ in 0..2 {
        let answer = world
            .call(&world.ada.access_token, "POST", "/api/auth/logout")
            .await;
        assert_eq!(answer.0, 204);
    }
    let erased = world.auth.sessions().erase(&user("ada")).await;
    erased.unwrap();
    let answer = world
        .call(&world.ada.access_token, "POST", "/api/auth/logout")
        .await;
    assert_eq!(answer.0, 204);
    assert!(!world.ada_is_still_here().await);
}
