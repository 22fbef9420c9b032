//! RFC 7009.

use std::time::Duration;

use tower_jwt_session::ParseError;

use crate::service::Service;

const GARBAGE: [&str; 6] = [
    "x",
    "a.b.c",
    "tjs_rt_",
    "tjs_rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "eyJhbGciOiJub25lIn0.e30.",
    "\u{0}\u{ffff}",
];

#[tokio::test]
async fn an_access_token_ends_its_session_and_no_other() {
    let service = Service::new();
    let (phone, laptop) = (service.sign_in("ada").await, service.sign_in("ada").await);
    service
        .revoke(&[("token", &phone.access_token)])
        .await
        .done();
    let refused = service.auth.parse(&phone.access_token).await;
    assert_eq!(refused.unwrap_err(), ParseError::Revoked);
    assert!(service.auth.parse(&laptop.access_token).await.is_ok());
    // Once more is no error.
    let again = [("token", phone.access_token.as_str())];
    service.revoke(&again).await.done();
}

#[tokio::test]
async fn a_refresh_token_ends_its_session_also_when_it_was_used() {
    let service = Service::new();
    let first = service.sign_in("ada").await;
    let second = service.refresh(&first).await;
    let used = first.refresh_token.as_deref().unwrap();
    service.revoke(&[("token", used)]).await.done();
    assert!(!service.is_alive(&second).await);
    let refused = service.auth.parse(&second.access_token).await;
    assert_eq!(refused.unwrap_err(), ParseError::Revoked);
}

#[tokio::test]
async fn an_expired_access_token_still_ends_its_session() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    service.clock.advance(Duration::from_secs(3 * 3_600));
    service.revoke(&[("token", &ada.access_token)]).await.done();
    assert!(!service.is_alive(&ada).await);
}

#[tokio::test]
async fn an_expired_refresh_token_is_no_error() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    service.clock.advance(Duration::from_secs(40 * 86_400));
    let token = ada.refresh_token.as_deref().unwrap();
    service.revoke(&[("token", token)]).await.done();
}

#[tokio::test]
async fn a_wrong_or_unknown_hint_does_no_harm() {
    let service = Service::new();
    for hint in ["refresh_token", "access_token", "id_token", ""] {
        let ada = service.sign_in("ada").await;
        let form = [
            ("token", ada.access_token.as_str()),
            ("token_type_hint", hint),
        ];
        service.revoke(&form).await.done();
        assert!(!service.is_alive(&ada).await, "{hint}");

        let ada = service.sign_in("ada").await;
        let refresh_token = ada.refresh_token.as_deref().unwrap();
        let form = [("token_type_hint", hint), ("token", refresh_token)];
        service.revoke(&form).await.done();
        assert!(!service.is_alive(&ada).await, "{hint}");
    }
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_answered_like_one() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    let other = Service::signing_with(b"of another service: 7a1c9e3f5b2d8064");
    let foreign = other.sign_in("ada").await;
    let foreign_refresh = foreign.refresh_token.as_deref().unwrap();
    let tampered = ada.access_token.replacen('.', ".e", 1);
    let more = [foreign.access_token.as_str(), foreign_refresh, &tampered];
    for token in GARBAGE.into_iter().chain(more) {
        service.revoke(&[("token", token)]).await.done();
    }
    assert!(service.is_alive(&ada).await);
    assert!(other.is_alive(&foreign).await);
}

#[tokio::test]
async fn credentials_that_come_along_are_not_looked_at() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    let form = crate::service::encoded(&[
        ("token", &ada.access_token),
        ("client_id", "an app"),
        ("client_secret", "wrong"),
    ]);
    let headers = [("authorization", "Basic !!")];
    service.post("/oauth/revoke", &headers, &form).await.done();
    assert!(!service.is_alive(&ada).await);
}
