use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::clock::UnixTime;
use crate::revocation::EndReason;

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(43_200)
    }

    fn instants(&self) -> Instants {
        unreachable!("the arrival was read already")
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<(UnixTime, Event)>>);

impl Observer for Heard {
    fn observe(&self, now: UnixTime, event: &Event) {
        self.0.lock().unwrap().push((now, event.clone()));
    }
}

fn refused() -> Refused {
    Refused {
        rejection: Rejection::InvalidToken,
        cause: "wrong signature",
    }
}

#[test]
fn no_token_is_a_refusal_unless_the_route_is_open() {
    let admission = Admission::without_token(Anonymous::Allow);
    assert!(matches!(admission, Ok(Admission::Anonymous)));
    let Err(refused) = Admission::without_token(Anonymous::Reject) else {
        panic!("a route is closed unless it says otherwise");
    };
    assert_eq!(refused.rejection, Rejection::MissingToken);
}

#[test]
fn a_layer_refuses_and_enforces_unless_told_otherwise() {
    assert_eq!(Anonymous::default(), Anonymous::Reject);
    assert_eq!(Enforcement::default(), Enforcement::Enforce);
}

#[test]
fn a_refusal_is_reported_with_its_cause_and_enforced() {
    let heard = Heard::default();
    let outcome = refused().enforce(Enforcement::Enforce, &Noon, &heard);
    assert_eq!(outcome, Err(Rejection::InvalidToken));
    let events = heard.0.into_inner().unwrap();
    let [(at, event)] = events.as_slice() else {
        panic!("one refusal, one event: {events:?}");
    };
    assert_eq!(*at, Noon.now());
    let Event::Refused {
        rejection: Rejection::InvalidToken,
        cause: "wrong signature",
        report_only: false,
    } = event
    else {
        panic!("another event: {event:?}");
    };
}

#[test]
fn report_only_reports_and_lets_through() {
    let heard = Heard::default();
    let outcome = refused().enforce(Enforcement::ReportOnly, &Noon, &heard);
    assert_eq!(outcome, Ok(()));
    let events = heard.0.into_inner().unwrap();
    let reported =
        |event: &Event| matches!(event, Event::Refused { report_only, .. } if *report_only);
    assert!(events.len() == 1 && reported(&events[0].1), "{events:?}");
}

#[test]
fn headers_that_cannot_be_read_in_one_way_are_malformed() {
    for error in [SourceError::Duplicate, SourceError::Malformed] {
        let refused = Refused::from(error);
        assert_eq!(refused.rejection, Rejection::MalformedToken);
        assert_eq!(refused.cause, error.to_string());
    }
}

#[test]
fn the_cause_of_a_revocation_goes_to_the_log() {
    let refused = Refused::from(Refusal::Revoked(EndReason::AdminRevoked));
    assert_eq!(refused.cause, "admin_revoked");
    assert_eq!(refused.rejection.code(), "token_revoked");
}

#[test]
fn a_store_that_is_away_is_never_a_401() {
    let refused = Refused::from(Refusal::StoreUnavailable {
        retry_after: Duration::from_secs(1),
    });
    assert_eq!(refused.rejection.status(), 503);
    assert_eq!(
        refused.rejection.retry_after(),
        Some(Duration::from_secs(1))
    );
}

#[test]
fn stale_roles_and_unknown_sessions_each_have_their_answer() {
    assert_eq!(
        Refused::from(Refusal::Stale).rejection,
        Rejection::TokenStale
    );
    let unknown = Refused::from(Refusal::UnknownSession).rejection;
    assert_eq!(unknown, Rejection::TokenRevoked { reason: None });
}
