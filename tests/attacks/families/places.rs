//! The good token in places where it does not belong, and a good one beside another.

use crate::case::Expected::{NoMore, Same};
use crate::case::{Case, Expected, Sent, head};
use crate::forge::Forge;

pub fn add(forge: &Forge, cases: &mut Vec<Case>) {
    schemes(forge, cases);
    names(forge, cases);
    targets(forge, cases);
    several(forge, cases);
}

const REFERENCE: &str = "RFC 6750 2; RFC 9110 11.6.2";

fn schemes(forge: &Forge, cases: &mut Vec<Case>) {
    let token = &forge.token;
    let same = ["Bearer", "bearer", "BEARER", "bEaReR"];
    for scheme in same {
        let lines = format!("authorization: {scheme} {token}\r\n");
        cases.push(
            head(
                "scheme",
                format!("{scheme} is the scheme in any case"),
                REFERENCE,
                lines,
            )
            .expecting(Same),
        );
    }
    let values = [
        ("two spaces", format!("Bearer  {token}")),
        ("a tab", format!("Bearer\t{token}")),
        ("no space", format!("Bearer{token}")),
        ("a colon", format!("Bearer: {token}")),
        ("an equals sign", format!("Bearer={token}")),
        ("a parameter", format!("Bearer token={token}")),
        ("quotes", format!("Bearer \"{token}\"")),
        ("a comma behind", format!("Bearer {token},")),
        ("a list of two", format!("Bearer {token}, Bearer {token}")),
        ("a list with Basic", format!("Basic YTpi, Bearer {token}")),
        ("parameters behind", format!("Bearer {token}, realm=\"x\"")),
        ("a semicolon behind", format!("Bearer {token};")),
        ("a word behind", format!("Bearer {token} x")),
        ("the scheme twice", format!("Bearer Bearer {token}")),
        ("no scheme", token.clone()),
        ("Basic", format!("Basic {token}")),
        ("Token", format!("Token {token}")),
        ("JWT", format!("JWT {token}")),
        ("DPoP", format!("DPoP {token}")),
        ("Digest", format!("Digest {token}")),
        ("Negotiate", format!("Negotiate {token}")),
        ("a wide scheme", format!("\u{ff22}earer {token}")),
        ("the scheme alone", "Bearer".to_owned()),
        ("the scheme and a space", "Bearer ".to_owned()),
        ("empty", String::new()),
        ("null", "Bearer null".to_owned()),
        ("undefined", "Bearer undefined".to_owned()),
        ("a NUL-like escape", format!("Bearer {token}%00")),
        ("bytes above 127 behind", format!("Bearer {token}\u{e9}")),
    ];
    for (name, value) in values {
        let lines = format!("authorization: {value}\r\n");
        cases.push(head("scheme", name, REFERENCE, lines));
    }
    // RFC 9110, section 5.5: spaces around a value are not of it.
    let spaces = format!("authorization:   Bearer {token}  \r\n");
    cases.push(head("scheme", "spaces around the value", "RFC 9110 5.5", spaces).expecting(NoMore));
}

fn names(forge: &Forge, cases: &mut Vec<Case>) {
    let token = &forge.token;
    let names = [
        "proxy-authorization",
        "x-authorization",
        "x-access-token",
        "x-auth-token",
        "x-forwarded-authorization",
        "authentication",
        "authorization-bearer",
        "access-token",
        "access_token",
        "token",
        "jwt",
        "x-jwt",
        "x-amzn-oidc-data",
        "x-goog-iap-jwt-assertion",
        "cf-access-jwt-assertion",
        "sec-websocket-protocol",
        "x-original-authorization",
        "www-authenticate",
        "from",
        "referer",
    ];
    for name in names {
        for value in [token.clone(), format!("Bearer {token}")] {
            let kind = if value.len() > token.len() {
                "with the scheme"
            } else {
                "bare"
            };
            let lines = format!("{name}: {value}\r\n");
            cases.push(head(
                "place",
                format!("header {name}, {kind}"),
                REFERENCE,
                lines,
            ));
        }
    }
    for name in [
        "token",
        "access_token",
        "jwt",
        "session",
        "at",
        "__host-at",
        "__HOST-AT",
        "__Secure-at",
        "Host-at",
        "__Host-at2",
        "__Secure-rt",
    ] {
        let lines = format!("cookie: {name}={token}\r\n");
        cases.push(head(
            "place",
            format!("cookie {name}"),
            "RFC 6265 5.4",
            lines,
        ));
    }
    let twice = format!("cookie: __Host-at={token}; __Host-at={token}\r\n");
    cases.push(head(
        "place",
        "the cookie twice",
        "RFC 6265 5.4; cookie tossing",
        twice,
    ));
    let twice = format!("cookie: __Host-at={token}\r\ncookie: __Host-at=x\r\n");
    cases.push(head(
        "place",
        "the cookie in two headers",
        "RFC 6265 5.4; cookie tossing",
        twice,
    ));
    let quoted = format!("cookie: __Host-at=\"{token}\"\r\n");
    cases.push(head("place", "the cookie in quotes", "RFC 6265 4.1.1", quoted).expecting(NoMore));
}

fn targets(forge: &Forge, cases: &mut Vec<Case>) {
    let token = &forge.token;
    for name in [
        "access_token",
        "token",
        "jwt",
        "auth",
        "authorization",
        "bearer",
        "id_token",
        "Authorization",
    ] {
        cases.push(target(
            format!("query {name}"),
            format!("?{name}={token}"),
            "",
        ));
    }
    cases.push(target(
        "query, the scheme before".to_owned(),
        format!("?authorization=Bearer%20{token}"),
        "",
    ));
    cases.push(target(
        "fragment".to_owned(),
        format!("?#access_token={token}"),
        "",
    ));
    cases.push(target(
        "matrix parameter".to_owned(),
        format!(";access_token={token}"),
        "",
    ));
    let form = format!("access_token={token}");
    let lines = format!(
        "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut case = head("place", "form body", "RFC 6750 2.2", lines);
    case.expected = Expected::Refused;
    cases.push(case);
}

fn target(name: String, suffix: String, lines: &str) -> Case {
    Case {
        family: "place",
        name,
        reference: "RFC 6750 2.3; RFC 9700 4.3.2",
        sent: Sent::Target(suffix, lines.as_bytes().to_vec()),
        expected: Expected::Refused,
    }
}

/// Which of two decides is a question that two programs answer differently.
fn several(forge: &Forge, cases: &mut Vec<Case>) {
    let token = &forge.token;
    let twos = [
        (
            "the good one twice",
            format!("Bearer {token}"),
            format!("Bearer {token}"),
        ),
        (
            "a good and a bad one",
            format!("Bearer {token}"),
            "Bearer x".to_owned(),
        ),
        (
            "a bad and a good one",
            "Bearer x".to_owned(),
            format!("Bearer {token}"),
        ),
        (
            "Basic and a good one",
            "Basic YTpi".to_owned(),
            format!("Bearer {token}"),
        ),
        (
            "a good one and an empty one",
            format!("Bearer {token}"),
            String::new(),
        ),
        (
            "an empty one and a good one",
            String::new(),
            format!("Bearer {token}"),
        ),
    ];
    for (name, first, second) in twos {
        let lines = format!("authorization: {first}\r\nAuthorization: {second}\r\n");
        cases.push(head("several", name, "RFC 9110 5.3; RFC 6750 2", lines));
    }
    let beside = format!("authorization: Bearer x\r\ncookie: __Host-at={token}\r\n");
    cases.push(head(
        "several",
        "a bad bearer beside a good cookie",
        "RFC 6750 2",
        beside,
    ));
    let beside = format!("authorization: Basic YTpi\r\ncookie: __Host-at={token}\r\n");
    // Basic is the proxy's business; the cookie speaks for itself.
    cases.push(
        head(
            "several",
            "Basic beside a good cookie",
            "RFC 6750 2",
            beside,
        )
        .expecting(NoMore),
    );
}
