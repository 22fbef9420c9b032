//! What is another's: by path, query, header and body, on every call that knows sessions or users.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::server::{Example, PASSWORD, Server, SignedIn, ask, bearer, get, post, send};
use crate::table::Line;
use crate::wire::{Answer, Wire};

pub fn run(server: &Server) -> (BTreeSet<Line>, Vec<String>) {
    let mut hunt = Hunt::new(server);
    hunt.by_path();
    hunt.by_query();
    hunt.by_header();
    hunt.by_body();
    hunt.by_administration();
    hunt.likes();
    if server.example == Example::Axum {
        hunt.accounts();
    }
    (hunt.lines, hunt.wrong)
}

/// Eve, who is signed in, and Ada, who has something.
struct Hunt<'s> {
    server: &'s Server,
    wire: Wire,
    ada: SignedIn,
    other: SignedIn,
    eve: SignedIn,
    ada_id: String,
    eve_id: String,
    before: Value,
    lines: BTreeSet<Line>,
    wrong: Vec<String>,
}

impl<'s> Hunt<'s> {
    fn new(server: &'s Server) -> Self {
        let mut wire = server.wire();
        let [ada, other] = [(); 2].map(|()| server.sign_in(&mut wire, "victim"));
        let eve = server.sign_in(&mut wire, "eve");
        let mut id = |signed_in: &SignedIn| {
            let me = get(&mut wire, server.example.me(), &signed_in.access).json();
            me["user_id"].as_str().expect("somebody").to_owned()
        };
        let (ada_id, eve_id) = (id(&ada), id(&eve));
        let named = json!({ "name": "a name of hers" });
        send(
            &mut wire,
            "PATCH",
            &format!("/sessions/{}/name", ada.session),
            Some(&ada.access),
            &named,
        );
        let before = Self::state(&mut wire, &ada);
        assert_eq!(before.as_array().map(Vec::len), Some(2), "{before}");
        Self {
            server,
            wire,
            ada,
            other,
            eve,
            ada_id,
            eve_id,
            before,
            lines: BTreeSet::new(),
            wrong: Vec::new(),
        }
    }

    /// What Ada sees of her sessions, but for when they were used.
    fn state(wire: &mut Wire, ada: &SignedIn) -> Value {
        let mut listed = get(wire, "/sessions", &ada.access).json();
        for session in listed.as_array_mut().into_iter().flatten() {
            session["last_active"] = Value::Null;
        }
        listed
    }

    /// One try of Eve's: it changes nothing of Ada's and tells nothing of hers.
    fn attempt(
        &mut self,
        name: impl Into<String>,
        method: &str,
        target: &str,
        lines: &str,
        body: Option<&Value>,
    ) -> Answer {
        let name = name.into();
        let mut head = bearer(&self.eve.access);
        head.extend_from_slice(lines.as_bytes());
        if let Some(body) = body {
            let body = body.to_string();
            let length = body.len();
            let more =
                format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
            head.extend_from_slice(more.as_bytes());
        }
        let answer = self.wire.send(&ask(method, target, &head));
        self.judge(&name, method, &answer);
        answer
    }

    fn judge(&mut self, name: &str, method: &str, answer: &Answer) {
        let text = format!("{}{}", answer.head, answer.text());
        let hers = [&self.ada.session, &self.other.session, &self.ada_id];
        if hers.iter().any(|secret| text.contains(secret.as_str()))
            || text.contains("a name of hers")
        {
            self.wrong
                .push(format!("{method} {name}: tells of hers: {text}"));
        }
        if answer.status >= 500 {
            self.wrong
                .push(format!("{method} {name}: {}", answer.status));
        }
        let now = Self::state(&mut self.wire, &self.ada);
        if now != self.before {
            self.wrong
                .push(format!("{method} {name}: hers is changed: {now}"));
        }
        if get(&mut self.wire, self.server.example.me(), &self.eve.access).status != 200 {
            // She may end her own, and signs in anew.
            self.eve = self.server.sign_in(&mut self.wire, "eve");
        }
        self.lines.insert(Line {
            suite: "rights".to_owned(),
            family: method.to_owned(),
            case: name.to_owned(),
            reference: "OWASP API1:2023, API3:2023, API5:2023; CWE-639".to_owned(),
            verdict: format!("{} {}", answer.status, answer.code())
                .trim_end()
                .to_owned(),
        });
    }

    fn by_path(&mut self) {
        let (hers, mine, her_id) = (
            self.ada.session.clone(),
            self.eve.session.clone(),
            self.ada_id.clone(),
        );
        let ids = [
            ("hers", hers.clone()),
            ("hers in upper case", hers.to_uppercase()),
            ("hers without dashes", hers.replace('-', "")),
            ("hers in braces", format!("%7B{hers}%7D")),
            ("hers as a URN", format!("urn:uuid:{hers}")),
            ("hers with a space", format!("{hers}%20")),
            ("hers with a NUL", format!("{hers}%00")),
            ("hers with a line end", format!("{hers}%0a")),
            ("hers with a slash", format!("{hers}/")),
            ("hers with a dot", format!("{hers}/.")),
            (
                "hers, escaped",
                hers.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            ),
            ("mine, then hers", format!("{mine}/../{hers}")),
            ("mine, then hers, escaped", format!("{mine}%2f..%2f{hers}")),
            ("mine and hers", format!("{mine},{hers}")),
            ("mine with a parameter", format!("{mine};id={hers}")),
            ("a star", "*".to_owned()),
            ("all", "all".to_owned()),
            ("current", "current".to_owned()),
            ("her user", her_id.clone()),
            (
                "nobody's",
                "01a1fe9f-8ded-712b-8875-90ab7049efd2".to_owned(),
            ),
            ("no id", "x".to_owned()),
            ("SQL", "1'%20OR%20'1'='1".to_owned()),
            ("a long one", "a".repeat(4000)),
        ];
        let name = json!({ "name": "taken" });
        for (which, id) in ids {
            self.attempt(
                format!("/sessions/{{{which}}}"),
                "DELETE",
                &format!("/sessions/{id}"),
                "",
                None,
            );
            self.attempt(
                format!("/sessions/{{{which}}}/name"),
                "PATCH",
                &format!("/sessions/{id}/name"),
                "",
                Some(&name),
            );
            self.attempt(
                format!("/api/admin/sessions/{{{which}}}"),
                "DELETE",
                &format!("/api/admin/sessions/{id}"),
                "",
                None,
            );
        }
        let users = [
            ("hers", her_id.clone()),
            ("hers in upper case", her_id.to_uppercase()),
            ("hers with a NUL", format!("{her_id}%00")),
            ("mine, then hers", format!("{}/../{her_id}", self.eve_id)),
            ("nobody's", "nobody".to_owned()),
            ("a star", "*".to_owned()),
        ];
        for (which, user) in users {
            for (method, path) in [
                ("GET", format!("/api/token/session-stats/{user}")),
                ("POST", format!("/api/admin/users/{user}/revoke-all")),
                ("DELETE", format!("/api/admin/users/{user}/sessions")),
                ("GET", format!("/api/admin/sessions?user={user}")),
            ] {
                let shown = path.replace(&user, &format!("{{{which}}}"));
                self.attempt(shown, method, &path, "", None);
            }
        }
    }

    fn by_query(&mut self) {
        let her = self.ada_id.clone();
        for name in [
            "user",
            "user_id",
            "userId",
            "sub",
            "uid",
            "account",
            "owner",
            "id",
            "session_id",
            "sid",
            "impersonate",
            "as",
        ] {
            for path in ["/sessions", "/sessions?state=ended"] {
                let join = if path.contains('?') { '&' } else { '?' };
                self.attempt(
                    format!("{path}{join}{name}={{hers}}"),
                    "GET",
                    &format!("{path}{join}{name}={her}"),
                    "",
                    None,
                );
            }
            let path = format!("/sessions/revoke-all?keep_current=true&{name}=");
            self.attempt(
                format!("{path}{{hers}}"),
                "POST",
                &format!("{path}{her}"),
                "",
                None,
            );
        }
    }

    fn by_header(&mut self) {
        let (her, hers) = (self.ada_id.clone(), self.ada.session.clone());
        for name in [
            "x-user-id",
            "x-user",
            "x-forwarded-user",
            "x-remote-user",
            "remote-user",
            "x-authenticated-user",
            "x-auth-request-user",
            "x-webauth-user",
            "x-session-id",
            "x-impersonate-user",
            "x-amzn-oidc-identity",
            "cookie",
            "from",
        ] {
            let value = match name {
                "x-session-id" => hers.clone(),
                "cookie" => format!("session={hers}; user={her}"),
                _ => her.clone(),
            };
            self.attempt(
                format!("/sessions with {name}"),
                "GET",
                "/sessions",
                &format!("{name}: {value}\r\n"),
                None,
            );
            self.attempt(
                format!("/sessions/revoke-all with {name}"),
                "POST",
                "/sessions/revoke-all?keep_current=true",
                &format!("{name}: {value}\r\n"),
                None,
            );
        }
        let admin = "/api/admin/sessions";
        for lines in [
            "x-role: admin",
            "x-roles: admin",
            "x-original-url: /api/admin/sessions",
            "x-rewrite-url: /api/admin/sessions",
            "x-forwarded-for: 127.0.0.1",
            "x-real-ip: 127.0.0.1",
            "forwarded: for=127.0.0.1",
            "x-forwarded-host: localhost",
            "x-custom-ip-authorization: 127.0.0.1",
            "origin: http://127.0.0.1",
            "referer: http://127.0.0.1/admin",
        ] {
            self.attempt(
                format!("{admin} with {lines}"),
                "GET",
                admin,
                &format!("{lines}\r\n"),
                None,
            );
        }
        for method in ["DELETE", "PATCH", "PUT"] {
            for name in [
                "x-http-method-override",
                "x-http-method",
                "x-method-override",
            ] {
                let target = format!("/sessions/{hers}");
                self.attempt(
                    format!("/sessions/{{hers}} with {name}: {method}"),
                    "GET",
                    &target,
                    &format!("{name}: {method}\r\n"),
                    None,
                );
            }
        }
    }

    fn by_body(&mut self) {
        let (her, hers) = (self.ada_id.clone(), self.ada.session.clone());
        let mine = self.eve.session.clone();
        for body in [
            json!({ "name": "x", "id": hers }),
            json!({ "name": "x", "session_id": hers }),
            json!({ "name": "x", "user_id": her }),
            json!({ "name": "x", "user": { "id": her } }),
            json!({ "name": "x", "is_current": false, "revoked": true, "role": "admin" }),
            json!([{ "id": hers, "name": "x" }]),
        ] {
            let shown = body
                .to_string()
                .replace(&hers, "{hers}")
                .replace(&her, "{her}");
            self.attempt(
                format!("/sessions/{{mine}}/name {shown}"),
                "PATCH",
                &format!("/sessions/{mine}/name"),
                "",
                Some(&body),
            );
        }
        for path in [
            "/sessions/revoke-all?keep_current=true",
            "/api/token/validate",
            "/oauth/revoke",
        ] {
            for body in [
                json!({ "user": her }),
                json!({ "user_id": her }),
                json!({ "session_id": hers }),
                json!({ "sessions": [hers] }),
                json!({ "token": hers }),
            ] {
                let shown = body
                    .to_string()
                    .replace(&hers, "{hers}")
                    .replace(&her, "{her}");
                self.attempt(format!("{path} {shown}"), "POST", path, "", Some(&body));
            }
        }
        for member in [
            "sessionId",
            "session_id",
            "userId",
            "user_id",
            "roles",
            "generation",
        ] {
            let body = json!({ "refreshToken": self.eve.refresh, member: hers });
            let answer = post(&mut self.wire, "/api/token/refresh", None, &body);
            if let (Some(access), Some(refresh)) = (
                answer.json()["data"]["accessToken"].as_str(),
                answer.json()["data"]["refreshToken"].as_str(),
            ) {
                (self.eve.access, self.eve.refresh) = (access.to_owned(), refresh.to_owned());
            }
            self.judge(
                &format!("/api/token/refresh with her {member}"),
                "POST",
                &answer,
            );
        }
    }

    /// What is for administrators alone.
    fn by_administration(&mut self) {
        let calls = [
            ("GET", "/api/admin/sessions"),
            ("GET", "/api/admin/sessions?limit=1000000"),
            ("GET", "/api/admin/sessions?cursor=x"),
            ("GET", "/API/ADMIN/SESSIONS"),
            ("GET", "//api/admin/sessions"),
            ("GET", "/api//admin/sessions"),
            ("GET", "/api/./admin/sessions"),
            ("GET", "/api/token/../admin/sessions"),
            ("GET", "/api/admin/sessions/"),
            ("GET", "/api/admin/sessions%20"),
            ("GET", "/api/admin/sessions;x"),
            ("GET", "/api/admin%2fsessions"),
            ("GET", "/%61pi/admin/sessions"),
            ("HEAD", "/api/admin/sessions"),
            ("OPTIONS", "/api/admin/sessions"),
            ("POST", "/oauth/introspect"),
            ("GET", "/metrics"),
            ("TRACE", "/api/admin/sessions"),
            ("PROPFIND", "/sessions"),
        ];
        for (method, target) in calls {
            let answer = self.attempt(target, method, target, "", None);
            let is_open = answer.status == 200 && target != "/metrics";
            if is_open && method != "HEAD" && !answer.text().contains("\"active\":false") {
                self.wrong
                    .push(format!("{method} {target}: {}", answer.text()));
            }
        }
    }

    /// What another has and what nobody has look the same.
    fn likes(&mut self) {
        let (hers, her) = (self.ada.session.clone(), self.ada_id.clone());
        let nobody = "01a1fe9f-8ded-712b-8875-90ab7049efd2";
        for (method, path, body) in [
            ("DELETE", "/sessions/{}", None),
            ("PATCH", "/sessions/{}/name", Some(json!({ "name": "x" }))),
            ("DELETE", "/api/admin/sessions/{}", None),
        ] {
            let pair = [hers.as_str(), nobody].map(|id| {
                let target = path.replace("{}", id);
                let answer = self.attempt(
                    format!("{path}, hers against nobody's"),
                    method,
                    &target,
                    "",
                    body.as_ref(),
                );
                (answer.status, answer.body)
            });
            if pair[0] != pair[1] {
                self.wrong.push(format!(
                    "{method} {path}: tells hers from nobody's: {pair:?}"
                ));
            }
        }
        let pair = [her.as_str(), "nobody"].map(|user| {
            let target = format!("/api/token/session-stats/{user}");
            let answer = self.attempt(
                "session-stats, hers against nobody's",
                "GET",
                &target,
                "",
                None,
            );
            (answer.status, answer.body)
        });
        if pair[0] != pair[1] {
            self.wrong
                .push(format!("session-stats: tells hers from nobody's: {pair:?}"));
        }
    }

    /// More in a form than it asks for, and who is there.
    fn accounts(&mut self) {
        let more = [
            json!({ "role": "admin" }),
            json!({ "roles": ["admin"] }),
            json!({ "is_admin": true }),
            json!({ "admin": true }),
            json!({ "scope": "admin" }),
            json!({ "user_id": self.ada_id }),
            json!({ "id": self.ada_id }),
            json!({ "sub": self.ada_id }),
            json!({ "session_id": self.ada.session }),
            json!({ "claims": { "roles": ["admin"] } }),
            json!({ "amr": ["otp"] }),
            json!({ "acr": "high" }),
            json!({ "verified": true }),
            json!({ "generation": 99 }),
        ];
        for (number, members) in more.into_iter().enumerate() {
            for call in ["register", "login"] {
                let mut body = json!({ "email": format!("mallory-{number}@example.com"), "password": PASSWORD });
                for (name, value) in members.as_object().expect("members") {
                    body[name] = value.clone();
                }
                let path = format!("/api/auth/{call}");
                let answer = post(&mut self.wire, &path, None, &body);
                if let Some(access) = answer.json()["access_token"].as_str() {
                    let admin = get(&mut self.wire, "/api/admin/sessions", access);
                    let me = get(&mut self.wire, "/api/me", access).json();
                    if admin.status != 403 || me["user_id"] == self.ada_id.as_str() {
                        self.wrong
                            .push(format!("{path} with {members}: {} {me}", admin.status));
                    }
                }
                let shown = members
                    .to_string()
                    .replace(&self.ada_id, "{her}")
                    .replace(&self.ada.session, "{hers}");
                self.judge(&format!("{path} with {shown}"), "POST", &answer);
            }
        }
        let wrong = |email: &str| json!({ "email": email, "password": "not the right password" });
        let pair = ["victim@example.com", "nobody@example.com"].map(|email| {
            let answer = post(&mut self.wire, "/api/auth/login", None, &wrong(email));
            self.judge("/api/auth/login, hers against nobody's", "POST", &answer);
            (answer.status, answer.body)
        });
        if pair[0] != pair[1] {
            self.wrong
                .push(format!("login tells who is there: {pair:?}"));
        }
    }
}
