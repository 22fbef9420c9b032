use std::sync::atomic::Ordering::SeqCst;
use std::task::Poll;

use tokio::sync::oneshot;

use super::*;
use crate::middleware::fixtures::{Body, Broken, Staged, poll, poll_ready, request, session, text};
use crate::rejection::ProblemResponses;

type Answer = Result<Option<Session>, Rejection>;
type Entered = ResponseFuture<Staged, ProblemResponses, Body>;

fn enter(passage: Passage, service: &mut Staged) -> Entered {
    passage.enter(service, request(), &Arc::new(ProblemResponses), false)
}

/// A question whose answer the test gives.
fn question() -> (oneshot::Sender<Answer>, Passage) {
    let (answer, asked) = oneshot::channel();
    let question = Box::pin(async { asked.await.expect("the test answers") });
    (answer, Passage::Ask(question))
}

fn finish(entered: &mut Entered) -> Result<Response<Body>, Broken> {
    match poll(entered) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("nothing is left to wait for"),
    }
}

fn answered_with(entered: &mut Entered) -> String {
    text(finish(entered).unwrap())
}

#[test]
fn an_open_way_calls_the_ready_instance_and_clones_nothing() {
    let (mut service, stage) = Staged::ready();
    let mut entered = enter(Passage::Open(Some(session(&[], &[]))), &mut service);
    assert_eq!(stage.called(), [0]);
    assert_eq!(stage.instances(), 1);
    assert_eq!(answered_with(&mut entered), "ada");
}

#[test]
fn an_open_way_without_a_session_leaves_the_extensions_alone() {
    let (mut service, _) = Staged::ready();
    let mut signed_in = request();
    signed_in.extensions_mut().insert(session(&[], &[]));
    let responses = Arc::new(ProblemResponses);
    let mut entered = Passage::Open(None).enter(&mut service, signed_in, &responses, false);
    assert_eq!(answered_with(&mut entered), "ada");

    let (mut service, _) = Staged::ready();
    let mut entered = enter(Passage::Open(None), &mut service);
    assert_eq!(answered_with(&mut entered), "nobody");
}

#[test]
fn after_a_question_the_instance_that_was_polled_ready_is_called() {
    let (mut service, stage) = Staged::ready();
    let (answer, passage) = question();
    let mut entered = enter(passage, &mut service);
    assert!(poll(&mut entered).is_pending());
    assert!(stage.called().is_empty());

    assert!(answer.send(Ok(Some(session(&[], &[])))).is_ok());
    assert_eq!(answered_with(&mut entered), "ada");
    assert_eq!(stage.called(), [0]);
}

#[test]
fn while_a_question_waits_the_clone_that_stayed_has_to_become_ready_by_itself() {
    let (mut service, stage) = Staged::ready();
    let (answer, passage) = question();
    let mut waiting = enter(passage, &mut service);
    assert!(poll_ready(&mut service).is_pending());

    stage.allow(1);
    assert!(poll_ready(&mut service).is_ready());
    let mut second = enter(Passage::Open(None), &mut service);
    assert_eq!(answered_with(&mut second), "nobody");
    assert_eq!(stage.called(), [1]);

    assert!(answer.send(Ok(None)).is_ok());
    assert_eq!(answered_with(&mut waiting), "nobody");
    assert_eq!(stage.called(), [1, 0]);
}

#[test]
fn nothing_is_asked_before_the_first_poll() {
    let (mut service, _) = Staged::ready();
    let (asked, mut hears) = oneshot::channel();
    let passage = Passage::Ask(Box::pin(async move {
        asked.send(()).unwrap();
        Ok(None)
    }));
    let mut entered = enter(passage, &mut service);
    assert!(hears.try_recv().is_err());
    assert_eq!(answered_with(&mut entered), "nobody");
    assert!(hears.try_recv().is_ok());
}

#[test]
fn a_refusal_never_reaches_the_inner_service() {
    let (mut service, stage) = Staged::ready();
    let mut entered = enter(Passage::Refuse(Rejection::TokenExpired), &mut service);
    let response = finish(&mut entered).unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.extensions().get(),
        Some(&Rejection::TokenExpired),
        "outer layers see why"
    );

    let (answer, passage) = question();
    let mut entered = enter(passage, &mut service);
    assert!(answer.send(Err(Rejection::InsufficientRole)).is_ok());
    let response = finish(&mut entered).unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(
        response.extensions().get(),
        Some(&Rejection::InsufficientRole)
    );
    assert!(stage.called().is_empty());
}

#[test]
fn an_error_of_the_inner_service_passes_unchanged() {
    let (mut service, stage) = Staged::ready();
    stage.broken.store(true, SeqCst);
    let mut entered = enter(Passage::Open(None), &mut service);
    assert_eq!(finish(&mut entered).unwrap_err(), Broken);

    let (mut service, stage) = Staged::ready();
    stage.broken.store(true, SeqCst);
    let (answer, passage) = question();
    let mut entered = enter(passage, &mut service);
    assert!(answer.send(Ok(None)).is_ok());
    assert_eq!(finish(&mut entered).unwrap_err(), Broken);
}

#[test]
fn dropping_the_future_takes_the_question_back() {
    let (mut service, stage) = Staged::ready();
    let (answer, passage) = question();
    let mut entered = enter(passage, &mut service);
    assert!(poll(&mut entered).is_pending());
    drop(entered);
    assert!(answer.is_closed());
    assert!(stage.called().is_empty());
}

#[test]
fn the_debug_form_tells_the_state_and_nothing_of_the_request() {
    let (mut service, _) = Staged::ready();
    let entered = enter(Passage::Open(None), &mut service);
    assert_eq!(format!("{entered:?}"), "ResponseFuture::Calling");
}
