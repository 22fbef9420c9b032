//! A view that is full, and what it forgets when.

use super::super::hashes::Hashes;
use super::super::shelf::Shelf;
use super::super::view::View;
use super::*;

async fn full() -> (Bench, TokenFacts) {
    let bench = Bench::with_room_for(1).await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    assert!(bench.request(&token, &NEVER).await.is_ok());
    bench.store.write(ends_token(&facts_of("bob"), fake::START));
    bench.store.write(ends_token(&facts, fake::START));
    bench.poll().await;
    (bench, facts)
}

#[tokio::test]
async fn a_full_view_asks_the_store_instead_of_forgetting() {
    let (bench, facts) = full().await;
    let status = bench.node.status();
    assert_eq!((status.entries, status.complete), (1, false));
    let refused = bench.request(&token_of(&facts), &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
    assert!(
        bench
            .request(&token_of(&facts_of("ada")), &NEVER)
            .await
            .is_ok()
    );
    assert_eq!(bench.store.questions(), 2);
}

#[tokio::test]
async fn a_token_that_was_admitted_before_looks_again_when_the_view_overflows() {
    let bench = Bench::with_room_for(0).await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    assert!(bench.request(&token, &NEVER).await.is_ok());
    bench.end(facts.session.unwrap(), &facts.user).await;
    let refused = bench.request(&token, &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[tokio::test]
async fn without_the_store_a_full_view_lets_nobody_go_on_of_whom_something_came() {
    let bench = Bench::with_room_for(0).await;
    let lenient = Terms {
        on_store_failure: OnStoreFailure::AcceptVerifiedUntilExpiry,
        ..FIRST_SIGHT
    };
    let facts = facts_of("ada");
    let token = token_of(&facts);
    assert!(bench.request(&token, &lenient).await.is_ok());
    bench.end(facts.session.unwrap(), &facts.user).await;
    let other = token_of(&facts_of("bob"));
    assert!(bench.request(&other, &lenient).await.is_ok());
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    let refused = bench.request(&token, &lenient).await;
    assert_eq!(refused.unwrap_err(), away());
    assert!(bench.request(&other, &lenient).await.is_ok());
}

#[tokio::test]
async fn while_the_view_is_incomplete_no_remembered_answer_counts() {
    let bench = Bench::with_room_for(0).await;
    let facts = facts_of("ada");
    assert!(bench.request(&token_of(&facts), &FIRST_SIGHT).await.is_ok());
    bench
        .node
        .local
        .view()
        .put(ends_token(&facts_of("bob"), fake::START));
    bench.pending(&token_of(&facts), &FIRST_SIGHT);
}

#[tokio::test]
async fn room_alone_does_not_make_a_view_complete() {
    let (bench, _) = full().await;
    bench.clock.advance(fake::LIMITS.entry_lifetime());
    let view = bench.node.local.view();
    view.purge(bench.clock.now(), SHARDS);
    assert_eq!(view.len(), 0);
    assert!(!view.is_complete());
}

#[tokio::test]
async fn a_reload_that_overflows_nothing_makes_a_view_complete() {
    let (bench, _) = full().await;
    bench.clock.advance(fake::LIMITS.entry_lifetime());
    bench.store.state().log.clear();
    // The shelves take turns to be purged.
    for _ in 0..SHARDS {
        bench.poll().await;
    }
    assert!(bench.node.status().complete);
}

#[tokio::test]
async fn what_the_store_confirmed_counts_after_a_reload_and_not_on_another_history() {
    for (history, questions) in [(1, 1), (2, 2)] {
        let bench = Bench::new().await;
        let token = token_of(&facts_of("ada"));
        assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
        assert_eq!(bench.store.questions(), 1);
        bench.store.state().history = history;
        bench.node.reload(false).await.unwrap();
        assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
        assert_eq!(bench.store.questions(), questions, "history {history}");
    }
}

#[tokio::test]
async fn a_reload_does_not_forgive_what_overflowed_since_its_read() {
    let bench = Bench::with_room_for(0).await;
    bench.store.hold_polls();
    let node = bench.node.clone();
    let reload = tokio::spawn(async move { node.load().await });
    until(|| bench.store.polls() == 2).await;
    bench.node.apply(ends_token(&facts_of("ada"), fake::START));
    bench.store.release_polls(1);
    reload.await.unwrap().unwrap();
    assert!(!bench.node.status().complete);
}

#[tokio::test]
async fn an_entry_is_kept_until_its_end_and_not_beyond() {
    let bench = Bench::new().await;
    bench.node.apply(ends_token(&facts_of("ada"), fake::START));
    let view = bench.node.local.view();
    let end = fake::START + fake::LIMITS.entry_lifetime();
    view.purge(end - Duration::from_micros(1), SHARDS);
    assert_eq!(view.len(), 1);
    view.purge(end, SHARDS);
    assert_eq!(view.len(), 0);
}

#[tokio::test]
async fn the_later_end_of_a_known_entry_wins() {
    let bench = Bench::new().await;
    let first = ends_token(&facts_of("ada"), fake::START);
    let hour = Duration::from_secs(3600);
    for until in [first.until, first.until + hour, first.until - hour] {
        bench.node.apply(RevocationEntry {
            until,
            ..first.clone()
        });
    }
    let kept = bench.node.local.view().pick(|_, _| true);
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].until, first.until + hour);
}

#[test]
fn a_clock_that_jumps_ahead_alone_makes_the_view_forget_nothing() {
    let mut progress = Progress::new(SKEW);
    let day = Duration::from_secs(86_400);
    let (early, late) = (fake::START, fake::START + day);
    assert_eq!(progress.over_before(late, early), early);
    // The highest time that was seen counts, also when the clock is set back.
    assert_eq!(progress.over_before(early, late), late);
}

#[tokio::test]
async fn where_there_is_room_for_what_did_not_fit_the_log_is_read_again() {
    let bench = Bench::with_room_for(1).await;
    let (short, long) = (facts_of("bob"), facts_of("ada"));
    let early = RevocationEntry {
        until: fake::START + SKEW,
        ..ends_token(&short, fake::START)
    };
    bench.store.write(early);
    bench.store.write(ends_token(&long, fake::START));
    bench.poll().await;
    assert!(!bench.node.status().complete);
    // The store lets it go as well.
    bench.clock.advance(2 * SKEW);
    bench.store.state().log.remove(0);
    bench.node.local.view().purge(bench.clock.now(), SHARDS);
    bench.poll().await;
    let status = bench.node.status();
    assert_eq!((status.entries, status.complete), (1, true));
    let refused = bench.request(&token_of(&long), &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
    assert_eq!(bench.store.questions(), 0);
}

#[test]
fn a_reload_is_worth_it_where_what_is_missing_fits_or_half_of_all() {
    let until = |second: u64| fake::START + Duration::from_secs(second);
    let entry = |second| RevocationEntry {
        until: until(second),
        ..ends_token(&facts_of("ada"), fake::START)
    };
    let view = View::new(1, 4, SKEW);
    assert!(view.may_fit(), "nothing is missing");
    (1..=4).for_each(|second| assert_eq!(view.put(entry(second)), Put::New));
    (5..=7).for_each(|second| assert_eq!(view.put(entry(second)), Put::NoRoom));
    assert!(!view.may_fit());
    view.purge(until(1), 1);
    assert!(!view.may_fit(), "room for one of three");
    view.settle(2);
    assert!(view.may_fit(), "room for one of one");
    view.settle(0); // which takes nothing back
    view.put(entry(8));
    view.put(entry(9));
    view.put(entry(10));
    view.purge(until(2), 1);
    assert!(!view.may_fit(), "room for one of three");
    view.purge(until(3), 1);
    assert!(view.may_fit(), "room for half of what it may hold");
    assert!(!View::new(1, 0, SKEW).may_fit());
    assert_eq!(
        format!("{view:?}"),
        "View { len: 2, max: 4, complete: false, .. }"
    );
}

#[test]
fn the_room_of_what_is_over_is_given_back() {
    let hashes = Hashes::default();
    let mut shelf = Shelf::default();
    let mut put = |second: u64| {
        let entry = RevocationEntry {
            until: fake::START + Duration::from_secs(second),
            ..ends_token(&facts_of("ada"), fake::START)
        };
        shelf.put(hashes.of_entry(&entry.revoked), &entry, &hashes, || true)
    };
    (1..=8).for_each(|second| assert_eq!(put(second), Put::New));
    assert_eq!(
        shelf.purge(fake::START + Duration::from_secs(4), &hashes),
        4
    );
    assert!(format!("{shelf:?}").contains("dropped: 0"));
    assert_eq!(shelf.pick(|_, _| true).count(), 4);
}

#[test]
fn a_write_whose_outcome_nobody_learnt_is_forgotten_at_its_end() {
    let mut shelf = Shelf::default();
    let facts = facts_of("ada");
    let entry = ends_token(&facts, fake::START);
    let (hashes, end) = (Hashes::default(), entry.until);
    let hash = hashes.of_entry(&entry.revoked);
    shelf.hold(entry);
    shelf.purge(end - Duration::from_micros(1), &hashes);
    assert!(shelf.effect(hash, &facts, SKEW).is_some());
    shelf.purge(end, &hashes);
    assert!(shelf.effect(hash, &facts, SKEW).is_none());
}

#[test]
fn of_two_that_are_filed_alike_the_one_that_is_over_goes_and_the_other_holds() {
    let hashes = Hashes::default();
    let facts = facts_of("ada");
    let ends_all = |below, until| RevocationEntry {
        until,
        ..entry(
            Revoked::User {
                user: facts.user.clone(),
                below: Counter::from_u64(below),
                except: None,
            },
            fake::START,
        )
    };
    let hash = hashes.user(&facts.user);
    let (end, later) = (fake::START + SKEW, fake::START + 2 * SKEW);
    // The one that is over means tokens that are older than this one.
    let (over, holds) = (ends_all(5, end), ends_all(9, later));
    for order in [[&over, &holds], [&holds, &over]] {
        let mut shelf = Shelf::default();
        for entry in order {
            shelf.put(hash, entry, &hashes, || true);
        }
        // So many others that the shelf is not packed anew.
        for _ in 0..9 {
            let other = ends_token(&facts_of("bob"), fake::START);
            shelf.put(hashes.of_entry(&other.revoked), &other, &hashes, || true);
        }
        assert_eq!(shelf.purge(end, &hashes), 1);
        assert!(format!("{shelf:?}").contains("dropped: "));
        assert!(!format!("{shelf:?}").contains("dropped: 0"));
        assert!(shelf.effect(hash, &facts, SKEW).is_some());
        assert_eq!(shelf.purge(later, &hashes), 1);
        assert!(shelf.effect(hash, &facts, SKEW).is_none());
    }
}

#[test]
fn a_view_knows_how_far_clocks_may_be_apart() {
    let facts = TokenFacts {
        issued_at: Some(fake::START + 2 * SKEW),
        ..foreign_facts_of("ada")
    };
    let ends_all = Revoked::User {
        user: facts.user.clone(),
        below: Counter::from_u64(9),
        except: None,
    };
    let view = View::new(1, 4, SKEW);
    view.put(entry(ends_all, fake::START));
    assert!(view.effect(&facts).is_some());
    view.set_skew(SKEW / 2);
    assert!(view.effect(&facts).is_none());
}

#[test]
fn nodes_are_named_by_32_digits() {
    assert_eq!(NodeId(0xAB).to_string(), format!("{:0>32}", "ab"));
    assert_eq!(format!("{:?}", Signals::default()), "Signals");
}
