//! What a browser sees: what this is, and what can be called.

use axum::response::Html;

/// `GET /`
pub async fn home() -> Html<&'static str> {
    Html(HOME)
}

/// `GET /docs`
pub async fn docs() -> Html<String> {
    let rows: String = CALLS
        .iter()
        .map(|(call, body, answer)| {
            format!("<tr><td><code>{call}</code><td><code>{body}</code><td>{answer}")
        })
        .collect();
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Calls</title><h1>Calls</h1>\
         <p>All but the first four want <code>Authorization: Bearer …</code>.</p>\
         <table><tr><th>call<th>body<th>answer{rows}</table></html>"
    ))
}

const HOME: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Session devices</title>\
    <h1>Session devices</h1><p>Who is signed in where, and how to sign one of them out from afar: \
    see <a href=/docs>the calls</a>.</p></html>";

const CALLS: &[(&str, &str, &str)] = &[
    (
        "POST /register",
        r#"{"email","password"}"#,
        "201, an access token of a first session; the first account is an administrator's",
    ),
    (
        "POST /verify?code=",
        "",
        "204, where addresses must be verified",
    ),
    (
        "POST /login",
        r#"{"email","password"}"#,
        "200, an access token of a new session; beyond five the least recently used one ends",
    ),
    (
        "POST /login/sso",
        r#"{"id_token"}"#,
        "200, the same through another service",
    ),
    ("GET /me", "", "200, the account"),
    (
        "GET /sessions",
        "",
        "200, the sessions of the account, that of the token first",
    ),
    ("DELETE /sessions/{id}", "", "204, that session has ended"),
    (
        "POST /sessions/revoke-all?keep_current=true",
        "",
        "200, how many sessions ended; false ends this one, too",
    ),
    (
        "PATCH /sessions/{id}/name?name=",
        "",
        "200, the session under its name",
    ),
    (
        "GET /sessions/{id}/activity",
        "",
        "200, what was done in it",
    ),
    ("GET /notices", "", "200, new devices and far places"),
    ("POST /2fa/enroll", "", "200, a secret for an authenticator"),
    (
        "POST /2fa/confirm",
        r#"{"code"}"#,
        "204, from now on signing devices out takes a code",
    ),
    (
        "POST /2fa",
        r#"{"code"}"#,
        "200, an access token that may, for five minutes",
    ),
    (
        "GET /api/admin/sessions",
        "",
        "200, everybody's sessions, for administrators",
    ),
];
