//! The pages, by the requests of a browser that runs no script.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_jwt_session::audit::{AuditLevel, AuditSettings};
use tower_jwt_session::browser::{Pages, Texts};
use tower_jwt_session::events::Statistics;
use tower_jwt_session::revocation::NodeId;
use tower_jwt_session::session::risk::RiskWatch;
use tower_jwt_session::session::{AuditEntry, AuditRequest};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    ClaimsSource, Clock, Device, Grants, JwtSession, JwtSessionBuilder, MemoryStore, Rotation,
    Running, SessionId, SessionStore, UserId,
};

const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

struct Roles;

impl ClaimsSource for Roles {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let grants = Grants::default();
        Ok(Some(if user.as_str() == "root" {
            grants.role("admin")
        } else {
            grants
        }))
    }
}

struct Site {
    app: Router,
    auth: JwtSession,
    clock: ManualClock,
    store: MemoryStore,
    _running: Running,
}

/// Somebody's browser: an access cookie.
struct Visitor {
    app: Router,
    cookie: String,
    session: SessionId,
}

/// An answer that goes on.
struct Feed {
    body: Body,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Site {
    async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(change: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> Self {
        let clock = ManualClock::new();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let statistics = Statistics::default();
        let builder = JwtSession::builder()
            .store(store.clone())
            .watch_risk(RiskWatch::default())
            .hmac_secret(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e")
            .clock(Arc::new(clock.clone()))
            .claims_source(Roles)
            .observer(statistics.clone());
        let auth = change(builder).build().expect("it is sound");
        let running = auth.start().await.expect("memory is always there");
        let mut french = Texts::english();
        french.language = "fr".into();
        french.your_devices = "Vos appareils".into();
        let pages = Pages::new(auth.clone()).with_statistics(statistics);
        let pages = pages.with_texts(vec![Texts::english(), Texts::german(), french]);
        Self {
            app: pages.routes(),
            auth,
            clock,
            store,
            _running: running,
        }
    }

    /// The audit log, once all is in it that has happened.
    async fn log(&self) -> Vec<AuditEntry> {
        let wait = async {
            while self.auth.status().audit_waiting > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let written = tokio::time::timeout(Duration::from_secs(30), wait).await;
        written.expect("it is written down");
        let page = self.auth.sessions().audit(AuditRequest::new(1_000)).await;
        page.expect("memory").entries
    }

    /// What all nodes did in ten minutes, once it has been read.
    async fn of_fleet(&self, root: &Visitor) -> serde_json::Value {
        // What was read before is good for a while.
        self.clock.advance(Duration::from_secs(20));
        let read = async {
            loop {
                let stats = root.get("/api/admin/stats?window=10m").await;
                let stats: serde_json::Value = serde_json::from_str(&stats.body).expect("JSON");
                if !stats["fleet"].is_null() {
                    return stats["fleet"].clone();
                }
            }
        };
        let read = tokio::time::timeout(Duration::from_secs(30), read).await;
        read.expect("memory answers")
    }

    async fn visitor(&self, user: &str) -> Visitor {
        let mut device = Device::default();
        device.label = "Test Device".to_owned();
        self.visitor_on(user, device).await
    }

    async fn visitor_on(&self, user: &str, device: Device) -> Visitor {
        let user = UserId::new(user).expect("an id");
        let sessions = self.auth.sessions();
        let ticket = sessions.ticket(&user).await.expect("memory");
        let signed_in = sessions.sign_in(ticket, device).await.expect("memory");
        let tokens = signed_in.tokens();
        Visitor {
            app: self.app.clone(),
            cookie: format!("__Host-at={}", tokens.access_token),
            session: tokens.session_id,
        }
    }

    async fn live(&self, user: &str) -> usize {
        let user = UserId::new(user).expect("an id");
        self.auth
            .sessions()
            .list(&user)
            .await
            .expect("memory")
            .len()
    }
}

/// A device that says which program it is.
fn program(name: &str) -> Device {
    let mut device = Device::default();
    device.label = name.to_owned();
    device.user_agent = Some(name.to_owned());
    device
}

impl Visitor {
    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", &[]).await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        self.send("POST", path, form, &[OURS, FORM]).await
    }

    async fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let (parts, body) = self.ask(method, path, body, headers).await.into_parts();
        let body = body.collect().await.expect("complete").to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Counts, once the store has answered.
    async fn counted(&self, path: &str) -> serde_json::Value {
        let counted = async {
            loop {
                let stats = self.get(path).await;
                let stats: serde_json::Value = serde_json::from_str(&stats.body).expect("JSON");
                if !stats["live"].is_null() {
                    return stats;
                }
            }
        };
        let counted = tokio::time::timeout(Duration::from_secs(30), counted);
        counted.await.expect("the store answers")
    }

    async fn feed(&self, path: &str, headers: &[(&str, &str)]) -> Feed {
        let response = self.ask("GET", path, "", headers).await;
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        Feed {
            body: response.into_body(),
        }
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Response<Body> {
        let request = Request::builder().method(method).uri(path);
        let mut request = request
            .header(HOST, "app.example")
            .header(COOKIE, &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("sound");
        self.app.clone().oneshot(request).await.expect("infallible")
    }
}

impl Feed {
    /// What is told next; `None` where it has ended.
    async fn next(&mut self) -> Option<String> {
        let frame = tokio::time::timeout(Duration::from_secs(30), self.body.frame());
        let frame = frame
            .await
            .expect("something happens")?
            .expect("no failure");
        let data = frame.into_data().expect("no trailers");
        Some(String::from_utf8(data.to_vec()).expect("text"))
    }

    /// All that is told until there is this in it.
    async fn until(&mut self, wanted: &str) -> String {
        let mut told = String::new();
        while !told.contains(wanted) {
            told += &self.next().await.expect("it goes on");
        }
        told
    }
}

impl Answer {
    #[track_caller]
    fn leads_to(&self, location: &str) {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        assert_eq!(self.headers[LOCATION], location);
    }

    #[track_caller]
    /// Where the link with an attribute leads to.
    fn link(&self, attribute: &str) -> String {
        let (_, link) = self.body.split_once(attribute).expect("it is there");
        let (_, address) = link.split_once("href=\"").expect("it leads somewhere");
        let (address, _) = address.split_once('"').expect("an attribute ends");
        address.replace("&amp;", "&")
    }

    fn says(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "{text} in {}", self.body);
        self
    }
}

#[tokio::test]
async fn whoever_has_no_session_is_led_to_the_sign_in_page() {
    let site = Site::new().await;
    let mut nobody = site.visitor("ada").await;
    for cookie in ["", "__Host-at=nonsense"] {
        nobody.cookie = cookie.to_owned();
        nobody
            .get("/devices")
            .await
            .leads_to("/sign-in?next=%2Fdevices");
        nobody
            .get("/admin")
            .await
            .leads_to("/sign-in?next=%2Fadmin");
        // A deed cannot be asked for again by a link: its page is.
        let posted = nobody.post("/devices/end-others", "").await;
        posted.leads_to("/sign-in?next=%2Fdevices");
        assert_eq!(nobody.get("/api/admin/stats").await.status, 401);
    }
    assert_eq!(site.live("ada").await, 1);
}

#[tokio::test]
async fn an_ended_session_has_no_page() {
    let site = Site::new().await;
    let (first, second) = (site.visitor("ada").await, site.visitor("ada").await);
    let ended = first
        .post(&format!("/devices/{}/end", second.session), "")
        .await;
    ended.leads_to("/devices?done=end");
    second
        .get("/devices")
        .await
        .leads_to("/sign-in?next=%2Fdevices");
    first
        .get("/devices?done=end")
        .await
        .says("The device was signed out.");
}

#[tokio::test]
async fn a_page_brings_a_policy_under_which_nothing_smuggled_in_runs() {
    let site = Site::new().await;
    let page = site.visitor("ada").await.get("/devices").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    assert!(!page.body.contains(" style=") && !page.body.contains("<script>"));
}

#[tokio::test]
async fn what_devices_say_of_themselves_is_text() {
    let site = Site::new().await;
    let mut device = Device::default();
    device.label = "\"><script>alert(1)</script>\u{202e}".to_owned();
    device.city = Some("<img src=x onerror=alert(1)>".to_owned());
    device.country = Some("'onload='".to_owned());
    let other = site.visitor_on("<b>&", device).await;
    let ada = site.visitor("<b>&").await;
    let page = ada.get("/devices").await;
    page.says("<bdi>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\u{202e}</bdi>");
    page.says("&lt;img src=x onerror=alert(1)&gt;, &#39;onload=&#39;");
    let root = site.visitor("root").await;
    let page = root.get("/admin?user=%22%3E%3Cscript%3E").await;
    page.says("value=\"&quot;&gt;&lt;script&gt;\"");
    let page = root.get("/admin").await;
    page.says("<bdi>&lt;b&gt;&amp;</bdi>")
        .says("user=%3Cb%3E%26");
    assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"));
    drop(other);
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let site = Site::new().await;
    let (ada, other) = (site.visitor("ada").await, site.visitor("ada").await);
    let own_name = format!("/devices/{}/name", ada.session);
    for headers in [
        &[("sec-fetch-site", "cross-site"), FORM][..],
        &[("sec-fetch-site", "same-site"), FORM],
        &[("origin", "https://evil.example"), FORM],
        &[("origin", "null"), FORM],
        &[FORM],
    ] {
        for path in [
            "/devices/end-others",
            &format!("/devices/{}/end", other.session),
            &own_name,
            "/sign-out",
        ] {
            let answer = ada.send("POST", path, "name=x", headers).await;
            assert_ne!(answer.status, 200, "{path} {headers:?}");
        }
    }
    assert_eq!(site.live("ada").await, 2);
    let page = ada.get("/devices").await;
    assert!(!page.body.contains("<bdi>x</bdi>"));
}

#[tokio::test]
async fn nobody_touches_the_devices_of_others() {
    let site = Site::new().await;
    let (ada, bob) = (site.visitor("ada").await, site.visitor("bob").await);
    ada.post(&format!("/devices/{}/end", bob.session), "").await;
    ada.post(&format!("/devices/{}/name", bob.session), "name=mine")
        .await;
    ada.post("/devices/end-others", "").await;
    let page = bob.get("/devices").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("mine"));
}

#[tokio::test]
async fn a_name_is_given_taken_away_and_refused() {
    let site = Site::new().await;
    let ada = site.visitor("ada").await;
    let path = format!("/devices/{}/name", ada.session);
    ada.post(&path, "name=+Work+%F0%9F%98%80+")
        .await
        .leads_to("/devices?done=name");
    ada.get("/devices").await.says("<bdi>Work \u{1f600}</bdi>");
    ada.post(&path, "name=++")
        .await
        .leads_to("/devices?done=name");
    ada.get("/devices")
        .await
        .says("</svg><bdi>Test Device</bdi></h3>");
    let long = format!("name={}", "x".repeat(65));
    ada.post(&path, &long)
        .await
        .leads_to("/devices?done=no-name");
    let huge = format!("name={}", "x".repeat(100_000));
    assert_eq!(ada.post(&path, &huge).await.status, 413);
    let json = [OURS, ("content-type", "application/json")];
    assert_eq!(ada.send("POST", &path, "{}", &json).await.status, 415);
    ada.post("/devices/nonsense/name", "name=x")
        .await
        .leads_to("/devices");
}

#[tokio::test]
async fn all_others_are_ended_and_counted() {
    let site = Site::new().await;
    let ada = site.visitor("ada").await;
    for _ in 0..3 {
        site.visitor("ada").await;
    }
    ada.get("/devices").await.says("Sign out 3 other devices?");
    ada.post("/devices/end-others", "")
        .await
        .leads_to("/devices?done=all&count=3");
    let page = ada.get("/devices?done=all&count=3").await;
    page.says("3 devices were signed out.")
        .says("signed out from another device");
    let forged = ada.get("/devices?done=all&count=%3Cb%3E").await;
    assert!(!forged.body.contains("<b>"));
}

#[tokio::test]
async fn signing_out_takes_the_cookies_back_and_never_fails() {
    let site = Site::new().await;
    let ada = site.visitor("ada").await;
    let answer = ada.post("/sign-out", "").await;
    answer.leads_to("/sign-in");
    let cookies = answer.headers.get_all("set-cookie").iter();
    let cleared = cookies.filter(|cookie| cookie.to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(cleared.count(), 2);
    assert_eq!(site.live("ada").await, 0);
    ada.post("/sign-out", "").await.leads_to("/sign-in");
}

#[tokio::test]
async fn what_is_unusual_about_a_session_is_said_in_words() {
    let site = Site::new().await;
    let visitor = site.visitor("ada").await;
    let ada = UserId::new("ada").unwrap();
    let sessions = site.auth.sessions();
    let on = |label: &str| {
        let mut device = Device::default();
        device.label = label.to_owned();
        device
    };
    let ticket = sessions.ticket(&ada).await.unwrap();
    let signed_in = sessions.sign_in(ticket, on("Chrome on Windows")).await;
    let tokens = signed_in.unwrap().tokens();
    assert!(!visitor.get("/devices").await.body.contains("Unusual"));
    site.clock.advance(Duration::from_secs(3_600));
    let refresh_token = tokens.refresh_token.as_deref().unwrap();
    sessions
        .refresh_on(refresh_token, on("<b>curl"))
        .await
        .unwrap();
    let page = visitor.get("/devices").await;
    page.says("Unusual: another browser than before.");
    assert!(!page.body.contains("<b>curl"));
}

#[tokio::test]
async fn a_device_is_new_for_a_day() {
    let site = Site::new().await;
    site.visitor("ada").await;
    site.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    let ada = site.visitor("ada").await;
    let page = ada.get("/devices").await;
    assert!(!page.body.contains("class=\"new\""));
    page.says("First seen <time").says("2 days ago");
    site.visitor_on("ada", program("Phone/3")).await;
    ada.get("/devices").await.says("class=\"new\"");
    site.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    let page = site.visitor("ada").await.get("/devices").await;
    assert!(!page.body.contains("class=\"new\""));
}

#[tokio::test]
async fn a_device_that_the_user_had_before_is_not_new() {
    let site = Site::new().await;
    let laptop = || program("Firefox/125.0");
    let first = site.visitor_on("ada", laptop()).await;
    first.post("/sign-out", "").await.leads_to("/sign-in");
    site.clock.advance(Duration::from_secs(60));
    site.visitor_on("ada", laptop()).await;
    site.clock.advance(Duration::from_secs(60));
    let phone = site.visitor_on("ada", program("Phone/3")).await;
    let page = phone.get("/devices").await;
    assert!(!page.body.contains("class=\"new\""), "{}", page.body);
    site.clock.advance(Duration::from_secs(60));
    for _ in 0..2 {
        // A stranger who comes twice is no acquaintance.
        site.visitor_on("ada", program("Elsewhere/1")).await;
    }
    let page = phone.get("/devices").await;
    assert_eq!(page.body.matches("class=\"new\"").count(), 2);
}

#[tokio::test]
async fn the_script_is_told_to_give_up_early_enough_for_the_grace() {
    for (grace, told) in [
        (30, "data-timeout=\"8000\" data-session"),
        (5, "data-timeout=\"2500\" data-session"),
        (1, "data-timeout=\"1000\" data-session"),
        (0, "data-timeout=\"8000\" data-strict=\"true\" data-session"),
    ] {
        let rotation = Rotation::default().with_grace(Duration::from_secs(grace));
        let site = Site::with(|builder| builder.rotation(rotation)).await;
        let ada = site.visitor("ada").await;
        ada.get("/devices").await.says(told);
    }
}

#[tokio::test]
async fn a_stylesheet_of_this_origin_is_linked_after_the_own_one() {
    let site = Site::new().await;
    let mut ada = site.visitor("ada").await;
    let pages = || Pages::new(site.auth.clone());
    ada.app = pages().with_stylesheet("/a\"b.css?v=1&w").routes();
    let page = ada.get("/devices").await;
    page.says("\"><link rel=\"stylesheet\" href=\"/a&quot;b.css?v=1&amp;w\"><meta");
    let own = page.body.find("/pages.css").expect("it is there");
    assert!(own < page.body.find("/a&quot;b.css").expect("it is there"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("style-src 'self';"), "{policy}");
    for elsewhere in [
        "//evil.example/x.css",
        "https://evil.example/x.css",
        "/\\evil.example",
        "x.css",
    ] {
        ada.app = pages().with_stylesheet(elsewhere).routes();
        let page = ada.get("/devices").await;
        assert_eq!(page.body.matches("stylesheet").count(), 1, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_language_that_runs_from_right_to_left_is_said_to() {
    let site = Site::new().await;
    let mut ada = site.visitor("ada").await;
    let mut hebrew = Texts::english();
    hebrew.language = "he".into();
    hebrew.right_to_left = true;
    let pages = Pages::new(site.auth.clone()).with_texts(vec![Texts::english(), hebrew]);
    ada.app = pages.routes();
    for (asked, told) in [
        ("he", "lang=\"he\" dir=\"rtl\">"),
        ("en", "lang=\"en\" dir=\"ltr\">"),
    ] {
        let asked = [("accept-language", asked)];
        ada.send("GET", "/devices", "", &asked).await.says(told);
    }
}

#[tokio::test]
async fn readers_get_their_language_or_the_first() {
    let site = Site::new().await;
    let ada = site.visitor("ada").await;
    for (asked, title) in [
        ("de-AT,de;q=0.9,en;q=0.8", "Ihre Geräte"),
        ("pt, fr-CA", "Vos appareils"),
        ("tlh", "Your devices"),
        ("", "Your devices"),
    ] {
        let page = ada
            .send("GET", "/devices", "", &[("accept-language", asked)])
            .await;
        page.says(&format!("<h1>{title}</h1>"));
    }
}

#[tokio::test]
async fn only_administrators_see_everybody() {
    let site = Site::new().await;
    let (ada, root) = (site.visitor("ada").await, site.visitor("root").await);
    for path in [
        "/admin",
        "/admin/audit",
        "/api/admin/stats",
        "/api/admin/events",
    ] {
        assert_eq!(ada.get(path).await.status, 403, "{path}");
    }
    for path in ["/admin", "/admin/audit", "/api/admin/stats"] {
        assert_eq!(root.get(path).await.status, 200, "{path}");
    }
    let end = format!("/admin/sessions/{}/end", root.session);
    assert_eq!(ada.post(&end, "reason=admin_revoked").await.status, 403);
    assert_eq!(ada.post("/admin/users/root/end-all", "").await.status, 403);
    assert_eq!(site.live("root").await, 1);
}

#[tokio::test]
async fn administrators_find_users_by_what_people_know_of_them() {
    let site = Site::new().await;
    let (ada, mut root) = (site.visitor("ada").await, site.visitor("root").await);
    site.visitor("bob").await;
    root.get("/admin").await.says("<label>Id of the user <");
    let pages = Pages::new(site.auth.clone()).with_user_search(|text| async move {
        match text.as_str() {
            "ada@example.com" => Ok(Some(UserId::new("ada")?)),
            "away@example.com" => Err("the accounts are away".into()),
            _ => Ok(None),
        }
    });
    root.app = pages.routes();
    for typed in ["ada@example.com", "+ada%40example.com+", "ada"] {
        let page = root.get(&format!("/admin?user={typed}")).await;
        page.says("value=\"ada\"").says("/admin/users/ada/end-all");
        page.says(&format!("/admin/sessions/{}/end", ada.session));
        assert!(!page.body.contains("/admin?user=bob"), "{typed}");
        let log = root.get(&format!("/admin/audit?user={typed}")).await;
        log.says("<label>User <").says("value=\"ada\"");
    }
    let nobody = root.get("/admin?user=eve%40example.com").await;
    nobody
        .says("value=\"eve@example.com\"")
        .says("There are none.");
    let away = root.get("/admin?user=away%40example.com").await;
    assert_eq!(away.status, 503);
}

#[tokio::test]
async fn an_administrator_ends_sessions_for_a_reason() {
    let site = Site::new().await;
    let root = site.visitor("root").await;
    let (one, two) = (site.visitor("a b/c").await, site.visitor("a b/c").await);
    root.get("/admin?user=a+b%2Fc")
        .await
        .says("/admin/users/a%20b%2Fc/end-all");
    let end = format!("/admin/sessions/{}/end", one.session);
    let ended = root
        .post(&end, "reason=password_changed&user=a+b%2Fc")
        .await;
    ended.leads_to("/admin?user=a+b%2Fc&done=end");
    two.get("/devices").await.says("the password was changed");
    let all = root
        .post("/admin/users/a%20b%2Fc/end-all", "reason=nonsense")
        .await;
    all.leads_to("/admin?user=a+b%2Fc&done=all&count=1");
    assert_eq!(site.live("a b/c").await, 0);
}

#[tokio::test]
async fn sessions_come_by_the_hundred() {
    let site = Site::new().await;
    let root = site.visitor("root").await;
    for user in 0..120 {
        site.visitor(&format!("user{user}")).await;
    }
    let page = root.get("/admin").await;
    assert_eq!(page.body.matches("class=\"card row\"").count(), 100);
    let (_, rest) = page
        .body
        .split_once("&amp;cursor=")
        .expect("there is a next page");
    let (cursor, _) = rest.split_once('"').expect("an attribute ends");
    let next = root.get(&format!("/admin?user=&cursor={cursor}")).await;
    assert_eq!(next.body.matches("class=\"card row\"").count(), 21);
    assert!(!next.body.contains("cursor="));
}

#[tokio::test]
async fn what_happens_is_counted_and_told() {
    let site = Site::new().await;
    let root = site.visitor("root").await;
    site.clock.advance(Duration::from_secs(120));
    let ada = site.visitor("ada").await;
    ada.post("/devices/end-others", "").await;
    let stats = root.counted("/api/admin/stats?window=10m").await;
    assert_eq!(stats["live"]["sessions"], 2);
    assert_eq!(stats["live"]["users"], 2);
    let node = &stats["node"];
    assert_eq!(node["window_seconds"], 600);
    assert_eq!(node["totals"]["signed_in"], 2);
    assert_eq!(node["minutes"][9]["signed_in"], 1);
    assert_eq!(node["minutes"][7]["signed_in"], 1);
    assert_eq!(root.get("/api/admin/stats?window=2d").await.status, 422);
    let page = root.get("/admin").await;
    let drawn = page.body.rsplit("<figure>").nth(1).expect("a chart");
    assert!(drawn.contains("<rect"), "{drawn}");
    page.says("<b>signed in</b>")
        .says("<dd data-of=\"live.sessions\">2</dd>");
    root.get("/admin?window=24h")
        .await
        .says("<a href=\"/admin?window=24h\" aria-current=\"true\">");
}

#[tokio::test]
async fn what_all_nodes_did_is_counted_from_the_audit_log_and_said_so() {
    let site = Site::new().await;
    let root = site.visitor("root").await;
    site.clock.advance(Duration::from_secs(120));
    let ada = site.visitor("ada").await;
    ada.post("/sign-out", "").await;
    site.log().await;
    // What another node did, which this one has not heard of.
    let mut entry = AuditEntry::new(site.clock.now(), NodeId(7), "signed_in");
    entry.user = UserId::new("bob").ok();
    let log = site.store.audit_log().expect("memory keeps one");
    log.record(&[entry]).await.expect("memory is there");
    let fleet = site.of_fleet(&root).await;
    assert_eq!(fleet["covers_window"], true);
    assert_eq!(fleet["has_refreshes"], false);
    assert_eq!(
        (&fleet["totals"]["signed_in"], &fleet["totals"]["ended"]),
        (&3.into(), &1.into())
    );
    assert_eq!(fleet["minutes"][9]["signed_in"], 2);
    assert_eq!(fleet["minutes"][7]["signed_in"], 1);
    let page = root.get("/admin").await;
    page.says("Lately, on all nodes")
        .says("Counted from the audit log")
        .says("<figcaption>Sign-ins: 3</figcaption>")
        .says("Refreshes are counted here where SESSION_AUDIT is all.");
    let (_, node) = page.body.split_once("id=\"node\"").expect("there is one");
    assert!(
        node.contains("<figcaption>Sign-ins: 2</figcaption>"),
        "{node}"
    );
}

#[tokio::test]
async fn the_audit_log_is_shown_by_the_hundred_and_sifted() {
    let site = Site::new().await;
    let root = site.visitor("root").await;
    let device = |label: &str| {
        let mut device = Device::default();
        device.label = label.to_owned();
        device
    };
    let odd = site
        .visitor_on("a&b <i>", device("<b>x</b> \u{202e}"))
        .await;
    for _ in 0..70 {
        site.visitor("ada").await;
    }
    let admin = UserId::new("root").expect("an id");
    let ended = site.auth.sessions().end_as_admin(odd.session, &admin);
    ended.await.expect("memory");
    // Whatever else comes of so many sign-ins is there, too.
    let log = site.log().await;
    let ends = log.iter().filter(|entry| entry.event == "ended").count();
    assert!((101..200).contains(&log.len()) && ends > 1, "{log:?}");

    let page = root.get("/admin/audit").await;
    assert_eq!(page.body.matches("<li><b>").count(), 100);
    let older = page.link("rel=\"next\"");
    let rest = root.get(&older).await;
    assert_eq!(rest.body.matches("<li><b>").count(), log.len() - 100);
    assert!(!rest.body.contains("rel=\"next\""));
    rest.says("<bdi>a&amp;b &lt;i&gt;</bdi>")
        .says("<bdi>&lt;b&gt;x&lt;/b&gt; \u{202e}</bdi>")
        .says("Latest entries");

    let of_user = root.get("/admin/audit?user=a%26b+%3Ci%3E").await;
    assert_eq!(of_user.body.matches("<li><b>").count(), 2);
    of_user
        .says("by <bdi>root</bdi>")
        .says("<bdi>ended by an administrator</bdi>")
        .says("value=\"a&amp;b &lt;i&gt;\"");
    let ended = root.get("/admin/audit?user=&event=ended").await;
    assert_eq!(ended.body.matches("<li><b>").count(), ends);
    ended.says("<option value=\"ended\" selected>");
    let of_session = format!("/admin/audit?session={}", odd.session);
    let of_session = root.get(&of_session).await;
    assert_eq!(of_session.body.matches("<li><b>").count(), 2);

    for nonsense in ["user=%00", "user=nobody", "event=ended&user=nobody"] {
        let none = root.get(&format!("/admin/audit?{nonsense}")).await;
        none.says("There are no such entries.");
    }
    let ignored = root.get("/admin/audit?event=x&cursor=y&session=z").await;
    assert_eq!(ignored.body.matches("<li><b>").count(), 100);
}

#[tokio::test]
async fn where_no_log_is_kept_its_page_says_so() {
    let off = AuditSettings::default().with_level(AuditLevel::Off);
    let site = Site::with(|builder| builder.audit(off)).await;
    let root = site.visitor("root").await;
    let page = root.get("/admin/audit").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    page.says("No audit log is kept.");
    root.get("/admin").await.says("No audit log is kept.");
    let stats = root.counted("/api/admin/stats").await;
    assert!(stats["fleet"].is_null(), "{stats}");
}

#[tokio::test]
async fn what_happens_is_told_live_until_the_session_is_over() {
    let site = Site::new().await;
    let root = site.visitor("root").await;
    site.visitor("ada").await;
    let mut feed = root.feed("/api/admin/events", &[]).await;
    assert_eq!(
        feed.next().await,
        Some("retry: 2000\n: open\n\n".to_owned())
    );
    let before = feed.next().await.expect("it goes on");
    assert!(before.starts_with("id: 1\n"), "{before}");
    assert!(before.contains("\"user\":\"ada\""), "{before}");
    let last = before.matches("id: ").count().to_string();
    site.visitor("bob").await;
    feed.until("\"user\":\"bob\"").await;

    let after = format!("/api/admin/events?after={last}");
    for (path, header) in [(after.as_str(), "x"), ("/api/admin/events", &last)] {
        let mut later = root.feed(path, &[("last-event-id", header)]).await;
        let told = later.until("\"user\":\"bob\"").await;
        assert!(!told.contains("\"user\":\"ada\""), "{told}");
    }
    root.post("/sign-out", "").await;
    while feed.next().await.is_some() {}
}

#[tokio::test]
async fn a_session_holds_so_many_feeds_open_and_no_more() {
    let site = Site::new().await;
    let root = site.visitor("root").await;
    let mut feeds = Vec::new();
    for _ in 0..8 {
        feeds.push(root.feed("/api/admin/events", &[]).await);
    }
    let refused = root.get("/api/admin/events").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    feeds.pop();
    root.feed("/api/admin/events", &[]).await;
}
