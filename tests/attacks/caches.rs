//! What a cache between the server and two users may keep: nothing of anybody's.

use std::collections::BTreeSet;

use crate::nginx::Nginx;
use crate::server::{Example, Server, SignedIn, ask, bearer, get, send};
use crate::table::Line;
use crate::wire::{Answer, Wire};

/// Resources of somebody's.
const OWN: [&str; 4] = [
    "/sessions",
    "/api/token/session-stats/USER",
    "ME",
    "/devices",
];

/// As if it were a file that caches keep, whatever the server says.
const DISGUISES: [&str; 16] = [
    "",
    ".css",
    ".js?x",
    "/x.css",
    "%2fx.css",
    "%2Fx.js",
    ";x.css",
    ";/x.ico",
    "?x.css",
    "?cb=1&x.js",
    "/%2e%2e/pages.css",
    "/..%2fpages.css",
    "%00.css",
    "%0a.css",
    "%23.css",
    "/.well-known/jwks.json",
];

/// Headers that a cache does not look at.
const UNKEYED: [&str; 14] = [
    "x-forwarded-host: evil.example",
    "x-forwarded-server: evil.example",
    "x-host: evil.example",
    "forwarded: host=evil.example;proto=http",
    "x-forwarded-proto: http",
    "x-forwarded-scheme: nothttps",
    "x-forwarded-port: 4443",
    "x-forwarded-prefix: /evil.example",
    "x-original-url: /sessions",
    "x-rewrite-url: /sessions",
    "x-http-method-override: DELETE",
    "x-method-override: POST",
    "origin: http://evil.example",
    "accept-language: evil.example",
];

const PUBLIC: [&str; 9] = [
    "/.well-known/jwks.json",
    "/.well-known/oauth-protected-resource",
    "/openapi.json",
    "/api/token/health",
    "/token-manager.js",
    "/pages.css",
    "/pages.js",
    "/sign-in",
    "/",
];

struct Hunt<'s> {
    server: &'s Server,
    wire: Wire,
    ada: SignedIn,
    eve: SignedIn,
    /// What is Ada's alone.
    hers: Vec<String>,
    lines: BTreeSet<Line>,
    wrong: Vec<String>,
}

pub fn run(server: &Server) -> (BTreeSet<Line>, Vec<String>) {
    let mut wire = server.wire();
    let ada = server.sign_in(&mut wire, "ada");
    let eve = server.sign_in(&mut wire, "eve");
    let user = get(&mut wire, server.example.me(), &ada.access).json()["user_id"].to_string();
    let path = format!("/sessions/{}/name", ada.session);
    let name = serde_json::json!({ "name": "a name of hers" });
    let named = send(&mut wire, "PATCH", &path, Some(&ada.access), &name);
    assert!(named.status < 300, "{named:?}");
    let user = user.trim_matches('"').to_owned();
    let mut hunt = Hunt {
        hers: vec![ada.session.clone(), user, "a name of hers".to_owned()],
        server,
        wire,
        ada,
        eve,
        lines: BTreeSet::new(),
        wrong: Vec::new(),
    };
    hunt.disguised();
    hunt.unkeyed();
    hunt.shared();
    (hunt.lines, hunt.wrong)
}

impl Hunt<'_> {
    fn targets(&self) -> Vec<(String, String)> {
        let own = OWN.iter().flat_map(|path| {
            let target = path.replace("USER", &self.hers[1]);
            let target = target.replace("ME", self.server.example.me());
            DISGUISES.map(|suffix| (format!("{path}{suffix}"), format!("{target}{suffix}")))
        });
        own.collect()
    }

    /// As a header, and where a browser holds it in a cookie.
    fn ways(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut ways = vec![("header", bearer(&self.ada.access))];
        if self.server.example == Example::Axum {
            let cookie = format!("cookie: access_token={}\r\n", self.ada.access);
            ways.push(("cookie", cookie.into_bytes()));
        }
        ways
    }

    fn tells(&self, answer: &Answer) -> bool {
        let text = format!("{}{}", answer.head, answer.text());
        self.hers.iter().any(|secret| text.contains(secret))
    }

    fn note(&mut self, family: &str, case: String, verdict: &str) {
        self.lines.insert(Line {
            suite: "caches".to_owned(),
            family: family.to_owned(),
            case,
            reference: "RFC 9111 3, 5.2.2.5; CWE-525, CWE-524".to_owned(),
            verdict: verdict.to_owned(),
        });
    }

    fn disguised(&mut self) {
        for (way, lines) in self.ways() {
            for (case, target) in self.targets() {
                let answer = self.wire.send(&ask("GET", &target, &lines));
                let may_be_kept = match way {
                    "header" => is_offered(&answer),
                    _ => !is_not_stored(&answer),
                };
                if answer.status >= 500 || (may_be_kept && self.tells(&answer)) {
                    self.wrong.push(format!("{way}: {case}: {answer:?}"));
                }
                self.note("disguised", format!("{case}, {way}"), "nothing kept");
            }
        }
    }

    fn unkeyed(&mut self) {
        for target in PUBLIC {
            let plain = self.wire.send(&ask("GET", target, b""));
            for header in UNKEYED {
                let lines = format!("{header}\r\n");
                let with = self.wire.send(&ask("GET", target, lines.as_bytes()));
                let text = format!("{}{}", with.head, with.text());
                let differs = (plain.status, &plain.body) != (with.status, &with.body);
                if text.contains("evil.example") || (differs && !is_not_stored(&with)) {
                    self.wrong.push(format!("{target} with {header}: {with:?}"));
                }
                self.note("unkeyed", format!("{target} with {header}"), "the same");
            }
        }
    }

    /// A real cache that keeps what it is allowed to, under the path alone.
    fn shared(&mut self) {
        let upstream = self.server.address.to_string();
        let nginx = Nginx::with_cache(&upstream);
        let mut cache = Wire::new(([127, 0, 0, 1], nginx.port).into());
        for (way, lines) in self.ways() {
            for (case, target) in self.targets() {
                let case = format!("{case}, {way}");
                cache.send(&ask("GET", &target, &lines));
                let eve = get(&mut cache, &target, &self.eve.access);
                let nobody = cache.send(&ask("GET", &target, b""));
                for answer in [eve, nobody] {
                    // Somebody who asks for her user by name gets their own name back, and no more.
                    let named = target.contains(&self.hers[1]) && answer.status >= 400;
                    if self.tells(&answer) && !named {
                        self.wrong
                            .push(format!("from the cache: {case}: {answer:?}"));
                    }
                }
                self.note("a shared cache", case, "nothing of another's");
            }
        }
        // It does keep something, or all this would say nothing.
        let [_, again] = [(); 2].map(|()| cache.send(&ask("GET", "/.well-known/jwks.json", b"")));
        if again.header("x-cache") != Some("HIT") {
            self.wrong
                .push(format!("the cache keeps nothing: {again:?}"));
        }
    }
}

/// What was asked for with an `Authorization` is kept only where the answer says so (RFC 9111 3.5).
fn is_offered(answer: &Answer) -> bool {
    let control = answer.header("cache-control").unwrap_or_default();
    let offers = ["public", "s-maxage", "must-revalidate"];
    offers.iter().any(|offer| control.contains(offer))
}

fn is_not_stored(answer: &Answer) -> bool {
    let control = answer.header("cache-control").unwrap_or_default();
    control.contains("no-store") || control.contains("private")
}
