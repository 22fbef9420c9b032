//! Two deeds at the same time, in all pairs: whoever comes first, what was ended stays ended.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::server::{Example, PASSWORD, Server, SignedIn, ask, bearer, get, post, send};
use crate::table::Line;
use crate::wire::{Answer, Wire};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Uses,
    Lists,
    Renames,
    Refreshes,
    SignsInAgain,
    SignsOut,
    RevokesItsToken,
    EndsItFromThePhone,
    EndsAllButThePhone,
    EndsAll,
    ChangesThePassword,
    AdminChangesTheRole,
    AdminEndsIt,
    AdminEndsAll,
    AdminErasesAll,
}

impl Deed {
    /// What every example has.
    const OF_USERS: [Self; 10] = [
        Self::Uses,
        Self::Lists,
        Self::Renames,
        Self::Refreshes,
        Self::SignsInAgain,
        Self::SignsOut,
        Self::RevokesItsToken,
        Self::EndsItFromThePhone,
        Self::EndsAllButThePhone,
        Self::EndsAll,
    ];
    /// What needs accounts and an administrator.
    const OF_ACCOUNTS: [Self; 5] = [
        Self::ChangesThePassword,
        Self::AdminChangesTheRole,
        Self::AdminEndsIt,
        Self::AdminEndsAll,
        Self::AdminErasesAll,
    ];

    const fn ends_the_laptop(self) -> bool {
        !matches!(
            self,
            Self::Uses
                | Self::Lists
                | Self::Renames
                | Self::Refreshes
                | Self::SignsInAgain
                | Self::AdminChangesTheRole
        )
    }

    const fn is_of_an_admin(self) -> bool {
        matches!(
            self,
            Self::AdminChangesTheRole
                | Self::AdminEndsIt
                | Self::AdminEndsAll
                | Self::AdminErasesAll
        )
    }
}

/// A user with two devices; the deeds are about the laptop's session.
struct Round<'s> {
    server: &'s Server,
    name: String,
    user: String,
    laptop: SignedIn,
    phone: SignedIn,
    admin: Option<&'s str>,
}

impl<'s> Round<'s> {
    fn new(server: &'s Server, wire: &mut Wire, name: String, admin: Option<&'s str>) -> Self {
        let [laptop, phone] = [(); 2].map(|()| server.sign_in(wire, &name));
        let me = get(wire, server.example.me(), &laptop.access).json();
        let user = me["user_id"].as_str().expect("somebody").to_owned();
        Self {
            server,
            name,
            user,
            laptop,
            phone,
            admin,
        }
    }

    fn does(&self, wire: &mut Wire, deed: Deed) -> Answer {
        let (laptop, phone) = (&self.laptop, Some(self.phone.access.as_str()));
        let (session, user, nothing) = (&laptop.session, &self.user, json!({}));
        let of_admin = |wire: &mut Wire, method, path: String, body: &Value| {
            let admin = self.admin.expect("only where there is one");
            send(wire, method, &path, Some(admin), body)
        };
        match deed {
            Deed::Uses => get(wire, self.server.example.me(), &laptop.access),
            Deed::Lists => get(wire, "/sessions", &self.phone.access),
            Deed::Renames => {
                let path = format!("/sessions/{session}/name");
                send(wire, "PATCH", &path, phone, &json!({ "name": "a laptop" }))
            }
            Deed::Refreshes => refresh(wire, &laptop.refresh),
            Deed::SignsInAgain => self.server.attempt(wire, &self.name, PASSWORD),
            Deed::SignsOut => post(wire, "/api/auth/logout", Some(&laptop.access), &nothing),
            Deed::RevokesItsToken => {
                let body = format!("token={}", laptop.refresh);
                let head = format!(
                    "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                let lines = [bearer(&laptop.access), head.into_bytes()].concat();
                wire.send(&ask("POST", "/oauth/revoke", &lines))
            }
            Deed::EndsItFromThePhone => {
                let path = format!("/sessions/{session}");
                send(wire, "DELETE", &path, phone, &nothing)
            }
            Deed::EndsAllButThePhone => {
                let path = "/sessions/revoke-all?keep_current=true";
                post(wire, path, phone, &nothing)
            }
            Deed::EndsAll => {
                let path = "/sessions/revoke-all?keep_current=false";
                post(wire, path, phone, &nothing)
            }
            Deed::ChangesThePassword => {
                let body = json!({ "current": PASSWORD, "new": "another horse, another battery" });
                post(wire, "/api/auth/password", phone, &body)
            }
            Deed::AdminChangesTheRole => {
                let path = format!("/api/admin/users/{user}/role");
                of_admin(wire, "PUT", path, &json!({ "role": "editor" }))
            }
            Deed::AdminEndsIt => of_admin(
                wire,
                "DELETE",
                format!("/api/admin/sessions/{session}"),
                &nothing,
            ),
            Deed::AdminEndsAll => {
                let path = format!("/api/admin/users/{user}/revoke-all");
                of_admin(wire, "POST", path, &nothing)
            }
            Deed::AdminErasesAll => {
                let path = format!("/api/admin/users/{user}/sessions");
                of_admin(wire, "DELETE", path, &nothing)
            }
        }
    }

    /// Both at once, over connections of their own.
    fn at_once(&self, deeds: [Deed; 2], wires: &mut [Wire; 2]) -> [Answer; 2] {
        let start = &Barrier::new(2);
        let [one, other] = wires;
        thread::scope(|scope| {
            let other = scope.spawn(move || {
                start.wait();
                self.does(other, deeds[1])
            });
            start.wait();
            let one = self.does(one, deeds[0]);
            [one, other.join().expect("it was answered")]
        })
    }

    /// What must hold now, whoever came first.
    fn judge(&self, wire: &mut Wire, deeds: [Deed; 2], answers: &[Answer; 2]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut newest = self.laptop.clone();
        let mut ended = false;
        for (deed, answer) in deeds.iter().zip(answers) {
            let succeeded = (200..300).contains(&answer.status);
            if answer.status >= 500 || (deed.is_of_an_admin() && answer.status == 401) {
                wrong.push(format!("{deed:?}: {answer:?}"));
            }
            ended |= succeeded && deed.ends_the_laptop();
            if *deed == Deed::Refreshes && succeeded {
                let data = &answer.json()["data"];
                let text = |member: &str| data[member].as_str().expect("a pair").to_owned();
                (newest.access, newest.refresh) = (text("accessToken"), text("refreshToken"));
            }
            if *deed == Deed::SignsInAgain && succeeded {
                self.is_whole("what was signed in", wire, &signed_in(answer), &mut wrong);
            }
        }
        if !ended && !deeds.iter().any(|deed| deed.ends_the_laptop()) {
            // Tokens of an old role are refreshed, and whoever has done that goes on.
            let refreshed = refresh(wire, &newest.refresh);
            let access = refreshed.json()["data"]["accessToken"].to_string();
            let used = get(wire, self.server.example.me(), access.trim_matches('"'));
            if (refreshed.status, used.status) != (200, 200) {
                wrong.push(format!("nobody ended it: {refreshed:?}, {used:?}"));
            }
        }
        if ended {
            for access in [&self.laptop.access, &newest.access] {
                let used = get(wire, self.server.example.me(), access);
                if used.status != 401 {
                    wrong.push(format!("it was ended, and its token goes on: {used:?}"));
                }
            }
            let refreshed = refresh(wire, &newest.refresh);
            if refreshed.status == 200 {
                wrong.push(format!("it was ended, and is refreshed: {refreshed:?}"));
            }
            let listed = get(wire, "/sessions", &self.phone.access);
            if listed.text().contains(&self.laptop.session) {
                wrong.push(format!("it was ended, and is listed: {listed:?}"));
            }
        }
        self.is_whole("the phone", wire, &self.phone, &mut wrong);
        wrong
    }

    /// A session is there or it is not: its refresh token and what that brings say the same.
    fn is_whole(&self, what: &str, wire: &mut Wire, its: &SignedIn, wrong: &mut Vec<String>) {
        let used = get(wire, self.server.example.me(), &its.access);
        let refreshed = refresh(wire, &its.refresh);
        let is_stale = used.code() == "token_stale";
        if (used.status == 200) != (refreshed.status == 200) && !is_stale {
            wrong.push(format!("{what} is half there: {used:?}, {refreshed:?}"));
        }
    }
}

fn refresh(wire: &mut Wire, token: &str) -> Answer {
    let body = json!({ "refreshToken": token });
    post(wire, "/api/token/refresh", None, &body)
}

fn signed_in(answer: &Answer) -> SignedIn {
    let told = answer.json();
    let text = |member: &str| told[member].as_str().expect("tokens").to_owned();
    SignedIn {
        access: text("access_token"),
        refresh: text("refresh_token"),
        session: text("session_id"),
    }
}

pub fn run(server: &Server, rounds: usize) -> (BTreeSet<Line>, Vec<String>) {
    let mut wire = server.wire();
    let mut wires = [server.wire(), server.wire()];
    let mut deeds = Deed::OF_USERS.to_vec();
    let admin = (server.example == Example::Axum).then(|| {
        deeds.extend(Deed::OF_ACCOUNTS);
        signed_in(&server.attempt(&mut wire, "admin", PASSWORD)).access
    });
    let (mut lines, mut wrong) = (BTreeSet::new(), Vec::new());
    for (index, one) in deeds.iter().enumerate() {
        for other in &deeds[index..] {
            let pair = [*one, *other];
            for number in 0..rounds {
                let name = format!("{one:?}-{other:?}-{number}").to_lowercase();
                let round = Round::new(server, &mut wire, name, admin.as_deref());
                let answers = round.at_once(pair, &mut wires);
                let found = round.judge(&mut wire, pair, &answers);
                wrong.extend(found.iter().map(|what| format!("{pair:?}: {what}")));
            }
            let ends = pair.iter().any(|deed| deed.ends_the_laptop());
            lines.insert(Line {
                suite: "pairs".to_owned(),
                family: format!("{one:?}"),
                case: format!("while {other:?}"),
                reference: "CWE-362; RFC 9700 4.14.2; OWASP ASVS 7.4".to_owned(),
                verdict: if ends { "ended for good" } else { "goes on" }.to_owned(),
            });
        }
    }
    (lines, wrong)
}
