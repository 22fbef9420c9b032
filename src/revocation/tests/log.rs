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

/// A replica became primary that had not heard of the last entries.
fn fail_over(bench: &Bench, kept: usize) {
    let mut state = bench.store.state();
    state.log.truncate(kept);
    state.history = HISTORY;
    state.appended.clear();
}

#[tokio::test]
async fn a_log_that_lost_an_entry_under_the_same_history_is_noticed_by_the_probes() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.write(ends_token(&facts, fake::START));
    bench.poll().await;
    {
        let mut state = bench.store.state();
        state.log.clear();
        for _ in 0..5 {
            state.log.push(ends_token(&facts_of("bob"), fake::START));
        }
    }
    bench.poll().await;
    assert_eq!(bench.store.state().appended.len(), 1);
    assert_eq!(bench.node.status().entries, 6);
}

#[tokio::test]
async fn a_reload_keeps_what_the_node_knew_and_writes_back_what_the_log_lost() {
    let bench = Bench::new().await;
    let (here, elsewhere) = (facts_of("ada"), facts_of("bob"));
    bench.store.write(ends_token(&elsewhere, fake::START));
    bench.poll().await;
    let own = bench.end(here.session.unwrap(), &here.user).await;
    fail_over(&bench, 0);
    bench.clock.advance(Duration::from_secs(10));
    bench.poll().await;

    for facts in [&here, &elsewhere] {
        let refused = bench.request(&token_of(facts), &NEVER).await;
        assert_eq!(refused.unwrap_err(), signed_out());
    }
    let state = bench.store.state();
    assert_eq!(state.log.len(), 2);
    let again = state.log.iter().find(|entry| entry.id == own.entries[0].id);
    let again = again.expect("it was written back");
    assert_eq!(again.at, own.entries[0].at, "a cut-off stays where it was");
    let anew = bench.store.now() + fake::LIMITS.entry_lifetime();
    assert_eq!(again.until, anew, "its life starts anew");
}

#[tokio::test]
async fn what_was_written_back_is_written_once_and_looked_for_until_it_was_read() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let own = bench.end(facts.session.unwrap(), &facts.user).await;
    fail_over(&bench, 0);
    bench.poll().await;
    bench.poll().await;
    bench.poll().await;
    let state = bench.store.state();
    assert_eq!(state.appended.len(), 1);
    assert_eq!(state.polled[3].probes, [own.entries[0].id]);
}

#[tokio::test]
async fn a_write_back_that_fails_is_tried_again() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.end(facts.session.unwrap(), &facts.user).await;
    fail_over(&bench, 0);
    bench.node.reload(true).await.unwrap();
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    assert!(bench.node.step().await.is_err());
    bench.store.state().fails = None;
    bench.poll().await;
    assert_eq!(bench.store.state().log.len(), 1);
}

#[tokio::test]
async fn an_own_write_for_which_the_view_had_no_room_is_written_back_too() {
    let bench = Bench::with_room_for(0).await;
    let facts = facts_of("ada");
    bench.end(facts.session.unwrap(), &facts.user).await;
    fail_over(&bench, 0);
    bench.poll().await;
    assert_eq!(bench.store.state().log.len(), 1);
}

#[tokio::test]
async fn a_reload_keeps_entries_whose_write_is_under_way() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.node.hold(ends_token(&facts, fake::START));
    fail_over(&bench, 0);
    bench.poll().await;
    let refused = bench.request(&token_of(&facts), &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
    assert!(bench.store.state().appended.is_empty());
}

#[tokio::test]
async fn another_history_drops_what_the_store_had_confirmed() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    fail_over(&bench, 0);
    bench.store.state().unknown.extend(facts.session);
    bench.poll().await;
    // A route that does not ask must not make the old confirmation good again.
    assert!(bench.request(&token, &NEVER).await.is_ok());
    for token in [token, token_of(&facts)] {
        let refused = bench.request(&token, &FIRST_SIGHT).await;
        assert_eq!(refused.unwrap_err(), Refusal::UnknownSession);
    }
}

#[tokio::test]
async fn an_answer_from_before_another_history_confirms_nothing() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    bench.store.hold_answers();
    let asked = tokio::spawn(bench.node.clone().ask(bench.pending(&token, &FIRST_SIGHT)));
    until(|| bench.store.questions() == 1).await;
    fail_over(&bench, 0);
    bench.poll().await;
    bench.store.release_answers(1);
    assert!(asked.await.unwrap().is_ok());
    bench.pending(&token, &FIRST_SIGHT);
    bench.pending(&token_of(&facts), &FIRST_SIGHT);
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
async fn a_store_that_restarts_empty_confirms_nobody_and_gets_everything_back() {
    let bench = Bench::new().await;
    let (ended, lives) = (facts_of("ada"), facts_of("bob"));
    bench.end(ended.session.unwrap(), &ended.user).await;
    let token = token_of(&lives);
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    bench.poll().await;
    {
        let mut state = bench.store.state();
        state.log.clear();
        state.history = 9;
        state.unknown.push(lives.session.unwrap());
    }
    bench.poll().await;
    assert_eq!(bench.store.state().log.len(), 1);
    let refused = bench.request(&token, &FIRST_SIGHT).await;
    assert_eq!(refused.unwrap_err(), Refusal::UnknownSession);
    let refused = bench.request(&token_of(&ended), &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[tokio::test]
async fn a_log_that_lost_its_tail_and_took_newer_entries_is_noticed_by_its_own_node() {
    let bench = Bench::new().await;
    let lost = facts_of("ada");
    bench.end(lost.session.unwrap(), &lost.user).await;
    bench.poll().await;
    bench.store.state().log.clear();
    for _ in 0..10 {
        bench.store.write(ends_token(&facts_of("eve"), fake::START));
    }
    bench.poll().await;
    let state = bench.store.state();
    let back = state.log.iter().any(
        |entry| matches!(&entry.revoked, Revoked::Session { session, .. } if Some(*session) == lost.session),
    );
    assert!(back);
    assert_eq!(bench.node.status().entries, 11);
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

#[tokio::test]
async fn a_clock_that_was_a_day_ahead_hides_no_loss() {
    let clock = Arc::new(HandClock::default());
    let store = Arc::new(FakeStore::new(Arc::default()));
    let node = node_on(&store, &clock, 100);
    node.load().await.expect("the store is up");
    let bench = Bench { store, clock, node };
    let day = Duration::from_secs(24 * 3600);
    bench.clock.advance_wall(day);
    bench.poll().await;
    bench.clock.set_back_wall(day);

    let facts = facts_of("ada");
    let own = bench.end(facts.session.unwrap(), &facts.user).await;
    bench.poll().await;
    let polled = bench.store.state().polled.last().cloned().unwrap();
    assert_eq!(polled.probes, [own.entries[0].id], "it is looked for");
    fail_over(&bench, 0);
    bench.poll().await;
    assert_eq!(bench.store.state().log.len(), 1, "it is written back");
}
