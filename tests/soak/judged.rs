//! The model says what is wrong when something is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::driver::STALENESS;
use crate::driver::http::Reply;
use crate::driver::model::{Asked, Ending, Token, Verdict, request, without_answer};
use crate::driver::weather::{Cause, Processors, Weather, watch_store};

fn reply(status: u16, code: &str) -> Reply {
    Reply::Answered(status, code.to_owned())
}

fn asked(node: usize, sent: Instant) -> Asked {
    let answered = sent + Duration::from_millis(1);
    Asked {
        node,
        sent,
        answered,
    }
}

fn ours(session: Ending) -> Token {
    Token::Ours {
        session,
        roles: Ending::No,
    }
}

#[test]
fn who_has_ended_is_let_in_by_nobody_who_must_know() {
    let (weather, at) = (Weather::new(), Instant::now());
    let done = |everywhere| {
        ours(Ending::Done {
            at,
            by: 0,
            everywhere,
        })
    };
    let (soon, late) = (
        at + Duration::from_millis(5),
        at + STALENESS + Duration::from_millis(1),
    );
    let judge = |token, node, sent| request(token, asked(node, sent), &reply(200, ""), &weather);
    assert_eq!(judge(done(false), 0, soon), Verdict::Unexplained);
    assert_eq!(judge(done(true), 1, soon), Verdict::Unexplained);
    assert_eq!(judge(done(false), 1, late), Verdict::Unexplained);
    let behind = Verdict::Behind(Duration::from_millis(5));
    assert_eq!(judge(done(false), 1, soon), behind);
    assert_eq!(judge(ours(Ending::Asked), 0, late), Verdict::Right);
    for token in [Token::Expired, Token::Forged, Token::Garbage] {
        assert_eq!(judge(token, 0, soon), Verdict::Unexplained);
    }
}

#[test]
fn nobody_who_is_welcome_is_signed_out_also_during_a_fault() {
    let weather = Weather::new();
    weather.begins("everything", [true; 2], true);
    let now = Instant::now();
    for code in [
        "token_revoked",
        "token_stale",
        "token_expired",
        "invalid_token",
    ] {
        let verdict = request(ours(Ending::No), asked(0, now), &reply(401, code), &weather);
        assert_eq!(verdict, Verdict::Unexplained, "{code}");
    }
    for status in [403, 404, 500, 502] {
        let verdict = request(
            ours(Ending::No),
            asked(0, now),
            &reply(status, ""),
            &weather,
        );
        assert_eq!(verdict, Verdict::Unexplained, "{status}");
    }
}

#[test]
fn a_503_is_explained_by_a_fault_of_that_node_alone() {
    let weather = Weather::new();
    let away = reply(503, "store_unavailable");
    let now = Instant::now();
    let judge = |node, sent| request(ours(Ending::No), asked(node, sent), &away, &weather);
    assert_eq!(judge(0, now), Verdict::Unexplained);
    weather.begins("a link", [true, false], false);
    let during = Instant::now();
    assert_eq!(judge(0, during), Verdict::Explained(Cause::Fault));
    assert_eq!(judge(1, during), Verdict::Unexplained);
    assert!(matches!(
        without_answer(true, asked(0, during), &weather),
        Verdict::Unexplained
    ));
    weather.ends();
    let later = Instant::now() + Duration::from_secs(60);
    assert_eq!(judge(0, later), Verdict::Unexplained);
    let forged = request(Token::Forged, asked(0, during), &away, &weather);
    assert_eq!(forged, Verdict::Unexplained);
}

#[tokio::test]
async fn a_503_is_explained_by_a_store_that_keeps_others_waiting_too() {
    let weather = Arc::new(Weather::new());
    let away = reply(503, "store_unavailable");
    let judge = |sent| request(ours(Ending::No), asked(0, sent), &away, &weather);
    // It takes what comes, and answers in a second.
    let slow = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let began = Instant::now();
    let watch = watch_store(weather.clone(), slow.local_addr().unwrap());
    let watch = tokio::spawn(watch);
    let (mut connection, _) = slow.accept().await.unwrap();
    connection.read_exact(&mut [0; 6]).await.unwrap();
    assert_eq!(judge(began), Verdict::Unexplained, "it has hardly waited");
    // From here on it has been asked, however late on a busy machine.
    let asked_before = Instant::now();
    let during = asked_before + Duration::from_secs(1);
    assert_eq!(judge(during), Verdict::Explained(Cause::Store));

    tokio::time::sleep(Duration::from_millis(200)).await;
    connection.write_all(b"+PONG\r\n").await.unwrap();
    // The next question shows that the answer was noted.
    connection.read_exact(&mut [0; 6]).await.unwrap();
    let (stalls, longest) = weather.store_stalls();
    assert_eq!(stalls, 1);
    assert!(longest >= Duration::from_millis(200), "{longest:?}");
    assert_eq!(judge(asked_before), Verdict::Explained(Cause::Store));
    // A store that is gone keeps nobody waiting.
    drop((slow, connection));
    let long_after = Instant::now() + Duration::from_secs(60);
    while judge(long_after) != Verdict::Unexplained {
        assert!(began.elapsed() < Duration::from_secs(30), "it still waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    watch.abort();
}

#[test]
fn a_503_is_explained_by_a_host_that_keeps_half_of_what_was_wanted() {
    let away = reply(503, "store_unavailable");
    let (from, none) = (
        Instant::now(),
        Processors {
            used: 1_000,
            idle: 1_000,
            stolen: 1_000,
        },
    );
    let to = from + Duration::from_millis(500);
    let judged = |[used, idle, stolen]: [u64; 3], sent| {
        let weather = Weather::new();
        let after = Processors {
            used: none.used + used,
            idle: none.idle + idle,
            stolen: none.stolen + stolen,
        };
        weather.shared(from, to, none, after);
        let verdict = request(ours(Ending::No), asked(0, sent), &away, &weather);
        (verdict, weather.host_away())
    };
    let excused = Duration::from_millis(1_500);
    let explained = (Verdict::Explained(Cause::Host), excused);
    let unexplained = (Verdict::Unexplained, Duration::ZERO);
    assert_eq!(judged([50, 0, 50], from), explained);
    assert_eq!(judged([10, 80, 10], to), explained);
    assert_eq!(judged([51, 0, 49], from), unexplained, "less than half");
    assert_eq!(judged([5, 86, 9], from), unexplained, "hardly any");
    assert_eq!(judged([0, 0, 0], from), unexplained);
    let later = to + Duration::from_secs(2);
    assert_eq!(judged([50, 0, 50], later).0, Verdict::Unexplained);
    // Who has ended is let in for no such reason.
    let weather = Weather::new();
    let all = Processors {
        stolen: none.stolen + 100,
        ..none
    };
    weather.shared(from, to, none, all);
    let done = ours(Ending::Done {
        at: from,
        by: 0,
        everywhere: false,
    });
    let verdict = request(done, asked(0, to), &reply(200, ""), &weather);
    assert_eq!(verdict, Verdict::Unexplained);
}
