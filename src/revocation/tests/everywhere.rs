//! Waiting until the whole fleet knows.

use super::*;

/// A write, and what the store says of it.
async fn write(bench: &Bench, name: &str) -> Committed {
    let facts = facts_of(name);
    bench.end(facts.session.unwrap(), &facts.user).await
}

/// A write while another node, which has read nothing yet, has a lease for the bound.
async fn write_beside_another(bench: &Bench) -> Committed {
    let until = fake::START + STALENESS;
    bench.store.lease(7, 0, until);
    let own = bench.node.node;
    bench.store.lease(own.0, 0, until);
    write(bench, "ada").await
}

async fn waited(bench: &Bench, committed: Committed) -> Duration {
    let began = tokio::time::Instant::now();
    let waited = bench.node.clone().everywhere(committed).await;
    waited.expect("the store is up");
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn everywhere_waits_until_the_other_node_has_applied_the_write() {
    let bench = Bench::new().await;
    let committed = write_beside_another(&bench).await;
    let store = bench.store.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        store.lease(7, 1, fake::START + 2 * STALENESS);
    });
    let waited = waited(&bench, committed).await;
    assert!(waited >= Duration::from_secs(5), "{waited:?}");
    assert!(waited <= Duration::from_secs(6), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn everywhere_waits_no_longer_than_the_lease_as_it_stood_at_the_commit() {
    let bench = Bench::new().await;
    let committed = write_beside_another(&bench).await;
    // Renewed since, by a poll that has not applied the write.
    bench.store.lease(7, 0, fake::START + 10 * STALENESS);
    assert_eq!(waited(&bench, committed).await, STALENESS);
}

#[tokio::test(start_paused = true)]
async fn everywhere_does_not_wait_for_itself_or_for_leases_that_are_over() {
    let bench = Bench::new().await;
    bench.store.lease(7, 0, fake::START);
    bench
        .store
        .lease(bench.node.node.0, 0, fake::START + STALENESS);
    let committed = write(&bench, "ada").await;
    assert_eq!(waited(&bench, committed).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn everywhere_counts_no_cursor_of_another_history() {
    let bench = Bench::new().await;
    // It followed an older history at the commit, and still does.
    bench.store.lease(7, 9, fake::START + STALENESS);
    bench.store.state().leases[0].history = 0;
    let committed = write(&bench, "ada").await;
    assert_eq!(waited(&bench, committed).await, STALENESS);
}

#[tokio::test(start_paused = true)]
async fn everywhere_waits_out_the_bound_when_the_history_changes() {
    let bench = Bench::new().await;
    let committed = write_beside_another(&bench).await;
    let (store, node) = (bench.store.clone(), bench.node.clone());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        store.state().history = 2;
        store.lease(7, 9, fake::START + 10 * STALENESS);
        drop(node);
    });
    let waited = waited(&bench, committed).await;
    assert!(waited >= Duration::from_secs(20) + STALENESS, "{waited:?}");

    bench.store.state().leases.clear();
    let committed = write(&bench, "ada").await;
    bench.store.state().history = 3;
    bench.poll().await;
    let began = tokio::time::Instant::now();
    bench.node.clone().everywhere(committed).await.unwrap();
    assert_eq!(began.elapsed(), STALENESS);
}

#[tokio::test(start_paused = true)]
async fn everywhere_waits_for_a_node_with_a_longer_bound_when_the_history_changes() {
    let bench = Bench::new().await;
    bench.store.lease(7, 0, fake::START + 3 * STALENESS);
    let committed = write(&bench, "ada").await;
    bench.store.state().history = 2;
    bench.store.lease(8, 0, fake::START + STALENESS);
    assert_eq!(waited(&bench, committed).await, 3 * STALENESS);
}

#[tokio::test(start_paused = true)]
async fn everywhere_is_bounded_also_while_the_store_is_away() {
    let bench = Bench::new().await;
    let committed = write_beside_another(&bench).await;
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    assert_eq!(waited(&bench, committed).await, STALENESS);
}

#[tokio::test(start_paused = true)]
async fn after_a_change_of_history_everywhere_waits_for_those_whose_leases_it_lost() {
    let bench = Bench::new().await;
    bench.store.state().history = 2;
    bench.poll().await;
    let committed = write(&bench, "ada").await;
    assert_eq!(waited(&bench, committed).await, STALENESS);

    bench.clock.advance(STALENESS);
    let committed = write(&bench, "bob").await;
    assert_eq!(waited(&bench, committed).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn everywhere_looks_often_at_first_and_then_less_and_less() {
    let bench = Bench::new().await;
    let committed = write_beside_another(&bench).await;
    waited(&bench, committed).await;
    let looked = bench.store.state().looked.clone();
    let gaps: Vec<Duration> = looked.windows(2).map(|two| two[1] - two[0]).collect();
    let shortest = Duration::from_millis(2);
    assert_eq!(gaps[..10], [shortest; 10]);
    // Half as long again each time.
    let grown = gaps.iter().take_while(|gap| **gap < LONGEST).count();
    let (grows, ripe) = (&gaps[10..grown], &gaps[grown..]);
    assert_eq!(grows[0], shortest * 3 / 2);
    for two in grows.windows(2) {
        // The clock of the runtime counts milliseconds.
        let wanted = two[0] * 3 / 2;
        assert!(two[1].abs_diff(wanted) <= 2 * TICK, "{gaps:?}");
    }
    assert!(ripe.len() > 100, "{gaps:?}");
    // The last ends with the lease.
    let (last, ripe) = ripe.split_last().unwrap();
    assert!(*last <= LONGEST + TICK, "{gaps:?}");
    for gap in ripe {
        assert!(*gap >= LONGEST && *gap <= LONGEST + TICK, "{gaps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn everywhere_says_so_where_waiting_cannot_help() {
    let bench = Bench::new().await;
    let committed = write_beside_another(&bench).await;
    bench.store.state().fails = Some(StoreErrorKind::Corrupt);
    let error = bench.node.clone().everywhere(committed).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
}

const LONGEST: Duration = Duration::from_millis(250);
const TICK: Duration = Duration::from_millis(1);
