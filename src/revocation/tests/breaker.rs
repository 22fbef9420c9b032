use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::testing::ManualClock;

const DEADLINE: Duration = Duration::from_millis(250);

struct Bench {
    breakers: Arc<Breakers>,
    clock: ManualClock,
    sent: AtomicUsize,
    heard: Arc<Mutex<Vec<Signal>>>,
}

impl Bench {
    fn new() -> Self {
        let clock = ManualClock::new();
        let heard: Arc<Mutex<Vec<Signal>>> = Arc::default();
        let ears = heard.clone();
        let signals = Signals::to(move |signal| ears.lock().unwrap().push(signal));
        let breakers = Breakers::new(Arc::new(clock.clone()), "fake");
        Self {
            breakers: Arc::new(breakers.with_signals(signals)),
            clock,
            sent: AtomicUsize::new(0),
            heard,
        }
    }

    async fn call(
        &self,
        class: Class,
        answer: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let counted = async {
            self.sent.fetch_add(1, Ordering::SeqCst);
            answer.await
        };
        self.breakers.call(class, DEADLINE, counted).await
    }

    /// A call to a store that never answers, by somebody who waits for as long as one waits.
    async fn hang(&self, class: Class) -> Duration {
        let begun = Instant::now();
        let call = self.call(class, pending());
        let _ = timeout(DEADLINE, call).await;
        begun.elapsed()
    }

    async fn open(&self, class: Class) {
        for _ in 0..FAILURES {
            let _ = self.call(class, async { Err(away()) }).await;
        }
        assert_eq!(self.state(class), BreakerState::Open);
    }

    fn state(&self, class: Class) -> BreakerState {
        self.breakers.of(class).status()
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

fn away() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "fake")
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_costs_the_deadline_and_nothing_once_the_breaker_is_open() {
    for class in [Class::Confirm, Class::List] {
        let bench = Bench::new();
        for _ in 0..FAILURES {
            assert_eq!(bench.hang(class).await, DEADLINE);
        }
        for _ in 0..100 {
            assert_eq!(bench.hang(class).await, Duration::ZERO);
        }
        assert_eq!(bench.sent(), FAILURES as usize);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_somebody_waits_for_beyond_the_deadline_has_failed_and_goes_on() {
    let bench = Bench::new();
    let slow = || async {
        tokio::time::sleep(2 * DEADLINE).await;
        Ok(())
    };
    for _ in 0..FAILURES {
        bench.call(Class::Write, slow()).await.unwrap();
    }
    assert_eq!(bench.state(Class::Write), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn one_call_after_a_pause_finds_out_whether_the_store_is_back() {
    let bench = Bench::new();
    bench.open(Class::Confirm).await;
    let error = bench.call(Class::Confirm, async { Ok(()) }).await;
    assert!(Shed::is(&error.unwrap_err()));
    bench.clock.advance(PAUSE);
    let ((), second) = tokio::join!(
        async {
            let answered = async {
                tokio::time::sleep(DEADLINE / 2).await;
                Ok(())
            };
            bench.call(Class::Confirm, answered).await.unwrap();
        },
        async {
            tokio::task::yield_now().await;
            assert_eq!(bench.state(Class::Confirm), BreakerState::HalfOpen);
            bench.call(Class::Confirm, async { Ok(()) }).await
        }
    );
    assert!(Shed::is(&second.unwrap_err()));
    assert_eq!(bench.state(Class::Confirm), BreakerState::Closed);
    bench.call(Class::Confirm, async { Ok(()) }).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_or_is_given_up_makes_room_for_the_next() {
    let bench = Bench::new();
    bench.open(Class::Confirm).await;
    bench.clock.advance(PAUSE);
    assert_eq!(bench.hang(Class::Confirm).await, DEADLINE);
    assert_eq!(bench.state(Class::Confirm), BreakerState::Open);
    bench.clock.advance(PAUSE);
    let hang_up = timeout(DEADLINE / 2, bench.call(Class::Confirm, pending()));
    assert!(hang_up.await.is_err());
    assert_eq!(bench.state(Class::Confirm), BreakerState::Open);
    bench.call(Class::Confirm, async { Ok(()) }).await.unwrap();
    assert_eq!(bench.state(Class::Confirm), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_past_an_open_breaker_at_once_and_one_at_a_time() {
    let bench = Bench::new();
    bench.open(Class::Write).await;
    let sent = bench.sent();
    let (first, second) = tokio::join!(bench.hang(Class::Write), async {
        tokio::task::yield_now().await;
        bench.hang(Class::Write).await
    });
    assert_eq!((first, second), (DEADLINE, Duration::ZERO));
    assert_eq!(bench.sent(), sent + 1);
    bench.call(Class::Write, async { Ok(()) }).await.unwrap();
    assert_eq!(bench.state(Class::Write), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn following_the_log_is_watched_and_never_held_back() {
    let bench = Bench::new();
    bench.open(Class::Follow).await;
    bench.call(Class::Follow, async { Ok(()) }).await.unwrap();
    assert_eq!(bench.state(Class::Follow), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn classes_do_not_stop_each_other() {
    let bench = Bench::new();
    bench.open(Class::List).await;
    bench.call(Class::Confirm, async { Ok(()) }).await.unwrap();
    assert_eq!(bench.state(Class::List), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_is_no_failure_of_the_store() {
    let bench = Bench::new();
    for _ in 0..10 {
        let hang_up = timeout(DEADLINE / 2, bench.call(Class::Confirm, pending()));
        assert!(hang_up.await.is_err());
    }
    assert_eq!(bench.state(Class::Confirm), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_no_is_an_answer() {
    let bench = Bench::new();
    for _ in 0..10 {
        let corrupt = StoreError::new(StoreErrorKind::Corrupt, "fake");
        let _ = bench.call(Class::Confirm, async { Err(corrupt) }).await;
    }
    assert_eq!(bench.state(Class::Confirm), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_sent_before_the_store_was_back_do_not_open_the_breaker_again() {
    let bench = Bench::new();
    let old = futures_of_before(&bench);
    tokio::join!(old, async {
        tokio::task::yield_now().await;
        bench.open(Class::Confirm).await;
        bench.clock.advance(PAUSE);
        bench.call(Class::Confirm, async { Ok(()) }).await.unwrap();
    });
    assert_eq!(bench.state(Class::Confirm), BreakerState::Closed);
}

async fn futures_of_before(bench: &Bench) {
    tokio::join!(
        bench.hang(Class::Confirm),
        bench.hang(Class::Confirm),
        bench.hang(Class::Confirm),
        bench.hang(Class::Confirm),
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_lost_and_comes_back_is_told_once_each_by_class() {
    let (backend, class) = ("fake", Class::Write);
    let bench = Bench::new();
    let _ = bench.call(Class::List, async { Err(away()) }).await;
    let _ = bench.call(class, async { Err(away()) }).await;
    bench.clock.advance(Duration::from_secs(7));
    bench.open(class).await;
    let _ = bench.call(class, async { Err(away()) }).await;
    for _ in 0..2 {
        bench.call(class, async { Ok(()) }).await.unwrap();
    }
    let away = Duration::from_secs(7);
    let told = bench.heard.lock().unwrap();
    assert_eq!(
        *told,
        [
            Signal::StoreLost { backend, class },
            Signal::StoreBack {
                backend,
                class,
                away
            }
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_a_moment_before_the_deadline_has_waited_for_it() {
    let bench = Bench::new();
    for _ in 0..FAILURES {
        let call = bench.call(Class::Confirm, pending());
        let given_up = timeout(DEADLINE.mul_f64(0.95), call).await;
        given_up.expect_err("nobody answers");
    }
    assert_eq!(bench.state(Class::Confirm), BreakerState::Open);
}

#[test]
fn each_state_and_a_call_that_was_not_sent_have_their_words() {
    let states = [
        BreakerState::Closed,
        BreakerState::HalfOpen,
        BreakerState::Open,
    ];
    assert_eq!(
        states.map(BreakerState::as_str),
        ["closed", "half_open", "open"]
    );
    assert!(Shed.to_string().contains("failed"));
}
