//! A look at what a token is worth, which is no use of it.

use super::super::store::About;
use super::*;
use crate::error::StoreError;

/// What the session of a token is said to be; whether that was asked is counted.
async fn inspect(
    bench: &Bench,
    token: &VerifiedToken,
    confirm: Confirm,
    session: Answer,
) -> (Result<ActiveToken, Refusal>, u32) {
    let mut asked = 0;
    let said = async {
        asked += 1;
        Ok::<_, StoreError>(session)
    };
    let now = bench.clock.instants();
    let inspected = bench.node.inspect(token.clone(), confirm, now, said).await;
    (inspected, asked)
}

/// Of a token about which all is well: how often its session, and how often the log was asked.
async fn asks(bench: &Bench, token: &VerifiedToken, confirm: Confirm) -> (u32, usize) {
    let before = bench.store.state().asked.len();
    let (inspected, session) = inspect(bench, token, confirm, Answer::Alive).await;
    assert!(inspected.is_ok(), "{inspected:?}");
    let asked = bench.store.state().asked[before..].to_vec();
    assert!(asked.iter().all(|question| question.about == About::Log));
    (session, asked.len())
}

#[tokio::test]
async fn only_what_this_node_does_not_know_is_asked() {
    let bench = Bench::new().await;
    let ours = token_of(&facts_of("ada"));
    let foreign = token_of(&foreign_facts_of("bob"));
    for (token, confirm, expected) in [
        (&ours, Confirm::Never, (0, 0)),
        (&ours, Confirm::FirstSight, (1, 0)),
        (&ours, Confirm::Always, (1, 1)),
        (&foreign, Confirm::Never, (0, 0)),
        (&foreign, Confirm::FirstSight, (0, 0)),
        (&foreign, Confirm::Always, (0, 1)),
    ] {
        assert_eq!(asks(&bench, token, confirm).await, expected, "{confirm:?}");
    }
    // To look is no use: the next look asks again, and a request does.
    assert_eq!(asks(&bench, &ours, Confirm::FirstSight).await, (1, 0));
    assert!(!bench.is_warm(&ours, true));
    assert!(bench.request(&ours, &FIRST_SIGHT).await.is_ok());
    assert_eq!(asks(&bench, &ours, Confirm::FirstSight).await, (0, 0));
    assert_eq!(asks(&bench, &ours, Confirm::Always).await, (1, 1));
    // Who was let in without being confirmed is not taken for confirmed.
    let unconfirmed = token_of(&facts_of("eve"));
    assert!(bench.request(&unconfirmed, &NEVER).await.is_ok());
    assert_eq!(asks(&bench, &unconfirmed, Confirm::Never).await, (0, 0));
    assert_eq!(
        asks(&bench, &unconfirmed, Confirm::FirstSight).await,
        (1, 0)
    );
}

#[tokio::test]
async fn what_is_said_of_the_session_decides() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    for (answer, expected) in [
        (Answer::Revoked(EndReason::SignedOut), signed_out()),
        (Answer::Stale, Refusal::Stale),
        (Answer::Unknown, Refusal::UnknownSession),
    ] {
        let (inspected, _) = inspect(&bench, &token, Confirm::FirstSight, answer).await;
        assert_eq!(inspected.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn where_the_view_is_old_the_log_is_asked_and_without_it_there_is_no_answer() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    bench.clock.advance(2 * STALENESS);
    assert_eq!(asks(&bench, &token, Confirm::Never).await, (0, 1));
    bench.store.write(ends_token(&facts, bench.store.now()));
    let (ended, asked) = inspect(&bench, &token, Confirm::FirstSight, Answer::Alive).await;
    assert_eq!((ended.unwrap_err(), asked), (signed_out(), 0));
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    let other = token_of(&facts_of("bob"));
    let (inspected, _) = inspect(&bench, &other, Confirm::Never, Answer::Alive).await;
    assert_eq!(inspected.unwrap_err(), away());
}

#[tokio::test]
async fn what_is_ended_here_counts_before_and_while_it_is_asked() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    let while_asked = async {
        bench.end(facts.session.unwrap(), &facts.user).await;
        Ok(Answer::Alive)
    };
    let now = bench.clock.instants();
    let inspected = bench
        .node
        .inspect(token.clone(), Confirm::FirstSight, now, while_asked)
        .await;
    assert_eq!(inspected.unwrap_err(), signed_out());
    let (inspected, asked) = inspect(&bench, &token, Confirm::FirstSight, Answer::Alive).await;
    assert_eq!((inspected.unwrap_err(), asked), (signed_out(), 0));
}

#[tokio::test]
async fn over_the_store_of_another_deployment_nothing_is_said_that_would_have_to_be_asked() {
    let bench = Bench::new().await;
    let ours = token_of(&facts_of("ada"));
    let warm = token_of(&facts_of("bob"));
    assert!(bench.request(&warm, &FIRST_SIGHT).await.is_ok());
    bench.store.state().deployment = 2;
    bench.store.state().history = 2;
    assert!(bench.node.step().await.is_err());
    for confirm in [Confirm::FirstSight, Confirm::Always] {
        let (inspected, asked) = inspect(&bench, &ours, confirm, Answer::Alive).await;
        assert_eq!((inspected.unwrap_err(), asked), (away(), 0), "{confirm:?}");
    }
    // What was known before holds while the view is fresh.
    assert_eq!(asks(&bench, &ours, Confirm::Never).await, (0, 0));
    bench.clock.advance(2 * STALENESS);
    let (inspected, asked) = inspect(&bench, &ours, Confirm::Never, Answer::Alive).await;
    assert_eq!((inspected.unwrap_err(), asked), (away(), 0));
}
