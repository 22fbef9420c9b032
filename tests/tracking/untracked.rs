//! Tokens that no session stands behind.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, StatusCode};
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::endpoints::{Endpoints, RequestBody};
use tower_jwt_session::events::Event;
use tower_jwt_session::revocation::Confirm;
use tower_jwt_session::session::{Authentication, UntrackedToken};
use tower_jwt_session::verify::{Migration, TokenPolicy, Untracked};
use tower_jwt_session::{
    ClaimsSource, Grants, Introspection, JwtSession, JwtSessionBuilder, JwtSessionLayer,
    ParseError, Rejection, Session, SessionError, SessionLimit, TokenId, UnixTime, UserId,
};

use crate::support::{self, admit, builder, sign_in, user};

fn policy() -> TokenPolicy {
    TokenPolicy::new("https://id.example", "api")
}

fn accepting(builder: JwtSessionBuilder) -> JwtSession {
    let policy = policy().with_untracked(Untracked::Accept);
    builder.token_policy(policy).build().unwrap()
}

fn service() -> JwtSession {
    accepting(builder().0)
}

async fn issue(auth: &JwtSession, user: &UserId) -> Result<UntrackedToken, SessionError> {
    let ticket = auth.sessions().ticket(user).await?;
    auth.sessions().issue_untracked(ticket).await
}

/// Sends a token through a layer.
async fn through(layer: JwtSessionLayer, token: &str) -> Result<Session, Rejection> {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let mut response = http::Response::new(support::Body::default());
        let session = request.extensions().get::<Session>().cloned();
        response.extensions_mut().insert(session.unwrap());
        Ok::<_, Infallible>(response)
    }));
    let mut response = service.oneshot(support::request(token)).await.unwrap();
    match response.extensions_mut().remove::<Rejection>() {
        Some(rejection) => Err(rejection),
        None => Ok(response.extensions_mut().remove().unwrap()),
    }
}

#[tokio::test]
async fn untracked_tokens_are_made_and_read_only_where_the_policy_accepts_them() {
    let made = issue(&service(), &user("ada")).await.unwrap();
    let (builder, _) = builder();
    let auth = builder.token_policy(policy()).build().unwrap();
    let refused = issue(&auth, &user("ada")).await.unwrap_err();
    assert!(matches!(refused, SessionError::InvalidInput { .. }));
    let refused = auth.parse(&made.access_token).await.unwrap_err();
    assert_eq!(refused, ParseError::Invalid);
    let layer = auth.layer().with_untracked(Untracked::Accept);
    let refused = through(layer, &made.access_token).await.unwrap_err();
    assert_eq!(refused, Rejection::InvalidToken);
    let introspected = auth.introspect(&made.access_token).await;
    assert!(matches!(introspected, Introspection::Inactive));
}

#[tokio::test]
async fn a_migration_is_no_way_in_for_untracked_tokens() {
    let made = issue(&service(), &user("ada")).await.unwrap();
    let (builder, _) = builder();
    let migration = Migration::until(UnixTime::MAX);
    let auth = builder.token_policy(policy().with_migration(migration));
    let auth = auth.build().unwrap();
    let refused = auth.parse(&made.access_token).await.unwrap_err();
    assert_eq!(refused, ParseError::Invalid);
}

#[tokio::test]
async fn a_layer_takes_untracked_tokens_only_where_it_is_told_so() {
    let (auth, ada) = (service(), user("ada"));
    let made = issue(&auth, &ada).await.unwrap();
    let refused = admit(&auth, &made.access_token).await.unwrap_err();
    assert_eq!(refused, Rejection::InvalidToken);

    for confirm in [Confirm::Always, Confirm::FirstSight, Confirm::Never] {
        let layer = auth.layer().with_untracked(Untracked::Accept);
        let layer = layer.with_confirm(confirm);
        for _ in 0..2 {
            let admitted = through(layer.clone(), &made.access_token).await;
            let session = admitted.unwrap();
            assert_eq!((session.subject(), session.id()), (&ada, None));
            assert_eq!(session.token_id(), Some(&made.id));
            session.confirm().await.unwrap();
        }
    }
    // What is admitted elsewhere is no reason to let it in here.
    let refused = admit(&auth, &made.access_token).await.unwrap_err();
    assert_eq!(refused, Rejection::InvalidToken);
}

#[tokio::test]
async fn untracked_tokens_are_neither_counted_nor_listed_nor_limited() {
    let (builder, _) = builder();
    let (auth, ada) = (
        accepting(builder.limit(SessionLimit::rejecting(1))),
        user("ada"),
    );
    sign_in(&auth, &ada).await.unwrap();
    for _ in 0..3 {
        let made = issue(&auth, &ada).await.unwrap();
        assert!(auth.parse(&made.access_token).await.is_ok());
    }
    assert_eq!(auth.sessions().count(&ada).await.unwrap(), 1);
    assert_eq!(auth.sessions().list(&ada).await.unwrap().len(), 1);
    assert_eq!(auth.sessions().active_tokens(&ada).await.unwrap().len(), 1);
    assert_eq!(auth.sessions().population().await.unwrap().sessions, 1);
}

#[tokio::test]
async fn an_untracked_token_ends_with_everything_of_its_user_and_with_nobody_elses() {
    let (auth, ada) = (service(), user("ada"));
    let signed_in = sign_in(&auth, &ada).await.unwrap();
    let made = issue(&auth, &ada).await.unwrap();
    auth.sessions().end_all(&user("bob")).await.unwrap();
    assert!(auth.parse(&made.access_token).await.is_ok());

    // The session that is spared is not the token's.
    let others = auth.sessions().end_all(&ada).except(signed_in.session_id);
    others.await.unwrap();
    let refused = auth.parse(&made.access_token).await.unwrap_err();
    assert_eq!(refused, ParseError::Revoked);
    assert!(auth.parse(&signed_in.access_token).await.is_ok());

    let made = issue(&auth, &ada).await.unwrap();
    assert!(auth.parse(&made.access_token).await.is_ok());
    auth.sessions().erase(&ada).await.unwrap();
    let refused = auth.parse(&made.access_token).await.unwrap_err();
    assert_eq!(refused, ParseError::Revoked);
}

#[tokio::test]
async fn an_untracked_token_of_the_old_password_is_out_when_it_is_made() {
    let (auth, ada) = (service(), user("ada"));
    let ticket = auth.sessions().ticket(&ada).await.unwrap();
    auth.sessions().end_all(&ada).await.unwrap();
    let made = auth.sessions().issue_untracked(ticket).await.unwrap();
    for confirm in [Confirm::Always, Confirm::FirstSight, Confirm::Never] {
        let layer = auth.layer().with_untracked(Untracked::Accept);
        let refused = through(layer.with_confirm(confirm), &made.access_token).await;
        assert!(
            matches!(refused, Err(Rejection::TokenRevoked { .. })),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn an_untracked_token_is_revoked_by_its_id_or_its_text() {
    let (auth, ada) = (service(), user("ada"));
    let (first, second) = (
        issue(&auth, &ada).await.unwrap(),
        issue(&auth, &ada).await.unwrap(),
    );
    let sessions = auth.sessions();
    sessions
        .revoke_untracked(&user("bob"), &first.id)
        .await
        .unwrap();
    assert!(auth.parse(&first.access_token).await.is_ok());
    sessions.revoke_untracked(&ada, &first.id).await.unwrap();
    let refused = auth.parse(&first.access_token).await.unwrap_err();
    assert_eq!(refused.to_string(), "token is already revoked");

    assert!(auth.parse(&second.access_token).await.is_ok());
    let by_text = sessions.end_by_access_token(&second.access_token);
    by_text.await.unwrap();
    let refused = auth.parse(&second.access_token).await.unwrap_err();
    assert_eq!(refused, ParseError::Revoked);
    let introspected = auth.introspect(&second.access_token).await;
    assert!(matches!(introspected, Introspection::Inactive));
}

#[tokio::test]
async fn an_untracked_token_lives_no_longer_than_it_was_given_nor_than_others() {
    let (builder, clock) = builder();
    let (auth, ada) = (accepting(builder), user("ada"));
    let sessions = auth.sessions();
    for lifetime in [Duration::ZERO, Duration::from_secs(2 * 3_600 + 1)] {
        let ticket = sessions.ticket(&ada).await.unwrap();
        let refused = sessions.issue_untracked(ticket).lifetime(lifetime).await;
        assert!(matches!(refused, Err(SessionError::InvalidInput { .. })));
    }
    let ticket = sessions.ticket(&ada).await.unwrap();
    clock.advance(Duration::from_secs(20));
    let minute = Duration::from_secs(60);
    let made = sessions.issue_untracked(ticket.clone()).lifetime(minute);
    let made = made.await.unwrap();
    assert_eq!(made.expires_in, 40);
    assert!(auth.parse(&made.access_token).await.is_ok());
    clock.advance(Duration::from_secs(46));
    let refused = auth.parse(&made.access_token).await.unwrap_err();
    assert_eq!(refused, ParseError::Expired);
    let late = sessions.issue_untracked(ticket).lifetime(minute).await;
    assert!(matches!(late, Err(SessionError::TicketOutdated)));
}

/// Knows nobody, or everybody as an administrator.
#[derive(Clone)]
struct Directory(Arc<Mutex<bool>>);

impl Directory {
    fn of_everybody() -> Self {
        Self(Arc::new(Mutex::new(true)))
    }
}

impl ClaimsSource for Directory {
    type Error = Infallible;

    async fn claims(&self, _: &UserId) -> Result<Option<Grants>, Infallible> {
        let known = *self.0.lock().unwrap();
        Ok(known.then(|| Grants::default().role("admin")))
    }
}

#[tokio::test]
async fn the_roles_of_an_untracked_token_are_those_of_before_they_changed_or_none() {
    let directory = Directory::of_everybody();
    let (builder, _) = builder();
    let (auth, ada) = (
        accepting(builder.claims_source(directory.clone())),
        user("ada"),
    );
    let made = issue(&auth, &ada).await.unwrap();
    let session = auth.parse(&made.access_token).await.unwrap();
    assert!(session.has_role("admin"));
    auth.sessions().roles_changed(&ada).await.unwrap();
    let refused = auth.parse(&made.access_token).await.unwrap_err();
    assert_eq!(refused, ParseError::Stale);

    let made = issue(&auth, &ada).await.unwrap();
    *directory.0.lock().unwrap() = false;
    let refused = issue(&auth, &ada).await.unwrap_err();
    assert!(matches!(refused, SessionError::UnknownUser));
    let refused = auth.parse(&made.access_token).await.unwrap_err();
    assert_eq!(refused, ParseError::Revoked);
}

#[tokio::test]
async fn an_untracked_token_has_no_session_to_act_on_and_is_never_fresh() {
    let directory = Directory::of_everybody();
    let (builder, _) = builder();
    let (auth, ada) = (accepting(builder.claims_source(directory)), user("ada"));
    let made = issue(&auth, &ada).await.unwrap();
    let layer = auth.layer().with_untracked(Untracked::Accept);
    let session = through(layer.clone(), &made.access_token).await.unwrap();
    let fresh = session.require_fresh(Duration::from_secs(3_600));
    assert!(matches!(
        fresh,
        Err(Rejection::InsufficientAuthentication { .. })
    ));
    let renewed = auth.sessions();
    let renewed = renewed.reauthenticated(&session, Authentication::default());
    assert!(matches!(renewed.await, Err(SessionError::NotFound)));

    // Behind a layer that takes it, and behind the endpoints' own.
    let endpoints = Endpoints::new(auth.clone());
    let nothing = service_fn(|_: Request<RequestBody>| async {
        Ok::<_, Infallible>(http::Response::new(support::Body::default()))
    });
    for (method, path) in [
        (Method::GET, "/sessions"),
        (Method::POST, "/sessions/revoke-all"),
        (Method::GET, "/api/admin/sessions"),
        (Method::POST, "/api/admin/users/ada/revoke-all"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {}", made.access_token));
        let request = request.body(support::Body::default()).unwrap();
        let service = layer.layer(endpoints.around(nothing));
        let response = service.oneshot(request).await.unwrap();
        assert!(
            matches!(
                response.status(),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
            ),
            "{path}: {}",
            response.status()
        );
    }
}

#[tokio::test]
async fn that_an_untracked_token_was_made_and_revoked_is_told_without_its_text() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (builder, _) = builder();
    let hear = told.clone();
    let observer = move |_: UnixTime, event: &Event| hear.lock().unwrap().push(event.clone());
    let (auth, ada) = (accepting(builder.observer(observer)), user("ada"));
    let made = issue(&auth, &ada).await.unwrap();
    auth.sessions()
        .revoke_untracked(&ada, &made.id)
        .await
        .unwrap();
    let told = told.lock().unwrap();
    assert!(matches!(&told[..], [
        Event::UntrackedIssued { user, token, .. },
        Event::TokenRevoked { token: Some(revoked), .. },
    ] if *user == ada && *token == made.id && *revoked == made.id));
    let shown = format!("{told:?} {made:?}");
    assert!(!shown.contains(&made.access_token), "{shown}");
    assert_eq!(told[0].user(), Some(&ada));
}

#[tokio::test]
async fn a_token_of_a_session_is_not_revoked_as_an_untracked_one_of_another_user() {
    let (auth, ada) = (service(), user("ada"));
    let tokens = sign_in(&auth, &ada).await.unwrap();
    let id = TokenId::of_generation(tokens.session_id, 1);
    auth.sessions()
        .revoke_untracked(&user("bob"), &id)
        .await
        .unwrap();
    assert!(auth.parse(&tokens.access_token).await.is_ok());
}

#[tokio::test]
async fn what_is_printed_of_an_untracked_token_names_it_and_holds_none_of_it() {
    let auth = service();
    let ticket = auth.sessions().ticket(&user("ada")).await.unwrap();
    let issuing = auth.sessions().issue_untracked(ticket);
    assert!(format!("{issuing:?}").starts_with("IssueUntracked { user: "));
    let token = issuing.await.unwrap();
    let printed = format!("{token:?}");
    assert!(printed.starts_with("UntrackedToken { id: ") && printed.contains(token.id.as_str()));
    assert!(!printed.contains(token.access_token.rsplit('.').next().unwrap()));
}
