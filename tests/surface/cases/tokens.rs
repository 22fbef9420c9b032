//! Every bad token in every place.

use serde_json::json;

use crate::case::{Case, case};

/// A token, and what a call behind the layer says of it.
const BAD: [(&str, u16, &str); 10] = [
    ("garbage.access", 401, "malformed_token"),
    ("huge.access", 401, "malformed_token"),
    ("tampered.access", 401, "invalid_token"),
    ("forged.access", 401, "invalid_token"),
    ("none.access", 401, "invalid_token"),
    ("stranger.access", 401, "invalid_token"),
    ("expired.access", 401, "token_expired"),
    ("revoked.access", 401, "token_revoked"),
    ("stale.access", 401, "token_stale"),
    ("ada.refresh", 401, "malformed_token"),
];

/// What stands behind the layer.
const CALLS: [(&str, &str); 12] = [
    ("GET", "/api/me"),
    ("GET", "/sessions"),
    ("GET", "/sessions/events"),
    ("DELETE", "/sessions/{ada.session}"),
    ("POST", "/sessions/revoke-all"),
    ("PATCH", "/sessions/{ada.session}/name?name=x"),
    ("GET", "/api/token/session-stats/ada@example.com"),
    ("GET", "/api/admin/sessions"),
    ("GET", "/api/admin/audit"),
    ("DELETE", "/api/admin/sessions/{ada.session}"),
    ("POST", "/api/admin/users/ada@example.com/revoke-all"),
    ("DELETE", "/api/admin/users/ada@example.com/sessions"),
];

pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, path) in CALLS {
        let at = |what: &str| case(format!("{method} {path}: {what}"), method, path);
        cases.push(at("no token").refused(401, "missing_token"));
        for (token, status, code) in BAD {
            cases.push(at(token).bearer(token).refused(status, code));
        }
    }
    cases.extend(headers());
    cases.extend(foreign());
    cases.extend(in_bodies());
    cases.extend(in_forms());
    cases
}

fn headers() -> Vec<Case> {
    let me = |what: &str| case(format!("a header with {what}"), "GET", "/api/me");
    let authorization = "authorization";
    vec![
        me("the scheme alone")
            .header(authorization, "Bearer")
            .refused(401, "malformed_token"),
        me("two words")
            .header(authorization, "Bearer {ada.access} x")
            .refused(401, "malformed_token"),
        me("two spaces")
            .header(authorization, "Bearer  {ada.access}")
            .refused(401, "malformed_token"),
        me("a list")
            .header(authorization, "Bearer {ada.access},x")
            .refused(401, "malformed_token"),
        me("no text")
            .header(authorization, b"Bearer \xff")
            .refused(401, "malformed_token"),
        me("no scheme")
            .header(authorization, "{ada.access}")
            .refused(401, "missing_token"),
        me("another scheme")
            .header(authorization, "Basic YTpi")
            .refused(401, "missing_token"),
        me("another beside it")
            .bearer("ada.access")
            .header(authorization, "Bearer x")
            .refused(401, "malformed_token"),
        me("the scheme in capitals")
            .header(authorization, "BEARER {ada.access}")
            .gives(200, json!({})),
        case(
            "a token in the query",
            "GET",
            "/api/me?access_token={ada.access}",
        )
        .refused(401, "missing_token"),
        case("a token in a cookie that nobody set", "GET", "/api/me")
            .header("cookie", "access_token={ada.access}")
            .refused(401, "missing_token"),
    ]
}

/// What another issuer says of Ada and of administrators gives nobody anything here.
fn foreign() -> Vec<Case> {
    let of = |method: &str, path: &str| {
        case(format!("{method} {path}: another issuer"), method, path).bearer("foreign.access")
    };
    vec![
        of("GET", "/api/me").gives(200, json!({ "user_id": "ada@example.com" })),
        of("GET", "/sessions").refused(403, "insufficient_scope"),
        of("GET", "/sessions/events").refused(403, "insufficient_scope"),
        of("DELETE", "/sessions/{ada.session}").refused(403, "insufficient_scope"),
        of("POST", "/sessions/revoke-all").refused(403, "insufficient_scope"),
        of("PATCH", "/sessions/{ada.session}/name?name=x").refused(403, "insufficient_scope"),
        of("GET", "/api/token/session-stats/ada@example.com").refused(403, "insufficient_scope"),
        of("GET", "/api/admin/sessions").refused(403, "insufficient_role"),
        of("GET", "/api/admin/audit").refused(403, "insufficient_role"),
        of("DELETE", "/api/admin/sessions/{ada.session}").refused(403, "insufficient_role"),
        of("DELETE", "/api/admin/users/ada@example.com/sessions").refused(403, "insufficient_role"),
        // It is refused from now on, and Ada's session, whose id it happens to name, is not touched.
        of("POST", "/api/auth/logout")
            .gives(204, json!(null))
            .harmless(),
        of("GET", "/api/protected").refused(401, "token_revoked"),
        case("Ada goes on", "GET", "/api/me")
            .bearer("ada.access")
            .gives(200, json!({ "session_id": "{ada.session}" })),
    ]
}

fn in_bodies() -> Vec<Case> {
    let mut cases = Vec::new();
    // An access token is no refresh token, whatever it is worth.
    for token in [
        "ada.access",
        "garbage.access",
        "huge.access",
        "expired.access",
        "revoked.refresh",
    ] {
        for (path, member) in [
            ("/api/token/refresh", "refreshToken"),
            ("/api/token/refresh", "refresh_token"),
            ("/api/auth/refresh", "refresh_token"),
            ("/api/auth/refresh", "refreshToken"),
        ] {
            let body = format!(r#"{{"{member}":"{{{token}}}"}}"#);
            let refused = case(format!("{path}: {member} is {token}"), "POST", path).json(body);
            cases.push(refused.refused(401, "invalid_token"));
        }
        let body =
            format!(r#"{{"accessToken":"{{expired.access}}","refreshToken":"{{{token}}}"}}"#);
        let refused = case(
            format!("auto-refresh with {token}"),
            "POST",
            "/api/token/auto-refresh",
        );
        cases.push(refused.json(body).refused(401, "invalid_token"));
    }
    for token in [
        "ada.refresh",
        "garbage.access",
        "forged.access",
        "none.access",
        "revoked.access",
    ] {
        let body = format!(r#"{{"accessToken":"{{{token}}}"}}"#);
        let invalid = case(format!("validate {token}"), "POST", "/api/token/validate").json(body);
        let told = json!({ "success": true, "data": { "isValid": false } });
        cases.push(invalid.gives(200, told).same("worth nothing").harmless());
        let body = format!(r#"{{"accessToken":"{{{token}}}","refreshToken":"{{ada.refresh}}"}}"#);
        let refused = case(
            format!("auto-refresh of {token}"),
            "POST",
            "/api/token/auto-refresh",
        );
        cases.push(refused.json(body).refused(401, "invalid_token"));
    }
    let both = r#"{"refreshToken":"x","refresh_token":"x"}"#;
    for path in ["/api/token/refresh", "/api/auth/refresh"] {
        let refused = case(format!("{path}: both spellings"), "POST", path).json(both);
        cases.push(refused.refused(422, "invalid_input"));
    }
    let expired = case("validate expired.access", "POST", "/api/token/validate");
    let told = json!({ "data": { "isValid": false, "isExpired": true, "needsRefresh": true } });
    cases.push(
        expired
            .json(r#"{"accessToken":"{expired.access}"}"#)
            .gives(200, told)
            .harmless(),
    );
    let stale = case("validate stale.access", "POST", "/api/token/validate");
    let told = json!({ "data": { "isValid": false, "isExpired": false, "needsRefresh": true } });
    cases.push(
        stale
            .json(r#"{"access_token":"{stale.access}"}"#)
            .gives(200, told)
            .harmless(),
    );
    for token in ["ada.access", "garbage.access", "revoked.access"] {
        let body = format!(r#"{{"refresh_token":"{{{token}}}"}}"#);
        let out = case(
            format!("logout with {token} for a refresh token"),
            "POST",
            "/api/auth/logout",
        );
        cases.push(out.json(body).refused(401, "invalid_token"));
    }
    for token in ["garbage.access", "huge.access", "ada.refresh"] {
        let out = case(format!("logout by {token}"), "POST", "/api/auth/logout").bearer(token);
        cases.push(out.refused(401, "invalid_token"));
    }
    cases
}

fn in_forms() -> Vec<Case> {
    let mut cases = Vec::new();
    let client = "client_id=gateway&client_secret={client.secret}";
    for token in [
        "garbage.access",
        "huge.access",
        "forged.access",
        "none.access",
        "revoked.access",
        "revoked.refresh",
        "expired.access",
        "stale.access",
    ] {
        let asked = case(format!("introspect {token}"), "POST", "/oauth/introspect");
        let asked = asked.form(&format!("{client}&token={{{token}}}"));
        cases.push(
            asked
                .gives(200, json!({ "active": false }))
                .same("inactive")
                .harmless(),
        );
    }
    for token in [
        "garbage.access",
        "huge.access",
        "forged.access",
        "none.access",
        "revoked.refresh",
    ] {
        let revoked = case(format!("revoke {token}"), "POST", "/oauth/revoke");
        let revoked = revoked.form(&format!("token={{{token}}}"));
        cases.push(revoked.gives(200, json!(null)).same("revoked").harmless());
    }
    let ask = |who: &str| case(format!("introspect as {who}"), "POST", "/oauth/introspect");
    let form = "token={ada.access}";
    cases.extend([
        ask("nobody").form(form).refused(401, "missing_token"),
        ask("a user")
            .bearer("ada.access")
            .form(form)
            .refused(403, "insufficient_role"),
        ask("garbage")
            .bearer("garbage.access")
            .form(form)
            .refused(401, "malformed_token"),
        ask("another client")
            .form("client_id=x&client_secret=y&token={ada.access}")
            .refused(401, "invalid_credentials")
            .same("no client"),
        ask("the client with a wrong secret")
            .form("client_id=gateway&client_secret=y&token={ada.access}")
            .refused(401, "invalid_credentials")
            .same("no client"),
        ask("two at once")
            .bearer("root.access")
            .form(&format!("{client}&{form}"))
            .refused(400, "invalid_input"),
    ]);
    cases
}
