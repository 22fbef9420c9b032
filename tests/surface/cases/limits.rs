//! Attempts that are counted, in a world with a limit of three; and whose word for an address counts.

use serde_json::json;

use crate::case::{Case, case};

pub const LIMIT: u32 = 3;

const PATHS: [&str; 3] = [
    "/api/auth/refresh",
    "/api/token/refresh",
    "/api/token/auto-refresh",
];

/// Bad refreshes of a client that says each time that it is another one.
pub fn of_one_peer() -> Vec<Case> {
    let mut cases: Vec<_> = PATHS
        .iter()
        .zip(["2", "1", "0"])
        .map(|(path, left)| {
            let counted = attempt(path, &format!("203.0.113.{left}"));
            counted
                .refused(401, "invalid_token")
                .with("ratelimit-limit", "3")
                .with("ratelimit-remaining", left)
        })
        .collect();
    cases.extend(PATHS.map(|path| {
        attempt(path, "198.51.100.1")
            .refused(429, "rate_limited")
            .with("retry-after", "300")
            .with("ratelimit-limit", "3")
            .with("ratelimit-remaining", "0")
    }));
    cases.push(
        case("what is no attempt goes on", "GET", "/api/me")
            .bearer("eve.access")
            .gives(200, json!({ "user_id": "eve@example.com" })),
    );
    cases
}

/// Where the peer is a proxy that is believed, each of its clients has a limit of its own.
pub fn of_clients() -> Vec<Case> {
    let at = PATHS[0];
    let mut cases = Vec::new();
    for client in ["203.0.113.1", "203.0.113.2"] {
        for left in ["2", "1", "0"] {
            let mut counted = attempt(at, client).refused(401, "invalid_token");
            counted.name.push_str(left);
            cases.push(counted.with("ratelimit-remaining", left));
        }
        let mut refused = attempt(at, client).refused(429, "rate_limited");
        refused.name.push_str(" once more");
        cases.push(refused);
    }
    cases
}

fn attempt(path: &str, from: &str) -> Case {
    let body = r#"{"refreshToken":"garbage","accessToken":"garbage"}"#;
    case(format!("{path} from {from}"), "POST", path)
        .header("x-forwarded-for", from)
        .json(body)
}

/// An address that a client made up is not even written down.
pub fn forwarding() -> Vec<Case> {
    let dan = r#"{"email":"dan@example.com","password":"a good password"}"#;
    let mut cases = Vec::new();
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7;proto=https"),
        ("x-real-ip", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
    ] {
        let login = case(format!("a sign-in with {name}"), "POST", "/api/auth/login");
        let login = login.header(name, value).json(dan);
        cases.push(login.keep("made.up", "/access_token"));
        let end = format!("the end of a sign-in with {name}");
        cases.push(
            case(
                format!("where it came from with {name}"),
                "GET",
                "/sessions",
            )
            .bearer("made.up")
            .header(name, value)
            .gives(
                200,
                json!([{ "is_current": true, "ip_address": "127.0.0.1", "country": null }, {}]),
            ),
        );
        cases.push(
            case(end, "POST", "/api/auth/logout")
                .bearer("made.up")
                .gives(204, json!(null)),
        );
    }
    cases
}
