//! Logs that lost something, and what is written back.

use super::*;

const HISTORY: u128 = 2;

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

/// Whether an entry with so much of its life left, which the log does not show any more, is written
/// back after a reload.
async fn is_written_back(left: Duration, gap: bool, history: u128) -> bool {
    let bench = Bench::new().await;
    let life = fake::LIMITS.entry_lifetime();
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.poll().await;
    bench.clock.advance(life - left);
    fail_over(&bench, 0);
    bench.store.state().history = history;
    bench.node.reload(gap).await.expect("the store is up");
    bench.poll().await;
    !bench.store.state().appended.is_empty()
}

#[tokio::test]
async fn what_the_store_may_have_ended_by_its_own_clock_is_lost_only_where_there_was_a_gap() {
    let same = Bench::new().await.store.state().history;
    let (clocks, moment) = (SKEW * 2, Duration::from_micros(1));
    assert!(!is_written_back(clocks, false, same).await);
    assert!(is_written_back(clocks + moment, false, same).await);
    assert!(is_written_back(moment, true, same).await);
    assert!(is_written_back(moment, false, HISTORY).await);
    assert!(!is_written_back(Duration::ZERO, true, HISTORY).await);
}

#[tokio::test]
async fn what_the_log_holds_is_not_written_back() {
    let bench = Bench::new().await;
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.poll().await;
    bench.node.reload(true).await.expect("the store is up");
    bench.poll().await;
    assert!(bench.store.state().appended.is_empty());
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

/// The log loses its end, takes an entry of another node in its stead, and is given the end again by a third.
fn lose_and_write_back(bench: &Bench, between: RevocationEntry) {
    let mut state = bench.store.state();
    let end = state.log.pop().expect("there is one");
    state.log.push(between);
    state.log.push(end);
}

#[tokio::test]
async fn what_came_between_a_loss_and_what_another_node_wrote_back_is_read() {
    let bench = Bench::new().await;
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.poll().await;
    let facts = facts_of("bob");
    lose_and_write_back(&bench, ends_token(&facts, fake::START));
    bench.poll().await;
    let refused = bench.request(&token_of(&facts), &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
    // And once is enough.
    let polls = bench.store.polls();
    bench.poll().await;
    assert_eq!(bench.store.polls(), polls + 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_does_not_hide_that_something_came_in_between() {
    let bench = Bench::new().await;
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.poll().await;
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 3).await;
    let facts = facts_of("bob");
    lose_and_write_back(&bench, ends_token(&facts, fake::START));
    bench.store.hint_at_news();
    let token = token_of(&facts);
    until(|| matches!(bench.check(&token, &NEVER), Verdict::Refused(_))).await;
    follower.abort();
}
