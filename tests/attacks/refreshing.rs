//! Refresh tokens that are almost one, and tokens of another kind in their place.

use std::collections::BTreeSet;

use serde_json::json;

use crate::server::{Server, get, post};
use crate::table::Line;

const REFERENCE: &str = "RFC 6749 6, 10.4; RFC 9700 4.14";

pub fn run(server: &Server) -> (BTreeSet<Line>, Vec<String>) {
    let mut wire = server.wire();
    let good = server.sign_in(&mut wire, "ada");
    let (mut lines, mut wrong) = (BTreeSet::new(), Vec::new());
    for (name, token) in garbage(&good.refresh, &good.access) {
        for (call, body) in [
            ("/api/token/refresh", json!({ "refreshToken": token })),
            (
                "/api/token/auto-refresh",
                json!({ "accessToken": "x", "refreshToken": token }),
            ),
        ] {
            let answer = post(&mut wire, call, None, &body);
            if !matches!(answer.status, 400 | 401 | 413) || answer.text().contains("accessToken") {
                wrong.push(format!(
                    "{call}: {name}: {} {}",
                    answer.status,
                    answer.text()
                ));
            }
            lines.insert(Line {
                suite: "refreshing".to_owned(),
                family: call.to_owned(),
                case: name.clone(),
                reference: REFERENCE.to_owned(),
                verdict: format!("{} {}", answer.status, answer.code()),
            });
        }
        let me = get(&mut wire, server.example.me(), &good.access);
        if me.status != 200 {
            wrong.push(format!("after {name}: {}", me.status));
        }
    }
    let refreshed = post(
        &mut wire,
        "/api/token/refresh",
        None,
        &json!({ "refreshToken": good.refresh }),
    );
    if refreshed.status != 200 {
        wrong.push(format!(
            "the good one in the end: {} {}",
            refreshed.status,
            refreshed.text()
        ));
    }
    (lines, wrong)
}

fn garbage(good: &str, access: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for index in 0..good.len() {
        let mut bytes = good.as_bytes().to_vec();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(bytes).expect("letters");
        all.push((format!("letter {index} changed"), text));
    }
    for cut in [1, 2, 4, 16, 43, good.len() / 2, good.len() - 7] {
        all.push((
            format!("{cut} letters cut off"),
            good[..good.len() - cut].to_owned(),
        ));
        all.push((
            format!("{cut} letters cut off its beginning"),
            good[cut..].to_owned(),
        ));
    }
    let more = [
        ("a letter behind", format!("{good}A")),
        ("padding behind", format!("{good}=")),
        ("a space behind", format!("{good} ")),
        ("a space before", format!(" {good}")),
        ("a line end behind", format!("{good}\n")),
        ("a NUL behind", format!("{good}\0")),
        ("twice", format!("{good}{good}")),
        ("upper case", good.to_uppercase()),
        ("lower case", good.to_lowercase()),
        ("an access token", access.to_owned()),
        ("the prefix alone", "tjs_rt_".to_owned()),
        ("nothing", String::new()),
        ("a word", "undefined".to_owned()),
        ("a kilobyte", "A".repeat(1024)),
        ("64 kilobytes", "A".repeat(65_536)),
        ("zeros", format!("tjs_rt_{}", "A".repeat(good.len() - 7))),
        ("SQL", "' OR 1=1 --".to_owned()),
        (
            "a script of Redis",
            "\"]) redis.call('FLUSHALL') --".to_owned(),
        ),
        ("a path", "../../etc/passwd".to_owned()),
        ("an emoji", "\u{1F36A}".repeat(32)),
    ];
    all.extend(
        more.into_iter()
            .map(|(name, token)| (name.to_owned(), token)),
    );
    all
}
