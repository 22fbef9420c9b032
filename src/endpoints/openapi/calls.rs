//! What each call takes, tells, and is refused with beyond what all are.

use super::call::Cookies;
use super::schemas::Member;
use crate::endpoints::routes::Route;

pub(super) struct Described {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) body: Body,
    pub(super) status: u16,
    pub(super) told: Told,
    pub(super) errors: &'static [(u16, &'static str)],
    pub(super) cookies: Cookies,
    /// Whether attempts are counted.
    pub(super) limited: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Body {
    None,
    Form(&'static [Member]),
    Json(&'static [Member]),
}

#[derive(Clone, Copy)]
pub(super) enum Told {
    Events,
    Nothing,
    /// A media type, and the name of a schema, with `[]` before it for several.
    Json(&'static str, &'static str),
}

impl Described {
    const fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            query: &[],
            body: Body::None,
            status: 204,
            told: Told::Nothing,
            errors: &[],
            cookies: Cookies::None,
            limited: false,
        }
    }

    /// A call that makes a pair of tokens out of another.
    const fn refreshes(mut self, cookies: Cookies) -> Self {
        self.errors = REFRESH;
        self.cookies = cookies;
        self.limited = true;
        self
    }

    const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    const fn json(mut self, members: &'static [Member]) -> Self {
        self.body = Body::Json(members);
        self
    }

    const fn form(mut self, members: &'static [Member]) -> Self {
        self.body = Body::Form(members);
        self
    }

    const fn tells(mut self, schema: &'static str) -> Self {
        self.status = 200;
        self.told = Told::Json("application/json", schema);
        self
    }

    const fn errors(mut self, errors: &'static [(u16, &'static str)]) -> Self {
        self.errors = errors;
        self
    }
}

/// What is said of a route. One that nothing is said of is a mistake, which a test finds.
pub(super) fn described(route: &Route) -> Described {
    let (method, path) = (route.method.as_str(), route.path);
    known(method, path).unwrap_or(Described::new("", ""))
}

fn known(method: &str, path: &str) -> Option<Described> {
    let call = Described::new;
    Some(match (method, path) {
        ("GET", "/.well-known/jwks.json") => Described {
            told: Told::Json("application/jwk-set+json", "JwkSet"),
            ..call("jwks", "The public keys").tells("JwkSet")
        },
        ("GET", "/.well-known/oauth-protected-resource") => {
            call("protectedResource", "What this service is to OAuth clients")
                .tells("ResourceMetadata")
                .errors(NOT_FOUND)
        }
        ("GET", "/.well-known/oauth-protected-resource/{*path}") => {
            call("protectedResourceAt", "The same of a resource with a path")
                .tells("ResourceMetadata")
                .errors(NOT_FOUND)
        }
        ("GET", "/openapi.json") => call("openapi", "This document")
            .tells("OpenApi")
            .errors(NOT_FOUND),
        ("GET", "/sessions") => call(
            "listSessions",
            "The user's sessions, that of the request first",
        )
        .query(&[("state", "live (the default) or ended")])
        .tells("[]Session")
        .errors(&[(403, "insufficient_scope"), (422, "invalid_input")]),
        ("GET", "/sessions/events") => Described {
            told: Told::Events,
            status: 200,
            ..call(
                "sessionEvents",
                "Stays open, and says when the session is over",
            )
        }
        .errors(&[(403, "insufficient_scope"), (429, "rate_limited")]),
        ("POST", "/sessions/revoke-all") => call("endSessions", "Ends the user's sessions")
            .query(&[("keep_current", "true (the default) or false")])
            .tells("Revoked")
            .errors(&[(403, "insufficient_scope"), (422, "invalid_input")]),
        ("DELETE", "/sessions/{id}") => {
            call("endSession", "Ends one of the user's sessions").errors(OWN)
        }
        ("PATCH", "/sessions/{id}/name") => {
            call("renameSession", "Names one of the user's sessions")
                .query(&[("name", "the name, instead of a body")])
                .json(&[("name?", "text")])
                .tells("Session")
                .errors(OWN)
        }
        _ => return of_tokens(method, path),
    })
}

fn of_tokens(method: &str, path: &str) -> Option<Described> {
    let call = Described::new;
    Some(match (method, path) {
        ("POST", "/api/token/refresh") => call("refreshToken", "A new pair for a refresh token")
            .json(&[("refreshToken?", "text")])
            .tells("Refreshed")
            .refreshes(Cookies::SetByRefresh),
        ("POST", "/api/token/validate") => call("validateToken", "What an access token is worth")
            .json(&[("accessToken", "text")])
            .tells("Validated"),
        ("POST", "/api/token/auto-refresh") => call(
            "autoRefresh",
            "A new pair where the access token is about to expire",
        )
        .json(&[("accessToken", "text"), ("refreshToken", "text")])
        .tells("AutoRefreshed")
        .refreshes(Cookies::Set),
        ("GET", "/api/token/session-stats/{user}") => {
            call("sessionStatistics", "A user's live sessions, summed up")
                .tells("Statistics")
                .errors(&[
                    (403, "insufficient_role"),
                    (403, "insufficient_scope"),
                    (404, "not_found"),
                    (422, "invalid_input"),
                ])
        }
        ("GET", "/api/token/health") => {
            call("health", "Whether this node can answer").tells("Health")
        }
        ("POST", "/api/auth/refresh") => call("refresh", "A new pair for a refresh token")
            .json(&[("refresh_token?", "text")])
            .tells("Tokens")
            .refreshes(Cookies::SetByRefresh),
        ("POST", "/api/auth/logout") => Described {
            cookies: Cookies::TakenBack,
            ..call(
                "signOut",
                "Ends the session of the bearer token, the refresh token or the cookies",
            )
        }
        .json(&[("refresh_token?", "text")])
        .errors(&[
            (401, "invalid_token"),
            (401, "malformed_token"),
            (401, "missing_token"),
            (403, "insufficient_scope"),
            (503, "overloaded"),
        ]),
        _ => return of_others(method, path),
    })
}

fn of_others(method: &str, path: &str) -> Option<Described> {
    let call = Described::new;
    Some(match (method, path) {
        ("POST", "/oauth/revoke") => Described {
            status: 200,
            ..call("revoke", "Revokes a token (RFC 7009)")
                .form(&[("token", "text"), ("token_type_hint?", "text")])
                .errors(&[(503, "overloaded")])
        },
        ("POST", "/oauth/introspect") => call("introspect", "What a token is worth (RFC 7662)")
            .form(&[
                ("token", "text"),
                ("token_type_hint?", "text"),
                ("client_id?", "text"),
                ("client_secret?", "text"),
            ])
            .tells("Introspection")
            .errors(&[(401, "invalid_credentials")]),
        ("GET", "/api/admin/sessions") => call("listAllSessions", "A page over all live sessions")
            .query(&[
                ("user", "of this user alone"),
                ("cursor", "what the last page called next_cursor"),
                ("limit", "how many, 50 unless said, 500 at most"),
            ])
            .tells("SessionPage")
            .errors(&[(422, "invalid_input")]),
        ("DELETE", "/api/admin/sessions/{id}") => {
            call("endAnySession", "Ends a session, whosever it is").errors(NOT_FOUND)
        }
        ("POST", "/api/admin/users/{user}/revoke-all") => {
            call("endSessionsOfUser", "Ends all sessions of a user")
                .tells("Revoked")
                .errors(&[(404, "not_found"), (422, "invalid_input")])
        }
        ("DELETE", "/api/admin/users/{user}/sessions") => call(
            "eraseSessionsOfUser",
            "Ends all sessions of a user and erases their history",
        )
        .errors(&[(404, "not_found"), (422, "invalid_input")]),
        ("GET", "/api/admin/audit") => call(
            "listAudit",
            "A page of the audit log, the last entry that was written first",
        )
        .query(&[
            ("user", "about this user alone"),
            ("session", "about this session alone"),
            ("event", "of events of this name alone"),
            ("cursor", "what the last page called next_cursor"),
            ("limit", "how many at most, 50 unless said, 500 at most"),
        ])
        .tells("AuditPage")
        .errors(&[(404, "not_found"), (422, "invalid_input")]),
        _ => return None,
    })
}

const NOT_FOUND: &[(u16, &str)] = &[(404, "not_found")];

const OWN: &[(u16, &str)] = &[(403, "insufficient_scope"), (404, "not_found")];

const REFRESH: &[(u16, &str)] = &[
    (401, "invalid_token"),
    (401, "malformed_token"),
    (401, "missing_token"),
    (401, "refresh_reused"),
    (429, "rate_limited"),
];
