//! A header decides nothing but which of our keys is meant.

use serde_json::{Value, json};

use crate::case::Expected::{NoMore, Same};
use crate::case::{Case, bearer};
use crate::forge::{Forge, url};

pub fn add(forge: &Forge, cases: &mut Vec<Case>) {
    brought_keys(forge, cases);
    extensions(forge, cases);
    kids(forge, cases);
    types(forge, cases);
    shapes(forge, cases);
}

/// A key that the token brings, or says where to fetch: signed with it, and with the good one.
fn brought_keys(forge: &Forge, cases: &mut Vec<Case>) {
    let address = |path: &str| format!("http://{}{path}", forge.listener);
    let jwk = forge.others.jwk();
    let brought = [
        ("jwk", json!({ "jwk": jwk })),
        ("jwk without kid", json!({ "jwk": jwk, "kid": null })),
        ("jwk of our own key", json!({ "jwk": forge.key.jwk() })),
        ("jwk as text", json!({ "jwk": jwk.to_string() })),
        ("jwk in a list", json!({ "jwk": [jwk] })),
        ("jwks", json!({ "jwks": { "keys": [jwk] } })),
        ("jku", json!({ "jku": address("/jwks.json") })),
        (
            "jku without kid",
            json!({ "jku": address("/jwks.json"), "kid": null }),
        ),
        ("jku of a file", json!({ "jku": "file:///etc/passwd" })),
        (
            "jku by https",
            json!({ "jku": format!("https://{}/", forge.listener) }),
        ),
        (
            "jku with an @",
            json!({ "jku": format!("http://localhost@{}/", forge.listener) }),
        ),
        ("jku in a list", json!({ "jku": [address("/")] })),
        ("x5u", json!({ "x5u": address("/chain.pem") })),
        ("x5c", json!({ "x5c": [url("a certificate")] })),
        ("x5c, empty", json!({ "x5c": [] })),
        ("x5t", json!({ "x5t": url("a thumbprint") })),
        ("x5t#S256", json!({ "x5t#S256": url("a thumbprint") })),
        ("kid as an address", json!({ "kid": address("/key") })),
        ("iss with an address", json!({ "iss": address("/") })),
    ];
    for (name, members) in brought {
        let header = forge.header_with(members);
        let token = forge.others.token(&header, forge.claims_text());
        let attacked = format!("{name}, signed by the attacker");
        cases.push(bearer(
            "brought key",
            attacked,
            "RFC 8725 3.10; CVE-2018-0114",
            token,
        ));
        let token = forge.key.token(&header, forge.claims_text());
        // What is no more than an unknown member is passed over, as RFC 7515 asks for.
        let is_harmless = name.starts_with("x5t") || name == "jwks" || name.starts_with("iss");
        let case = bearer(
            "brought key",
            format!("{name}, well signed"),
            "RFC 7515 4.1",
            token,
        );
        cases.push(if is_harmless {
            case.expecting(NoMore)
        } else {
            case
        });
    }
}

/// What would have to be understood, and is not.
fn extensions(forge: &Forge, cases: &mut Vec<Case>) {
    let extensions = [
        ("crit: exp", json!({ "crit": ["exp"], "exp": 1 })),
        ("crit: b64", json!({ "crit": ["b64"], "b64": false })),
        ("crit: b64 true", json!({ "crit": ["b64"], "b64": true })),
        (
            "crit: unknown",
            json!({ "crit": ["http://example.invalid/unknown"] }),
        ),
        ("crit: a registered name", json!({ "crit": ["alg"] })),
        ("crit: empty", json!({ "crit": [] })),
        ("crit: text", json!({ "crit": "b64" })),
        ("crit: number", json!({ "crit": 1 })),
        ("crit: false", json!({ "crit": false })),
        (
            "crit: twice the same",
            json!({ "crit": ["x", "x"], "x": 1 }),
        ),
        ("b64 false alone", json!({ "b64": false })),
        ("b64 true alone", json!({ "b64": true })),
        ("zip", json!({ "zip": "DEF" })),
        ("zip: GZIP", json!({ "zip": "GZIP" })),
        ("enc", json!({ "enc": "A256GCM" })),
        ("enc and dir", json!({ "enc": "A256GCM", "alg": "dir" })),
        (
            "p2c",
            json!({ "alg": "PBES2-HS256+A128KW", "p2c": 2_147_483_647, "p2s": "AAAA", "enc": "A128GCM" }),
        ),
        (
            "epk",
            json!({ "alg": "ECDH-ES", "enc": "A128GCM", "epk": forge.others.jwk() }),
        ),
    ];
    for (name, members) in extensions {
        let header = forge.header_with(members);
        let token = forge.key.token(header, forge.claims_text());
        cases.push(bearer(
            "extension",
            format!("{name}, well signed"),
            "RFC 7515 4.1.11; RFC 7797",
            token,
        ));
    }
}

fn kids(forge: &Forge, cases: &mut Vec<Case>) {
    let good = forge.header["kid"].as_str().unwrap_or_default();
    let kids = [
        "../../../../dev/null".to_owned(),
        "/dev/null".to_owned(),
        "/proc/self/environ".to_owned(),
        "..\\..\\windows\\win.ini".to_owned(),
        "file:///dev/null".to_owned(),
        "' OR '1'='1".to_owned(),
        "' UNION SELECT 'AAAA' -- ".to_owned(),
        "x'; DROP TABLE sessions; --".to_owned(),
        "$(id)".to_owned(),
        "`id`".to_owned(),
        "|id".to_owned(),
        "; sleep 5".to_owned(),
        "${jndi:ldap://127.0.0.1/a}".to_owned(),
        "{{7*7}}".to_owned(),
        "%00".to_owned(),
        "\0".to_owned(),
        "\r\nset-cookie: a=b".to_owned(),
        "*".to_owned(),
        "0".to_owned(),
        "null".to_owned(),
        String::new(),
        " ".to_owned(),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\0"),
        good.to_uppercase(),
        good.chars().rev().collect(),
        "k".repeat(4096),
        "\u{1F511}".repeat(64),
        "__proto__".to_owned(),
        "constructor".to_owned(),
    ];
    for (index, kid) in kids.iter().filter(|kid| *kid != good).enumerate() {
        let is_like = kid.trim_matches([' ', '\0']).len() == good.len();
        let shown: String = match is_like {
            true => "like the good one".to_owned(),
            false => kid.chars().take(24).collect(),
        };
        let header = forge.header_with(json!({ "kid": kid }));
        for (who, key) in [
            ("well signed", &forge.key),
            ("signed by the attacker", &forge.others),
        ] {
            let token = key.token(&header, forge.claims_text());
            let name = format!("kid {index}: {shown:?}, {who}");
            cases.push(bearer("kid", name, "RFC 8725 3.10; CWE-73, CWE-89", token));
        }
    }
    for kid in [json!(1), json!(true), json!([good]), json!({ "kid": good })] {
        let header = forge.header_with(json!({ "kid": kid }));
        let token = forge.key.token(header, forge.claims_text());
        cases.push(bearer(
            "kid",
            format!("kid is {}", shape(&kid)),
            "RFC 7515 4.1.4",
            token,
        ));
    }
    let header = forge.header_text().replace(&format!("{good:?}"), "null");
    let token = forge.key.token(header, forge.claims_text());
    cases.push(bearer("kid", "kid is null", "RFC 7515 4.1.4", token));
    let header = forge.header_with(json!({ "kid": null }));
    let token = forge.key.token(header, forge.claims_text());
    // Of keys without a name there may be one; ours all have one.
    cases.push(bearer("kid", "no kid, well signed", "RFC 7515 4.1.4", token).expecting(NoMore));
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A token of another kind is no access token, however well it is signed.
fn types(forge: &Forge, cases: &mut Vec<Case>) {
    let types = [
        "JWT",
        "jwt",
        "",
        "at",
        "at+jwt ",
        " at+jwt",
        "at+JWT\0",
        "rt+jwt",
        "id_token",
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "oauth-authz-req+jwt",
        "JOSE",
        "JOSE+JSON",
        "JWE",
        "at+jws",
        "application/jwt",
        "application/logout+jwt",
        "text/plain",
    ];
    for typ in types {
        let header = forge.header_with(json!({ "typ": typ }));
        let token = forge.key.token(header, forge.claims_text());
        cases.push(bearer(
            "type",
            format!("typ {typ:?}, well signed"),
            "RFC 8725 3.11; RFC 9068 4",
            token,
        ));
    }
    for (name, typ) in [
        ("null", json!(null)),
        ("a number", json!(1)),
        ("a list", json!(["at+jwt"])),
    ] {
        let header = forge.header_with(json!({ "typ": typ }));
        let token = forge.key.token(header, forge.claims_text());
        cases.push(bearer(
            "type",
            format!("typ is {name} or missing"),
            "RFC 9068 4",
            token,
        ));
    }
    // RFC 7515, section 4.1.9: the prefix may be left away, and case does not matter.
    for typ in ["application/at+jwt", "AT+JWT", "At+Jwt"] {
        let header = forge.header_with(json!({ "typ": typ }));
        let token = forge.key.token(header, forge.claims_text());
        cases.push(
            bearer(
                "type",
                format!("typ {typ:?} is the same"),
                "RFC 7515 4.1.9",
                token,
            )
            .expecting(NoMore),
        );
    }
    for cty in ["JWT", "json", "application/jwt"] {
        let header = forge.header_with(json!({ "cty": cty }));
        let token = forge.key.token(&header, &forge.token);
        cases.push(bearer(
            "type",
            format!("a token in a token, cty {cty:?}"),
            "RFC 7519 5.2",
            token,
        ));
    }
}

/// What is no compact JWS of three parts (RFC 7515, section 7.1).
fn shapes(forge: &Forge, cases: &mut Vec<Case>) {
    let [header, claims, good] = forge.parts();
    let token = &forge.token;
    let shapes = [
        ("empty", String::new()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{token}.{good}")),
        ("five parts, as JWE", format!("{header}.{claims}.{good}.{good}.{good}")),
        ("five empty parts", "....".to_owned()),
        ("dots alone", "..".to_owned()),
        ("an empty header", format!(".{claims}.{good}")),
        ("empty claims", format!("{header}..{good}")),
        ("an empty signature", format!("{header}.{claims}.")),
        ("a dot before", format!(".{token}")),
        ("a dot behind", format!("{token}.")),
        ("parts swapped", format!("{claims}.{header}.{good}")),
        ("the token twice", format!("{token}{token}")),
        ("two tokens with a dot", format!("{token}.{token}")),
        ("JSON serialization", json!({ "protected": header, "payload": claims, "signature": good }).to_string()),
        ("general JSON serialization", json!({ "payload": claims, "signatures": [{ "protected": header, "signature": good }] }).to_string()),
        ("in quotes", format!("\"{token}\"")),
        ("in brackets", format!("<{token}>")),
        ("reversed", token.chars().rev().collect()),
        ("upper case", token.to_uppercase()),
        ("8 KiB and one", "A".repeat(8193)),
        ("a megabyte of dots would not fit, 8 KiB do", ".".repeat(8192)),
        ("a claim of 8 KiB, well signed", forge.key.token(forge.header_text(), forge.claims_with(json!({ "pad": "p".repeat(8192) })))),
        ("SQL", "' OR 1=1 --".to_owned()),
        ("null", "null".to_owned()),
        ("undefined", "undefined".to_owned()),
        ("[object Object]", "[object Object]".to_owned()),
    ];
    for (name, token) in shapes {
        cases.push(bearer("shape", name, "RFC 7515 7.1", token));
    }
    cases.push(
        bearer(
            "shape",
            "the good token itself",
            "RFC 6750 2.1",
            token.as_str(),
        )
        .expecting(Same),
    );
}
