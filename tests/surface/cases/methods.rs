//! Methods, paths and parameters that are none.

use tower_jwt_session::endpoints::routes;

use crate::accounts::PATHS;
use crate::case::{Case, case};

pub fn all() -> Vec<Case> {
    let mut cases: Vec<Case> = routes()
        .into_iter()
        .map(|route| {
            let path = route
                .path
                .replace("{*path}", "v1")
                .replace("{id}", "7")
                .replace("{user}", "u");
            let name = format!("TRACE {} beside {}", route.path, route.method);
            case(name, "TRACE", &path).refused(405, "method_not_allowed")
        })
        .collect();
    for (path, method, _) in PATHS.iter().filter(|(_, method, _)| method != "GET") {
        let path = path.replace("{user}", "u");
        let name = format!("{path} by GET for {method}");
        cases.push(
            case(name, "GET", &path)
                .bearer("root.access")
                .refused(405, "method_not_allowed"),
        );
    }
    let wrong = [
        ("PUT", "/sessions", "GET,HEAD"),
        ("POST", "/sessions/events", "GET,HEAD"),
        ("GET", "/sessions/{ada.session}", "DELETE"),
        ("DELETE", "/sessions/revoke-all", "POST"),
        ("POST", "/sessions/{ada.session}/name", "PATCH"),
        ("GET", "/api/token/refresh", "POST"),
        ("POST", "/api/token/health", "GET,HEAD"),
        ("GET", "/api/admin/users//sessions", "DELETE"),
        ("GET", "/oauth/revoke", "POST"),
        ("GET", "/oauth/introspect", "POST"),
        ("POST", "/.well-known/jwks.json", "GET,HEAD"),
    ];
    for (method, path, allow) in wrong {
        let name = format!("{method} {path} is not what it is for");
        let wrong = case(name, method, path).refused(405, "method_not_allowed");
        cases.push(wrong.with("allow", allow));
    }
    for (path, allow) in [
        ("/api/auth/refresh", "POST"),
        ("/sessions", "GET,HEAD"),
        ("/sessions/{ada.session}", "DELETE"),
        ("/api/token/health", "GET,HEAD"),
        ("/api/admin/sessions", "GET,HEAD"),
    ] {
        let asked = case(format!("OPTIONS {path}"), "OPTIONS", path);
        let told = asked.gives(204, serde_json::Value::Null).harmless();
        cases.push(told.with("allow", allow));
    }
    for (method, path) in [
        ("GET", "/sessions"),
        ("POST", "/sessions/revoke-all"),
        ("GET", "/api/token/health"),
        ("GET", "/.well-known/jwks.json"),
    ] {
        let hosts = case(format!("{method} {path} of two hosts"), method, path);
        let hosts = hosts
            .header("host", "a.example")
            .header("host", "b.example");
        cases.push(hosts.bearer("ada.access").refused(400, "invalid_input"));
    }
    cases.extend(nowhere());
    cases.extend(parameters());
    cases.extend(of_others());
    cases
}

fn nowhere() -> Vec<Case> {
    [
        "/",
        "/nowhere",
        "/sessions/",
        "/sessions/7/names",
        "//sessions",
        "/Sessions",
        "/api/token",
        "/.well-known/nothing",
        "/oauth",
    ]
    .map(|path| {
        let nothing = case(format!("{path:?} is nowhere"), "GET", path).bearer("ada.access");
        nothing.refused(404, "not_found").same("nowhere")
    })
    .into()
}

fn parameters() -> Vec<Case> {
    let bad = |method: &str, path: &str, status, code| {
        let token = if path.contains("admin") {
            "root.access"
        } else {
            "ada.access"
        };
        case(format!("{method} {path}"), method, path)
            .bearer(token)
            .refused(status, code)
    };
    let invalid = "invalid_input";
    vec![
        bad("GET", "/sessions?state=both", 422, invalid),
        bad("GET", "/sessions?state=", 422, invalid),
        bad("GET", "/sessions?state=%ff", 422, invalid),
        bad("POST", "/sessions/revoke-all?keep_current=1", 422, invalid),
        bad("POST", "/sessions/revoke-all?keep_current=", 422, invalid),
        bad("DELETE", "/sessions/7", 404, "not_found"),
        bad("DELETE", "/sessions/%ff", 404, "not_found"),
        bad("DELETE", "/sessions/%00", 404, "not_found"),
        bad("DELETE", "/sessions/{ada.session}x", 404, "not_found"),
        bad(
            "PATCH",
            "/sessions/{ada.session}/name?name=a%0Ab",
            422,
            invalid,
        ),
        bad("PATCH", "/sessions/%ff/name", 404, "not_found"),
        bad("GET", "/api/admin/sessions?limit=many", 422, invalid),
        bad("GET", "/api/admin/sessions?limit=-1", 422, invalid),
        bad("GET", "/api/admin/sessions?cursor=x", 422, invalid),
        bad("GET", "/api/admin/sessions?user=%00", 422, invalid),
        bad("GET", "/api/admin/audit?limit=many", 422, invalid),
        bad("GET", "/api/admin/audit?limit=-1", 422, invalid),
        bad("GET", "/api/admin/audit?cursor=x", 422, invalid),
        bad("GET", "/api/admin/audit?cursor=1-2-3-4", 422, invalid),
        bad("GET", "/api/admin/audit?session=7", 422, invalid),
        bad("GET", "/api/admin/audit?user=%00", 422, invalid),
        bad("DELETE", "/api/admin/sessions/7", 404, "not_found"),
        bad("DELETE", "/api/admin/sessions/%ff", 404, "not_found"),
        bad("POST", "/api/admin/users/%00/revoke-all", 422, invalid),
        bad("DELETE", "/api/admin/users/%00/sessions", 422, invalid),
        bad(
            "GET",
            "/.well-known/oauth-protected-resource",
            404,
            "not_found",
        ),
        bad(
            "GET",
            "/.well-known/oauth-protected-resource/v2",
            404,
            "not_found",
        ),
        bad("GET", "/api/token/session-stats/%ff", 404, "not_found"),
    ]
}

/// Whether there is such a session, or such a user, is told to nobody whose it is not.
fn of_others() -> Vec<Case> {
    let session = |method: &str, path: &str, whose: &str| {
        case(
            format!("{method} {path} of {whose}"),
            method,
            &path.replace("{id}", whose),
        )
        .bearer("ada.access")
        .refused(404, "not_found")
    };
    let name = r#"{"name":"mine"}"#;
    let stats = |user: &str| {
        case(
            format!("the statistics of {user}"),
            "GET",
            &format!("/api/token/session-stats/{user}"),
        )
        .bearer("ada.access")
        .refused(403, "insufficient_role")
        .same("statistics of another")
    };
    let mut cases = vec![
        stats("eve@example.com"),
        stats("nobody"),
        stats("root@example.com"),
        stats("%00"),
    ];
    for whose in ["{eve.session}", "{unknown}"] {
        cases.push(session("DELETE", "/sessions/{id}", whose).same("end another's"));
        let named = session("PATCH", "/sessions/{id}/name", whose).json(name);
        cases.push(named.same("name another's"));
    }
    for (method, path) in [
        ("GET", "/api/admin/sessions"),
        ("GET", "/api/admin/audit"),
        ("DELETE", "/api/admin/sessions/{eve.session}"),
        ("DELETE", "/api/admin/sessions/{unknown}"),
        ("POST", "/api/admin/users/eve@example.com/revoke-all"),
        ("DELETE", "/api/admin/users/eve@example.com/sessions"),
        ("DELETE", "/api/admin/users/nobody/sessions"),
    ] {
        let refused = case(format!("{method} {path} by a user"), method, path).bearer("ada.access");
        cases.push(
            refused
                .refused(403, "insufficient_role")
                .same("administrators alone"),
        );
    }
    for (name, who) in [
        ("a wrong password", "eve@example.com"),
        ("no account", "nobody@example.com"),
    ] {
        let body = format!(r#"{{"email":"{who}","password":"a wrong password"}}"#);
        let refused = case(format!("login: {name}"), "POST", "/api/auth/login").json(body);
        cases.push(
            refused
                .refused(401, "invalid_credentials")
                .same("no such account"),
        );
    }
    cases
}
