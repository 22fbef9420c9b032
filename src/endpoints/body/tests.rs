use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::EXPECT;
use http_body::Frame;
use http_body_util::Full;
use serde::Deserialize;
use tokio::time::{Instant, Sleep, sleep};

use super::*;

#[derive(Debug, Deserialize)]
struct Form {
    name: String,
}

async fn read_as(content_type: &str, body: &str) -> Result<String, u16> {
    let request = Request::builder()
        .header(CONTENT_TYPE, content_type)
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    let form = read_json::<Form, _>(request).await;
    form.map(|form| form.name)
        .map_err(|problem| problem.status().as_u16())
}

const JSON: &str = "application/json";

#[tokio::test]
async fn json_is_read_and_unknown_members_are_ignored() {
    let body = r#"{"name":"ada","more":[1,{"x":null}]}"#;
    assert_eq!(read_as(JSON, body).await, Ok("ada".to_owned()));
    let spelled = "Application/JSON; charset=utf-8";
    assert_eq!(read_as(spelled, body).await, Ok("ada".to_owned()));
}

#[tokio::test]
async fn a_body_of_another_type_is_415() {
    for other in ["", "text/plain", "application/x-www-form-urlencoded"] {
        assert_eq!(read_as(other, r#"{"name":"ada"}"#).await, Err(415));
    }
}

#[tokio::test]
async fn malformed_json_is_400() {
    for body in ["", "{", "nonsense", r#"{"name":"ada"}}"#, "\u{0}"] {
        assert_eq!(read_as(JSON, body).await, Err(400), "{body}");
    }
    let nested = "[".repeat(30_000);
    assert_eq!(read_as(JSON, &nested).await, Err(400));
}

#[tokio::test]
async fn half_a_character_is_400_wherever_it_stands() {
    let wrong = [
        r#"{"name":"\ud800"}"#,
        r#"{"name":"\udc00"}"#,
        r#"{"name":"\ud800x\udc00"}"#,
        r#"{"name":"\ud800\n"}"#,
        r#"{"name":"\ud83d\ud83d\ude00"}"#,
        r#"{"name":"ada","more":["\uDBFF"]}"#,
        r#"{"name":"ada","\ud800":1}"#,
    ];
    for body in wrong {
        assert_eq!(read_as(JSON, body).await, Err(400), "{body}");
    }
    let right = [
        (r#"{"name":"\ud83d\ude00"}"#, "\u{1f600}"),
        (r#"{"name":"\\ud800"}"#, r"\ud800"),
        (r#"{"name":"\\\u00e4\uD83D\uDE00"}"#, "\\ä\u{1f600}"),
    ];
    for (body, name) in right {
        assert_eq!(read_as(JSON, body).await.as_deref(), Ok(name), "{body}");
    }
}

#[tokio::test]
async fn what_is_not_utf_8_is_400() {
    for body in [
        &b"{\"name\":\"\xff\"}"[..],
        b"{\"name\":\"ada\",\"x\":\"\xc3\"}",
    ] {
        assert_eq!(parse::<Form>(body).unwrap_err().status(), 400);
    }
}

#[tokio::test]
async fn an_empty_body_is_none_even_without_a_type() {
    let read = async |content_type: &str, body: &str| {
        let request = Request::builder()
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let form = read_json_if_any::<Form, _>(TIMEOUT, request).await;
        form.map(|form| form.map(|form| form.name))
            .map_err(|problem| problem.status().as_u16())
    };
    assert_eq!(read("text/plain", "").await, Ok(None));
    assert_eq!(read("text/plain", "{}").await, Err(415));
    assert_eq!(read(JSON, " ").await, Err(400));
    let named = read(JSON, r#"{"name":"ada"}"#).await;
    assert_eq!(named, Ok(Some("ada".to_owned())));
}

#[tokio::test]
async fn json_of_another_shape_is_422() {
    for body in [
        "{}",
        "[]",
        "null",
        "7",
        r#"["ada"]"#,
        r#"{"name":7}"#,
        r#"{"name":null}"#,
    ] {
        assert_eq!(read_as(JSON, body).await, Err(422), "{body}");
    }
}

#[tokio::test]
async fn a_body_above_the_bound_is_413_and_one_at_it_is_not() {
    let of = |length: usize| format!(r#"{{"name":"{}"}}"#, "x".repeat(length - 11));
    assert!(read_as(JSON, &of(MAX_BODY)).await.is_ok());
    assert_eq!(read_as(JSON, &of(MAX_BODY + 1)).await, Err(413));
    assert_eq!(read_as(JSON, &of(10_000_000)).await, Err(413));
}

#[tokio::test]
async fn an_announced_length_above_the_bound_is_413() {
    let request = Request::builder()
        .header(CONTENT_TYPE, JSON)
        .header(CONTENT_LENGTH, "99999999999")
        .header(EXPECT, "100-continue")
        .body(Full::new(Bytes::new()))
        .unwrap();
    let problem = read_json::<Form, _>(request).await.unwrap_err();
    assert_eq!(problem.status(), 413);
}

/// A body that comes a byte at a time, each after this long, and never ends.
struct Trickle {
    pause: Duration,
    next: Pin<Box<Sleep>>,
}

impl Trickle {
    fn new(pause: Duration) -> Self {
        Self {
            pause,
            next: Box::pin(sleep(pause)),
        }
    }
}

impl Body for Trickle {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        ready!(self.next.as_mut().poll(cx));
        let pause = self.pause;
        self.next.as_mut().reset(Instant::now() + pause);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b" ")))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_in_time_is_408_however_steadily_it_trickles() {
    for pause in [Duration::from_millis(900), Duration::from_secs(86_400)] {
        let begun = Instant::now();
        let trickle = || {
            let request = Request::builder().header(CONTENT_TYPE, JSON);
            request.body(Trickle::new(pause)).unwrap()
        };
        let problem = read_json::<Form, _>(trickle()).await.unwrap_err();
        assert_eq!(problem.status(), 408);
        assert_eq!(problem.code(), "request_timeout");
        assert_eq!(begun.elapsed().as_secs(), TIMEOUT.as_secs());

        let begun = Instant::now();
        let timeout = Duration::from_secs(3);
        let read = read_json_if_any::<Form, _>(timeout, trickle()).await;
        assert_eq!(read.unwrap_err().status(), 408);
        assert_eq!(begun.elapsed().as_secs(), timeout.as_secs());
    }
}

#[test]
fn the_problem_does_not_repeat_values_of_the_body() {
    let error = serde_json::from_str::<Form>(r#"{"name":7312}"#).unwrap_err();
    assert_eq!(shape(&error), "a member of the body is of the wrong type");
    let error = serde_json::from_str::<Form>("{}").unwrap_err();
    assert_eq!(shape(&error), "missing field `name`");
}
