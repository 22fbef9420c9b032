//! Requests that two readers would cut apart in different places (RFC 9112, sections 2.2, 5 and 6).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::server::{Server, get};
use crate::table::Line;

const REFERENCE: &str = "RFC 9112 6.1, 6.3, 11.2";

pub fn run(server: &Server) -> (BTreeSet<Line>, Vec<String>) {
    let mut wire = server.wire();
    let good = server.sign_in(&mut wire, "ada");
    let (mut lines, mut wrong) = (BTreeSet::new(), Vec::new());
    for (name, first) in firsts() {
        // What is behind it must be read as a request of its own, or not at all; and nothing in front of it may borrow its token.
        let me = server.example.me();
        let last = format!(
            "GET {me} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            good.access
        );
        let first = first.replace("ME", me);
        let bytes = [first.as_bytes(), last.as_bytes()].concat();
        let (answers, closed) = server.wire().raw(&bytes, Duration::from_secs(30));
        let verdict: Vec<_> = answers
            .iter()
            .map(|answer| answer.status.to_string())
            .collect();
        let is_sound = closed
            && answers.iter().all(|answer| answer.status < 500)
            && answers.iter().filter(|answer| answer.status == 200).count() <= 1
            && (answers.is_empty() || answers[0].status != 200);
        if !is_sound {
            wrong.push(format!("{name}: {verdict:?}, closed: {closed}"));
        }
        let after = get(&mut wire, me, &good.access);
        if after.status != 200 {
            wrong.push(format!("after {name}: {after:?}"));
        }
        lines.insert(Line {
            suite: "smuggling".to_owned(),
            family: "framing".to_owned(),
            case: name.to_owned(),
            reference: REFERENCE.to_owned(),
            verdict: verdict.join(", "),
        });
    }
    (lines, wrong)
}

/// A first request without a token, whose end is a matter of opinion.
fn firsts() -> Vec<(&'static str, String)> {
    let post = |lines: &str, body: &str| {
        format!("POST /api/token/refresh HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n{body}")
    };
    let line = |line: &str| format!("GET ME HTTP/1.1\r\nhost: 127.0.0.1\r\n{line}\r\n");
    vec![
        (
            "two lengths that differ",
            post("content-length: 5\r\ncontent-length: 6\r\n", "hello!"),
        ),
        (
            "two lengths in one line",
            post("content-length: 5, 6\r\n", "hello!"),
        ),
        (
            "a length with a plus",
            post("content-length: +5\r\n", "hello"),
        ),
        (
            "a length with a minus",
            post("content-length: -5\r\n", "hello"),
        ),
        (
            "a length in hexadecimal",
            post("content-length: 0x5\r\n", "hello"),
        ),
        (
            "a length with a space inside",
            post("content-length: 1 0\r\n", "hello"),
        ),
        (
            "a length beyond all",
            post("content-length: 99999999999999999999999\r\n", ""),
        ),
        ("an empty length", post("content-length:\r\n", "")),
        (
            "a length of letters",
            post("content-length: five\r\n", "hello"),
        ),
        (
            "chunked is not last",
            post("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ),
        (
            "an unknown coding",
            post("transfer-encoding: cow\r\n", "0\r\n\r\n"),
        ),
        (
            "chunked with a letter more",
            post("transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
        ),
        (
            "chunked in quotes",
            post("transfer-encoding: \"chunked\"\r\n", "0\r\n\r\n"),
        ),
        (
            "a space before the colon",
            line("transfer-encoding : chunked\r\n"),
        ),
        ("a tab before the colon", line("content-length\t: 5\r\n")),
        ("a space before the name", line(" x: y\r\n")),
        ("a folded line", line("x: y\r\n z\r\n")),
        ("a NUL in a value", line("x: a\0b\r\n")),
        ("a NUL in a name", line("x\0y: a\r\n")),
        ("a CR in a value", line("x: a\rb\r\n")),
        ("an empty name", line(": a\r\n")),
        ("no colon", line("nonsense\r\n")),
        ("a wide letter in a name", line("\u{ff58}: a\r\n")),
        ("a control character in a value", line("x: \u{1}\r\n")),
        (
            "a chunk of no size",
            post("transfer-encoding: chunked\r\n", "x\r\n"),
        ),
        (
            "a chunk size beyond all",
            post("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n"),
        ),
        (
            "a chunk size with a minus",
            post("transfer-encoding: chunked\r\n", "-1\r\n"),
        ),
        (
            "a chunk that is longer than it says",
            post("transfer-encoding: chunked\r\n", "1\r\nab\r\n0\r\n\r\n"),
        ),
        ("an HTTP/0.9 request", "GET ME\r\n\r\n".to_owned()),
        (
            "an HTTP version that is none",
            "GET ME HTTP/9.9\r\nhost: a\r\n\r\n".to_owned(),
        ),
        ("no target", "GET HTTP/1.1\r\nhost: a\r\n\r\n".to_owned()),
        (
            "two targets",
            "GET ME ME HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        ),
        (
            "a line end in the target",
            "GET ME\nx HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        ),
        (
            "a byte above 127 in the method",
            "G\u{e9}T ME HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
        ),
        (
            "TLS instead of HTTP",
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".to_owned(),
        ),
        ("a thousand header lines", line(&"x: y\r\n".repeat(1000))),
        (
            "a header line of a megabyte",
            line(&format!("x: {}\r\n", "y".repeat(1 << 20))),
        ),
        (
            "a target of 100 KB",
            format!("GET ME{} HTTP/1.1\r\nhost: a\r\n\r\n", "?".repeat(100_000)),
        ),
    ]
}
