//! The check of one request: when the view answers, when the store is asked, and whose answer counts.

use super::*;

#[tokio::test]
async fn a_token_that_was_seen_before_is_admitted_without_another_look() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    assert_eq!(bench.store.questions(), 1);
    assert!(bench.is_warm(&token, true));
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    assert_eq!(bench.store.questions(), 1);
}

#[tokio::test]
async fn an_admitted_token_knows_the_view_that_admitted_it() {
    let bench = Bench::new().await;
    let active = bench.request(&token_of(&facts_of("ada")), &NEVER).await;
    let home = active.unwrap().revocations().expect("it was admitted");
    assert!(Arc::ptr_eq(&home, &bench.node));
    assert_eq!(home.clock().now(), fake::START);
}

#[tokio::test]
async fn first_sight_fails_closed_where_the_store_does_not_know_the_session() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.state().unknown.extend(facts.session);
    let token = token_of(&facts);
    let refused = bench.request(&token, &FIRST_SIGHT).await;
    assert_eq!(refused.unwrap_err(), Refusal::UnknownSession);
    assert!(bench.request(&token, &NEVER).await.is_ok());
    let refused = bench.request(&token, &FIRST_SIGHT).await;
    assert_eq!(refused.unwrap_err(), Refusal::UnknownSession);
}

#[tokio::test]
async fn another_issuers_token_is_never_asked_about_its_session() {
    let bench = Bench::new().await;
    let facts = foreign_facts_of("ada");
    bench.store.state().unknown.extend(facts.session);
    let token = token_of(&facts);
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    assert_eq!(bench.store.questions(), 0);
    assert!(bench.request(&token, &ALWAYS).await.is_ok());
    assert_eq!(bench.store.state().asked[0].about, About::Log);
}

#[tokio::test]
async fn a_node_that_never_loaded_the_log_works_with_the_store_alone() {
    let bench = Bench::unloaded(100);
    let facts = facts_of("ada");
    let token = token_of(&facts);
    for _ in 0..2 {
        assert!(bench.request(&token, &NEVER).await.is_ok());
    }
    assert_eq!(bench.store.questions(), 2);
    bench.store.write(ends_token(&facts, fake::START));
    let refused = bench.request(&token, &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[tokio::test]
async fn a_view_is_fresh_only_while_the_monotonic_clock_says_so() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    assert!(bench.request(&token, &NEVER).await.is_ok());
    bench.clock.advance_monotonic(STALENESS);
    bench.clock.set_back_wall(STALENESS);
    bench.pending(&token, &NEVER);
}

#[tokio::test]
async fn a_view_is_fresh_only_while_the_wall_clock_says_so() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    assert!(bench.request(&token, &NEVER).await.is_ok());
    // The machine slept: the monotonic clock stood still.
    bench.clock.advance_wall(STALENESS);
    bench.pending(&token, &NEVER);
    bench.poll().await;
    assert!(matches!(bench.check(&token, &NEVER), Verdict::Active(_)));
}

#[tokio::test]
async fn requests_that_read_the_same_ask_once() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    bench.store.hold_answers();
    let first = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    let second = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    until(|| bench.store.questions() == 1).await;
    bench.store.release_answers(1);
    assert!(first.await.unwrap().is_ok());
    assert!(second.await.unwrap().is_ok());
    assert_eq!(bench.store.questions(), 1);
}

#[tokio::test]
async fn a_request_does_not_join_a_question_that_was_sent_under_another_stamp() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    bench.store.hold_answers();
    let first = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    until(|| bench.store.questions() == 1).await;
    bench.node.apply(ends_token(&facts_of("ada"), fake::START));
    let second = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    until(|| bench.store.questions() == 2).await;
    bench.store.release_answers(2);
    assert!(first.await.unwrap().is_ok());
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_question_is_asked_again_when_the_one_who_asked_goes_away() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    bench.store.hold_answers();
    let first = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    until(|| bench.store.questions() == 1).await;
    let second = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    tokio::task::yield_now().await;
    first.abort();
    until(|| bench.store.questions() == 2).await;
    bench.store.release_answers(1);
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test]
async fn while_the_view_is_too_old_every_request_sends_its_own_question() {
    let bench = Bench::unloaded(100);
    let facts = facts_of("ada");
    let token = token_of(&facts);
    bench.store.hold_answers();
    let first = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    until(|| bench.store.questions() == 1).await;
    // Ended elsewhere after the store has answered the first; the second starts later.
    bench.store.write(ends_token(&facts, fake::START));
    let second = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    until(|| bench.store.questions() == 2).await;
    bench.store.release_answers(2);
    assert!(first.await.unwrap().is_ok());
    assert_eq!(second.await.unwrap().unwrap_err(), signed_out());
}

#[tokio::test]
async fn while_the_view_is_too_old_no_remembered_answer_counts() {
    let bench = Bench::unloaded(100);
    let facts = facts_of("ada");
    assert!(bench.request(&token_of(&facts), &FIRST_SIGHT).await.is_ok());
    bench.store.write(ends_token(&facts, fake::START));
    let refused = bench.request(&token_of(&facts), &FIRST_SIGHT).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[tokio::test]
async fn a_route_that_always_asks_joins_nobody_and_remembers_nothing() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    bench.store.hold_answers();
    let first = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &ALWAYS)));
    let second = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &ALWAYS)));
    until(|| bench.store.questions() == 2).await;
    bench.store.release_answers(2);
    let active = first.await.unwrap().unwrap();
    assert!(second.await.unwrap().is_ok());
    bench.pending(&token, &ALWAYS);

    bench.store.release_answers(1);
    assert!(bench.node.clone().confirm(active).await.is_ok());
    assert_eq!(bench.store.questions(), 3);
}

#[tokio::test]
async fn an_answer_is_remembered_for_a_token_that_fell_out_of_the_cache() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    assert!(bench.request(&token_of(&facts), &FIRST_SIGHT).await.is_ok());
    assert!(bench.request(&token_of(&facts), &FIRST_SIGHT).await.is_ok());
    assert_eq!(bench.store.questions(), 1);
}

#[tokio::test]
async fn a_remembered_answer_of_another_stamp_is_a_miss() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    assert!(bench.request(&token_of(&facts), &FIRST_SIGHT).await.is_ok());
    bench.node.apply(ends_token(&facts_of("ada"), fake::START));
    bench.pending(&token_of(&facts), &FIRST_SIGHT);
}

#[tokio::test]
async fn a_remembered_answer_about_other_facts_is_a_miss() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    assert!(bench.request(&token_of(&facts), &FIRST_SIGHT).await.is_ok());
    let mut older = facts;
    older.binding.as_mut().expect("it is ours").roles_gen = Counter::ZERO;
    bench.pending(&token_of(&older), &FIRST_SIGHT);
}

#[tokio::test]
async fn a_remembered_no_is_asked_again_after_a_second() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.state().unknown.extend(facts.session);
    let token = token_of(&facts);
    for _ in 0..3 {
        assert!(bench.request(&token, &FIRST_SIGHT).await.is_err());
    }
    assert_eq!(bench.store.questions(), 1);
    bench.store.state().unknown.clear();
    bench.clock.advance(Duration::from_secs(1));
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
}

#[tokio::test]
async fn the_view_is_searched_again_after_the_answer() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.hold_answers();
    let asked = bench.pending(&token_of(&facts), &FIRST_SIGHT);
    let asked = tokio::spawn(bench.node.clone().ask(asked));
    until(|| bench.store.questions() == 1).await;
    bench.end(facts.session.unwrap(), &facts.user).await;
    bench.store.release_answers(1);
    assert_eq!(asked.await.unwrap().unwrap_err(), signed_out());
}

#[tokio::test]
async fn an_admission_is_remembered_under_the_stamp_that_was_read_first() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    bench.store.hold_answers();
    let asked = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    until(|| bench.store.questions() == 1).await;
    bench.node.apply(ends_token(&facts_of("ada"), fake::START));
    bench.store.release_answers(1);
    assert!(asked.await.unwrap().is_ok());
    assert!(!bench.is_warm(&token, false));
}

#[tokio::test]
async fn an_entry_makes_only_tokens_of_its_user_look_again() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    assert!(bench.request(&token, &NEVER).await.is_ok());
    let hashes = bench.node.local.view().hashes();
    let of = |name: &str| epochs::shard(hashes.user(&user(name)), SHARDS);
    let other = (0..)
        .map(|n| format!("user-{n}"))
        .find(|name| of(name) != of("ada"))
        .unwrap();
    bench.node.apply(ends_token(&facts_of(&other), fake::START));
    assert!(bench.is_warm(&token, false));
}

#[tokio::test]
async fn an_entry_without_a_user_makes_every_token_look_again() {
    let bench = Bench::new().await;
    let tokens: Vec<_> = (0..20).map(|n| facts_of(&format!("user-{n}"))).collect();
    for facts in &tokens {
        let token = token_of(facts);
        assert!(bench.request(&token, &NEVER).await.is_ok());
        let session = facts.session.unwrap();
        bench.node.apply(ends(session, None, fake::START));
        let refused = bench.request(&token, &NEVER).await;
        assert_eq!(refused.unwrap_err(), signed_out());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_in_time_is_not_waited_for() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    bench.store.hold_answers();
    for terms in [FIRST_SIGHT, ALWAYS] {
        let began = tokio::time::Instant::now();
        let refused = bench.request(&token, &terms).await;
        assert_eq!(refused.unwrap_err(), away());
        assert_eq!(began.elapsed(), Duration::from_millis(250));
    }
}

#[tokio::test]
async fn without_the_store_only_a_token_that_was_admitted_before_goes_on_and_only_where_told() {
    let bench = Bench::new().await;
    let (known, new) = (facts_of("ada"), token_of(&facts_of("ada")));
    let token = token_of(&known);
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    bench.clock.advance(STALENESS);
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    let lenient = Terms {
        on_store_failure: OnStoreFailure::AcceptVerifiedUntilExpiry,
        ..FIRST_SIGHT
    };
    assert!(bench.request(&token, &lenient).await.is_ok());
    let refused = bench.request(&token, &FIRST_SIGHT).await;
    assert_eq!(refused.unwrap_err(), away());
    assert_eq!(bench.request(&new, &lenient).await.unwrap_err(), away());

    // What came of another session of the user is in the view, and is not about this one.
    bench.node.apply(ends_token(&facts_of("ada"), fake::START));
    assert!(bench.request(&token, &lenient).await.is_ok());

    bench.node.apply(ends_token(&known, fake::START));
    let refused = bench.request(&token, &lenient).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}
