//! Lines that say too little, or something else than they did.

use super::*;
use crate::revocation::{About, Answer, Question};
use crate::token::UserId;
use crate::verify::TokenFacts;

const ENTRIES: &str = "{tower-jwt-session}:entries";

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
