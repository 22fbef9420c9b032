//! The event stream of a session.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::{SessionId, UserId};

use crate::browser::{AT, OURS, Site, bearer};

/// An open stream; each call reads one piece of it.
struct Stream(Body);

impl Stream {
    async fn open(site: &Site, header: (&str, &str)) -> Result<Self, u16> {
        let request = Request::builder().uri("/sessions/events");
        let request = request.header(header.0, header.1).body(Body::empty());
        let response = site.app.clone().oneshot(request.unwrap()).await.unwrap();
        if response.status() != 200 {
            return Err(response.status().as_u16());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Self(response.into_body());
        let first = stream.next().await.unwrap();
        assert!(first.starts_with("retry: "), "{first}");
        Ok(stream)
    }

    async fn next(&mut self) -> Option<String> {
        let frame = self.0.frame().await?.unwrap().into_data().unwrap();
        Some(String::from_utf8(frame.to_vec()).unwrap())
    }

    /// Its last event, past the comments.
    async fn last(mut self) -> (String, serde_json::Value) {
        let mut event = self.next().await.unwrap();
        while event.starts_with(':') {
            event = self.next().await.unwrap();
        }
        assert_eq!(self.next().await, None, "{event} is the last");
        let (name, data) = event.trim_end().split_once('\n').unwrap();
        let name = name.strip_prefix("event: ").unwrap().to_owned();
        let data = data.strip_prefix("data: ").unwrap();
        (name, serde_json::from_str(data).unwrap())
    }
}

async fn signed_in(site: &Site) -> (SessionId, String) {
    let answer = site.browser().sign_in("ada", "body").await;
    let id = answer.text("session_id").parse().unwrap();
    (id, bearer(&answer.text("access_token")).1)
}

#[tokio::test]
async fn the_end_of_the_session_is_told_with_its_reason_and_ends_the_stream() {
    let site = Site::new().await;
    let (id, token) = signed_in(&site).await;
    let stream = Stream::open(&site, ("authorization", &token))
        .await
        .unwrap();
    let sessions = site.auth.sessions();
    let _done = sessions.end(id, EndReason::UserRevoked).await.unwrap();
    let (event, data) = stream.last().await;
    assert_eq!(event, "ended");
    assert_eq!(data["reason"], "user_revoked");
    assert_eq!(data["session_id"], id.to_string());
}

#[tokio::test]
async fn a_cookie_opens_a_stream_and_its_owner_hears_of_everything_being_ended() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.sign_in("ada", "cookie").await;
    let cookie = format!("{AT}={}", browser.cookie(AT).unwrap());
    let stream = Stream::open(&site, ("cookie", &cookie)).await.unwrap();
    let all = "/sessions/revoke-all?keep_current=false";
    assert_eq!(browser.post(all, "", &[OURS]).await.status, 200);
    assert_eq!(stream.last().await.0, "ended");
}

#[tokio::test]
async fn nobody_is_told_without_a_token() {
    let site = Site::new().await;
    let refused = Stream::open(&site, ("x-nothing", "")).await;
    assert_eq!(refused.err(), Some(401));
}

#[tokio::test]
async fn a_session_holds_so_many_streams_open_and_no_more() {
    let site = Site::new().await;
    let (_, token) = signed_in(&site).await;
    let header = ("authorization", token.as_str());
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Stream::open(&site, header).await.unwrap());
    }
    assert_eq!(Stream::open(&site, header).await.err(), Some(429));
    open.pop();
    assert!(Stream::open(&site, header).await.is_ok());
    let (_, other) = signed_in(&site).await;
    assert!(Stream::open(&site, ("authorization", &other)).await.is_ok());
}

#[tokio::test]
async fn a_stream_is_no_activity() {
    for (path, moves) in [("/sessions/events", false), ("/me", true)] {
        let mut site = Site::new().await;
        let (id, token) = signed_in(&site).await;
        site.clock.advance(Duration::from_secs(600));
        let request = Request::builder().uri(path).header("authorization", &token);
        let request = request.body(Body::empty()).unwrap();
        let answer = site.app.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
        // What was noted is written down at the end.
        site.stop().await;
        let ada = UserId::new("ada").unwrap();
        let info = site.auth.sessions().find(&ada, id).await.unwrap();
        assert_eq!(info.last_active > info.created_at, moves, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_asks_for_a_renewal_unless_there_was_one() {
    let site = Site::new().await;
    let (_, token) = signed_in(&site).await;
    let mut renewing = site.browser();
    renewing.sign_in("ada", "cookie").await;
    let cookie = format!("{AT}={}", renewing.cookie(AT).unwrap());
    let alone = Stream::open(&site, ("authorization", &token))
        .await
        .unwrap();
    let mut renewed = Stream::open(&site, ("cookie", &cookie)).await.unwrap();

    site.clock.advance(Duration::from_secs(7_000));
    assert_eq!(renewing.refresh().await.status, 200);
    site.clock.advance(Duration::from_secs(206));
    let (event, data) = alone.last().await;
    assert_eq!(
        (event.as_str(), &data["reason"]),
        ("renew", &"expired".into())
    );
    for _ in 0..10 {
        assert_eq!(renewed.next().await.unwrap(), ":\n\n", "it goes on");
    }
    assert_eq!(
        renewing.post("/api/auth/logout", "", &[OURS]).await.status,
        204
    );
    let (event, data) = renewed.last().await;
    assert_eq!(
        (event.as_str(), &data["reason"]),
        ("ended", &"signed_out".into())
    );
}
