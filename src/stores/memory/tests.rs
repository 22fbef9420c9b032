//! What is true of this store alone; the rules of every store are in the conformance suite.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::revocation::NodeId;
use crate::session::refresh::SeedHash;
use crate::session::{Authentication, Device, SessionLimit, Transport};
use crate::testing::ManualClock;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn user(name: &str) -> UserId {
    UserId::new(name).expect("it is a name")
}

fn new_session(number: u8) -> NewSession {
    NewSession {
        id: SessionId::random(),
        user: user("ada"),
        revoked_gen: crate::verify::Counter::ZERO,
        seed: SeedHash::from_bytes([number; 32]),
        operation: [number; 32],
        issued_at: ManualClock::START,
        access_expires_at: ManualClock::START + HOUR,
        refresh_lifetime: HOUR,
        absolute_lifetime: 2 * HOUR,
        idle_lifetime: Some(HOUR / 2),
        limit: SessionLimit::evicting(2),
        device: Device::default(),
        name: None,
        transport: Transport::Body,
        authentication: Authentication::default(),
        data: None,
    }
}

async fn sign_in(store: &MemoryStore, number: u8) {
    let made = store.sign_in(new_session(number)).await;
    assert!(matches!(made, Ok(SignInOutcome::Created { .. })));
}

#[tokio::test]
async fn a_panic_in_one_step_does_not_lock_everybody_out() {
    let store = MemoryStore::new();
    sign_in(&store, 1).await;
    let panicked = catch_unwind(AssertUnwindSafe(|| store.step(|_, _| panic!("on purpose"))));
    assert!(panicked.is_err());
    assert_eq!(store.count(&user("ada")).await.ok(), Some(1));
}

#[tokio::test]
async fn every_order_holds_what_the_records_hold() {
    let store = MemoryStore::with_clock(Arc::new(ManualClock::new()));
    for number in 1..=5 {
        sign_in(&store, number).await;
    }
    assert_eq!(store.lock().records.sizes(), [5, 1, 5, 2, 2, 3]);
}

#[tokio::test]
async fn what_is_forgotten_leaves_nothing_behind() {
    let clock = ManualClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    for number in 1..=5 {
        sign_in(&store, number).await;
    }
    let request = PollRequest {
        node: NodeId(1),
        since: None,
        history: None,
        lease: HOUR,
        probes: &[],
        pieces: None,
    };
    assert!(store.poll(request).await.is_ok());
    clock.advance(HOUR);
    assert!(store.sweep(HOUR, 100).await.is_ok());
    clock.advance(100 * HOUR);
    assert!(store.sweep(HOUR, 100).await.is_ok());
    assert!(store.leases().await.is_ok());
    let state = store.lock();
    assert_eq!(state.records.sizes(), [0; 6]);
    assert!(state.log.is_empty() && state.leases.is_empty());
}

#[tokio::test]
async fn forgetting_one_of_several_sessions_forgets_its_operation() {
    let clock = ManualClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    for number in 1..=3 {
        sign_in(&store, number).await;
    }
    clock.advance(Duration::from_secs(1));
    assert!(store.sweep(Duration::ZERO, 100).await.is_ok());
    assert_eq!(store.lock().records.sizes(), [2, 1, 2, 2, 2, 0]);
}

#[tokio::test]
async fn a_hint_counts_what_happens_before_it_is_awaited() {
    let store = MemoryStore::new();
    let hint = store.hint();
    let raised = store.raise_roles(&user("ada"), EntryId::random()).await;
    assert!(raised.is_ok());
    let came = tokio::time::timeout(HOUR, hint).await;
    assert!(came.is_ok());
}

#[tokio::test]
async fn who_goes_on_is_found_when_the_time_is_over_and_not_before() {
    const MINUTE: Duration = Duration::from_secs(60);
    let clock = ManualClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    sign_in(&store, 1).await;
    sign_in(&store, 2).await;
    let ids: Vec<_> = store
        .lock()
        .records
        .open_after(None, None)
        .map(|of| of.id)
        .collect();
    clock.advance(20 * MINUTE);
    for id in &ids {
        let now = store.shared.clock.now();
        store
            .lock()
            .records
            .update(*id, |record| record.last_active_at = now);
    }
    clock.advance(15 * MINUTE);
    assert_eq!(
        store
            .lock()
            .records
            .open_and_not_due(store.shared.clock.now()),
        2
    );
    let swept = store.sweep(HOUR, 1).await.expect("it answers");
    assert!(
        swept.ended.is_empty() && swept.more,
        "one of two was looked at"
    );
    let swept = store.sweep(HOUR, 1).await.expect("it answers");
    assert!(swept.ended.is_empty() && !swept.more, "both went on");
    let sooner = store.shared.clock.now() + MINUTE;
    store
        .lock()
        .records
        .update(ids[0], |record| record.absolute_expires_at = sooner);
    clock.advance(MINUTE);
    let swept = store.sweep(HOUR, 9).await.expect("it answers");
    let ended: Vec<_> = swept.ended.iter().map(|of| of.id).collect();
    assert_eq!(ended, [ids[0]]);
    clock.advance(14 * MINUTE);
    let swept = store.sweep(HOUR, 9).await.expect("it answers");
    let ended: Vec<_> = swept.ended.iter().map(|of| of.id).collect();
    assert_eq!((ended, swept.more), (vec![ids[1]], false));
    assert_eq!(store.lock().records.sizes()[3..5], [0, 0]);
}

#[tokio::test]
async fn what_a_sweep_ends_is_in_the_order_of_its_real_ends() {
    const MINUTE: Duration = Duration::from_secs(60);
    let clock = ManualClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    sign_in(&store, 1).await;
    sign_in(&store, 2).await;
    let ids: Vec<_> = {
        let state = store.lock();
        let open = state.records.open_after(None, None);
        open.map(|of| of.id).collect()
    };
    // Both are listed at one instant; whose id comes first is due last.
    let last = store.shared.clock.now() + 7 * MINUTE;
    let goes_on = |record: &mut SessionRecord| record.last_active_at = last;
    store.lock().records.update(ids[0], goes_on);
    clock.advance(HOUR);
    let swept = store.sweep(HOUR, 9).await.expect("it answers");
    let ended: Vec<_> = swept.ended.iter().map(|of| of.id).collect();
    assert_eq!(ended, [ids[1], ids[0]]);
}
