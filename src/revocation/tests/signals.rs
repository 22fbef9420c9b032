//! What a node tells of its view and of the log.

use std::sync::Mutex;

use super::*;

type Heard = Arc<Mutex<Vec<Signal>>>;

fn hear(bench: &Bench) -> Heard {
    let heard = Heard::default();
    let ears = heard.clone();
    let signals = Signals::to(move |signal| ears.lock().unwrap().push(signal));
    bench.node.signal_to(signals);
    heard
}

async fn heard(heard: &Heard, count: usize) -> Vec<Signal> {
    for _ in 0..10_000 {
        let told = heard.lock().unwrap().clone();
        if told.len() >= count {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{count} signals were expected: {:?}", heard.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_view_that_ceases_to_answer_is_told_once_and_so_is_that_it_answers_again() {
    let bench = Bench::new().await;
    let told = hear(&bench);
    bench.store.hold_polls();
    let follow = tokio::spawn(bench.node.clone().follow());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(told.lock().unwrap().is_empty());
    bench.clock.advance(STALENESS);
    assert_eq!(heard(&told, 1).await, [Signal::ViewStale]);
    bench.clock.advance(Duration::from_secs(5));
    tokio::time::sleep(Duration::from_secs(10)).await;
    bench.store.release_polls(1_000);
    let stale = Duration::from_secs(5);
    let fresh = Signal::ViewFresh { stale };
    assert_eq!(heard(&told, 2).await, [Signal::ViewStale, fresh]);
    follow.abort();
}

#[tokio::test]
async fn a_log_that_lost_entries_is_told_and_what_is_written_back_is_counted() {
    let bench = Bench::new().await;
    let told = hear(&bench);
    let (one, two) = (facts_of("ada"), facts_of("bob"));
    for facts in [&one, &two] {
        bench.end(facts.session.unwrap(), &facts.user).await;
    }
    bench.poll().await;
    {
        let mut state = bench.store.state();
        state.log.clear();
        state.history += 1;
    }
    bench.poll().await;
    let back = Signal::WrittenBack { entries: 2 };
    assert_eq!(*told.lock().unwrap(), [Signal::LogChanged, back]);
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn with(&self, part: &str) -> usize {
        let bytes = self.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().filter(|line| line.contains(part)).count()
    }
}

#[tokio::test(start_paused = true)]
async fn that_the_log_cannot_be_followed_is_logged_once_for_each_time() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let _heard = tracing::subscriber::set_default(subscriber.finish());
    // While there is one subscriber alone, what another thread without any says first is taken to
    // interest nobody.
    let _another = tracing::Dispatch::new(tracing_subscriber::registry());
    let bench = Bench::new().await;
    let follow = tokio::spawn(bench.node.clone().follow());
    for times in 1..=2 {
        bench.store.state().fails = Some(StoreErrorKind::Unavailable);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(lines.with("the revocation log cannot be followed"), times);
        bench.store.state().fails = None;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    follow.abort();
}
