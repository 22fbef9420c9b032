//! Following the log: freshness, gaps, write-back, leases.

use super::*;

const HISTORY: u128 = 2;

#[tokio::test]
async fn the_view_may_answer_for_the_bound_from_the_start_of_the_poll() {
    let bench = Bench::new().await;
    bench.clock.advance(STALENESS);
    assert!(!bench.node.status().fresh);
    bench.store.hold_polls();
    let node = bench.node.clone();
    let poll = tokio::spawn(async move { node.step().await });
    until(|| bench.store.polls() == 2).await;
    bench.clock.advance(STALENESS / 2);
    bench.store.release_polls(1);
    poll.await.unwrap().unwrap();

    assert_eq!(bench.node.status().age, Some(STALENESS / 2));
    bench
        .clock
        .advance(STALENESS / 2 - Duration::from_micros(1));
    assert!(bench.node.status().fresh);
    bench.clock.advance(Duration::from_micros(1));
    assert!(!bench.node.status().fresh);
}

#[tokio::test]
async fn a_poll_that_fails_extends_nothing() {
    let bench = Bench::new().await;
    bench.clock.advance(STALENESS / 2);
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    assert!(bench.node.step().await.is_err());
    bench.clock.advance(STALENESS / 2);
    assert!(!bench.node.status().fresh);
}

#[tokio::test]
async fn a_poll_that_finds_a_gap_extends_nothing() {
    let bench = Bench::new().await;
    bench.clock.advance(STALENESS);
    {
        let mut state = bench.store.state();
        state.history = HISTORY;
        // The reload that the gap calls for fails.
        state.deployment = 7;
    }
    assert!(bench.node.step().await.is_err());
    assert!(!bench.node.status().fresh);
}

#[tokio::test]
async fn another_deployments_store_is_refused_and_gets_nothing_written() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.end(facts.session.unwrap(), &facts.user).await;
    {
        let mut state = bench.store.state();
        state.appended.clear();
        state.log.clear();
        state.deployment = 7;
    }
    let error = bench.node.step().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Configuration);
    assert!(bench.store.state().appended.is_empty());
}

#[tokio::test]
async fn an_entry_of_another_node_holds_when_the_poll_is_over() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    bench.store.write(ends_token(&facts, fake::START));
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    bench.poll().await;
    let refused = bench.request(&token, &FIRST_SIGHT).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[tokio::test]
async fn a_poll_reports_what_was_applied_and_leases_for_the_bound_and_two_skews() {
    let bench = Bench::new().await;
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.poll().await;
    bench.poll().await;
    let polled = bench.store.state().polled.clone();
    let since: Vec<_> = polled.iter().map(|poll| poll.since.clone()).collect();
    let cursor = |read| Some(Cursor(vec![read]));
    assert_eq!(since, [None, cursor(0), cursor(1)]);
    assert!(polled.iter().all(|poll| poll.lease == STALENESS + 2 * SKEW));
}

#[tokio::test]
async fn a_poll_that_brought_something_is_followed_at_once_by_another() {
    let bench = Bench::new().await;
    assert!(!bench.node.step().await.unwrap());
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    assert!(bench.node.step().await.unwrap());
    assert!(!bench.node.step().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_log_is_read_at_each_interval_and_at_once_upon_a_hint() {
    let bench = Bench::new().await;
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 2).await;
    let began = tokio::time::Instant::now();
    bench.store.hint_at_news();
    until(|| bench.store.polls() == 3).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(3500)).await;
    assert_eq!(bench.store.polls(), 6);
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn news_are_reported_by_another_poll_without_a_wait() {
    let bench = Bench::new().await;
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 2).await;
    let began = tokio::time::Instant::now();
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.store.hint_at_news();
    let reported = |polls: &[fake::Polled]| {
        let since = Some(Cursor(vec![1]));
        polls.iter().filter(|poll| poll.since == since).count()
    };
    until(|| reported(&bench.store.state().polled) == 1).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    // And then it rests.
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(reported(&bench.store.state().polled), 1);
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_could_not_load_the_log_loads_it_when_the_store_is_back() {
    let bench = Bench::unloaded(100);
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    assert!(bench.node.load().await.is_err());
    let follower = tokio::spawn(bench.node.clone().follow());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!bench.node.status().following);
    bench.store.state().fails = None;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let status = bench.node.status();
    assert!(status.following && status.fresh);
    follower.abort();
}

#[tokio::test]
async fn every_poll_looks_for_the_last_applied_entry_and_for_own_writes_not_yet_read() {
    let bench = Bench::new().await;
    let applied = ends_token(&facts_of("ada"), fake::START);
    bench.store.write(applied.clone());
    bench.poll().await;
    let facts = facts_of("bob");
    let own = bench.end(facts.session.unwrap(), &facts.user).await;
    bench.poll().await;
    bench.poll().await;
    let polled = bench.store.state().polled.clone();
    let own = own.entries[0].id;
    assert_eq!(polled[2].probes, [applied.id, own]);
    assert_eq!(polled[3].probes, [own]);
}

#[tokio::test]
async fn an_entry_near_its_end_may_be_missing() {
    let bench = Bench::new().await;
    let entry = ends_token(&facts_of("ada"), fake::START);
    bench.store.write(entry.clone());
    bench.poll().await;
    bench
        .clock
        .advance(fake::LIMITS.entry_lifetime() - 2 * SKEW);
    bench.poll().await;
    bench.poll().await;
    let last = bench.store.state().polled.last().cloned().unwrap();
    assert!(last.probes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_comes_piece_by_piece_is_waited_for_however_long_it_is() {
    let bench = Bench::unloaded(100);
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.store.state().pieces = vec![STALENESS - Duration::from_secs(1); 20];
    bench.node.load().await.expect("there is always more of it");
    assert_eq!(bench.node.status().entries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_log_of_which_nothing_more_comes_is_given_up() {
    let bench = Bench::unloaded(100);
    let goes_on = Duration::from_secs(1);
    bench.store.state().pieces = vec![goes_on, goes_on, 3 * STALENESS];
    let began = tokio::time::Instant::now();
    let given_up = bench.node.load().await.expect_err("it stands still");
    assert_eq!(given_up.kind(), StoreErrorKind::Timeout);
    assert!(began.elapsed() <= 2 * STALENESS);
}

#[tokio::test]
async fn a_node_shows_how_it_stands_and_a_token_what_it_says() {
    let bench = Bench::new().await;
    assert!(format!("{:?}", bench.node).contains("status"));
    let admitted = bench.request(&token_of(&facts_of("ada")), &NEVER).await;
    assert!(format!("{:?}", admitted.unwrap()).contains("ActiveToken"));
}

#[tokio::test]
async fn a_load_makes_every_token_look_again() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    assert!(bench.request(&token, &NEVER).await.is_ok());
    bench.store.write(ends_token(&facts, fake::START));
    bench.node.load().await.unwrap();
    let refused = bench.request(&token, &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_hangs_is_asked_again_beside_it() {
    let bench = Bench::new().await;
    bench.store.hold_polls();
    let polls = bench.store.polls();
    let node = bench.node.clone();
    let began = tokio::time::Instant::now();
    let step = tokio::spawn(async move { node.step().await });
    until(|| bench.store.polls() == polls + 1).await;
    // Only the second is answered, as over a new connection.
    bench.store.answer_new_polls();
    step.await.unwrap().unwrap();
    assert_eq!(bench.store.polls(), polls + 2);
    assert!(began.elapsed() <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_takes_long_is_not_given_up_for_those_that_are_asked_beside_it() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.write(ends_token(&facts, fake::START));
    bench.store.hold_polls();
    let node = bench.node.clone();
    let step = tokio::spawn(async move { node.step().await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    bench.store.release_polls(1);
    assert!(step.await.unwrap().unwrap());
    assert_eq!(bench.node.status().entries, 1);
}

#[tokio::test]
async fn another_deployments_store_answers_no_question_until_our_own_is_back() {
    let bench = Bench::new().await;
    let token = token_of(&facts_of("ada"));
    assert!(bench.request(&token, &ALWAYS).await.is_ok());
    bench.store.state().deployment = 2;
    bench.store.state().history = 2;
    bench.node.step().await.unwrap_err();
    let refused = bench.request(&token, &ALWAYS).await;
    assert_eq!(refused.unwrap_err(), away());
    bench.store.state().deployment = 1;
    bench.poll().await;
    assert!(bench.request(&token, &ALWAYS).await.is_ok());
}

#[tokio::test]
async fn a_process_that_stood_still_after_its_poll_answers_nobody_from_it() {
    let bench = Bench::new().await;
    bench.store.hold_polls();
    let polls = bench.store.polls();
    let node = bench.node.clone();
    let step = tokio::spawn(async move { node.step().await });
    until(|| bench.store.polls() == polls + 1).await;
    bench.clock.advance(STALENESS + Duration::from_secs(1));
    bench.store.release_polls(1);
    step.await.unwrap().unwrap();
    assert!(!bench.node.status().fresh);
}
