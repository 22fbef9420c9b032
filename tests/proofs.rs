//! What must not compile, and what must not be implemented: nobody skips a check by making its
//! proof by hand.
//!
//! After a change of the compiler's wording: `TRYBUILD=overwrite cargo test --test proofs`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_jwt_session::revocation::ActiveToken;
use tower_jwt_session::token::RawToken;
use tower_jwt_session::verify::{TokenClaims, TokenFacts, VerifiedToken};
use tower_jwt_session::{Session, SessionId, UserId};

/// Whether a type implements a trait. An inherent constant hides that of a trait.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code)]
        trait Otherwise {
            const ANSWER: bool = false;
        }
        impl<T> Otherwise for T {}

        struct Probe<T>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: $($bound)+> Probe<T> {
            const ANSWER: bool = true;
        }
        <Probe<$type>>::ANSWER
    }};
}

#[test]
fn proofs_cannot_be_made_by_hand() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

#[test]
fn the_probe_tells_apart_what_is_implemented_and_what_is_not() {
    assert!(implements!(UserId: DeserializeOwned));
    assert!(implements!(UserId: TryFrom<String>));
    assert!(!implements!(UserId: Default));
    assert!(!implements!(SessionId: From<String>));
}

#[test]
fn proofs_are_not_read_from_data() {
    assert!(!implements!(VerifiedToken: DeserializeOwned));
    assert!(!implements!(ActiveToken: DeserializeOwned));
    assert!(!implements!(Session: DeserializeOwned));
    assert!(!implements!(TokenClaims: DeserializeOwned));
}

#[test]
fn proofs_are_not_converted_from_anything_weaker() {
    assert!(!implements!(VerifiedToken: From<TokenClaims>));
    assert!(!implements!(VerifiedToken: From<RawToken<'static>>));
    assert!(!implements!(ActiveToken: From<VerifiedToken>));
    assert!(!implements!(Session: From<VerifiedToken>));
    assert!(!implements!(Session: From<TokenClaims>));
    assert!(!implements!(TokenClaims: From<TokenFacts>));
}

#[test]
fn proofs_have_no_default() {
    assert!(!implements!(RawToken<'static>: Default));
    assert!(!implements!(VerifiedToken: Default));
    assert!(!implements!(ActiveToken: Default));
    assert!(!implements!(Session: Default));
    assert!(!implements!(TokenClaims: Default));
}

#[test]
fn a_token_is_not_written_out() {
    assert!(!implements!(RawToken<'static>: std::fmt::Display));
    assert!(!implements!(RawToken<'static>: Serialize));
    assert!(!implements!(RawToken<'static>: AsRef<str>));
    assert!(!implements!(RawToken<'static>: std::ops::Deref));
}

#[test]
fn sessions_and_proofs_cross_threads() {
    assert!(implements!(Session: Send + Sync + Clone));
    assert!(implements!(ActiveToken: Send + Sync + Clone));
    assert!(implements!(VerifiedToken: Send + Sync + Clone));
}
