//! Every claim in every wrong type and at every edge, well signed: what our own key says is not believed either.

use serde_json::{Value, json};

use crate::case::Expected::NoMore;
use crate::case::{Case, bearer};
use crate::forge::Forge;

pub fn add(forge: &Forge, cases: &mut Vec<Case>) {
    wrong_types(forge, cases);
    times(forge, cases);
    identity(forge, cases);
}

const CLAIMS: [&str; 16] = [
    "iss",
    "aud",
    "sub",
    "client_id",
    "iat",
    "exp",
    "nbf",
    "jti",
    "sid",
    "gen",
    "ugen",
    "rgen",
    "auth_time",
    "amr",
    "acr",
    "scope",
];

fn wrong_types(forge: &Forge, cases: &mut Vec<Case>) {
    let values = [
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("false", "false".to_owned()),
        ("0", "0".to_owned()),
        ("-1", "-1".to_owned()),
        ("1.5", "1.5".to_owned()),
        ("1e3", "1e3".to_owned()),
        ("1e300", "1e300".to_owned()),
        ("2^63", "9223372036854775808".to_owned()),
        ("2^64", "18446744073709551616".to_owned()),
        ("-2^63", "-9223372036854775808".to_owned()),
        ("empty text", "\"\"".to_owned()),
        ("a space", "\" \"".to_owned()),
        ("a digit in quotes", "\"1\"".to_owned()),
        ("a NUL", "\"\\u0000\"".to_owned()),
        ("a line end", "\"a\\nb\"".to_owned()),
        ("1000 letters", format!("\"{}\"", "a".repeat(1000))),
        ("an empty list", "[]".to_owned()),
        ("a list of null", "[null]".to_owned()),
        ("a list of lists", "[[\"a\"]]".to_owned()),
        ("an empty object", "{}".to_owned()),
        ("an object", "{\"a\":1}".to_owned()),
    ];
    for claim in CLAIMS {
        for (name, value) in &values {
            let mut claims = forge.claims.clone();
            claims.remove(claim);
            let text = Value::Object(claims).to_string();
            let text = format!("{{\"{claim}\":{value},{}", &text[1..]);
            let token = forge.key.token(forge.header_text(), text);
            let case = bearer(
                "claim",
                format!("{claim} is {name}"),
                "RFC 7519 4.1; RFC 9068 2.2",
                token,
            );
            cases.push(if is_allowed(claim, name) {
                case.expecting(NoMore)
            } else {
                case
            });
        }
    }
    for claim in crate::forge::ALWAYS {
        let token = forge.key.token(
            forge.header_text(),
            forge.claims_with(json!({ claim: null })),
        );
        let case = bearer(
            "claim",
            format!("{claim} is missing"),
            "RFC 9068 2.2",
            token,
        );
        let is_optional = claim == "client_id";
        cases.push(if is_optional {
            case.expecting(NoMore)
        } else {
            case
        });
    }
}

/// What is in its type, if odd, and gives no more to whoever holds the key than the key does.
fn is_allowed(claim: &str, value: &str) -> bool {
    let is_text = matches!(
        value,
        "empty text" | "a space" | "a digit in quotes" | "a NUL" | "a line end" | "1000 letters"
    );
    match claim {
        // Any number is a date, if long ago; one far ahead is not yet.
        "nbf" => matches!(value, "0" | "1e3" | "1.5" | "-1" | "-2^63"),
        "auth_time" => matches!(
            value,
            "0" | "1e3" | "1.5" | "-1" | "-2^63" | "2^63" | "2^64" | "1e300"
        ),
        "client_id" | "acr" | "scope" => is_text,
        "jti" => matches!(value, "a space" | "a digit in quotes" | "1000 letters"),
        "amr" => value == "an empty list",
        // Counters of their type: below the store's they are refused, above it they end nothing.
        "gen" => value == "0",
        "ugen" | "rgen" => matches!(value, "0" | "2^63"),
        _ => false,
    }
}

fn times(forge: &Forge, cases: &mut Vec<Case>) {
    let now = forge.claims["iat"].as_u64().expect("a date");
    let day = 86_400;
    let times = [
        ("exp a day ago", json!({ "exp": now - day })),
        (
            "exp before an iat that is not yet",
            json!({ "exp": now + 50, "iat": now + 60 }),
        ),
        ("exp at iat", json!({ "exp": now - 10, "iat": now - 10 })),
        ("exp in 100 years", json!({ "exp": now + 36_500 * day })),
        ("exp in a year", json!({ "exp": now + 365 * day })),
        (
            "iat tomorrow",
            json!({ "iat": now + day, "exp": now + day + 60 }),
        ),
        ("nbf tomorrow", json!({ "nbf": now + day })),
        ("nbf in an hour", json!({ "nbf": now + 3600 })),
        ("exp in milliseconds", json!({ "exp": (now + 3600) * 1000 })),
        ("iat in milliseconds", json!({ "iat": now * 1000 })),
        ("exp as text", json!({ "exp": (now + 3600).to_string() })),
        ("exp as RFC 3339", json!({ "exp": "2999-01-01T00:00:00Z" })),
        (
            "exp negative",
            json!({ "exp": -(i64::try_from(now).expect("a date")) }),
        ),
        (
            "iat a year ago, exp now good",
            json!({ "iat": now - 365 * day, "exp": now + 3600 }),
        ),
    ];
    for (name, members) in times {
        let token = forge
            .key
            .token(forge.header_text(), forge.claims_with(members));
        cases.push(bearer(
            "time",
            name,
            "RFC 7519 4.1.4-4.1.6; RFC 8725 3.10",
            token,
        ));
    }
}

/// The same letters as another script writes them.
fn wide(text: &str) -> String {
    let wide = |letter: char| char::from_u32(u32::from(letter) + 0xfee0).unwrap_or(letter);
    text.chars().map(wide).collect()
}

fn identity(forge: &Forge, cases: &mut Vec<Case>) {
    let text = |claim: &str| forge.claims[claim].as_str().expect("text").to_owned();
    let (issuer, audience, user) = (text("iss"), text("aud"), text("sub"));
    let identities = [
        ("another issuer", json!({ "iss": "https://issuer.invalid" })),
        (
            "the issuer with a slash",
            json!({ "iss": format!("{issuer}/") }),
        ),
        (
            "the issuer in upper case",
            json!({ "iss": issuer.to_uppercase() }),
        ),
        (
            "the issuer with a space",
            json!({ "iss": format!("{issuer} ") }),
        ),
        ("the issuer in a list", json!({ "iss": [issuer] })),
        (
            "the issuer with a NUL",
            json!({ "iss": format!("{issuer}\0") }),
        ),
        ("another audience", json!({ "aud": "other" })),
        (
            "the audience with a slash",
            json!({ "aud": format!("{audience}/") }),
        ),
        (
            "the audience in upper case",
            json!({ "aud": audience.to_uppercase() }),
        ),
        ("a part of the audience", json!({ "aud": &audience[..3] })),
        ("other audiences", json!({ "aud": ["a", "b"] })),
        (
            "the audience as a member",
            json!({ "aud": { (audience.clone()): true } }),
        ),
        (
            "the audiences joined",
            json!({ "aud": format!("{audience} other") }),
        ),
        (
            "a list with a number beside the audience",
            json!({ "aud": [audience, 1] }),
        ),
        (
            "another user, the same session",
            json!({ "sub": "00000000-0000-4000-8000-000000000000" }),
        ),
        (
            "the user in upper case",
            json!({ "sub": user.to_uppercase() }),
        ),
        (
            "the user with a space",
            json!({ "sub": format!("{user} ") }),
        ),
        ("the user with a NUL", json!({ "sub": format!("{user}\0") })),
        ("the user in wide letters", json!({ "sub": wide(&user) })),
        ("the user in a list", json!({ "sub": [user] })),
        (
            "another session",
            json!({ "sid": "01a1fe9f-8ded-712b-8875-90ab7049efd2" }),
        ),
        (
            "the session in upper case",
            json!({ "sid": text("sid").to_uppercase() }),
        ),
        (
            "the session without dashes",
            json!({ "sid": text("sid").replace('-', "") }),
        ),
        (
            "the session in braces",
            json!({ "sid": format!("{{{}}}", text("sid")) }),
        ),
        (
            "the session as a URN",
            json!({ "sid": format!("urn:uuid:{}", text("sid")) }),
        ),
        ("a later generation", json!({ "gen": 2 })),
        ("the last generation there is", json!({ "gen": u32::MAX })),
        (
            "a higher counter of revocations",
            json!({ "ugen": u64::MAX }),
        ),
        ("a higher counter of roles", json!({ "rgen": u64::MAX })),
    ];
    for (name, members) in identities {
        let token = forge
            .key
            .token(forge.header_text(), forge.claims_with(members));
        let case = bearer("identity", name, "RFC 7519 4.1; RFC 8725 3.8, 3.9", token);
        // The same session in another spelling, or a claim that only a thief of the key could raise.
        let is_same = matches!(
            name,
            "the session in upper case"
                | "the session without dashes"
                | "the session in braces"
                | "the session as a URN"
                | "a higher counter of revocations"
                | "a higher counter of roles"
                | "a later generation"
                | "the last generation there is"
        );
        cases.push(if is_same {
            case.expecting(NoMore)
        } else {
            case
        });
    }
    let both = json!({ "aud": [audience, "other"] });
    let token = forge
        .key
        .token(forge.header_text(), forge.claims_with(both));
    cases.push(
        bearer(
            "identity",
            "the audience among others",
            "RFC 7519 4.1.3",
            token,
        )
        .expecting(NoMore),
    );
}
