use super::*;
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::EndReason;

fn document(problem: Problem) -> (http::response::Parts, Value) {
    let (parts, body) = problem.into_bytes().into_parts();
    (parts, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_problem_document_has_the_members_of_rfc_9457_and_a_code() {
    let (parts, document) = document(Rejection::TokenRevoked { reason: None }.into());
    assert_eq!(parts.status, 401);
    assert_eq!(parts.headers["content-type"], "application/problem+json");
    assert_eq!(parts.headers["cache-control"], "no-store");
    assert_eq!(
        document,
        serde_json::json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "code": "token_revoked",
            "detail": "the session was ended; sign in again",
        })
    );
}

#[test]
fn every_401_carries_a_challenge() {
    let problems = [
        Problem::invalid_credentials(),
        Rejection::MissingToken.into(),
        Rejection::TokenExpired.into(),
        SessionError::InvalidToken.into(),
        SessionError::Over(EndReason::Expired).into(),
        SessionError::RefreshReused.into(),
        SessionError::UnknownUser.into(),
    ];
    for problem in problems {
        let (parts, document) = document(problem);
        assert_eq!(parts.status, 401, "{document}");
        let challenge = parts.headers[WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.starts_with("Bearer"), "{document}: {challenge}");
    }
}

#[test]
fn no_credential_means_a_challenge_without_an_error_code() {
    let (parts, _) = document(Rejection::MissingToken.into());
    assert_eq!(parts.headers[WWW_AUTHENTICATE], "Bearer");
    let (parts, _) = document(Problem::invalid_credentials());
    assert_eq!(parts.headers[WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn session_errors_have_the_codes_of_the_contract() {
    let store = StoreError::new(StoreErrorKind::Timeout, "test");
    let retry_after = Duration::from_millis(1500);
    let rows: [(SessionError, u16, &str); 10] = [
        (
            SessionError::ClaimsSource("away".into()),
            503,
            "store_unavailable",
        ),
        (
            SessionError::InvalidInput { what: "no" },
            422,
            "invalid_input",
        ),
        (SessionError::InvalidToken, 401, "invalid_token"),
        (SessionError::LimitReached, 409, "session_limit_reached"),
        (SessionError::NotFound, 404, "not_found"),
        (SessionError::RefreshReused, 401, "refresh_reused"),
        (SessionError::SignInSuperseded, 409, "sign_in_superseded"),
        (SessionError::Store(store), 503, "store_unavailable"),
        (SessionError::TicketOutdated, 409, "sign_in_superseded"),
        (
            SessionError::TooManyRepeats { retry_after },
            429,
            "rate_limited",
        ),
    ];
    for (error, status, code) in rows {
        let (parts, document) = document(error.into());
        assert_eq!(parts.status, status, "{document}");
        assert_eq!(document["code"], code);
        let temporary = status == 503 || status == 429;
        assert_eq!(parts.headers.contains_key(RETRY_AFTER), temporary, "{code}");
    }
}

#[test]
fn a_session_that_is_over_says_why_and_no_other_refusal_does() {
    for reason in [
        EndReason::Idle,
        EndReason::PasswordChanged,
        EndReason::UserRevoked,
    ] {
        let (_, document) = document(SessionError::Over(reason.clone()).into());
        assert_eq!(document["code"], "invalid_token");
        assert_eq!(document["reason"], reason.as_str());
    }
    for error in [SessionError::InvalidToken, SessionError::UnknownUser] {
        let (_, document) = document(error.into());
        assert_eq!(document["code"], "invalid_token");
        assert_eq!(document.get("reason"), None);
    }
}

#[test]
fn a_time_to_wait_is_rounded_up() {
    let (parts, _) = document(Problem::store_unavailable(Duration::from_millis(1500)));
    assert_eq!(parts.headers[RETRY_AFTER], "2");
    let (parts, _) = document(Problem::store_unavailable(Duration::ZERO));
    assert_eq!(parts.headers[RETRY_AFTER], "1");
}

#[test]
fn a_store_that_failed_is_tried_again_within_the_grace_of_a_rotation() {
    let store = StoreError::new(StoreErrorKind::Unavailable, "test");
    let (parts, _) = document(SessionError::Store(store).into());
    assert_eq!(parts.headers[RETRY_AFTER], "1");
}

#[test]
fn the_cause_of_a_failure_is_not_told_to_the_client() {
    let store = StoreError::new(StoreErrorKind::Unavailable, "test")
        .with_source("connection to 10.0.0.7 refused");
    let (_, document) = document(SessionError::Store(store).into());
    assert!(!document.to_string().contains("10.0.0.7"));
}

#[test]
fn the_wrong_method_is_told_the_right_ones() {
    let (parts, document) = document(Problem::method_not_allowed("GET,HEAD"));
    assert_eq!(parts.status, 405);
    assert_eq!(parts.headers[ALLOW], "GET,HEAD");
    assert_eq!(document["title"], "Method Not Allowed");
}
