//! A long log on a server, and what may happen between its pieces.

mod damage;
#[path = "../../../../tests/redis_server/mod.rs"]
#[allow(unreachable_pub)]
mod server;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use self::server::{DURABLE, Server};
use super::*;
use crate::clock::Clock as _;
use crate::error::StoreErrorKind;
use crate::revocation::{
    EndReason, EntryId, FleetLimits, NodeId, PollRequest, RevocationStore, Revoked,
};
use crate::testing::ManualClock;
use crate::token::SessionId;

const LIMITS: FleetLimits = FleetLimits {
    access_lifetime: Duration::from_secs(900),
    leeway: Duration::from_secs(60),
    skew: Duration::from_secs(5),
};
const LEASE: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_secs(60);

/// A store by a clock that is held.
async fn held(server: &Server) -> (RedisStore, ManualClock) {
    let clock = ManualClock::new();
    let store = RedisStore::new(&server.address()).expect("a good address");
    let store = store.with_clock(Arc::new(clock.clone()));
    store.attach(LIMITS).await.expect("it fits");
    (store, clock)
}

fn lines(clock: &ManualClock, count: usize, life: Duration) -> Vec<RevocationEntry> {
    let line = |_| RevocationEntry {
        id: EntryId::random(),
        revoked: Revoked::Session {
            session: SessionId::random(),
            user: None,
        },
        reason: EndReason::SignedOut,
        at: clock.now(),
        until: clock.now() + life,
    };
    (0..count).map(line).collect()
}

/// Writes lines at the end of the log, and of what is known to be there.
async fn add(store: &RedisStore, new: Vec<RevocationEntry>, log: &mut Vec<RevocationEntry>) {
    for some in new.chunks(1_000) {
        let written = store.append(some.to_vec()).await;
        log.extend(written.expect("the store answers").entries);
    }
}

async fn read(store: &RedisStore) -> Vec<RevocationEntry> {
    let poll = store.poll(PollRequest::new(NodeId(1), LEASE)).await;
    poll.expect("the store answers").entries
}

/// The first piece alone.
async fn begun(store: &RedisStore) -> Piece {
    let args = vec![
        format!("{:032x}", 1),
        super::super::scripts::duration(LEASE),
        String::new(),
        String::new(),
    ];
    let answer = store.run(0, &SCRIPTS.poll, args).await;
    let piece = reply::piece(answer.expect("the store answers")).expect("it is one");
    assert!(piece.more, "it is the whole log");
    piece
}

/// What keeps it from being read further.
async fn why_not(store: &RedisStore, first: Piece) -> String {
    let failed = store.read_on(0, first, None).await.err().expect("it fails");
    assert_eq!(failed.kind(), StoreErrorKind::Unavailable);
    failed.source().expect("it says why").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_several_pieces_is_read_whole_and_once() {
    let server = Server::new();
    let (store, clock) = held(&server).await;
    let mut log = Vec::new();
    for size in [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7] {
        let more = lines(&clock, size - log.len(), LONG);
        add(&store, more, &mut log).await;
        assert!(read(&store).await == log, "{size} lines are not these");
    }
    let pieces = Pieces::default();
    let mut request = PollRequest::new(NodeId(1), LEASE);
    request.pieces = Some(&pieces);
    store.poll(request).await.expect("the store answers");
    assert!(pieces.so_far() >= 2, "who waits is told of each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_between_the_pieces_is_read_with_them() {
    let server = Server::new();
    let (store, clock) = held(&server).await;
    let mut log = Vec::new();
    add(&store, lines(&clock, 2 * PIECE + 7, LONG), &mut log).await;
    let first = begun(&store).await;
    add(&store, lines(&clock, PIECE, LONG), &mut log).await;
    let whole = store
        .read_on(0, first, None)
        .await
        .expect("the store answers");
    assert!(whole.entries == log, "they are not these");
    assert_eq!(whole.end, log.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_over_or_was_purged_between_the_pieces_is_left_out() {
    let server = Server::new();
    let (store, clock) = held(&server).await;
    let mut log = Vec::new();
    // After the first piece, and more than one purge takes away.
    for _ in 0..3 {
        add(&store, lines(&clock, PIECE, LONG), &mut log).await;
        add(&store, lines(&clock, 70, SHORT), &mut log).await;
    }
    let first = begun(&store).await;
    clock.advance(SHORT);
    add(&store, lines(&clock, 1, LONG), &mut log).await;
    let left: usize = server.run(&["HLEN", "{tower-jwt-session}:entries"]);
    let all = log.len();
    log.retain(|entry| entry.until > clock.now());
    assert!(log.len() < left && left < all, "{left} of {all}");
    let read_on = store
        .read_on(0, first, None)
        .await
        .expect("it answers")
        .entries;
    let now = clock.now();
    let (alive, over): (Vec<_>, Vec<_>) = read_on.into_iter().partition(|line| line.until > now);
    assert!(alive == log, "they are not these");
    assert_eq!(over.len(), left - log.len());
    // By the clock of its own beginning a poll leaves out what is not purged yet.
    assert!(read(&store).await == log, "they are not these");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_was_prolonged_lives_as_long_as_it_was_said_to() {
    let server = Server::new();
    let (store, clock) = held(&server).await;
    // One of them is told by the script, the others by plain commands.
    let [first, last] = [0, 3 * PIECE - 1];
    let mut log = Vec::new();
    add(&store, lines(&clock, 3 * PIECE, SHORT), &mut log).await;
    let mut longer = Vec::new();
    for which in [first, PIECE, 2 * PIECE + 7, last] {
        log[which].until = clock.now() + LONG;
        longer.push(log[which].clone());
    }
    let written = store.append(longer.clone()).await.expect("it answers");
    assert_eq!(written.entries, longer);
    assert!(read(&store).await == log, "they are not these");
    // To say less prolongs nothing, and shortens nothing.
    let mut less = longer.clone();
    less.iter_mut()
        .for_each(|line| line.until = clock.now() + SHORT);
    let written = store.append(less).await.expect("it answers");
    assert_eq!(written.entries, longer);
    clock.advance(SHORT);
    assert_eq!(read(&store).await, longer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_counts_where_the_history_changes_between_the_pieces() {
    let mut server = Server::with(&DURABLE);
    let (store, clock) = held(&server).await;
    add(&store, lines(&clock, 2 * PIECE, LONG), &mut Vec::new()).await;
    let fails = async |first, what: &str| {
        let why = why_not(&store, first).await;
        assert!(why.contains("history"), "{what}: {why}");
    };
    let first = begun(&store).await;
    server.kill();
    server.start();
    fails(first, "another run of the server").await;
    let first = begun(&store).await;
    let fleet = ["HSET", "{tower-jwt-session}:fleet", "history", "0a"];
    let _: u64 = server.run(&fleet);
    fails(first, "other data").await;
    let first = begun(&store).await;
    let _: () = server.run(&["FLUSHALL"]);
    fails(first, "no data").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_tells_no_log() {
    let (server, primary) = (Server::new(), Server::new());
    let (store, clock) = held(&server).await;
    add(&store, lines(&clock, 2 * PIECE, LONG), &mut Vec::new()).await;
    let first = begun(&store).await;
    let port = primary.port.to_string();
    let _: () = server.run(&["REPLICAOF", "127.0.0.1", &port]);
    let why = why_not(&store, first).await;
    assert!(why.contains("replica"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_knows_numbers_and_pairs_reads_the_same() {
    let server = Server::new();
    let (store, clock) = held(&server).await;
    let mut log = Vec::new();
    add(&store, lines(&clock, 2 * PIECE, LONG), &mut log).await;
    let address = format!("{}?protocol=resp3", server.address());
    let client = redis::Client::open(address).expect("a good address");
    let manager = client.get_connection_manager().await.expect("it is there");
    let other = RedisStore::with_connection(&server.address(), manager);
    let other = other.expect("a good address").with_clock(Arc::new(clock));
    assert!(read(&other).await == log, "they are not these");
}

#[test]
fn a_score_is_a_whole_number_however_it_is_written() {
    let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
    for value in [
        text("1763796000000000"),
        text("1.763796e+15"),
        Value::Double(1.763796e15),
    ] {
        let score = reply::score(value.clone());
        assert_eq!(score.ok(), Some(1_763_796_000_000_000), "{value:?}");
    }
    for value in ["", "-1", "0.5", "inf", "nan", "1e300", "x"] {
        assert!(reply::score(text(value)).is_err(), "{value:?}");
    }
    assert!(reply::score(Value::Nil).is_err());
}
