//! The rules, each with its counterexample.
//!
//! In every test a thread sends a request while another makes a change, waits for it to be said
//! to hold, and then sends a request that must not be admitted.

use loom::sync::Arc;
use loom::sync::atomic::Ordering;
use loom::thread;

use crate::node::{BOUND, KEPT, Node, Order, entry, now};

/// One request against a change, and one request after it.
fn explore(node: impl Fn() -> Node + Send + Sync + 'static, order: Order, change: fn(&Node)) {
    loom::model(move || {
        let node = Arc::new(node());
        let other = node.clone();
        let early = thread::spawn(move || other.request(order));
        change(&node);
        assert!(
            !node.request(order),
            "admitted after the change was said to hold"
        );
        early.join().unwrap();
    });
}

/// The same with a second change at once.
fn explore_two(order: Order, room: usize, first: fn(&Node), second: fn(&Node)) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let node = Arc::new(Node::new(room, true));
        let (a, b) = (node.clone(), node.clone());
        let early = thread::spawn(move || a.request(order));
        let beside = thread::spawn(move || second(&b));
        first(&node);
        assert!(
            !node.request(order),
            "admitted after the change was said to hold"
        );
        early.join().unwrap();
        beside.join().unwrap();
    });
}

fn raise(node: &Node) {
    node.local.reloaded(0, false);
}

fn follow<const KEPT: bool>(node: &Node) {
    node.store.ended.store(true, Ordering::Release);
    if KEPT {
        node.local.apply(entry());
    } else {
        raise(node);
        node.local.view().put(entry());
    }
}

fn view_with_room() -> Node {
    Node::new(1, false)
}

fn view_without_room() -> Node {
    Node::new(0, false)
}

#[test]
fn the_epoch_is_raised_after_the_entry_is_in_the_view() {
    explore(view_with_room, KEPT, follow::<true>);
}

#[test]
#[should_panic(expected = "admitted after")]
fn an_epoch_raised_before_the_entry_is_in_the_view_lets_a_token_pass() {
    explore(view_with_room, KEPT, follow::<false>);
}

#[test]
fn the_epoch_is_read_before_the_lookup() {
    explore(view_with_room, KEPT, Node::revoke);
}

#[test]
#[should_panic(expected = "admitted after")]
fn an_epoch_read_after_the_lookup_lets_a_token_pass() {
    let order = Order {
        epoch_first: false,
        ..KEPT
    };
    explore(view_with_room, order, follow::<true>);
}

#[test]
fn a_full_view_is_incomplete_before_the_epoch_is_raised() {
    explore(view_without_room, KEPT, follow::<true>);
}

#[test]
#[should_panic(expected = "admitted after")]
fn an_epoch_raised_before_a_full_view_is_incomplete_lets_a_token_pass() {
    explore(view_without_room, KEPT, follow::<false>);
}

#[test]
fn the_version_of_the_ring_is_read_before_the_signature_is_checked() {
    explore(view_with_room, KEPT, Node::remove_key);
}

#[test]
#[should_panic(expected = "admitted after")]
fn a_version_read_after_the_signature_was_checked_lets_a_token_pass() {
    let order = Order {
        version_first: false,
        ..KEPT
    };
    explore(view_with_room, order, Node::remove_key);
}

#[test]
#[should_panic(expected = "admitted after")]
fn a_version_raised_before_the_key_is_gone_lets_a_token_pass() {
    explore(view_with_room, KEPT, |node| {
        node.ring.version.raise();
        node.ring.key.store(false, Ordering::Release);
    });
}

/// The store loses the session, and the node hears that the log has another history.
fn lose(node: &Node) {
    node.store.lost.store(true, Ordering::Release);
    node.reload(true);
}

fn confirming() -> Node {
    Node::new(1, true)
}

#[test]
fn epoch_and_era_are_read_before_the_question() {
    explore(confirming, KEPT, lose);
}

#[test]
#[should_panic(expected = "admitted after")]
fn epoch_and_era_read_after_the_answer_let_a_lost_session_pass() {
    let order = Order {
        stamp_first: false,
        ..KEPT
    };
    explore(confirming, order, lose);
}

#[test]
#[should_panic(expected = "admitted after")]
fn a_reload_without_a_new_era_lets_a_lost_session_pass() {
    explore(confirming, KEPT, |node| {
        node.store.lost.store(true, Ordering::Release);
        node.reload(false);
    });
}

/// A token that was admitted; then its session ended elsewhere, longer ago than the view may be
/// old, and a poll brings it. Every request must be refused: by the store, or by the view.
fn explore_freshness(order: Order, poll: fn(&Node)) {
    loom::model(move || {
        let node = Arc::new(Node::stale(1, false));
        assert!(node.request(order));
        node.store.ended.store(true, Ordering::Release);
        let other = node.clone();
        let poll = thread::spawn(move || poll(&other));
        assert!(!node.request(order), "admitted by a view that was too old");
        poll.join().unwrap();
    });
}

fn poll<const KEPT: bool>(node: &Node) {
    if KEPT {
        node.local.apply(entry());
    }
    node.local.fresh().extend(now(), BOUND);
    if !KEPT {
        node.local.apply(entry());
    }
}

#[test]
fn freshness_is_asked_before_the_epoch_is_read() {
    explore_freshness(KEPT, poll::<true>);
}

#[test]
#[should_panic(expected = "too old")]
fn freshness_asked_after_the_epoch_was_read_lets_a_token_pass() {
    let order = Order {
        fresh_first: false,
        ..KEPT
    };
    explore_freshness(order, poll::<true>);
}

#[test]
#[should_panic(expected = "too old")]
fn freshness_extended_before_the_entries_are_in_lets_a_token_pass() {
    explore_freshness(KEPT, poll::<false>);
}

/// A reload that runs while something overflows must not make the view complete.
fn explore_settling(reload: fn(&Node)) {
    loom::model(move || {
        let node = Arc::new(Node::new(0, false));
        let other = node.clone();
        let reload = thread::spawn(move || reload(&other));
        node.revoke();
        assert!(!node.request(KEPT), "admitted by an incomplete view");
        reload.join().unwrap();
        assert!(!node.request(KEPT), "admitted by an incomplete view");
    });
}

#[test]
fn a_reload_completes_the_view_only_when_nothing_overflowed_since_its_read() {
    explore_settling(|node| node.reload(false));
}

#[test]
#[should_panic(expected = "incomplete")]
fn a_reload_that_forgives_later_overflows_lets_a_token_pass() {
    explore_settling(|node| {
        node.local.fill(node.log());
        let overflows = node.local.view().overflows();
        node.local.reloaded(overflows, false);
    });
}

#[test]
fn a_revocation_beside_a_reload_holds() {
    explore_two(KEPT, 1, Node::revoke, |node| node.reload(true));
}

#[test]
fn a_revocation_beside_a_reload_holds_in_a_full_view() {
    explore_two(KEPT, 0, Node::revoke, |node| node.reload(false));
}

#[test]
fn a_revocation_beside_the_removal_of_a_key_holds() {
    explore_two(KEPT, 1, Node::revoke, Node::remove_key);
}

#[test]
fn the_removal_of_a_key_beside_a_reload_holds() {
    explore_two(KEPT, 1, Node::remove_key, |node| node.reload(true));
}

#[test]
fn a_revocation_here_beside_the_same_from_elsewhere_holds() {
    explore_two(KEPT, 1, Node::revoke, follow::<true>);
}
