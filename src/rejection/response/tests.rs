use http::StatusCode;
use proptest::prelude::*;

use super::*;
use crate::revocation::EndReason;

fn all() -> Vec<Rejection> {
    vec![
        Rejection::InsufficientAuthentication {
            max_age: Duration::from_secs(300),
        },
        Rejection::InsufficientRole,
        Rejection::InsufficientScope {
            scope: "reports:read".to_owned(),
        },
        Rejection::InvalidToken,
        Rejection::MalformedToken,
        Rejection::Misconfigured { what: "secret" },
        Rejection::MissingToken,
        Rejection::StoreUnavailable {
            retry_after: Duration::from_secs(2),
        },
        Rejection::TokenExpired,
        Rejection::TokenRevoked {
            reason: Some(EndReason::AdminRevoked),
        },
        Rejection::TokenRevoked {
            reason: Some(EndReason::Replaced),
        },
        Rejection::TokenStale,
    ]
}

fn problem(rejection: &Rejection) -> Response<Bytes> {
    ProblemResponses.response_for(rejection)
}

fn challenge(rejection: &Rejection) -> Option<String> {
    let response = problem(rejection);
    let value = response.headers().get(WWW_AUTHENTICATE)?;
    value.to_str().ok().map(str::to_owned)
}

#[test]
fn every_refusal_is_a_problem_document_that_nobody_stores() {
    for rejection in all() {
        let response = problem(&rejection);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert!(response.status().as_u16() >= 400);
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        let expected = serde_json::json!({
            "type": "about:blank",
            "title": rejection.status().canonical_reason().unwrap(),
            "status": rejection.status().as_u16(),
            "detail": rejection.detail(),
            "code": rejection.code(),
        });
        assert_eq!(body, expected);
    }
}

#[test]
fn every_401_and_403_carries_a_bearer_challenge_and_nothing_else_does() {
    for rejection in all() {
        let wanted = matches!(
            rejection.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        );
        let found = challenge(&rejection).is_some_and(|text| text.starts_with("Bearer"));
        assert_eq!(found, wanted, "{rejection:?}");
    }
}

#[test]
fn a_challenge_names_no_error_when_no_credential_came() {
    assert_eq!(challenge(&Rejection::MissingToken).unwrap(), "Bearer");
    let invalid = challenge(&Rejection::TokenExpired).unwrap();
    assert!(invalid.contains("error=\"invalid_token\""), "{invalid}");
    assert!(invalid.contains("error_description=\""), "{invalid}");
}

#[test]
fn a_step_up_challenge_names_the_age_in_seconds() {
    let text = challenge(&all()[0]).unwrap();
    assert!(text.contains("error=\"insufficient_user_authentication\""));
    assert!(text.ends_with("max_age=\"300\""), "{text}");
}

#[test]
fn retry_after_is_rounded_up_and_never_zero() {
    for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (2000, "2")] {
        let response = problem(&Rejection::StoreUnavailable {
            retry_after: Duration::from_millis(millis),
        });
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], seconds);
    }
    let forever = problem(&Rejection::StoreUnavailable {
        retry_after: Duration::MAX,
    });
    assert!(forever.headers().contains_key(RETRY_AFTER));
}

#[test]
fn the_clients_copy_tells_neither_reason_nor_misconfiguration() {
    for rejection in all() {
        let response = problem(&rejection);
        let body = String::from_utf8_lossy(response.body());
        assert!(!body.contains("admin_revoked") && !body.contains("secret"));
    }
}

#[test]
fn a_token_that_was_replaced_is_not_told_that_its_session_ended() {
    let of = |reason| Rejection::TokenRevoked { reason };
    let replaced = of(Some(EndReason::Replaced));
    let told = format!("{} {}", replaced.detail(), challenge(&replaced).unwrap());
    assert!(told.contains("newer token"), "{told}");
    assert!(!told.contains("ended"), "{told}");
    for reason in [None, Some(EndReason::SignedOut)] {
        assert!(of(reason).detail().contains("ended"));
    }
}

#[test]
fn an_empty_response_has_the_same_status_and_headers() {
    for rejection in all() {
        let full = problem(&rejection);
        let empty: Response<String> = EmptyResponses.response_for(&rejection);
        assert_eq!(empty.status(), full.status());
        assert!(empty.body().is_empty());
        for (name, value) in full.headers() {
            if name != CONTENT_TYPE {
                assert_eq!(empty.headers().get(name), Some(value));
            }
        }
        assert!(!empty.headers().contains_key(CONTENT_TYPE));
    }
}

#[test]
fn a_closure_makes_responses_too() {
    let teapot = |_: &Rejection| {
        let mut response = Response::new(7_u8);
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
    };
    let response = Rejection::TokenStale.into_response(&teapot);
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(*response.body(), 7);
}

#[test]
fn outer_layers_find_the_rejection_in_the_extensions() {
    let response: Response<Bytes> = Rejection::TokenStale.into_response(&ProblemResponses);
    let found = response.extensions().get::<Rejection>();
    assert_eq!(found, Some(&Rejection::TokenStale));
}

proptest! {
    #[test]
    fn no_scope_breaks_out_of_its_quotes(scope in any::<String>()) {
        let text = challenge(&Rejection::InsufficientScope { scope }).unwrap();
        prop_assert_eq!(text.matches('"').count(), 6);
        prop_assert!(!text.contains('\\'));
        prop_assert!(text.ends_with('"'));
    }
}
