//! A long log on a server, and what may happen between its pieces.

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
    About, Answer, EndReason, EntryId, FleetLimits, NodeId, PollRequest, Question, RevocationStore,
    Revoked,
};
use crate::testing::ManualClock;
use crate::token::{SessionId, UserId};
use crate::verify::TokenFacts;

const LIMITS: FleetLimits = FleetLimits {
    access_lifetime: Duration::from_secs(900),
    leeway: Duration::from_secs(60),
    skew: Duration::from_secs(5),
};
const LEASE: Duration = Duration::from_secs(30);
const ENTRIES: &str = "{tower-jwt-session}:entries";
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

/// The texts of a line.
fn texts(server: &Server, entry: &RevocationEntry) -> Vec<String> {
    let line: String = server.run(&["HGET", ENTRIES, &entries::name_of(entry.id)]);
    line.split('\n').map(str::to_owned).collect()
}

fn write(server: &Server, entry: &RevocationEntry, texts: &[String]) {
    let (name, line) = (entries::name_of(entry.id), texts.join("\n"));
    let _: u64 = server.run(&["HSET", ENTRIES, &name, &line]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_line_does_not_say_that_it_stands_the_order_of_the_ends_decides() {
    let server = Server::new();
    let (store, clock) = held(&server).await;
    let mut log = Vec::new();
    let mut new = lines(&clock, 2 * PIECE + 7, LONG);
    for (number, line) in (0..).zip(&mut new) {
        line.until = line.until + Duration::from_micros(number);
    }
    add(&store, new, &mut log).await;
    let over = clock.now().as_micros().to_string();
    // The first is told by the script, the others by plain commands.
    let places = [0, PIECE, PIECE + 7, PIECE + 8, 2 * PIECE];
    for says in [&*over, "7", "+99999999999", "99999999999999999", "x", ""] {
        for place in places {
            let mut texts = texts(&server, &log[place]);
            texts[9] = says.to_owned();
            write(&server, &log[place], &texts);
        }
        assert!(read(&store).await == log, "{says:?}: they are not these");
    }
    for place in places {
        write(&server, &log[place], &texts(&server, &log[place])[..9]);
    }
    assert!(read(&store).await == log, "nothing: they are not these");
    // Who is prolonged there is so for every reader.
    log[PIECE].until = clock.now() + 2 * LONG;
    let written = store.append(vec![log[PIECE].clone()]).await;
    let written = written.expect("the store answers").entries;
    assert_eq!(written, log[PIECE..=PIECE]);
    assert!(read(&store).await == log, "prolonged: they are not these");
    // Who is not in that order either has gone.
    let mut name = entries::name_of(log[PIECE + 7].id);
    let _: u64 = server.run(&["ZREM", "{tower-jwt-session}:until", &name]);
    log.remove(PIECE + 7);
    assert!(read(&store).await == log, "gone: they are not these");
    name = entries::name_of(log[0].id);
    let _: u64 = server.run(&["ZREM", "{tower-jwt-session}:until", &name]);
    log.remove(0);
    assert!(
        read(&store).await == log,
        "gone as well: they are not these"
    );
}

/// What the store itself says of a token of a line's session.
async fn asked(store: &RedisStore, entry: &RevocationEntry) -> Answer {
    let Revoked::Session { session, .. } = entry.revoked else {
        panic!("it is about a session");
    };
    let facts = TokenFacts {
        user: UserId::new("ada").expect("it is a name"),
        session: Some(session),
        token: None,
        binding: None,
        issued_at: None,
        expires_at: entry.until,
    };
    let question = Question::new(facts, About::Log);
    store.ask(&question).await.expect("the store answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_cannot_be_read_puts_out_its_subject_wherever_it_stands() {
    let server = Server::new();
    let (store, clock) = held(&server).await;
    let mut log = Vec::new();
    add(&store, lines(&clock, 2 * PIECE, LONG), &mut log).await;
    let mut damages: Vec<(&str, Damage)> = vec![
        ("kind", |texts| texts[0] = "garbage".to_owned()),
        ("another kind", |texts| texts[0] = "token".to_owned()),
        ("no kind", |texts| texts[0] = String::new()),
        ("session", |texts| texts[2] = "nobody".to_owned()),
        ("instant", |texts| texts[8] = "x".to_owned()),
        ("more", |texts| texts.push("more".to_owned())),
        ("a number more", |texts| {
            texts.push("9999999999999999".to_owned())
        }),
        ("less", |texts| texts.truncate(2)),
    ];
    // A line feed that is lost.
    damages.push(("2 and 3", |texts| joined(texts, 2)));
    damages.push(("3 and 4", |texts| joined(texts, 3)));
    damages.push(("7 and 8", |texts| joined(texts, 7)));
    damages.push(("8 and 9", |texts| joined(texts, 8)));
    for place in [0, PIECE + 1] {
        let sound = texts(&server, &log[place]);
        for (what, damage) in &damages {
            let mut texts = sound.clone();
            damage(&mut texts);
            write(&server, &log[place], &texts);
            let read = read(&store).await;
            assert_eq!(read.len(), log.len(), "{what}");
            let (found, sound) = (&read[place], &log[place]);
            assert_eq!(found.revoked, sound.revoked, "{what}");
            assert_eq!(found.reason, EndReason::AdminRevoked, "{what}");
            assert_eq!(found.until, sound.until, "{what}");
            let answer = asked(&store, sound).await;
            assert_eq!(answer, Answer::Revoked(EndReason::AdminRevoked), "{what}");
        }
        // Bytes that are no text at all, in what it says and in its end.
        let name = entries::name_of(log[place].id);
        for which in [2, 8, 9] {
            let mut bytes: Vec<Vec<u8>> = sound.iter().map(|text| text.clone().into()).collect();
            bytes[which] = vec![0xff];
            let line = bytes.join(&b'\n');
            let mut put = redis::cmd("HSET");
            put.arg(ENTRIES).arg(&name).arg(line);
            let client = redis::Client::open(server.address()).expect("a good address");
            let mut connection = client.get_connection().expect("it is up");
            let _: u64 = put.query(&mut connection).expect("it is up");
            let read = read(&store).await;
            assert_eq!(read[place].revoked, log[place].revoked, "{which}");
            assert_eq!(read[place].until, log[place].until, "{which}");
            assert!(matches!(
                asked(&store, &log[place]).await,
                Answer::Revoked(_)
            ));
        }
        write(&server, &log[place], &sound);
    }
    assert!(read(&store).await == log, "they are not these");
}

type Damage = fn(&mut Vec<String>);

fn joined(texts: &mut Vec<String>, first: usize) {
    let second = texts.remove(first + 1);
    texts[first].push_str(&second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_has_lost_a_part_is_missed_or_stands_and_is_written_again_whole() {
    let server = Server::new();
    let (store, clock) = held(&server).await;
    let mut log = Vec::new();
    add(&store, lines(&clock, 4, LONG), &mut log).await;
    let probes: Vec<EntryId> = log.iter().map(|entry| entry.id).collect();
    for (entry, [command, key]) in log.iter().zip([
        ["ZREM", "{tower-jwt-session}:log"],
        ["HDEL", ENTRIES],
        ["ZREM", "{tower-jwt-session}:until"],
    ]) {
        let _: u64 = server.run(&[command, key, &entries::name_of(entry.id)]);
    }
    let poll = async |probes: &[EntryId]| {
        let mut request = PollRequest::new(NodeId(1), LEASE);
        request.probes = probes;
        store.poll(request).await.expect("the store answers")
    };
    // What says by itself until when it stands is missed by nobody, and counts for everybody.
    let polled = poll(&probes).await;
    assert_eq!(polled.missing, probes[..2]);
    assert_eq!(polled.entries, log[2..]);
    assert_eq!(
        asked(&store, &log[2]).await,
        Answer::Revoked(EndReason::SignedOut)
    );
    let written = store.append(log[..3].to_vec()).await;
    assert_eq!(written.expect("it answers").entries.len(), 3);
    let polled = poll(&probes).await;
    assert!(polled.missing.is_empty());
    assert_eq!(polled.entries.len(), log.len());
    for entry in &log {
        assert!(polled.entries.contains(entry), "{entry:?}");
    }
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
