//! RFC 7662.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tower_jwt_session::UserId;
use tower_jwt_session::revocation::EndReason;

use crate::service::{CLIENT, SECRET, Service, encoded};

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

#[tokio::test]
async fn an_active_access_token_is_described() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    let answer = service.introspect(&ada.access_token).await;
    let told = answer.active();
    let session = service.auth.parse(&ada.access_token).await.unwrap();
    let now = service.clock_secs();
    assert_eq!(
        *told,
        json!({
            "active": true,
            "token_type": "Bearer",
            "scope": "read write",
            "client_id": "tower-jwt-session",
            "exp": now + 7_200,
            "iat": now,
            "sub": "ada",
            "aud": "tower-jwt-session",
            "iss": "tower-jwt-session",
            "jti": session.token_id().unwrap().as_str(),
            "sid": ada.session_id.to_string(),
            "roles": ["user"],
            "auth_time": now,
        })
    );
}

#[tokio::test]
async fn a_refresh_token_cannot_pass_for_an_access_token() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    let token = ada.refresh_token.as_deref().unwrap();
    let answer = service.introspect(token).await;
    let now = service.clock_secs();
    assert_eq!(
        *answer.active(),
        json!({
            "active": true,
            "token_type": "refresh_token",
            "client_id": "tower-jwt-session",
            "exp": now + 30 * 86_400,
            "iat": now,
            "sub": "ada",
            "iss": "tower-jwt-session",
            "sid": ada.session_id.to_string(),
            "auth_time": now,
        })
    );
}

#[tokio::test]
async fn the_client_says_who_it_is_by_basic_or_in_the_form() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    let token = ada.access_token.as_str();
    service.introspect(token).await.active();
    service
        .introspect_as(&basic(CLIENT, SECRET), token)
        .await
        .active();
    let wrong = [
        basic(CLIENT, "wrong"),
        basic("another", SECRET),
        basic(CLIENT, ""),
        basic("", ""),
    ];
    for wrong in wrong {
        let answer = service.introspect_as(&wrong, token).await;
        let answer = answer.refused(401, "invalid_client", "invalid_credentials");
        assert_eq!(answer.challenges().len(), 2);
    }
    for (id, secret) in [(CLIENT, "wrong"), ("", SECRET), ("another", SECRET)] {
        let form = [
            ("token", token),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let form = encoded(&form);
        let answer = service.post("/oauth/introspect", &[], &form).await;
        answer.refused(401, "invalid_client", "invalid_credentials");
    }
}

#[tokio::test]
async fn nobody_is_told_anything_and_shown_both_ways_in() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    for token in [ada.access_token.as_str(), "garbage"] {
        let form = encoded(&[("token", token)]);
        let answer = service.post("/oauth/introspect", &[], &form).await;
        answer.refused(401, "invalid_client", "missing_token");
        let challenges = answer.challenges();
        assert_eq!(challenges[0], "Bearer");
        assert!(challenges[1].starts_with("Basic realm="), "{challenges:?}");
    }
}

#[tokio::test]
async fn administrators_may_ask_and_others_learn_nothing() {
    let service = Service::new();
    let root = service.sign_in("root").await;
    let ada = service.sign_in("ada").await;
    let bob = service.sign_in("bob").await;
    let bearer = |token: &str| format!("Bearer {token}");
    let token = ada.access_token.as_str();
    let told = service
        .introspect_as(&bearer(&root.access_token), token)
        .await;
    assert_eq!(told.active()["sub"], "ada");

    // Another's token, one's own, and none: all the same.
    let refusal = service
        .introspect_as(&bearer(&bob.access_token), token)
        .await;
    assert_eq!(refusal.status, 403);
    assert_eq!(refusal.body["code"], "insufficient_role");
    assert!(!refusal.text.contains("ada"), "{refusal:?}");
    for other in [bob.access_token.as_str(), "garbage"] {
        let same = service
            .introspect_as(&bearer(&bob.access_token), other)
            .await;
        assert_eq!(
            (same.status, same.text),
            (refusal.status, refusal.text.clone())
        );
    }
    let bad = service.introspect_as("Bearer garbage", token).await;
    assert_eq!(bad.status, 401);
    assert!(bad.challenges()[0].contains("error=\"invalid_token\""));
    service
        .auth
        .sessions()
        .end(root.session_id, EndReason::SignedOut)
        .await
        .unwrap();
    let ended = service
        .introspect_as(&bearer(&root.access_token), token)
        .await;
    assert_eq!(ended.status, 401);
}

#[tokio::test]
async fn two_ways_to_say_who_asks_are_one_too_many() {
    let service = Service::new();
    let root = service.sign_in("root").await;
    let form = encoded(&[
        ("token", "x"),
        ("client_id", CLIENT),
        ("client_secret", SECRET),
    ]);
    let by_bearer = format!("Bearer {}", root.access_token);
    for authorization in [by_bearer, basic(CLIENT, SECRET)] {
        let headers = [("authorization", authorization.as_str())];
        let answer = service.post("/oauth/introspect", &headers, &form).await;
        answer.refused(400, "invalid_request", "invalid_input");
    }
}

#[tokio::test]
async fn what_is_not_active_tells_nothing_more() {
    let service = Service::new();
    let other = Service::signing_with(b"of another service: 7a1c9e3f5b2d8064");
    let foreign = other.sign_in("ada").await;
    service.introspect(&foreign.access_token).await.inactive();
    let foreign_refresh = foreign.refresh_token.as_deref().unwrap();
    service.introspect(foreign_refresh).await.inactive();
    for garbage in ["x", "a.b.c", "tjs_rt_x", "\u{0}"] {
        service.introspect(garbage).await.inactive();
    }

    let ended = service.sign_in("ada").await;
    service
        .revoke(&[("token", &ended.access_token)])
        .await
        .done();
    service.introspect(&ended.access_token).await.inactive();
    let refresh = ended.refresh_token.as_deref().unwrap();
    service.introspect(refresh).await.inactive();

    let expired = service.sign_in("ada").await;
    service.clock.advance(Duration::from_secs(3 * 3_600));
    service.introspect(&expired.access_token).await.inactive();
    let refresh = expired.refresh_token.as_deref().unwrap();
    service.introspect(refresh).await.active();
    service.clock.advance(Duration::from_secs(30 * 86_400));
    service.introspect(refresh).await.inactive();
}

#[tokio::test]
async fn a_token_with_outdated_roles_is_not_active_and_its_refresh_token_is() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    let user = UserId::new("ada").unwrap();
    service.auth.sessions().roles_changed(&user).await.unwrap();
    service.introspect(&ada.access_token).await.inactive();
    let refresh = ada.refresh_token.as_deref().unwrap();
    service.introspect(refresh).await.active();
}

#[tokio::test]
async fn everything_of_a_user_that_was_ended_is_not_active() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    let user = UserId::new("ada").unwrap();
    service.auth.sessions().end_all(&user).await.unwrap();
    service.introspect(&ada.access_token).await.inactive();
    let refresh = ada.refresh_token.as_deref().unwrap();
    service.introspect(refresh).await.inactive();
}

#[tokio::test]
async fn introspection_is_no_use_of_a_token() {
    let service = Service::new();
    let first = service.sign_in("ada").await;
    let second = service.refresh(&first).await;
    let before = service.record(&second).await;
    let refresh = second.refresh_token.as_deref().unwrap();
    for _ in 0..2 {
        service.introspect(&second.access_token).await.active();
        service.introspect(refresh).await.active();
    }
    assert_eq!(service.record(&second).await, before);
    assert!(!before.refresh.used);
    // Nor does it hide the first use that comes after it.
    service.auth.parse(&second.access_token).await.unwrap();
    assert!(service.record(&second).await.refresh.used);
}

#[tokio::test]
async fn a_node_that_knows_a_token_answers_by_itself() {
    let service = Service::new();
    let running = service.auth.start().await.unwrap();
    let ada = service.sign_in("ada").await;
    service.introspect(&ada.access_token).await.active();
    assert!(!service.record(&ada).await.refresh.used);
    service.auth.parse(&ada.access_token).await.unwrap();
    assert!(service.record(&ada).await.refresh.used);
    service.store.take_away();
    service.introspect(&ada.access_token).await.active();
    running.shutdown().await;
}

#[tokio::test]
async fn a_used_refresh_token_is_active_as_long_as_it_is_accepted_and_ends_nothing() {
    let service = Service::new();
    let first = service.sign_in("ada").await;
    let second = service.refresh(&first).await;
    let used = first.refresh_token.as_deref().unwrap();
    let answer = service.introspect(used).await;
    assert!(answer.active().get("iat").is_none());
    service.auth.parse(&second.access_token).await.unwrap();
    service.clock.advance(Duration::from_secs(120));
    // From here on it would be theft.
    service.introspect(used).await.inactive();
    assert!(service.is_alive(&second).await);
    let current = second.refresh_token.as_deref().unwrap();
    service.introspect(current).await.active();
}
