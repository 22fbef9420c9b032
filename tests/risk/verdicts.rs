//! What comes of each verdict.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_jwt_session::guard::RequireFresh;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::Authentication;
use tower_jwt_session::session::risk::{
    RiskAssessment, RiskStep, RiskVerdict, RiskWatch, Severity,
};
use tower_jwt_session::{Device, MemoryStore, Rejection, SessionError};

use crate::support::broken::{Broken, Fault, Method};
use crate::support::{admit, request, user};
use crate::watched::{BERLIN, NOWHERE, TOKYO, Watched, always, at, on};

const HOUR: Duration = Duration::from_secs(3_600);

/// Whether a route behind [`RequireFresh`] lets the token pass.
async fn is_fresh(world: &Watched, token: &str) -> bool {
    let service = ServiceBuilder::new()
        .layer(world.auth.layer())
        .layer(RequireFresh::within(12 * HOUR))
        .service(service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
        }));
    let answer = service.oneshot(request(token)).await.expect("infallible");
    answer.status() == StatusCode::OK
}

#[tokio::test]
async fn by_default_what_is_unusual_is_flagged_and_nobody_is_kept_out() {
    let world = Watched::new(RiskWatch::default()).await;
    let first = world.sign_in(at(BERLIN)).await.unwrap();
    assert!(world.raised().is_empty());
    world.clock.advance(HOUR);
    let second = world.sign_in(at(TOKYO)).await.unwrap();
    let both = vec!["impossible_travel", "new_country"];
    assert_eq!(world.raised(), [(both.clone(), RiskVerdict::Flag)]);
    assert_eq!(world.flag(&second).await, both);
    assert_eq!(world.flag(&first).await, [""; 0]);
    for tokens in [&first, &second] {
        admit(&world.auth, &tokens.access_token).await.unwrap();
        assert!(is_fresh(&world, &tokens.access_token).await);
    }
    let sessions = world.auth.sessions();
    sessions
        .unflag(&user("ada"), second.session_id)
        .await
        .unwrap();
    assert_eq!(world.flag(&second).await, [""; 0]);
    let strangers = sessions.unflag(&user("eve"), second.session_id).await;
    assert!(matches!(strangers, Err(SessionError::NotFound)));
}

#[tokio::test]
async fn a_refresh_from_another_continent_is_noticed_and_the_next_from_there_is_not() {
    let world = Watched::new(RiskWatch::default()).await;
    let mut tokens = world.sign_in(at(BERLIN)).await.unwrap();
    for _ in 0..3 {
        world.clock.advance(HOUR);
        tokens = world.refresh(&tokens, at(BERLIN)).await.unwrap();
    }
    assert!(world.raised().is_empty());
    world.clock.advance(HOUR);
    let stolen = world.refresh(&tokens, on("curl", TOKYO)).await.unwrap();
    let raised = world.raised();
    let all = [
        "impossible_travel",
        "new_country",
        "user_agent_change",
        "address_change",
    ];
    assert_eq!(raised, [(all.to_vec(), RiskVerdict::Flag)]);
    assert_eq!(world.flag(&stolen).await.len(), 4);
    world.clock.advance(HOUR);
    world.refresh(&stolen, on("curl", TOKYO)).await.unwrap();
    assert!(world.raised().is_empty());
}

#[tokio::test]
async fn the_same_answer_given_again_to_somebody_else_is_noticed_too() {
    let world = Watched::new(always(RiskVerdict::AskFresh)).await;
    let tokens = world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    world.refresh(&tokens, at(BERLIN)).await.unwrap();
    let thief = world.refresh(&tokens, at(TOKYO)).await.unwrap();
    assert_eq!(world.raised().len(), 1);
    assert!(!is_fresh(&world, &thief.access_token).await);
}

#[tokio::test]
async fn a_session_that_is_asked_for_a_proof_goes_on_and_passes_no_fresh_route_until_it_is_given() {
    let world = Watched::new(always(RiskVerdict::AskFresh)).await;
    let home = world.sign_in(at(BERLIN)).await.unwrap();
    assert!(is_fresh(&world, &home.access_token).await);
    world.clock.advance(HOUR);
    let away = world.refresh(&home, at(TOKYO)).await.unwrap();
    let session = admit(&world.auth, &away.access_token).await.unwrap();
    assert!(!is_fresh(&world, &away.access_token).await);
    world.clock.advance(HOUR);
    let later = world.refresh(&away, at(TOKYO)).await.unwrap();
    assert!(
        !is_fresh(&world, &later.access_token).await,
        "a refresh is no proof"
    );

    let by_password = Authentication::default();
    let sessions = world.auth.sessions();
    let proven = sessions.reauthenticated_on(&session, by_password, at(TOKYO));
    let proven = proven.await.unwrap();
    assert!(is_fresh(&world, &proven.access_token).await);
    world.clock.advance(HOUR);
    let later = world.refresh(&later, at(TOKYO)).await.unwrap();
    assert!(is_fresh(&world, &later.access_token).await);
}

#[tokio::test]
async fn a_proof_from_elsewhere_is_flagged_and_never_asked_for_again() {
    let world = Watched::new(always(RiskVerdict::AskFresh)).await;
    let home = world.sign_in(at(BERLIN)).await.unwrap();
    let session = admit(&world.auth, &home.access_token).await.unwrap();
    world.clock.advance(HOUR);
    let sessions = world.auth.sessions();
    let proven = sessions.reauthenticated_on(&session, Authentication::default(), at(TOKYO));
    let proven = proven.await.unwrap();
    assert_eq!(world.raised().len(), 1);
    assert_eq!(world.flag(&home).await.len(), 2);
    assert!(is_fresh(&world, &proven.access_token).await);
}

#[tokio::test]
async fn a_session_that_a_policy_ends_hands_no_tokens_out_and_is_told_once() {
    let world = Watched::new(always(RiskVerdict::End)).await;
    let home = world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    let refused = world.sign_in(at(TOKYO)).await;
    let suspicious = |result: &Result<_, SessionError>| {
        matches!(result, Err(SessionError::Over(EndReason::Suspicious)))
    };
    assert!(suspicious(&refused));
    assert_eq!(world.auth.sessions().count(&user("ada")).await.unwrap(), 1);
    admit(&world.auth, &home.access_token).await.unwrap();

    assert!(suspicious(&world.refresh(&home, at(TOKYO)).await));
    let out = admit(&world.auth, &home.access_token).await.map(drop);
    let reason = Some(EndReason::Suspicious);
    assert_eq!(out, Err(Rejection::TokenRevoked { reason }));
    assert_eq!(world.raised().len(), 2);
    let again = world.refresh(&home, at(BERLIN)).await;
    assert!(suspicious(&again));
    assert!(world.raised().is_empty());
}

#[tokio::test]
async fn a_repeated_sign_in_is_judged_and_told_of_once() {
    let world = Watched::new(RiskWatch::default()).await;
    world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    let sessions = world.auth.sessions();
    for _ in 0..3 {
        let ticket = sessions.ticket(&user("ada")).await.unwrap();
        let sign_in = sessions.sign_in(ticket, at(TOKYO)).idempotency_key("one");
        sign_in.await.unwrap();
    }
    assert_eq!(world.raised().len(), 1);
    assert_eq!(world.notices().len(), 1);
}

#[tokio::test]
async fn failed_refreshes_flag_the_session_that_they_are_of() {
    let world = Watched::new(RiskWatch::default()).await;
    let first = world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    world.refresh(&first, at(BERLIN)).await.unwrap();
    // Within the grace the same answer is given again at most 200 times.
    for _ in 0..230 {
        let _ = world.refresh(&first, at(BERLIN)).await;
    }
    let told = vec!["refresh_failures"];
    let raised = world.raised();
    assert!(
        raised.contains(&(told.clone(), RiskVerdict::Flag)),
        "{raised:?}"
    );
    assert!(raised.len() <= 3, "{raised:?}");
    assert_eq!(world.flag(&first).await, told);
}

#[tokio::test]
async fn where_nothing_is_known_of_a_client_nothing_is_unusual() {
    let world = Watched::new(always(RiskVerdict::End)).await;
    let home = world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    let home = world.refresh(&home, Device::default()).await.unwrap();
    let token = home.refresh_token.as_deref().unwrap();
    world.clock.advance(HOUR);
    world.auth.sessions().refresh(token).await.unwrap();
    world.sign_in(Device::default()).await.unwrap();
    world.sign_in(at(NOWHERE)).await.unwrap();
    assert!(world.raised().is_empty());
}

#[tokio::test]
async fn a_service_that_does_not_watch_keeps_and_raises_nothing() {
    let world = Watched::with(|builder| builder).await;
    let home = world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    world.refresh(&home, at(TOKYO)).await.unwrap();
    let record = world.record(&home).await;
    assert_eq!((record.seen, record.flag), (None, None));
    assert!(world.raised().is_empty());
}

#[tokio::test]
async fn what_is_kept_is_encrypted_where_session_data_is() {
    let key = b"a key that only this test knows, of 40 bytes and more";
    let world =
        Watched::with(|builder| builder.watch_risk(RiskWatch::default()).encryption_key(key));
    let world = world.await;
    let home = world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    let away = world.refresh(&home, at(TOKYO)).await.unwrap();
    assert!(!world.flag(&away).await.is_empty());
    let record = world.record(&away).await;
    for text in [record.seen, record.flag, Some(record.device.label)] {
        assert!(text.expect("it is kept").starts_with("sealed:"));
    }
    assert_eq!(record.device.coordinates, None);
}

#[tokio::test]
async fn a_store_that_cannot_say_what_is_remembered_keeps_nobody_out() {
    let (builder, clock) = crate::support::builder();
    let broken = Broken::new(clock.clone(), clock.clone());
    let builder = builder
        .store(broken.clone())
        .watch_risk(RiskWatch::default());
    let world = Watched::on(builder, clock, MemoryStore::new()).await;
    world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    broken.set(Method::List, Fault::Fails);
    let tokens = world.sign_in(at(TOKYO)).await.unwrap();
    admit(&world.auth, &tokens.access_token).await.unwrap();
    assert!(world.raised().is_empty());
    assert_eq!(world.notices().len(), 1, "better one message too many");
}

#[tokio::test]
async fn a_verdict_that_cannot_be_written_down_is_found_again_at_the_next_refresh() {
    let (builder, clock) = crate::support::builder();
    let broken = Broken::new(clock.clone(), clock.clone());
    let watch = RiskWatch::deciding(|case: &RiskAssessment| match case.step {
        RiskStep::Refresh if case.severity() == Severity::High => RiskVerdict::AskFresh,
        _ => RiskVerdict::Flag,
    });
    let builder = builder.store(broken.clone()).watch_risk(watch);
    let world = Watched::on(builder, clock, MemoryStore::new()).await;
    let home = world.sign_in(at(BERLIN)).await.unwrap();
    world.clock.advance(HOUR);
    broken.set(Method::Change, Fault::Fails);
    let refused = world.refresh(&home, at(TOKYO)).await;
    assert!(matches!(refused, Err(SessionError::Store(_))));
    broken.mend(Method::Change);
    let away = world.refresh(&home, at(TOKYO)).await.unwrap();
    assert!(!is_fresh(&world, &away.access_token).await);
    assert_eq!(world.raised().len(), 2);
}
