use http_body_util::BodyExt;

use super::*;

#[test]
fn a_place_is_free_again_when_its_stream_is_dropped() {
    let streams = Streams::new(2);
    let (one, other) = (SessionId::random(), SessionId::random());
    let first = streams.take(one);
    let second = streams.take(one);
    assert!(first.is_ok() && second.is_ok());
    assert!(streams.take(one).is_err());
    assert!(streams.take(other).is_ok(), "each session has its own");
    drop(first);
    assert!(streams.take(one).is_ok());
    drop(second);
    assert!(streams.open.lock().unwrap().is_empty(), "nothing is kept");
}

#[test]
fn only_the_end_of_a_session_is_called_one() {
    let id = SessionId::random();
    let event = |reason| {
        let text = last_event(&reason, id);
        let text = std::str::from_utf8(&text).unwrap().to_owned();
        assert!(text.ends_with("\n\n"));
        text.lines().next().unwrap().to_owned()
    };
    for over in [
        EndReason::AdminRevoked,
        EndReason::Evicted,
        EndReason::Idle,
        EndReason::PasswordChanged,
        EndReason::RefreshReused,
        EndReason::SignedOut,
        EndReason::UserRemoved,
        EndReason::UserRevoked,
    ] {
        assert_eq!(event(over), "event: ended");
    }
    for renewable in [
        EndReason::Expired,
        EndReason::Replaced,
        EndReason::RolesChanged,
    ] {
        assert_eq!(event(renewable), "event: renew");
    }
    assert_eq!(event(EndReason::Unconfirmed), "event: unconfirmed");
}

#[tokio::test(start_paused = true)]
async fn comments_keep_a_silent_stream_open_and_the_last_event_closes_it() {
    let (end, ended) = tokio::sync::oneshot::channel();
    let id = SessionId::random();
    let mut stream = EventStream {
        ready: None,
        live: Some(Live {
            session: id,
            ended: Box::pin(async { ended.await.unwrap() }),
            beat: interval_at(Instant::now() + BEAT, BEAT),
            _place: Streams::default().take(id).unwrap(),
        }),
    };
    let mut next = async || Some(stream.frame().await?.unwrap().into_data().unwrap());
    assert_eq!(next().await.unwrap(), ":\n\n");
    end.send(EndReason::UserRevoked).unwrap();
    let last = next().await.unwrap();
    let expected =
        format!("event: ended\ndata: {{\"reason\":\"user_revoked\",\"session_id\":\"{id}\"}}\n\n");
    assert_eq!(last, expected);
    assert_eq!(next().await, None);
}
