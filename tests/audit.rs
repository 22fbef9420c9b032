//! The audit log: what it keeps when subscribers block, the store is away and the process stops.
//! Time is paused where nothing real is waited for: it goes on where all wait.

mod folder;
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use folder::Folder;
use http::{Request, header};
use http_body_util::BodyExt;
use serde_json::Value;
use support::broken::{self, Fault, Method};
use support::{sign_in, user};
use tower::ServiceExt;
use tower_jwt_session::audit::{AuditLevel, AuditSettings};
use tower_jwt_session::events::{Event, Queued};
use tower_jwt_session::revocation::{EndReason, RevocationSettings};
use tower_jwt_session::session::{AuditEntry, AuditRequest};
use tower_jwt_session::{
    ClaimsSource, Grants, JwtSession, SessionError, SessionLimit, SqliteStore, UnixTime, UserId,
};

async fn all(auth: &JwtSession) -> Vec<AuditEntry> {
    let request = AuditRequest::new(1_000);
    let page = auth.sessions().audit(request).await;
    page.expect("the store is there").entries
}

/// Waits until so many entries are there.
async fn until(auth: &JwtSession, count: usize) -> Vec<AuditEntry> {
    for _ in 0..12_000 {
        let entries = all(auth).await;
        if entries.len() >= count {
            return entries;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} entries were expected: {:?}", all(auth).await);
}

/// For a file of a disk that may be busy with other tests.
fn patient() -> RevocationSettings {
    RevocationSettings::default().with_store_timeout(Duration::from_secs(20))
}

fn names(entries: &[AuditEntry]) -> Vec<&str> {
    entries.iter().map(|entry| &*entry.event).collect()
}

#[tokio::test]
async fn who_blocks_for_ever_holds_up_no_request_and_costs_no_entry_of_the_file() {
    let folder = Folder::new();
    let node = |observer: Queued| {
        let (builder, _clock) = support::builder();
        let builder = builder.limit(SessionLimit::UNLIMITED).observer(observer);
        let store = SqliteStore::new(folder.file("sessions.db"));
        builder.revocation(patient()).store(store).build().unwrap()
    };
    let blocked = Queued::new(4, |_: UnixTime, _: &Event| {
        loop {
            std::thread::park();
        }
    });
    let auth = node(blocked.clone());
    let running = auth.start().await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..50 {
        let tokens = sign_in(&auth, &user("ada")).await.unwrap();
        let admitted = support::admit(&auth, &tokens.access_token).await;
        admitted.expect("requests go on");
        let refused = support::admit(&auth, "not.a.token").await;
        refused.expect_err("and refusals, which are events, too");
        let ended = auth.sessions().end(tokens.session_id, EndReason::SignedOut);
        ended.await.unwrap();
        sessions.push(tokens.session_id);
    }
    // One event it has in its hands, four wait, the others are counted.
    assert!(blocked.dropped() >= 145, "{}", blocked.dropped());
    assert_eq!(auth.status().audit_lost, 0);
    // What a node that stops has time for is another rule's matter.
    until(&auth, 100).await;
    running.shutdown().await;
    drop(auth);

    let entries = all(&node(Queued::new(1, |_: UnixTime, _: &Event| ()))).await;
    assert_eq!(names(&entries), ["ended", "signed_in"].repeat(50));
    sessions.reverse();
    for (pair, session) in entries.chunks(2).zip(sessions) {
        assert!(pair.iter().all(|entry| entry.session == Some(session)));
    }
}

#[tokio::test(start_paused = true)]
async fn entries_wait_while_the_store_does_not_take_them() {
    let (builder, store, _clock) = broken::builder();
    let auth = builder.build().unwrap();
    let _running = auth.start().await.unwrap();
    for fault in [Fault::Fails, Fault::Held, Fault::Silent] {
        store.set(Method::Audit, fault);
        let before = store.calls(Method::Audit);
        let session = sign_in(&auth, &user("ada")).await.unwrap().session_id;
        while store.calls(Method::Audit) < before + 2 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(auth.status().audit_waiting, 1, "{fault:?}");
        store.mend(Method::Audit);
        let ended = auth.sessions().end(session, EndReason::SignedOut);
        ended.await.unwrap();
        while auth.status().audit_waiting > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let entries = all(&auth).await;
    let expected = ["ended", "signed_in"].repeat(3);
    assert_eq!(names(&entries), expected, "each once, in their order");
    assert_eq!(auth.status().audit_lost, 0);
}

#[tokio::test(start_paused = true)]
async fn what_has_no_room_is_counted_and_the_gap_stands_in_the_log() {
    let heard: Arc<Mutex<Vec<u64>>> = Arc::default();
    let ears = heard.clone();
    let (builder, store, _clock) = broken::builder();
    let auth = builder
        .audit(AuditSettings::default().with_backlog(5))
        .observer(move |_: UnixTime, event: &Event| {
            if let Event::AuditLost { entries } = event {
                ears.lock().unwrap().push(*entries);
            }
        })
        .build()
        .unwrap();
    let _running = auth.start().await.unwrap();
    store.set(Method::Audit, Fault::Fails);
    for _ in 0..8 {
        sign_in(&auth, &user("ada")).await.unwrap();
    }
    assert_eq!(auth.status().audit_waiting, 5);
    assert_eq!(auth.status().audit_lost, 3);
    store.mend(Method::Audit);
    let entries = until(&auth, 6).await;
    assert_eq!(entries[0].event, "audit_lost");
    assert_eq!(entries[0].reason.as_deref(), Some("3"));
    assert_eq!(*heard.lock().unwrap(), [3]);
    assert_eq!(auth.status().audit_lost, 3, "it is never forgotten");
}

#[tokio::test]
async fn pages_of_one_kind_hold_each_of_them_once_and_nothing_else() {
    let (builder, _clock) = support::builder();
    let auth = builder.limit(SessionLimit::UNLIMITED).build().unwrap();
    let _running = auth.start().await.unwrap();
    let mut ended = Vec::new();
    for number in 0..400 {
        let session = sign_in(&auth, &user("ada")).await.unwrap().session_id;
        // Some close together, and none for a long time.
        if number % 7 == 0 || (100..130).contains(&number) {
            let end = auth.sessions().end(session, EndReason::SignedOut);
            end.await.unwrap();
            ended.push(session);
        }
    }
    until(&auth, 400 + ended.len()).await;
    ended.reverse();
    for limit in [1, 3, 10, 1_000] {
        let mut request = AuditRequest::new(limit).about_user(user("ada"));
        let mut met = Vec::new();
        loop {
            let page = auth.sessions().audit_of("ended", request.clone()).await;
            let page = page.unwrap();
            assert!(page.entries.len() <= limit);
            assert!(page.entries.iter().all(|entry| entry.event == "ended"));
            met.extend(page.entries.iter().filter_map(|entry| entry.session));
            request.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(met, ended, "by {limit}");
    }
    let none = auth
        .sessions()
        .audit_of("erased", AuditRequest::new(5))
        .await;
    assert_eq!(none.unwrap().entries, []);
}

#[tokio::test]
async fn shutting_down_writes_what_waits_and_a_restart_finds_it() {
    let folder = Folder::new();
    let node = || {
        let (builder, _clock) = support::builder();
        let store = SqliteStore::new(folder.file("sessions.db"));
        builder.revocation(patient()).store(store).build().unwrap()
    };
    let auth = node();
    let running = auth.start().await.unwrap();
    let session = sign_in(&auth, &user("ada")).await.unwrap().session_id;
    auth.sessions()
        .end(session, EndReason::SignedOut)
        .await
        .unwrap();
    running.shutdown().await;
    assert_eq!(auth.status().audit_waiting, 0);
    let entries = all(&node()).await;
    assert_eq!(names(&entries), ["ended", "signed_in"]);
    assert!(entries.iter().all(|entry| entry.session == Some(session)));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_gives_up_on_a_store_that_never_answers() {
    let (builder, store, _clock) = broken::builder();
    let auth = builder.build().unwrap();
    let running = auth.start().await.unwrap();
    store.set(Method::Audit, Fault::Held);
    sign_in(&auth, &user("ada")).await.unwrap();
    running.shutdown().await;
    assert_eq!(auth.status().audit_waiting, 1);
}

#[tokio::test]
async fn of_an_erased_user_nothing_is_left_but_that() {
    let (builder, _clock) = support::builder();
    let auth = builder.build().unwrap();
    let _running = auth.start().await.unwrap();
    let (ada, bob) = (user("ada"), user("bob"));
    for user in [&ada, &bob, &ada] {
        sign_in(&auth, user).await.unwrap();
    }
    until(&auth, 3).await;
    sign_in(&auth, &ada).await.unwrap();
    auth.sessions().erase(&ada).await.unwrap();
    let mut left = Vec::new();
    for _ in 0..3_000 {
        left = all(&auth).await;
        if left[0].event == "erased" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(names(&left), ["erased", "signed_in"]);
    assert_eq!([&left[0].user, &left[1].user], [&Some(ada), &Some(bob)]);
}

#[tokio::test(start_paused = true)]
async fn where_it_is_off_nothing_is_written_and_nobody_waits() {
    let (builder, store, _clock) = broken::builder();
    let off = AuditSettings::default().with_level(AuditLevel::Off);
    let auth = builder.audit(off).build().unwrap();
    let running = auth.start().await.unwrap();
    sign_in(&auth, &user("ada")).await.unwrap();
    running.shutdown().await;
    assert_eq!(store.calls(Method::Audit), 0);
    let read = auth.sessions().audit(AuditRequest::new(1)).await;
    assert!(matches!(read, Err(SessionError::NotFound)), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_removed_by_itself() {
    let (builder, _store, clock) = broken::builder();
    let day = Duration::from_secs(86_400);
    let settings = AuditSettings::default().with_retention(day);
    let auth = builder.audit(settings).build().unwrap();
    let _running = auth.start().await.unwrap();
    sign_in(&auth, &user("ada")).await.unwrap();
    until(&auth, 1).await;
    clock.advance(2 * day);
    for _ in 0..1_000 {
        if all(&auth)
            .await
            .iter()
            .all(|entry| entry.event != "signed_in")
        {
            return;
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    panic!("the old entry is still there");
}

/// Root alone is an administrator.
struct Roles;

impl ClaimsSource for Roles {
    type Error = std::convert::Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Self::Error> {
        let role = if user.as_str() == "root" {
            "admin"
        } else {
            "user"
        };
        Ok(Some(Grants::default().role(role)))
    }
}

async fn get(app: &Router, token: &str, path: &str) -> (u16, Value) {
    let request = Request::builder()
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    let answer = app.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn administrators_page_through_it_and_nobody_else_does() {
    let (builder, _clock) = support::builder();
    let auth = builder.claims_source(Roles).build().unwrap();
    let _running = auth.start().await.unwrap();
    let app = auth.admin_routes::<()>();
    let root = sign_in(&auth, &user("root")).await.unwrap();
    let ada = sign_in(&auth, &user("ada")).await.unwrap();
    let (sessions, admin) = (auth.sessions(), user("root"));
    let ended = sessions.end_as_admin(ada.session_id, &admin);
    ended.await.unwrap();
    let eve = sign_in(&auth, &user("eve")).await.unwrap();
    until(&auth, 4).await;

    let (status, refused) = get(&app, &eve.access_token, "/api/admin/audit").await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &"insufficient_role".into())
    );
    let read = async |path: &str| {
        let (status, page) = get(&app, &root.access_token, path).await;
        assert_eq!(status, 200, "{path}: {page}");
        let entries = page["entries"].as_array().cloned().expect("a list");
        (entries, page["next_cursor"].as_str().map(str::to_owned))
    };
    let (page, next) = read("/api/admin/audit?limit=1").await;
    assert_eq!(page[0]["event"], "signed_in");
    assert_eq!(page[0]["user_id"], "eve");
    let next = next.expect("there is more");
    let (page, _) = read(&format!("/api/admin/audit?limit=1&cursor={next}")).await;
    assert_eq!(page[0]["event"], "ended");
    assert_eq!(page[0]["by"], "root");
    assert_eq!(page[0]["reason"], "admin_revoked");
    let session = ada.session_id;
    let (page, next) = read(&format!("/api/admin/audit?session={session}")).await;
    assert_eq!((page.len(), next), (2, None));
    let (page, _) = read("/api/admin/audit?user=root").await;
    assert_eq!(page.len(), 1);
    let (page, next) = read("/api/admin/audit?event=ended").await;
    assert_eq!((page.len(), next), (1, None));
    assert_eq!(page[0]["session_id"], session.to_string());
    let (status, _) = get(&app, &root.access_token, "/api/admin/audit?event=end").await;
    assert_eq!(status, 422);
    let all = get(&app, &root.access_token, "/api/admin/audit")
        .await
        .1
        .to_string();
    for token in [&root, &ada, &eve] {
        let secret = token.refresh_token.as_deref().expect("a pair has one");
        assert!(!all.contains(secret) && !all.contains(&token.access_token));
    }
}
