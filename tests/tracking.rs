//! Tokens by their ids: listed, revoked, read.

#[path = "support/mod.rs"]
mod support;
#[path = "tracking/untracked.rs"]
mod untracked;

use std::time::Duration;

use support::{builder, sign_in, user};
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::{JwtSession, ParseError, SessionError, SessionLimit, TokenId};

fn service() -> JwtSession {
    let (builder, _) = builder();
    builder.limit(SessionLimit::rejecting(3)).build().unwrap()
}

#[tokio::test]
async fn each_live_session_has_one_active_token_that_of_its_current_generation() {
    let (auth, ada) = (service(), user("ada"));
    let first = sign_in(&auth, &ada).await.unwrap();
    let second = sign_in(&auth, &ada).await.unwrap();
    sign_in(&auth, &user("bob")).await.unwrap();
    let refresh = first.refresh_token.as_deref().unwrap();
    let renewed = auth.sessions().refresh(refresh).await.unwrap();

    let mut expected = Vec::new();
    for token in [&renewed.access_token, &second.access_token] {
        let session = auth.parse(token).await.unwrap();
        expected.push(session.token_id().unwrap().clone());
    }
    let mut active = auth.sessions().active_tokens(&ada).await.unwrap();
    active.sort();
    expected.sort();
    assert_eq!(active, expected);
}

#[tokio::test]
async fn revoking_a_token_ends_its_session_and_lowers_the_count() {
    let (auth, ada) = (service(), user("ada"));
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(sign_in(&auth, &ada).await.unwrap());
    }
    let refused = sign_in(&auth, &ada).await.unwrap_err();
    assert_eq!(refused.to_string(), "maximum concurrent sessions exceeded");

    let session = auth.parse(&tokens[1].access_token).await.unwrap();
    let id = session.token_id().unwrap();
    let done = auth.sessions().revoke_token(&ada, id).await.unwrap();
    assert_eq!(done.count(), 1);
    assert_eq!(auth.sessions().count(&ada).await.unwrap(), 2);
    let refused = auth.parse(&tokens[1].access_token).await.unwrap_err();
    assert_eq!(refused.to_string(), "token is already revoked");
    assert!(auth.parse(&tokens[0].access_token).await.is_ok());

    // Once more is no error, and there is room again.
    let done = auth.sessions().revoke_token(&ada, id).await.unwrap();
    assert_eq!(done.count(), 0);
    assert!(sign_in(&auth, &ada).await.is_ok());
}

#[tokio::test]
async fn a_token_that_a_refresh_has_renewed_still_finds_its_session() {
    let (auth, ada) = (service(), user("ada"));
    let first = sign_in(&auth, &ada).await.unwrap();
    let refresh = first.refresh_token.as_deref().unwrap();
    auth.sessions().refresh(refresh).await.unwrap();
    let old = TokenId::of_generation(first.session_id, 1);
    auth.sessions().revoke_token(&ada, &old).await.unwrap();
    assert_eq!(auth.sessions().count(&ada).await.unwrap(), 0);
}

#[tokio::test]
async fn another_users_token_is_not_found_and_stays() {
    let (auth, ada, bob) = (service(), user("ada"), user("bob"));
    let tokens = sign_in(&auth, &ada).await.unwrap();
    let of_ada = TokenId::of_generation(tokens.session_id, 1);
    let unknown = TokenId::new("unknown").unwrap();
    for id in [&of_ada, &unknown] {
        let refused = auth.sessions().revoke_token(&bob, id).await;
        assert!(
            matches!(refused, Err(SessionError::NotFound)),
            "{refused:?}"
        );
    }
    assert!(auth.parse(&tokens.access_token).await.is_ok());
}

#[tokio::test]
async fn reading_a_token_says_what_is_wrong_with_it() {
    let (builder, clock) = builder();
    let (auth, ada) = (builder.build().unwrap(), user("ada"));
    assert_eq!(
        auth.parse("nothing").await.unwrap_err(),
        ParseError::Malformed
    );
    let forged = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.AAAA";
    assert_eq!(auth.parse(forged).await.unwrap_err(), ParseError::Invalid);

    let tokens = sign_in(&auth, &ada).await.unwrap();
    auth.sessions().roles_changed(&ada).await.unwrap();
    let stale = auth.parse(&tokens.access_token).await.unwrap_err();
    assert_eq!(stale, ParseError::Stale);

    let tokens = sign_in(&auth, &ada).await.unwrap();
    clock.advance(Duration::from_secs(3 * 3_600));
    let expired = auth.parse(&tokens.access_token).await.unwrap_err();
    assert_eq!(expired, ParseError::Expired);

    let tokens = sign_in(&auth, &ada).await.unwrap();
    let everything = auth.sessions().end_all(&ada);
    everything
        .because(EndReason::PasswordChanged)
        .await
        .unwrap();
    let revoked = auth.parse(&tokens.access_token).await.unwrap_err();
    assert_eq!(revoked, ParseError::Revoked);
}

#[tokio::test]
async fn what_users_see_of_their_sessions_holds_no_token_id() {
    let (auth, ada) = (service(), user("ada"));
    sign_in(&auth, &ada).await.unwrap();
    let ids = auth.sessions().active_tokens(&ada).await.unwrap();
    let listed = auth.sessions().list(&ada).await.unwrap();
    let shown = serde_json::to_string(&listed).unwrap() + &format!("{listed:?}");
    assert!(!shown.contains(ids[0].as_str()), "{shown}");
}
