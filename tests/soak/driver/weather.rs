//! Which faults there are, and whether one explains an answer.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Something that was made to fail.
#[derive(Clone, Debug)]
pub struct Fault {
    pub what: String,
    /// Which nodes feel it.
    pub nodes: [bool; 2],
    /// Whether the process of those nodes itself is what fails.
    pub of_the_node: bool,
    pub began: Instant,
    pub ended: Option<Instant>,
}

/// Faults past and present, and when the machine itself, its host, or the store stood still.
pub struct Weather {
    pub began: Instant,
    /// For how long it must be quiet until nothing of before is under way.
    pub settles: Duration,
    faults: Mutex<Vec<Fault>>,
    stalls: Mutex<Vec<(Instant, Instant)>>,
    host: Mutex<Host>,
    store: Mutex<Watched>,
}

/// What the host of a virtual machine made of its processors.
#[derive(Default)]
struct Host {
    /// When it kept them for others.
    away: Vec<(Instant, Instant)>,
    /// Up to when that is known; `None` where nobody watches.
    seen: Option<(Instant, Processors)>,
}

/// How the store answered somebody who has nothing to do with the crate.
#[derive(Default)]
struct Watched {
    /// Since when an answer is waited for.
    since: Option<Instant>,
    /// When it took long.
    stalls: Vec<(Instant, Instant)>,
}

impl Weather {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            settles: Duration::from_secs(2),
            faults: Mutex::default(),
            stalls: Mutex::default(),
            host: Mutex::default(),
            store: Mutex::default(),
        }
    }

    pub fn begins(&self, what: impl Into<String>, nodes: [bool; 2], of_the_node: bool) {
        let what = what.into();
        self.faults.lock().expect("nobody panicked").push(Fault {
            what: what.clone(),
            nodes,
            of_the_node,
            began: Instant::now(),
            ended: None,
        });
        eprintln!("  {:6.1} s: {what}", self.began.elapsed().as_secs_f64());
    }

    pub fn ends(&self) {
        for fault in self.faults.lock().expect("nobody panicked").iter_mut() {
            fault.ended.get_or_insert_with(Instant::now);
        }
    }

    pub fn faults(&self) -> Vec<Fault> {
        self.faults.lock().expect("nobody panicked").clone()
    }

    /// How often the machine stood still, and for how long at most.
    pub fn stalls(&self) -> (usize, Duration) {
        let stalls = self.stalls.lock().expect("nobody panicked");
        let long = stalls.iter().map(|(from, to)| *to - *from);
        let long: Vec<Duration> = long.filter(|stall| *stall >= STALL).collect();
        (long.len(), long.into_iter().max().unwrap_or_default())
    }

    /// For how long, in all, the host kept half of the processor time that was wanted, or more, or had
    /// done so a moment before: all that it may explain.
    pub fn host_away(&self) -> Duration {
        let host = self.host.lock().expect("nobody panicked");
        let mut last: Option<Instant> = None;
        let excused = |(from, to): &(Instant, Instant)| {
            let from = last.map_or(*from, |last| last.max(*from));
            let until = *to + AFTER_STALL;
            last = Some(until);
            until.saturating_duration_since(from)
        };
        host.away.iter().map(excused).sum()
    }

    /// How often the store stood still by itself, and for how long at most.
    pub fn store_stalls(&self) -> (usize, Duration) {
        let faults = self.faults();
        let by_itself = |(from, to): &&(Instant, Instant)| {
            !faults.iter().any(|fault| {
                fault.began <= *to && fault.ended.is_none_or(|ended| ended + RECOVERY >= *from)
            })
        };
        let store = self.store.lock().expect("nobody panicked");
        let long = store.stalls.iter().filter(by_itself);
        let long: Vec<Duration> = long.map(|(from, to)| *to - *from).collect();
        (long.len(), long.into_iter().max().unwrap_or_default())
    }

    /// How long ago the last fault ended; `None` while there is one.
    pub fn quiet_for(&self) -> Option<Duration> {
        let faults = self.faults.lock().expect("nobody panicked");
        match faults.last() {
            None => Some(self.began.elapsed()),
            Some(fault) => fault.ended.map(|ended| ended.elapsed()),
        }
    }

    /// Whether a node may have been without its store between two instants, and by what.
    pub fn explains(&self, node: usize, sent: Instant, answered: Instant) -> Option<Cause> {
        let faults = self.faults.lock().expect("nobody panicked");
        for fault in faults.iter().rev().filter(|fault| fault.nodes[node]) {
            if answered < fault.began {
                continue;
            }
            let Some(ended) = fault.ended.filter(|ended| *ended <= sent) else {
                return Some(Cause::Fault);
            };
            if sent < ended + RECOVERY {
                return Some(Cause::After(sent - ended));
            }
        }
        drop(faults);
        if self.stood_still(sent, answered) {
            return Some(Cause::Machine);
        }
        if self.host_was_away(sent, answered) {
            return Some(Cause::Host);
        }
        self.store_stood_still(sent, answered)
            .then_some(Cause::Store)
    }

    /// Whether the store kept somebody else waiting for long, who asked it directly.
    fn store_stood_still(&self, sent: Instant, answered: Instant) -> bool {
        let store = self.store.lock().expect("nobody panicked");
        let waits = store.since.is_some_and(|since| since + STALL <= answered);
        let waited =
            |(from, to): &(Instant, Instant)| *from <= answered && sent <= *to + AFTER_STALL;
        waits || store.stalls.iter().rev().any(waited)
    }

    fn store_is_asked(&self) -> Instant {
        let now = Instant::now();
        self.store.lock().expect("nobody panicked").since = Some(now);
        now
    }

    /// Notes that the store answered, or that nobody waits for it any more.
    fn store_answered(&self, asked: Option<Instant>) {
        let mut store = self.store.lock().expect("nobody panicked");
        store.since = None;
        if let Some(asked) = asked.filter(|asked| asked.elapsed() >= STALL) {
            store.stalls.push((asked, Instant::now()));
        }
    }

    /// Whether the machine did nothing for half of that time, or stood still at once for long.
    fn stood_still(&self, sent: Instant, answered: Instant) -> bool {
        let stalls = self.stalls.lock().expect("nobody panicked");
        let mut lost = Duration::ZERO;
        for (from, to) in stalls.iter().rev() {
            if *to + AFTER_STALL < sent {
                break;
            }
            if *from <= answered && *to - *from >= STALL {
                return true;
            }
            let within = answered.min(*to).saturating_duration_since(sent.max(*from));
            lost += within;
        }
        !lost.is_zero() && lost * 2 >= answered - sent
    }

    fn host_was_away(&self, sent: Instant, answered: Instant) -> bool {
        let mut host = self.host.lock().expect("nobody panicked");
        host.look_again(SHORT_SHARE);
        let held_up =
            |(from, to): &(Instant, Instant)| *from <= answered && sent <= *to + AFTER_STALL;
        host.away.iter().rev().any(held_up)
    }

    /// Notes what became of the processors between two instants.
    pub fn shared(&self, from: Instant, to: Instant, before: Processors, after: Processors) {
        let mut host = self.host.lock().expect("nobody panicked");
        host.shared(from, to, before, after);
    }

    /// Whether the process of a node was away, or away a moment before.
    pub fn was_away(&self, node: usize, sent: Instant, answered: Instant) -> bool {
        let faults = self.faults.lock().expect("nobody panicked");
        faults.iter().rev().any(|fault| {
            fault.of_the_node
                && fault.nodes[node]
                && fault.began <= answered
                && fault.ended.is_none_or(|ended| sent <= ended)
        })
    }
}

/// Why a node could not ask its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Fault,
    /// A fault was over for so long.
    After(Duration),
    /// The disk or the processor stood still, as a clock and a file beside the load saw.
    Machine,
    /// The host of the machine kept its processors for others, as the kernel counts it.
    Host,
    /// The store stood still, as another client of it saw that has a connection of its own.
    Store,
}

/// Notes when Redis itself keeps a client waiting that is next to it, beside all links.
pub async fn watch_store(weather: Arc<Weather>, server: SocketAddr) {
    loop {
        if let Ok(mut connection) = TcpStream::connect(server).await {
            // It ends when the server is killed, which is a fault.
            while ping(&weather, &mut connection).await.is_ok() {
                tokio::time::sleep(LOOKS).await;
            }
            weather.store_answered(None);
        }
        tokio::time::sleep(LOOKS).await;
    }
}

async fn ping(weather: &Weather, connection: &mut TcpStream) -> io::Result<()> {
    let asked = weather.store_is_asked();
    connection.write_all(b"PING\r\n").await?;
    connection.read_exact(&mut [0; PONG.len()]).await?;
    weather.store_answered(Some(asked));
    Ok(())
}

/// Notes when a small write takes long that has nothing to do with the crate.
pub async fn watch_machine(weather: Arc<Weather>, folder: PathBuf) {
    let path = folder.join("stalls");
    loop {
        let began = Instant::now();
        let path = path.clone();
        let written = tokio::task::spawn_blocking(move || {
            let file = std::fs::File::create(path);
            file.and_then(|mut file| file.write_all(&[7; 512]).and_then(|()| file.sync_data()))
        });
        // The folder goes with the fleet.
        let _ = written.await;
        tokio::time::sleep(LOOKS).await;
        if began.elapsed() > LOOKS + HELD_UP {
            let stall = (began + LOOKS, Instant::now());
            weather.stalls.lock().expect("nobody panicked").push(stall);
        }
    }
}

impl Host {
    fn shared(&mut self, from: Instant, to: Instant, before: Processors, after: Processors) {
        let stolen = after.stolen.saturating_sub(before.stolen);
        let used = after.used.saturating_sub(before.used);
        let idle = after.idle.saturating_sub(before.idle);
        if stolen >= used && stolen * 10 >= stolen + used + idle && stolen > 0 {
            self.away.push((from, to));
        }
    }

    /// Looks what became of them since, where that is long ago.
    fn look_again(&mut self, after: Duration) {
        let Some((from, before)) = self.seen.filter(|(from, _)| from.elapsed() >= after) else {
            return;
        };
        if let Some(now) = Processors::now() {
            let to = Instant::now();
            self.shared(from, to, before, now);
            self.seen = Some((to, now));
        }
    }
}

/// What became of the time of all processors since the machine was started, in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Processors {
    pub used: u64,
    pub idle: u64,
    /// Something wanted to run, and the host let it not.
    pub stolen: u64,
}

impl Processors {
    /// `None` where the kernel does not tell.
    fn now() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().flat_map(str::parse).collect();
        let &[user, nice, system, idle, waiting, hard, soft, stolen, ..] = &ticks[..] else {
            return None;
        };
        Some(Self {
            used: user + nice + system + hard + soft,
            idle: idle + waiting,
            stolen,
        })
    }
}

/// Notes when the host keeps what was wanted of the processors.
pub async fn watch_host(weather: Arc<Weather>) {
    let host = || weather.host.lock().expect("nobody panicked");
    host().seen = Processors::now().map(|now| (Instant::now(), now));
    loop {
        tokio::time::sleep(SHARE).await;
        host().look_again(SHARE);
    }
}

const PONG: &[u8] = b"+PONG\r\n";
const LOOKS: Duration = Duration::from_millis(20);
/// A tick is ten milliseconds: of two processors so long is a hundred of them.
const SHARE: Duration = Duration::from_millis(500);
/// The same where an answer is judged before that.
const SHORT_SHARE: Duration = Duration::from_millis(100);
/// More than such a write takes on a machine that has time.
const HELD_UP: Duration = Duration::from_millis(20);
/// A call to the store passes five processes' hands: so much for each is more than it has time.
const STALL: Duration = Duration::from_millis(150);
/// What a call needs that was held up, with the pause of a breaker that opened meanwhile.
const AFTER_STALL: Duration = Duration::from_secs(1);
/// What reconnecting and reading the log anew may take, on a busy machine.
const RECOVERY: Duration = Duration::from_secs(5);
