//! Tokens in cookies, and what others may try with them.

use serde_json::json;

use crate::case::{Case, case};

const AT: &str = "__Host-at";
const RT: &str = "__Secure-rt";
const LOGIN: &str = "/api/auth/login";
const REFRESH: &str = "/api/auth/refresh";
const EVIL: &str = "https://evil.example";
const NEITHER: &str =
    r#"{"email":"cleo@example.com","password":"a good password","transport":"cookie"}"#;
const HYBRID: &str =
    r#"{"email":"cleo@example.com","password":"a good password","transport":"hybrid"}"#;

/// Both cookies of the session that is signed in by cookie.
const BOTH: [(&str, &str); 2] = [(AT, "cleo.at"), (RT, "cleo.rt")];

pub fn all() -> Vec<Case> {
    let mut cases = sign_in();
    cases.extend(uses());
    cases.extend(from_elsewhere());
    cases.extend(refreshes());
    cases.extend(tossed());
    cases.extend(sign_out());
    cases
}

fn post(what: &str, path: &str) -> Case {
    case(format!("cookies: {what}"), "POST", path)
}

fn sign_in() -> Vec<Case> {
    let refused = |what: &str| post(what, LOGIN).json(NEITHER);
    let told = json!({ "access_token": null, "refresh_token": null, "generation": 1 });
    vec![
        refused("a sign-in by nobody knows whom").refused(403, "csrf_rejected"),
        refused("a sign-in from elsewhere")
            .header("sec-fetch-site", "cross-site")
            .refused(403, "csrf_rejected"),
        refused("a sign-in by another origin")
            .header("origin", EVIL)
            .refused(403, "csrf_rejected"),
        post("an unknown transport", LOGIN)
            .ours()
            .json(NEITHER.replace("cookie", "pigeon"))
            .refused(422, "invalid_input"),
        post("a sign-in by cookie", LOGIN)
            .ours()
            .json(NEITHER)
            .gives(200, told)
            .sets(&[AT, RT])
            .keep("cleo.session", "/session_id")
            .keep_cookie("cleo.at", AT)
            .keep_cookie("cleo.rt", RT),
        post("a sign-in by half a cookie", LOGIN)
            .header("origin", "http://{host}")
            .json(HYBRID)
            .gives(
                200,
                json!({ "token_type": "Bearer", "refresh_token": null }),
            )
            .sets(&[RT])
            .keep("half.access", "/access_token")
            .keep("half.session", "/session_id")
            .keep_cookie("half.rt", RT),
    ]
}

fn uses() -> Vec<Case> {
    let at = [(AT, "cleo.at")];
    let get = |what: &str, path: &str| case(format!("cookies: {what}"), "GET", path);
    vec![
        get("who somebody is", "/api/me")
            .cookies(&at)
            .gives(200, json!({ "session_id": "{cleo.session}" })),
        get("to read is allowed from elsewhere", "/api/me")
            .cookies(&at)
            .header("sec-fetch-site", "cross-site")
            .gives(200, json!({ "user_id": "cleo@example.com" })),
        get("a listing", "/sessions").cookies(&at).gives(
            200,
            json!([{ "id": "{cleo.session}", "is_current": true }, { "id": "{half.session}" }]),
        ),
        get(
            "a bad bearer token gives no way to a good cookie",
            "/api/me",
        )
        .cookies(&at)
        .bearer("garbage.access")
        .refused(401, "malformed_token"),
        get("a good bearer token goes before a bad cookie", "/api/me")
            .cookies(&[(AT, "garbage.access")])
            .bearer("eve.access")
            .gives(200, json!({ "user_id": "eve@example.com" })),
        get("garbage", "/api/me")
            .cookies(&[(AT, "garbage.access")])
            .refused(401, "malformed_token"),
        get("one that was ended", "/sessions")
            .cookies(&[(AT, "revoked.access")])
            .refused(401, "token_revoked"),
        get("twice the same name", "/api/me")
            .cookies(&[(AT, "cleo.at"), (AT, "eve.access")])
            .refused(401, "malformed_token"),
        get("another name", "/api/me")
            .cookies(&[("at", "cleo.at")])
            .refused(401, "missing_token"),
        get("no introspection", "/api/token/health")
            .cookies(&BOTH)
            .gives(200, json!({ "success": true })),
        post("an introspection takes none", "/oauth/introspect")
            .ours()
            .cookies(&at)
            .form("token={cleo.at}")
            .refused(401, "missing_token"),
        post("our own page changes something", "/sessions/revoke-all")
            .ours()
            .cookies(&[(AT, "half.access")])
            .gives(200, json!({ "revoked": 1 })),
        get("it was the other one", "/api/me")
            .cookies(&at)
            .refused(401, "token_revoked"),
        post("a sign-in over it", LOGIN)
            .ours()
            .cookies(&BOTH)
            .json(NEITHER)
            .sets(&[AT, RT])
            .keep("cleo.session", "/session_id")
            .keep_cookie("cleo.at", AT)
            .keep_cookie("cleo.rt", RT),
    ]
}

/// Every call that changes something, from pages of others and from nobody knows where.
fn from_elsewhere() -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, path) in [
        ("DELETE", "/sessions/{cleo.session}"),
        ("PATCH", "/sessions/{cleo.session}/name?name=x"),
        ("POST", "/sessions/revoke-all?keep_current=false"),
        ("DELETE", "/api/admin/sessions/{eve.session}"),
        ("POST", "/api/admin/users/eve@example.com/revoke-all"),
        ("DELETE", "/api/admin/users/eve@example.com/sessions"),
        ("POST", REFRESH),
        ("POST", "/api/token/refresh"),
        ("POST", "/api/auth/logout"),
        ("POST", "/api/auth/password"),
    ] {
        for (what, header, value) in [
            ("untold", "accept", "*/*"),
            ("another site", "sec-fetch-site", "cross-site"),
            ("a sibling", "sec-fetch-site", "same-site"),
            ("another origin", "origin", EVIL),
            ("no origin", "origin", "null"),
        ] {
            let sent = case(format!("cookies: {method} {path}: {what}"), method, path);
            let sent = sent.cookies(&BOTH).header(header, value);
            cases.push(sent.refused(403, "csrf_rejected"));
        }
    }
    cases.push(
        case("cookies: none took hold", "GET", "/api/me")
            .cookies(&[(AT, "cleo.at")])
            .gives(200, json!({ "session_id": "{cleo.session}" })),
    );
    cases
}

fn refreshes() -> Vec<Case> {
    let tokenless = json!({ "success": true, "data": { "sessionId": "{cleo.session}" } });
    vec![
        post("a refresh", REFRESH)
            .ours()
            .cookies(&BOTH)
            .gives(
                200,
                json!({ "generation": 2, "session_id": "{cleo.session}" }),
            )
            .sets(&[AT, RT])
            .keep_cookie("cleo2.at", AT)
            .keep_cookie("cleo2.rt", RT),
        post("the answer was lost", REFRESH)
            .ours()
            .cookies(&BOTH)
            .gives(200, json!({ "generation": 2 }))
            .sets(&[AT, RT]),
        post("a refresh of a token just made", "/api/token/refresh")
            .ours()
            .cookies(&[(AT, "cleo2.at"), (RT, "cleo2.rt")])
            .gives(200, tokenless)
            .sets(&[AT]),
        post(
            "a refresh in the envelope, with an empty object",
            "/api/token/refresh",
        )
        .ours()
        .cookies(&[(AT, "cleo2.at"), (RT, "cleo2.rt")])
        .json("{}")
        .gives(200, json!({ "data": { "expiresIn": 7_200_000 } }))
        .sets(&[AT]),
        post("half a cookie", REFRESH)
            .header("origin", "http://{host}")
            .cookies(&[(RT, "half.rt")])
            .bearer("half.access")
            .gives(200, json!({ "generation": 2, "refresh_token": null }))
            .sets(&[RT]),
        post("what is in the body goes before", REFRESH)
            .ours()
            .cookies(&BOTH)
            .json(r#"{"refresh_token":"garbage"}"#)
            .refused(401, "invalid_token"),
        post("a body that cannot be read", REFRESH)
            .ours()
            .cookies(&BOTH)
            .json("{")
            .refused(400, "invalid_input"),
    ]
}

fn tossed() -> Vec<Case> {
    let refresh = |what: &str| post(what, REFRESH).ours();
    vec![
        refresh("a refresh cookie of another session")
            .cookies(&[(AT, "cleo2.at"), (RT, "half.rt")])
            .refused(401, "invalid_token"),
        refresh("a refresh cookie beside another's bearer token")
            .cookies(&[(RT, "half.rt")])
            .bearer("eve.access")
            .refused(401, "invalid_token"),
        refresh("two refresh cookies")
            .cookies(&[(AT, "cleo2.at"), (RT, "cleo2.rt"), (RT, "half.rt")])
            .refused(401, "malformed_token"),
        refresh("two access cookies")
            .cookies(&[(AT, "cleo2.at"), (AT, "eve.access"), (RT, "cleo2.rt")])
            .refused(401, "malformed_token"),
        refresh("garbage in the refresh cookie")
            .cookies(&[(AT, "cleo2.at"), (RT, "garbage.access")])
            .refused(401, "invalid_token"),
        refresh("a session that has no cookies")
            .cookies(&[(RT, "dan.refresh")])
            .refused(401, "invalid_token"),
        refresh("a refresh cookie by another name")
            .cookies(&[("rt", "cleo2.rt")])
            .refused(401, "missing_token"),
    ]
}

fn sign_out() -> Vec<Case> {
    let both = [(AT, "cleo2.at"), (RT, "cleo2.rt")];
    let out = |what: &str| post(what, "/api/auth/logout").ours();
    vec![
        out("a sign-out whatever was tossed")
            .cookies(&[(AT, "cleo2.at"), (RT, "half.rt")])
            .gives(204, json!(null))
            .sets(&[AT, RT]),
        case("cookies: signed out", "GET", "/api/me")
            .cookies(&both)
            .refused(401, "token_revoked"),
        post("a refresh after it", REFRESH)
            .ours()
            .cookies(&both)
            .refused(401, "invalid_token"),
        out("a sign-out again")
            .cookies(&both)
            .gives(204, json!(null))
            .sets(&[AT, RT]),
        out("a sign-out by garbage")
            .cookies(&[(AT, "garbage.access"), (RT, "garbage.access")])
            .gives(204, json!(null))
            .sets(&[AT, RT])
            .harmless(),
        case("cookies: the other one goes on", "GET", "/api/me")
            .bearer("half.access")
            .gives(200, json!({ "session_id": "{half.session}" })),
    ]
}
