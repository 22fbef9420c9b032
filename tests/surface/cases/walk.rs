//! What goes well, one after the other.

use serde_json::json;

use crate::case::{Case, case};
use crate::world::AUDIENCE;

pub fn all() -> Vec<Case> {
    let mut cases = public();
    cases.extend(sign_in());
    cases.extend(sessions());
    cases.extend(refreshes());
    cases.extend(oauth());
    cases.extend(administration());
    cases
}

fn get(path: &str) -> Case {
    case(format!("GET {path}"), "GET", path)
}

fn post(path: &str, what: &str) -> Case {
    case(format!("POST {path}: {what}"), "POST", path)
}

fn public() -> Vec<Case> {
    let metadata = "/.well-known/oauth-protected-resource/v1";
    vec![
        get("/.well-known/jwks.json").gives(200, json!({ "keys": [] })).with("cache-control", "public, max-age=300").with("content-type", "application/jwk-set+json"),
        case("HEAD of the keys", "HEAD", "/.well-known/jwks.json").with("content-type", "application/jwk-set+json"),
        case("the keys that somebody has", "GET", "/.well-known/jwks.json").header("if-none-match", "*").gives(304, json!(null)),
        get(metadata).gives(200, json!({ "resource": AUDIENCE, "authorization_servers": ["https://id.example"], "bearer_methods_supported": ["header"] })),
        get("/openapi.json").gives(200, json!({ "info": { "title": "tower-jwt-session" } })).with("cache-control", "public, max-age=300"),
        get("/api/token/health").gives(200, json!({ "success": true, "data": { "status": "ready", "store": { "reachable": true }, "keys": { "canSign": true } } })),
        get("/api/token/health?with=a+token").bearer("garbage.access").gives(200, json!({ "success": true })),
    ]
}

fn sign_in() -> Vec<Case> {
    let bob = r#"{"email":"bob@example.com","password":"a good password","more":[1]}"#;
    let taken = r#"{"email":"bob@example.com","password":"another password"}"#;
    let register = "/api/auth/register";
    let login = "/api/auth/login";
    vec![
        post(register, "bob").json(bob).header("user-agent", "curl/8.5.0").gives(201, json!({ "token_type": "Bearer", "expires_in": 7200, "generation": 1 })).keep("bob.access", "/access_token").keep("bob.refresh", "/refresh_token").keep("bob.session", "/session_id"),
        post(register, "bob again").json(taken).refused(409, "account_exists"),
        post(login, "bob").json(bob).header("idempotency-key", "first").gives(200, json!({ "token_type": "Bearer" })).keep("phone.access", "/access_token").keep("phone.session", "/session_id").keep("phone.refresh", "/refresh_token"),
        post(login, "bob, repeated").json(bob).header("idempotency-key", "first").gives(200, json!({ "session_id": "{phone.session}" })),
        get("/api/me").bearer("bob.access").gives(200, json!({ "user_id": "bob@example.com", "session_id": "{bob.session}", "roles": ["user"] })),
        get("/api/protected").bearer("phone.access").gives(200, json!({ "session_id": "{phone.session}" })),
        post("/api/auth/reauthenticate", "bob").bearer("bob.access").json(r#"{"password":"a good password"}"#).gives(200, json!({ "token_type": "Bearer", "session_id": "{bob.session}" })),
        post("/api/auth/reauthenticate", "with a wrong password").bearer("bob.access").json(r#"{"password":"x"}"#).refused(401, "invalid_credentials"),
    ]
}

fn sessions() -> Vec<Case> {
    let name = "/sessions/{phone.session}/name";
    let patch =
        |what: &str, path: &str| case(format!("name: {what}"), "PATCH", path).bearer("bob.access");
    vec![
        get("/sessions").bearer("bob.access").gives(200, json!([{ "id": "{bob.session}", "is_current": true, "device": "curl" }, { "id": "{phone.session}", "is_current": false }])),
        get("/sessions?state=live").bearer("phone.access").gives(200, json!([{ "id": "{phone.session}", "is_current": true }, { "id": "{bob.session}" }])),
        patch("in the body", name).json(r#"{"name":"Phone","more":true}"#).gives(200, json!({ "id": "{phone.session}", "name": "Phone", "is_current": false })),
        patch("in the query", "/sessions/{phone.session}/name?name=My+ph%C3%B6ne").gives(200, json!({ "name": "My phöne" })),
        patch("taken away", name).json(r#"{"name":null}"#).gives(200, json!({ "name": null })),
        patch("too long", name).json(format!(r#"{{"name":"{}"}}"#, "x".repeat(65))).refused(422, "invalid_input"),
        patch("as long as may be", name).json(format!(r#"{{"name":"{}"}}"#, "ä".repeat(64))).gives(200, json!({ "name": "ä".repeat(64) })),
        patch("a control character", name).json(r#"{"name":"a\u0000b"}"#).refused(422, "invalid_input"),
        get("/api/token/session-stats/bob@example.com").bearer("bob.access").gives(200, json!({ "success": true, "data": { "userId": "bob@example.com", "activeSessions": 2 } })),
        get("/api/token/session-stats/bob%40example.com").bearer("root.access").gives(200, json!({ "data": { "activeSessions": 2 } })),
        case("end the phone", "DELETE", "/sessions/{phone.session}").bearer("bob.access").gives(204, json!(null)),
        case("end the phone again", "DELETE", "/sessions/{phone.session}").bearer("bob.access").gives(204, json!(null)),
        case("the phone's next request", "GET", "/api/me").bearer("phone.access").refused(401, "token_revoked"),
        case("the phone's next refresh", "POST", "/api/auth/refresh").json(r#"{"refresh_token":"{phone.refresh}"}"#).refused(401, "invalid_token"),
        get("/sessions?state=ended").bearer("bob.access").gives(200, json!([{ "id": "{phone.session}", "ended_reason": "user_revoked" }])),
        post("/sessions/revoke-all", "the others").bearer("bob.access").gives(200, json!({ "revoked": 0 })),
    ]
}

fn refreshes() -> Vec<Case> {
    let validate = "/api/token/validate";
    let auto = "/api/token/auto-refresh";
    vec![
        post(validate, "a good one").json(r#"{"accessToken":"{bob.access}"}"#).gives(200, json!({ "success": true, "data": { "isValid": true, "isExpired": false, "needsRefresh": false, "userId": "bob@example.com", "timeUntilExpiry": 7_200_000 } })),
        post(auto, "not needed").json(r#"{"accessToken":"{bob.access}","refreshToken":"{bob.refresh}"}"#).gives(200, json!({ "data": { "refreshed": false, "sessionId": "{bob.session}" } })),
        post("/api/auth/refresh", "bob").json(r#"{"refresh_token":"{bob.refresh}"}"#).gives(200, json!({ "generation": 2, "session_id": "{bob.session}" })).keep("bob2.access", "/access_token").keep("bob2.refresh", "/refresh_token"),
        post("/api/auth/refresh", "the answer was lost").json(r#"{"refreshToken":"{bob.refresh}"}"#).gives(200, json!({ "generation": 2 })),
        post("/api/token/refresh", "bob, held off").json(r#"{"refreshToken":"{bob2.refresh}"}"#).gives(200, json!({ "success": true, "data": { "expiresIn": 7_200_000, "sessionId": "{bob.session}" } })),
        post(auto, "expired").json(r#"{"access_token":"{expired.access}","refresh_token":"{expired.refresh}"}"#).gives(200, json!({ "data": { "refreshed": true, "sessionId": "{expired.session}" } })),
        post(auto, "stale").json(r#"{"accessToken":"{stale.access}","refreshToken":"{stale.refresh}"}"#).gives(200, json!({ "data": { "refreshed": true } })).keep("moved.access", "/data/accessToken"),
        case("after a change of roles and a refresh", "GET", "/api/me").bearer("moved.access").gives(200, json!({ "roles": ["user"] })),
        post("/api/auth/logout", "by an expired token").bearer("expired.access").gives(204, json!(null)),
        post("/api/auth/logout", "by it again").bearer("expired.access").gives(204, json!(null)),
        post("/api/auth/logout", "by the refresh token").json(r#"{"refresh_token":"{bob2.refresh}"}"#).gives(204, json!(null)),
        case("signed out", "GET", "/api/me").bearer("bob2.access").refused(401, "token_revoked"),
    ]
}

fn oauth() -> Vec<Case> {
    let bob = r#"{"email":"bob@example.com","password":"a good password"}"#;
    let client = "client_id=gateway&client_secret={client.secret}";
    let introspect = "/oauth/introspect";
    vec![
        post("/api/auth/login", "bob, for OAuth").json(bob).keep("o.access", "/access_token").keep("o.refresh", "/refresh_token").keep("o.session", "/session_id"),
        post(introspect, "an access token").form(&format!("{client}&token={{o.access}}&token_type_hint=nonsense")).gives(200, json!({ "active": true, "token_type": "Bearer", "sub": "bob@example.com", "sid": "{o.session}", "aud": AUDIENCE, "iss": "https://id.example", "roles": ["user"] })),
        post(introspect, "a refresh token").form(&format!("{client}&token={{o.refresh}}")).gives(200, json!({ "active": true, "token_type": "refresh_token", "sid": "{o.session}" })),
        post(introspect, "by an administrator").bearer("root.access").form("token={o.access}").gives(200, json!({ "active": true })),
        post("/oauth/revoke", "an access token").form("token={o.access}").gives(200, json!(null)),
        post(introspect, "a revoked token").form(&format!("{client}&token={{o.access}}")).gives(200, json!({ "active": false })),
        post(introspect, "its refresh token").form(&format!("{client}&token={{o.refresh}}")).gives(200, json!({ "active": false })),
        case("a revoked token at the door", "GET", "/api/me").bearer("o.access").refused(401, "token_revoked"),
    ]
}

fn administration() -> Vec<Case> {
    let bob = r#"{"email":"bob@example.com","password":"a good password"}"#;
    let new = r#"{"email":"bob@example.com","password":"a newer password"}"#;
    let login = "/api/auth/login";
    let role = "/api/admin/users/bob@example.com/role";
    let history = "/api/admin/users/bob@example.com/sessions";
    vec![
        post(login, "bob, third")
            .json(bob)
            .keep("third.access", "/access_token")
            .keep("third.session", "/session_id")
            .keep("third.refresh", "/refresh_token"),
        post(login, "bob, fourth")
            .json(bob)
            .keep("fourth.access", "/access_token"),
        get("/api/admin/dashboard")
            .bearer("root.access")
            .gives(200, json!({ "roles": ["admin"] })),
        get("/api/admin/sessions?user=bob@example.com&limit=1")
            .bearer("root.access")
            .gives(200, json!({ "sessions": [{ "id": "{third.session}" }] }))
            .keep("cursor", "/next_cursor"),
        get("/api/admin/sessions?user=bob@example.com&cursor={cursor}")
            .bearer("root.access")
            .gives(
                200,
                json!({ "sessions": [{ "is_current": false }], "next_cursor": null }),
            ),
        get("/api/admin/sessions?limit=0").bearer("root.access"),
        get("/api/admin/audit?user=nobody@example.com&limit=7")
            .bearer("root.access")
            .gives(200, json!({ "entries": [], "next_cursor": null })),
        get("/api/admin/audit?session=&cursor=1-0-0")
            .bearer("root.access")
            .gives(200, json!({ "entries": [], "next_cursor": null })),
        case("promote bob", "PUT", role)
            .bearer("root.access")
            .json(r#"{"role":"admin"}"#)
            .gives(204, json!(null)),
        case("bob's old roles", "GET", "/api/admin/dashboard")
            .bearer("third.access")
            .refused(401, "token_stale"),
        post("/api/auth/refresh", "bob, promoted")
            .json(r#"{"refresh_token":"{third.refresh}"}"#)
            .keep("third.access", "/access_token"),
        case("bob's new roles", "GET", "/api/admin/dashboard")
            .bearer("third.access")
            .gives(200, json!({ "roles": ["admin"] })),
        case("a role of nobody", "PUT", "/api/admin/users/nobody/role")
            .bearer("root.access")
            .json(r#"{"role":"x"}"#)
            .refused(404, "not_found"),
        post("/api/auth/password", "a wrong one")
            .bearer("third.access")
            .json(r#"{"current":"x","new":"a newer password"}"#)
            .refused(401, "invalid_credentials"),
        post("/api/auth/password", "a new one")
            .bearer("third.access")
            .json(r#"{"current":"a good password","new":"a newer password"}"#)
            .gives(204, json!(null)),
        case("the other session after it", "GET", "/api/me")
            .bearer("fourth.access")
            .refused(401, "token_revoked"),
        post(login, "with the old password")
            .json(bob)
            .refused(401, "invalid_credentials"),
        post(login, "with the new password")
            .json(new)
            .keep("fifth.access", "/access_token")
            .keep("fifth.session", "/session_id"),
        case(
            "an administrator ends it",
            "DELETE",
            "/api/admin/sessions/{fifth.session}",
        )
        .bearer("root.access")
        .gives(204, json!(null)),
        case("ended by an administrator", "GET", "/api/me")
            .bearer("fifth.access")
            .refused(401, "token_revoked"),
        post("/api/admin/users/bob@example.com/revoke-all", "bob")
            .bearer("root.access")
            .gives(200, json!({ "revoked": 1 })),
        case("everything of bob's is ended", "GET", "/api/me")
            .bearer("third.access")
            .refused(401, "token_revoked"),
        case("bob is forgotten", "DELETE", history)
            .bearer("root.access")
            .gives(204, json!(null)),
        case("bob is forgotten again", "DELETE", history)
            .bearer("root.access")
            .gives(204, json!(null)),
        case(
            "nobody's sessions are ended",
            "POST",
            "/api/admin/users/nobody/revoke-all",
        )
        .bearer("root.access")
        .gives(200, json!({ "revoked": 0 })),
        post("/sessions/revoke-all?keep_current=false", "root")
            .bearer("root.access")
            .gives(200, json!({ "revoked": 1 })),
        case("root is signed out", "GET", "/api/me")
            .bearer("root.access")
            .refused(401, "token_revoked"),
    ]
}
