//! What is wrong with a body, for each call that takes one.

use crate::case::{Case, FORM, JSON, case};

/// Method, path, whose token it takes, and a good body.
const CALLS: [(&str, &str, &str, &str); 10] = [
    ("POST", "/api/token/refresh", "", r#"{"refreshToken":"x"}"#),
    ("POST", "/api/token/validate", "", r#"{"accessToken":"x"}"#),
    (
        "POST",
        "/api/token/auto-refresh",
        "",
        r#"{"accessToken":"x","refreshToken":"x"}"#,
    ),
    ("POST", "/api/auth/refresh", "", r#"{"refresh_token":"x"}"#),
    (
        "POST",
        "/api/auth/login",
        "",
        r#"{"email":"x","password":"x"}"#,
    ),
    (
        "POST",
        "/api/auth/register",
        "",
        r#"{"email":"x","password":"x"}"#,
    ),
    (
        "POST",
        "/api/auth/reauthenticate",
        "ada.access",
        r#"{"password":"x"}"#,
    ),
    (
        "POST",
        "/api/auth/password",
        "ada.access",
        r#"{"current":"x","new":"x"}"#,
    ),
    (
        "PUT",
        "/api/admin/users/ada@example.com/role",
        "root.access",
        r#"{"role":"x"}"#,
    ),
    (
        "PATCH",
        "/sessions/{ada.session}/name",
        "ada.access",
        r#"{"name":"x"}"#,
    ),
];

pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, path, token, good) in CALLS {
        let begin = |what: &str| {
            let begun = case(format!("{method} {path}: {what}"), method, path);
            if token.is_empty() {
                begun
            } else {
                begun.bearer(token)
            }
        };
        for (what, content_type, body, status) in malformed(good) {
            // A browser has its refresh token in a cookie, or none any more.
            let by_cookie = what == "no body and no type" && path.ends_with("/refresh");
            let (status, code) = match by_cookie {
                true => (401, "missing_token"),
                false => (status, "invalid_input"),
            };
            cases.push(begin(what).body(content_type, body).refused(status, code));
        }
    }
    cases.extend(deep());
    cases.extend(large());
    cases.extend(optional());
    cases.extend(forms());
    cases
}

/// What, content type, body, status.
fn malformed(good: &str) -> Vec<(&'static str, &'static str, Vec<u8>, u16)> {
    let inside = &good[1..good.len() - 1];
    let member = inside.split(':').next().unwrap();
    let but = |value: &str| good.replace(r#""x""#, value).into_bytes();
    let and = |member: &str| format!("{{{inside},{member}}}").into_bytes();
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("no body and no type", "", vec![], 415),
        ("an empty body", JSON, vec![], 400),
        ("another type", "text/plain", good.into(), 415),
        ("a form", FORM, b"a=b".to_vec(), 415),
        ("a type that is none", "json", good.into(), 415),
        ("half of it", JSON, good[..good.len() / 2].into(), 400),
        (
            "something behind it",
            JSON,
            format!("{good}{good}").into(),
            400,
        ),
        ("nothing in it", JSON, b"{}".to_vec(), 422),
        ("an array", JSON, format!("[{good}]").into(), 422),
        ("null", JSON, b"null".to_vec(), 422),
        ("a text", JSON, br#""x""#.to_vec(), 422),
        ("a number in it", JSON, but("7"), 422),
        ("an object in it", JSON, but("{}"), 422),
        (
            "nested without an end",
            JSON,
            "[".repeat(60_000).into(),
            400,
        ),
        (
            "a NUL behind it",
            JSON,
            [good.as_bytes(), b"\0"].concat(),
            400,
        ),
        ("a NUL in a text", JSON, but("\"\0\""), 400),
        ("half a character", JSON, but(r#""\ud800""#), 400),
        (
            "half a character elsewhere",
            JSON,
            and(r#""y":"\udc00""#),
            400,
        ),
        (
            "no UTF-8",
            "application/json; charset=iso-8859-1",
            but("\"~\"")
                .iter()
                .map(|b| if *b == b'~' { 0xe4 } else { *b })
                .collect(),
            400,
        ),
        ("UTF-16", "application/json; charset=utf-16", utf_16, 400),
        (
            "a mark before it",
            JSON,
            ["\u{feff}".as_bytes(), good.as_bytes()].concat(),
            400,
        ),
        (
            "a member twice",
            JSON,
            and(&format!(r#"{member}:"x""#)),
            422,
        ),
    ]
}

/// What is nested in a member that nobody knows is ignored with it.
fn deep() -> Vec<Case> {
    let more = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let refresh = format!(r#"{{"refreshToken":"x","more":{more}}}"#);
    let login = format!(r#"{{"more":{more},"email":"x","password":"x"}}"#);
    let at = |path: &str| case(format!("{path}: nested in a member"), "POST", path);
    vec![
        at("/api/token/refresh")
            .json(refresh)
            .refused(401, "invalid_token"),
        at("/api/auth/login")
            .json(login)
            .refused(401, "invalid_credentials"),
    ]
}

fn large() -> Vec<Case> {
    let text = format!(r#"{{"x":"{}"}}"#, "x".repeat(10_000_000));
    let at = |path: &str, token: &str| {
        let case = case(format!("{path}: 10 MB {token}"), "POST", path).json(&text);
        if token.is_empty() {
            case
        } else {
            case.bearer(token)
        }
    };
    vec![
        at("/api/token/refresh", "").refused(413, "invalid_input"),
        at("/api/auth/login", "").refused(413, "invalid_input"),
        at("/api/auth/logout", "").refused(413, "invalid_input"),
        at("/api/auth/password", "ada.access").refused(413, "invalid_input"),
        at("/api/auth/password", "garbage.access").refused(401, "malformed_token"),
        at("/oauth/revoke", "").refused(415, "invalid_input"),
        at("/sessions/revoke-all", "garbage.access").refused(401, "malformed_token"),
        at("/sessions", "").refused(405, "method_not_allowed"),
        at("/nowhere", "ada.access").refused(404, "not_found"),
    ]
}

/// A sign-out takes a body, but needs none.
fn optional() -> Vec<Case> {
    let logout = |what: &str| case(format!("logout: {what}"), "POST", "/api/auth/logout");
    vec![
        logout("nothing at all").refused(401, "missing_token"),
        logout("an empty body")
            .json("")
            .refused(401, "missing_token"),
        logout("another type")
            .body("text/plain", "{}")
            .refused(415, "invalid_input"),
        logout("half of it").json("{").refused(400, "invalid_input"),
        logout("nothing in it")
            .json("{}")
            .refused(422, "invalid_input"),
        logout("an array").json("[]").refused(422, "invalid_input"),
        logout("a number")
            .json(r#"{"refresh_token":7}"#)
            .refused(422, "invalid_input"),
        logout("both spellings")
            .json(r#"{"refresh_token":"x","refreshToken":"x"}"#)
            .refused(422, "invalid_input"),
        logout("no token")
            .json(r#"{"refresh_token":""}"#)
            .refused(401, "invalid_token"),
    ]
}

fn forms() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        let at = |what: &str| {
            case(format!("{path}: {what}"), "POST", path).header(
                "authorization",
                "Basic Z2F0ZXdheTo2ZjFkMGM5YWIyN2U0ODUzZjBlMTlkN2M1YTNiODI2NA==",
            )
        };
        let invalid = "invalid_input";
        cases.extend([
            at("no body").refused(415, invalid),
            at("an empty form").form("").refused(400, invalid),
            at("no value").form("token=").refused(400, invalid),
            at("another name")
                .form("access_token=x")
                .refused(400, invalid),
            at("twice").form("token=a&token=b").refused(400, invalid),
            at("a hint twice")
                .form("token=a&token_type_hint=x&token_type_hint=y")
                .refused(400, invalid),
            at("JSON").json(r#"{"token":"x"}"#).refused(415, invalid),
            at("above the bound")
                .form(&format!("token={}", "x".repeat(100_000)))
                .refused(413, invalid),
        ]);
    }
    cases
}
