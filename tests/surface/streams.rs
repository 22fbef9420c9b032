//! The event stream of a session, which stays open until the session is over.

use std::time::Duration;

use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::case::{Values, case};
use crate::client::{Client, Version};
use crate::document;
use crate::servers::Framework;
use crate::world::{Store, World};

const PATH: &str = "/sessions/events";
/// As many as one session may hold open.
const MOST: usize = 8;

struct Stream(Response<Incoming>);

impl Stream {
    async fn open(client: &Client, values: &Values, token: &str) -> Self {
        let sent = case("an event stream", "GET", PATH).bearer(token);
        Self(client.open(&sent.sent(values)).await)
    }

    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    fn header(&self, name: &str) -> &str {
        let value = self.0.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// What comes next; `None` at the end. Long enough for any machine.
    async fn next(&mut self) -> Option<String> {
        let frame = timeout(Duration::from_secs(60), self.0.body_mut().frame());
        let frame = frame.await.expect("something comes")?;
        let data = frame.unwrap().into_data().expect("no trailers");
        Some(String::from_utf8(data.to_vec()).unwrap())
    }

    /// All that comes until the end.
    async fn rest(mut self) -> String {
        let mut rest = String::new();
        while let Some(text) = self.next().await {
            rest.push_str(&text);
        }
        rest
    }
}

async fn streams(framework: Framework, store: Store, version: Version) {
    let world = World::new(store).await;
    let values = &world.values;
    let client = Client::new(framework.serve(world.accounts.clone()).await, version);

    let mut open = Vec::new();
    for _ in 0..MOST {
        let mut stream = Stream::open(&client, values, "dan.access").await;
        assert_eq!(stream.status(), 200);
        assert_eq!(stream.header("content-type"), "text/event-stream");
        assert_eq!(stream.header("cache-control"), "no-store, no-transform");
        assert_eq!(stream.header("x-content-type-options"), "nosniff");
        let policy = stream.header("content-security-policy");
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
        let first = stream.next().await.unwrap();
        assert!(first.starts_with("retry: "), "{first}");
        open.push(stream);
    }

    let one_more = Stream::open(&client, values, "dan.access").await;
    assert_eq!(one_more.status(), 429);
    assert_eq!(one_more.header("retry-after"), "30");
    let problem: Value = serde_json::from_str(&one_more.rest().await).unwrap();
    let known = document::operation("GET", PATH).unwrap();
    assert_eq!(
        known.unknown(429, problem["code"].as_str(), Some(&problem)),
        None
    );
    let mut another = Stream::open(&client, values, "eve.access").await;
    assert_eq!(another.status(), 200, "it is of another session");
    assert!(another.next().await.is_some());

    let end = case("the end", "DELETE", "/sessions/{dan.session}").bearer("dan.access");
    let ended = client.send(&end.sent(values)).await;
    assert_eq!(ended.status, 204);
    let told = json!({ "reason": "signed_out", "session_id": values["dan.session"] });
    for stream in open {
        let last = stream.rest().await;
        let (event, data) = last.trim_end().split_once('\n').unwrap();
        assert_eq!(event, "event: ended");
        let data = data.strip_prefix("data: ").unwrap();
        assert_eq!(serde_json::from_str::<Value>(data).unwrap(), told);
    }
    let again = Stream::open(&client, values, "dan.access").await;
    assert_eq!(again.status(), 401);
    drop(another);
    world.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_stays_open_until_its_session_is_over_on_every_framework() {
    for framework in Framework::ALL {
        for store in [Store::Memory, Store::Sqlite] {
            for version in [Version::Http1, Version::Http2] {
                streams(framework, store, version).await;
            }
        }
    }
}
