//! What the example serves, as an OpenAPI document: the calls of the library, and its own beside them.

use axum::http::Method;
use tower_jwt_session::endpoints::Group;
use tower_jwt_session::endpoints::openapi::{self, Call, Member, named, object};

/// The document, as it is served and committed.
pub fn json() -> String {
    let mut document = openapi::document(Group::ALL);
    for call in accounts().into_iter().chain(people()).chain(pages()) {
        call.add_to(&mut document);
    }
    openapi::to_json(&document)
}

/// Signing in, and what is asked of those who are.
fn accounts() -> Vec<Call> {
    let call = |path: &str, id: &str, summary: &str| {
        let call = Call::new(Method::POST, format!("/api/auth/{path}"), id, summary);
        call.tagged("sign-in").limited()
    };
    vec![
        begins_session(call(
            "register",
            "register",
            "Makes an account, and signs it in",
        ))
        .tells(201, named("Tokens"))
        .refuses(409, "account_exists"),
        begins_session(call("login", "login", "Signs in"))
            .tells(200, named("Tokens"))
            .refuses(401, "invalid_credentials"),
        call("reauthenticate", "reauthenticate", "Proves again who it is")
            .takes(object(&[("password", "text")]))
            .tells(200, named("Tokens"))
            .refuses(401, "invalid_credentials")
            .for_users(),
        call(
            "password",
            "changePassword",
            "Changes the password, and ends the other sessions",
        )
        .takes(object(&[("current", "text"), ("new", "text")]))
        .refuses(401, "invalid_credentials")
        .for_users(),
    ]
}

fn begins_session(call: Call) -> Call {
    call.takes(object(CREDENTIALS))
        .refuses(409, "session_limit_reached")
        .refuses(409, "sign_in_superseded")
        .refuses(503, "store_unavailable")
        .sets_cookies()
}

fn people() -> Vec<Call> {
    let get = |path: &str, id: &str, summary: &str| {
        let call = Call::new(Method::GET, path, id, summary);
        call.tagged("accounts")
    };
    let role = "/api/admin/users/{user}/role";
    vec![
        get("/api/me", "me", "Who is signed in")
            .tells(200, object(ME))
            .for_users(),
        get("/api/protected", "protected", "For those who are signed in")
            .tells(200, object(GREETED))
            .for_users(),
        get("/api/admin/dashboard", "dashboard", "For administrators")
            .tells(200, object(GREETED))
            .for_role(),
        Call::new(
            Method::PUT,
            role,
            "setRole",
            "Sets a role, which holds on the next request",
        )
        .tagged("accounts")
        .takes(object(&[("role", "text")]))
        .refuses(404, "not_found")
        .for_role(),
        get(
            "/livez",
            "alive",
            "Whether the process runs; touches nothing",
        )
        .shows("text/plain", "It does."),
        get(
            "/metrics",
            "metrics",
            "Figures for Prometheus, where they have no address of their own",
        )
        .shows("text/plain", "The figures.")
        .for_role(),
    ]
}

/// What a browser opens, and the forms and scripts of it.
fn pages() -> Vec<Call> {
    let get = |path: &str, id: &str, summary: &str| {
        let call = Call::new(Method::GET, path, id, summary);
        call.tagged("pages")
    };
    let open = OPEN.iter().map(|(path, id, summary)| {
        let call = get(path, id, summary);
        call.shows("text/html", "A page.")
    });
    let own = OWN.iter().map(|(path, id, summary)| {
        let call = get(path, id, summary).shows("text/html", "A page.");
        let call = call.also(303, "To the sign-in page.");
        call.refuses(503, "store_unavailable")
    });
    let assets = ASSETS.iter().map(|(path, id, media)| {
        let call = get(path, id, "For the pages");
        call.shows(media, "As it was written.")
    });
    let forms = FORMS.iter().map(|(path, id, summary, members)| {
        let call = Call::new(Method::POST, *path, *id, *summary).tagged("pages");
        let call = call.takes_form(object(members)).answers(303).sets_cookies();
        call.refuses(503, "store_unavailable")
    });
    open.chain(own)
        .chain(assets)
        .chain(forms)
        .chain(watched())
        .collect()
}

/// What the administrators' page looks at again and again.
fn watched() -> [Call; 2] {
    let get = |path: &str, id: &str, summary: &str| {
        let call = Call::new(Method::GET, path, id, summary);
        call.tagged("administration")
    };
    let stats = [
        ("live", "object?"),
        ("fleet", "object?"),
        ("node", "object"),
    ];
    [
        get(
            "/api/admin/stats",
            "statistics",
            "Live sessions, and counts by the minute",
        )
        .asks("window", "1m to 24h; 1h unless said")
        .tells(200, object(&stats))
        .refuses(422, "invalid_input")
        .for_role(),
        get(
            "/api/admin/events",
            "events",
            "What happens on this node, since Last-Event-ID",
        )
        .asks("after", "the number of the last event that was seen")
        .shows(
            "text/event-stream",
            "Server-sent events, as long as somebody listens.",
        )
        .for_role(),
    ]
}

/// Path, id, what it does, what it takes.
type Form = (&'static str, &'static str, &'static str, &'static [Member]);

const CREDENTIALS: &[Member] = &[
    ("email", "text"),
    ("password", "text"),
    ("transport?", "text"),
];

const ME: &[Member] = &[
    ("user_id", "text"),
    ("session_id", "text?"),
    ("roles", "[]text"),
    ("expires_at", "text"),
];

const GREETED: &[Member] = &[
    ("user_id", "text"),
    ("session_id", "text?"),
    ("roles", "[]text"),
    ("expires_at", "text"),
    ("message", "text"),
];

/// Path, id, what it shows.
const OPEN: [(&str, &str, &str); 4] = [
    ("/", "first", "What can be tried here"),
    ("/docs", "docs", "This document as a page"),
    ("/register", "registerPage", "Where to register"),
    ("/sign-in", "signInPage", "Where to sign in"),
];

const OWN: [(&str, &str, &str); 3] = [
    (
        "/admin",
        "adminPage",
        "Everybody's sessions, for administrators",
    ),
    (
        "/admin/audit",
        "auditPage",
        "The audit log, for administrators",
    ),
    ("/devices", "devicesPage", "The devices that are signed in"),
];

const ASSETS: [(&str, &str, &str); 4] = [
    ("/demo.js", "demoScript", "text/javascript"),
    ("/pages.css", "pagesStyle", "text/css"),
    ("/pages.js", "pagesScript", "text/javascript"),
    ("/token-manager.js", "tokenManager", "text/javascript"),
];

const FORMS: [Form; 8] = [
    (
        "/register",
        "registerByForm",
        "Registers, and signs in with cookies",
        &[("email", "text"), ("password", "text")],
    ),
    (
        "/sign-in",
        "signInByForm",
        "Signs in with cookies",
        &[("email", "text"), ("password", "text")],
    ),
    ("/sign-out", "signOutByForm", "Signs out", &[]),
    (
        "/devices/end-others",
        "endOthersByForm",
        "Signs the other devices out",
        &[],
    ),
    (
        "/devices/{id}/end",
        "endDeviceByForm",
        "Signs a device out",
        &[],
    ),
    (
        "/devices/{id}/name",
        "nameDeviceByForm",
        "Names a device",
        &[("name", "text")],
    ),
    (
        "/admin/sessions/{id}/end",
        "endAnyByForm",
        "Ends a session, whosever it is",
        &[],
    ),
    (
        "/admin/users/{id}/end-all",
        "endAllByForm",
        "Ends all sessions of a user",
        &[],
    ),
];
