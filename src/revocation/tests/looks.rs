//! Looks at news, before polls and beside them.

use super::super::follower::PACE;
use super::*;

#[tokio::test(start_paused = true)]
async fn news_hold_before_the_poll_that_reads_them_comes_back_and_extend_nothing() {
    let bench = Bench::new().await;
    bench.store.hold_polls();
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 2).await;
    let before = bench.node.status();
    let facts = facts_of("ada");
    bench.store.write(ends_token(&facts, fake::START));
    bench.store.hint_at_news();
    until(|| bench.node.status().entries == before.entries + 1).await;
    assert_eq!(bench.node.status().cursor, before.cursor);
    assert_eq!(bench.store.polls(), 2, "the poll has not come back");
    // Who waits for the node to have read it must not wait for an interval.
    bench.store.answer_new_polls();
    bench.store.release_polls(1);
    tokio::time::sleep(PACE).await;
    let read = Some(Cursor(vec![1]));
    until(|| bench.store.state().polled.last().unwrap().since == read).await;
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn one_poll_after_a_hint_reports_what_the_look_before_it_brought() {
    let bench = Bench::new().await;
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 2).await;
    let facts = facts_of("ada");
    let entry = ends_token(&facts, fake::START);
    bench.store.write(entry.clone());
    bench.store.hint_at_news();
    until(|| bench.store.polls() == 3).await;
    let poll = bench.store.state().polled[2].clone();
    assert_eq!(poll.since, Some(Cursor(vec![1])));
    assert_eq!(poll.probes, [entry.id]);
    // No other follows before the next is due.
    tokio::time::sleep(bench.node.settings.poll_interval / 2).await;
    assert_eq!(bench.store.polls(), 3);
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn where_news_come_all_the_time_looks_bring_them_and_polls_keep_their_pace() {
    let bench = Bench::new().await;
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 2).await;
    bench.store.hold_polls();
    let entries = bench.node.status().entries;
    let news = async |number: usize| {
        let facts = facts_of(&format!("user-{number}"));
        bench.store.write(ends_token(&facts, fake::START));
        bench.store.hint_at_news();
        until(|| bench.node.status().entries == entries + number).await;
    };
    news(1).await;
    until(|| bench.store.polls() == 3).await;
    let began = tokio::time::Instant::now();
    news(2).await;
    bench.store.answer_new_polls();
    bench.store.release_polls(1);
    for number in 3..=20 {
        news(number).await;
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(bench.store.polls(), 3);
    tokio::time::sleep(PACE).await;
    until(|| bench.store.polls() == 4).await;
    let reported = bench.store.state().polled[3].since.clone();
    assert_eq!(reported, Some(Cursor(vec![20])));
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn what_a_look_brought_of_this_nodes_own_is_looked_for_once() {
    let bench = Bench::new().await;
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 2).await;
    let facts = facts_of("ada");
    let own = bench.end(facts.session.unwrap(), &facts.user).await;
    bench.store.hint_at_news();
    until(|| bench.store.polls() == 3).await;
    let polled = bench.store.state().polled[2].clone();
    assert_eq!(polled.probes, [own.entries[0].id]);
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn after_a_poll_that_failed_the_next_reads_again_what_only_a_look_has_read() {
    let bench = Bench::new().await;
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 2).await;
    let before = bench.store.state().polled[1].clone();
    bench.store.hold_polls();
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.store.hint_at_news();
    until(|| bench.store.polls() == 3).await;
    assert_ne!(bench.store.state().polled[2].since, before.since);
    // None comes back.
    tokio::time::sleep(bench.node.settings.max_staleness * 2).await;
    let poll = bench.store.state().polled.last().cloned().unwrap();
    assert_eq!(poll.since, before.since);
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn a_look_hides_no_loss_of_what_was_read_before_it() {
    let bench = Bench::new().await;
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.poll().await;
    let last = bench.store.state().log[0].clone();
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 3).await;
    // The log loses its last entry, takes another, and goes by the same name.
    bench.store.state().log.clear();
    bench.store.write(ends_token(&facts_of("bob"), fake::START));
    bench.store.write(ends_token(&facts_of("eve"), fake::START));
    bench.store.hint_at_news();
    until(|| !bench.store.state().appended.is_empty()).await;
    assert_eq!(bench.store.state().appended[0][0].id, last.id);
    follower.abort();
}

#[tokio::test(start_paused = true)]
async fn what_a_poll_finds_by_itself_is_reported_at_once_and_nothing_new_is_not() {
    let bench = Bench::new().await;
    let follower = tokio::spawn(bench.node.clone().follow());
    until(|| bench.store.polls() == 2).await;
    let interval = bench.node.settings.poll_interval;
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    tokio::time::sleep(interval).await;
    until(|| bench.store.polls() == 3).await;
    tokio::time::sleep(2 * PACE).await;
    assert_eq!(bench.store.polls(), 4);
    let reported = bench.store.state().polled[3].since.clone();
    assert_eq!(reported, Some(Cursor(vec![1])));
    tokio::time::sleep(interval / 2).await;
    assert_eq!(bench.store.polls(), 4, "there was nothing to report");
    follower.abort();
}

#[tokio::test]
async fn a_look_that_a_poll_overtook_moves_nothing_back() {
    let bench = Bench::new().await;
    let began_at = bench.node.progress().cursor().cloned();
    bench.store.write(ends_token(&facts_of("ada"), fake::START));
    bench.poll().await;
    let read = bench.node.progress().cursor().cloned();
    assert_ne!(read, began_at);
    let look = || Glance {
        entries: Vec::new(),
        cursor: began_at.clone(),
    };
    bench.node.take_in(look(), began_at.as_ref());
    assert_eq!(bench.node.progress().cursor(), read.as_ref());
    bench.node.take_in(look(), None);
    assert_eq!(bench.node.progress().cursor(), read.as_ref());
    bench.node.take_in(look(), read.as_ref());
    assert_eq!(bench.node.progress().cursor(), began_at.as_ref());
}

#[tokio::test]
async fn what_a_look_brought_beside_a_poll_is_news_to_the_poll_once() {
    let bench = Bench::new().await;
    let entry = ends_token(&facts_of("ada"), fake::START);
    let look = || Glance {
        entries: vec![entry.clone()],
        cursor: None,
    };
    bench.node.take_in(look(), None);
    assert!(bench.node.progress().was_glanced(entry.id));
    bench.node.take_in(look(), None);
    assert!(
        !bench.node.progress().was_glanced(entry.id),
        "it was known already"
    );
}
