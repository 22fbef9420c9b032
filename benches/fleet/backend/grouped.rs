//! Clients of a driver alone: each writes by itself, or what several ask for is written together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;
use tower_jwt_session::SessionId;

/// A way in which the driver alone serves clients, and how often per second it does.
pub struct Way {
    pub name: &'static str,
    pub rate: f64,
    /// Whether it makes as many round trips as the store, so that the store is judged by it.
    pub makes_as_many_trips: bool,
}

/// What writes by one commit.
pub trait Writer: Send + 'static {
    /// Reads what was written before for each client, and writes another for each; their names.
    fn write(&mut self, before: &[SessionId]) -> impl Future<Output = Vec<SessionId>> + Send;
}

/// What a client asks for.
struct Asked {
    before: SessionId,
    answer: oneshot::Sender<SessionId>,
}

/// How often per second clients write, each by a writer of its own.
async fn one_each<W: Writer>(clients: impl IntoIterator<Item = W>) -> f64 {
    let began = Instant::now();
    let mut driving = JoinSet::new();
    for mut writer in clients {
        driving.spawn(async move {
            let (mut done, mut before) = (0_u64, vec![SessionId::random()]);
            while began.elapsed() < LASTS {
                before = writer.write(&before).await;
                done += 1;
            }
            done
        });
    }
    let done: u64 = driving.join_all().await.into_iter().sum();
    done as f64 / began.elapsed().as_secs_f64()
}

/// The same where each writer takes all that is asked for at the moment, and answers after the
/// commit.
pub async fn grouped<W: Writer>(clients: usize, writers: impl IntoIterator<Item = W>) -> f64 {
    let (ask, queue) = mpsc::channel(clients);
    let queue = Arc::new(Mutex::new(queue));
    for writer in writers {
        // Ends by itself when nobody asks any more.
        tokio::spawn(serve(writer, queue.clone()));
    }
    drop(queue);
    let began = Instant::now();
    let mut driving = JoinSet::new();
    for _ in 0..clients {
        let ask = ask.clone();
        driving.spawn(async move {
            let (mut done, mut before) = (0_u64, SessionId::random());
            while began.elapsed() < LASTS {
                let (answer, answered) = oneshot::channel();
                let asked = ask.send(Asked { before, answer }).await;
                assert!(asked.is_ok(), "the writers are there");
                before = answered.await.expect("the writers are there");
                done += 1;
            }
            done
        });
    }
    let done: u64 = driving.join_all().await.into_iter().sum();
    done as f64 / began.elapsed().as_secs_f64()
}

async fn serve<W: Writer>(mut writer: W, queue: Arc<Mutex<mpsc::Receiver<Asked>>>) {
    loop {
        // Whoever was answered asks again first, so that the groups are large.
        tokio::task::yield_now().await;
        let mut asked = Vec::new();
        if queue.lock().await.recv_many(&mut asked, AT_ONCE).await == 0 {
            return;
        }
        let before: Vec<SessionId> = asked.iter().map(|asked| asked.before).collect();
        let written = writer.write(&before).await;
        for (asked, id) in asked.into_iter().zip(written) {
            // The client waits for it.
            let _ = asked.answer.send(id);
        }
    }
}

/// What clients get by a writer each and, where there are several, by `few` that write together.
pub async fn ways<W: Writer, I: IntoIterator<Item = W>>(
    clients: usize,
    few: usize,
    writers: impl Fn(usize) -> I,
) -> Vec<Way> {
    let way = |name, rate| Way {
        name,
        rate,
        makes_as_many_trips: true,
    };
    let mut ways = vec![way(ONE_EACH, one_each(writers(clients)).await)];
    if clients > 1 {
        ways.push(way(GROUPED, grouped(clients, writers(few)).await));
    }
    ways
}

const ONE_EACH: &str = "one each";
const GROUPED: &str = "grouped";
const LASTS: Duration = Duration::from_millis(500);
/// More than there are clients.
const AT_ONCE: usize = 256;
