//! What is sent must not write lines of its own into the log, nor into the figures.

use std::collections::BTreeSet;

use serde_json::json;

use crate::server::{Example, PASSWORD, Server, SignedIn, ask, bearer, post, send};
use crate::table::Line;
use crate::wire::Wire;

/// A line that nobody but an attacker would write.
const FORGED: &str = "2026-01-01T00:00:00.000000Z  INFO forged: admin signed in";

fn payloads() -> Vec<(&'static str, String)> {
    vec![
        ("a line feed", format!("x\n{FORGED}")),
        ("a carriage return", format!("x\r{FORGED}")),
        ("both", format!("x\r\n{FORGED}")),
        ("a vertical tab", format!("x\u{b}{FORGED}")),
        ("a form feed", format!("x\u{c}{FORGED}")),
        ("a next line", format!("x\u{85}{FORGED}")),
        ("a line separator", format!("x\u{2028}{FORGED}")),
        ("a paragraph separator", format!("x\u{2029}{FORGED}")),
        ("a colour", format!("\u{1b}[31m{FORGED}\u{1b}[0m")),
        ("a cleared screen", format!("\u{1b}[2J\u{1b}[H{FORGED}")),
        ("a title of the terminal", format!("\u{1b}]0;{FORGED}\u{7}")),
        ("a control sequence of 8 bits", format!("\u{9b}31m{FORGED}")),
        ("backspaces", format!("x{}{FORGED}", "\u{8}".repeat(80))),
        ("the other direction", format!("\u{202e}{FORGED}")),
        ("a NUL", format!("x\0{FORGED}")),
    ]
}

/// Encoded for a path or a query.
fn percent(text: &str) -> String {
    let bytes = text.bytes();
    bytes.map(|byte| format!("%{byte:02X}")).collect()
}

/// Without what HTTP itself does not let through, so that it arrives.
fn in_a_header(text: &str) -> Vec<u8> {
    let bytes = text.bytes();
    bytes
        .filter(|byte| *byte >= 0x20 && *byte != 0x7f)
        .collect()
}

const HEADERS: [&str; 15] = [
    "user-agent",
    "referer",
    "origin",
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
    "x-request-id",
    "traceparent",
    "accept-language",
    "content-type",
    "idempotency-key",
    "sec-ch-ua",
    "sec-ch-ua-platform",
    "cookie",
    "authorization",
];

struct Hunt<'s> {
    server: &'s Server,
    wire: Wire,
    ada: SignedIn,
    lines: BTreeSet<Line>,
}

pub fn run(server: &Server) -> (BTreeSet<Line>, Vec<String>) {
    let mut wire = server.wire();
    let ada = server.sign_in(&mut wire, "ada");
    let lines = BTreeSet::new();
    let mut hunt = Hunt {
        server,
        wire,
        ada,
        lines,
    };
    let mut wrong = Vec::new();
    for (name, payload) in payloads() {
        wrong.extend(hunt.everywhere(name, &payload));
    }
    let metrics = hunt.wire.send(&ask("GET", "/metrics", b""));
    if metrics.text().contains("forged") {
        wrong.push(format!("it is in the figures: {metrics:?}"));
    }
    let log = server.logged();
    if !log.contains("DEBUG") && !log.contains("TRACE") {
        wrong.push("the log says nothing, and so does this".to_owned());
    }
    wrong.extend(forged_lines(&log));
    (hunt.lines, wrong)
}

impl Hunt<'_> {
    fn note(&mut self, place: &str, case: &str) {
        self.lines.insert(Line {
            suite: "logs".to_owned(),
            family: place.to_owned(),
            case: case.to_owned(),
            reference: "CWE-117; OWASP ASVS 16.4.1".to_owned(),
            verdict: "no line of its own".to_owned(),
        });
    }

    fn everywhere(&mut self, name: &str, payload: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut answered = |place: &str, status: u16| {
            if status >= 500 {
                wrong.push(format!("{name} in {place}: {status}"));
            }
        };
        let (ada, me) = (self.ada.clone(), self.server.example.me());
        for header in HEADERS {
            let value = in_a_header(payload);
            let lines = [header.as_bytes(), b": ", &value, b"\r\n"].concat();
            let lines = match header {
                "authorization" => lines,
                _ => [bearer(&ada.access), lines].concat(),
            };
            for target in [me, "/sessions", "/nowhere"] {
                answered(header, self.wire.send(&ask("GET", target, &lines)).status);
            }
            self.note(header, name);
        }
        let (token, encoded) = (Some(ada.access.as_str()), percent(payload));
        for target in [
            format!("/{encoded}"),
            format!("/sessions/{encoded}"),
            format!("/sessions?x={encoded}"),
            format!("/api/token/session-stats/{encoded}"),
        ] {
            let answer = self
                .wire
                .send(&ask("DELETE", &target, &bearer(&ada.access)));
            answered("the path", answer.status);
        }
        self.note("the path", name);
        for (place, path, body) in self.bodies(payload) {
            answered(place, post(&mut self.wire, path, token, &body).status);
            self.note(place, name);
        }
        let path = format!("/sessions/{}/name", ada.session);
        let body = json!({ "name": payload });
        let named = send(&mut self.wire, "PATCH", &path, token, &body);
        answered("a name", named.status);
        self.note("a name", name);
        wrong
    }

    fn bodies(&self, payload: &str) -> Vec<(&'static str, &'static str, serde_json::Value)> {
        let (account, sign_in) = match self.server.example {
            Example::Axum => ("email", "/api/auth/login"),
            Example::Hyper | Example::Warp => ("user", "/sign-in"),
        };
        vec![
            (
                "an account",
                sign_in,
                json!({ account: payload, "password": PASSWORD }),
            ),
            (
                "a password",
                sign_in,
                json!({ account: "ada@example.com", "password": payload }),
            ),
            (
                "a refresh token",
                "/api/token/refresh",
                json!({ "refreshToken": payload }),
            ),
            (
                "an access token",
                "/api/token/validate",
                json!({ "token": payload }),
            ),
            (
                "a member's name",
                "/api/token/refresh",
                json!({ payload: "x" }),
            ),
        ]
    }
}

/// Lines of the log that the attacker wrote, and characters that a terminal obeys.
fn forged_lines(log: &str) -> Vec<String> {
    let obeyed = |character: char| {
        let is_control = character.is_control() && character != '\n' && character != '\t';
        is_control || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202e}')
    };
    let lines = log.lines();
    let forged = lines.filter(|line| line.starts_with(FORGED) || line.contains(obeyed));
    forged
        .take(5)
        .map(|line| line.escape_debug().to_string())
        .collect()
}
