use std::net::Ipv4Addr;

use super::*;
use crate::token::RawToken;
use crate::verify::fixtures::{
    ALGORITHMS, NOW, claims, claims_with, forge, header, key, policy, ring, token,
};
use crate::verify::{Key, KeyRing, KeyState, Migration, NoClaims, Verifier, VerifyErrorKind};

const NETWORK: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const SECOND: Duration = Duration::from_secs(1);

fn verifier(key: &Key) -> Verifier {
    Verifier::new::<NoClaims>(ring(key), policy())
}

fn kind(verifier: &Verifier, token: &str, now: UnixTime) -> Option<VerifyErrorKind> {
    let verified = verifier.verify(RawToken::from_parameter(token), now);
    verified.err().map(|error| error.kind())
}

/// The same token under a signature that is none.
fn forged(key: &Key) -> String {
    let genuine = token(key, &claims());
    let (signed, signature) = genuine.rsplit_once('.').unwrap();
    let signature: String = signature.chars().rev().collect();
    // Base64url allows no stray bits at the end.
    format!("{signed}.{}A", &signature[..signature.len() - 1])
}

/// Sends a token until it is no longer looked at; says how often it was.
fn exhaust(verifier: &Verifier, token: &str, now: UnixTime) -> u32 {
    let mut looked = 0;
    while kind(verifier, token, now) != Some(VerifyErrorKind::Busy) {
        looked += 1;
        assert!(looked < 10_000_000, "there is no end to it");
    }
    looked
}

#[test]
fn so_many_forged_tokens_are_checked_and_then_no_new_ones() {
    let key = key(Algorithm::Es256);
    let verifier = verifier(&key);
    let cores = available_parallelism().unwrap().get() as u64;
    // Half a second's worth of a tenth of each core, at 60 microseconds each.
    let expected = 500_000 * cores / 10 / 60;
    let looked = u64::from(exhaust(&verifier, &forged(&key), NOW));
    assert!(looked.abs_diff(expected) <= 2, "{looked}, not {expected}");
    let genuine = token(&key, &claims());
    assert_eq!(kind(&verifier, &genuine, NOW), Some(VerifyErrorKind::Busy));
}

#[test]
fn known_tokens_never_notice() {
    let key = key(Algorithm::Es256);
    let verifier = verifier(&key);
    let known = token(&key, &claims());
    assert_eq!(kind(&verifier, &known, NOW), None);
    exhaust(&verifier, &forged(&key), NOW);
    assert_eq!(kind(&verifier, &known, NOW), None);
}

#[test]
fn what_was_spent_is_made_up_for_in_a_second() {
    let key = key(Algorithm::EdDsa);
    let verifier = verifier(&key);
    exhaust(&verifier, &forged(&key), NOW);
    let genuine = token(&key, &claims());
    assert_eq!(kind(&verifier, &genuine, NOW + SECOND), None);
}

#[test]
fn good_tokens_are_checked_without_end() {
    let key = key(Algorithm::Es256);
    // Nothing is remembered, so each is checked each time.
    let policy = policy()
        .with_cache_size(0)
        .with_bad_token_share(BadTokenShare::percent(1));
    let verifier = Verifier::new::<NoClaims>(ring(&key), policy);
    let genuine = token(&key, &claims());
    for _ in 0..1_000 {
        assert_eq!(kind(&verifier, &genuine, NOW), None);
    }
}

#[test]
fn what_is_genuine_and_good_for_nothing_is_charged() {
    let key = key(Algorithm::Es256);
    let expired = token(&key, &claims_with("exp", (NOW.as_secs() - 30).into()));
    let elsewhere = token(
        &key,
        &claims_with("aud", "https://elsewhere.example".into()),
    );
    for bad in [expired, elsewhere] {
        exhaust(&verifier(&key), &bad, NOW);
    }
}

#[test]
fn who_asks_for_expired_tokens_is_not_charged_for_them() {
    let key = key(Algorithm::Es256);
    let verifier = verifier(&key);
    let expired = token(&key, &claims_with("exp", (NOW.as_secs() - 30).into()));
    let expired = RawToken::from_parameter(&expired);
    for _ in 0..5_000 * available_parallelism().unwrap().get() / 2 {
        assert!(verifier.verify_ignoring_expiry(expired, NOW).is_ok());
    }
}

#[test]
fn what_is_refused_for_little_is_refused_at_any_time() {
    let key = key(Algorithm::Es256);
    let verifier = verifier(&key);
    exhaust(&verifier, &forged(&key), NOW);
    let kid = header(&key).to_string().replace("\"k\"", "\"unknown\"");
    let unknown = forge(&key, &kid, &claims().to_string());
    assert_eq!(
        kind(&verifier, &unknown, NOW),
        Some(VerifyErrorKind::Invalid)
    );
    assert_eq!(
        kind(&verifier, "a.b.c", NOW),
        Some(VerifyErrorKind::Malformed)
    );
}

#[test]
fn macs_are_neither_charged_nor_refused() {
    let key = key(Algorithm::Hs256);
    let verifier = verifier(&key);
    let forged = forged(&key);
    for _ in 0..20_000 {
        assert_eq!(
            kind(&verifier, &forged, NOW),
            Some(VerifyErrorKind::Invalid)
        );
    }
    for algorithm in ALGORITHMS {
        assert_eq!(cost(algorithm).is_zero(), algorithm.is_symmetric());
    }
}

#[test]
fn without_a_limit_everything_is_checked() {
    let key = key(Algorithm::Es256);
    let policy = policy().with_bad_token_share(BadTokenShare::UNLIMITED);
    let verifier = Verifier::new::<NoClaims>(ring(&key), policy);
    let forged = forged(&key);
    for _ in 0..5_000 * available_parallelism().unwrap().get() / 2 {
        assert_eq!(
            kind(&verifier, &forged, NOW),
            Some(VerifyErrorKind::Invalid)
        );
    }
    assert_eq!(BadTokenShare::percent(100), BadTokenShare::UNLIMITED);
    assert_eq!(BadTokenShare::percent(0), BadTokenShare::percent(1));
}

#[test]
fn a_network_that_sent_little_bad_is_looked_at_when_others_wait() {
    let key = key(Algorithm::Es256);
    let verifier = verifier(&key);
    let (forged, genuine) = (forged(&key), token(&key, &claims()));
    let from = |network, text: &str| {
        let verified = verifier.verify_from(network, RawToken::from_parameter(text), NOW);
        verified.err().map(|error| error.kind())
    };
    exhaust(&verifier, &forged, NOW);
    assert_eq!(
        from(None, &genuine),
        Some(VerifyErrorKind::Busy),
        "nobody knows from where"
    );
    assert_eq!(from(Some(NETWORK), &genuine), None);

    let another = token(&key, &claims_with("scope", "more".into()));
    for _ in 0..10 {
        verifier.note_bad(Some(NETWORK), NOW);
    }
    assert_eq!(from(Some(NETWORK), &another), Some(VerifyErrorKind::Busy));
    // Two networks share their place by chance, once in some thousands; not two of them.
    let mut elsewhere = [
        Ipv4Addr::new(198, 51, 100, 1),
        Ipv4Addr::new(203, 0, 113, 1),
    ]
    .into_iter();
    assert!(elsewhere.any(|network| from(Some(network.into()), &another).is_none()));
}

#[test]
fn also_what_is_kept_for_good_networks_has_an_end() {
    let key = key(Algorithm::Es256);
    let verifier = verifier(&key);
    let forged = forged(&key);
    let common = exhaust(&verifier, &forged, NOW);
    let mut reserve = 0;
    let from = |number: u32| {
        let network = Some(IpAddr::V4(Ipv4Addr::from_bits(number)));
        let token = RawToken::from_parameter(&forged);
        verifier
            .verify_from(network, token, NOW)
            .unwrap_err()
            .kind()
    };
    while from(reserve) != VerifyErrorKind::Busy {
        reserve += 1;
        assert!(reserve < 10_000_000, "there is no end to it");
    }
    assert!(common.abs_diff(reserve) <= 2, "{common} and {reserve}");
}

#[test]
fn each_purse_ends_where_it_says_and_a_debt_that_cannot_be_is_none() {
    let budget = Budget::new(BadTokenShare::default());
    let allows = |budget: &Budget, algorithm, purse, owed| {
        budget.even_at.store(nanos(NOW) + owed, Ordering::Relaxed);
        budget.allows(algorithm, purse, NOW)
    };
    for (purse, limit) in [(Purse::Common, MOST_OWED / 2), (Purse::Reserve, MOST_OWED)] {
        assert!(allows(&budget, Algorithm::Es256, purse, limit - 1));
        assert!(!allows(&budget, Algorithm::Es256, purse, limit));
        assert!(!allows(&budget, Algorithm::Es256, purse, 2 * MOST_OWED));
        assert!(allows(&budget, Algorithm::Es256, purse, 2 * MOST_OWED + 1));
        assert!(allows(&budget, Algorithm::Hs256, purse, limit));
        let unlimited = Budget::new(BadTokenShare::UNLIMITED);
        assert!(allows(&unlimited, Algorithm::Es256, purse, limit));
    }
}

#[test]
fn a_grudge_is_over_after_a_minute() {
    let budget = Budget::new(BadTokenShare::default());
    for _ in 0..1_000 {
        budget.note(NETWORK, NOW);
    }
    assert!(!budget.trusts(NETWORK, NOW + 40 * SECOND));
    assert!(budget.trusts(NETWORK, NOW + 60 * SECOND));
}

#[test]
fn a_clock_that_is_set_back_shuts_nobody_out() {
    let budget = Budget::new(BadTokenShare::default());
    budget.charge(SECOND, NOW);
    budget.note(NETWORK, NOW);
    for back in [3, 5, 3_600, 86_400, 10 * 365 * 86_400] {
        let then = NOW - back * SECOND;
        assert!(
            budget.allows(Algorithm::Es256, Purse::Common, then),
            "{back} s"
        );
    }
    assert!(budget.trusts(NETWORK, NOW - 86_400 * SECOND));
}

#[test]
fn one_charge_never_owes_more_than_a_moment() {
    let budget = Budget::new(BadTokenShare::percent(1));
    for _ in 0..1_000 {
        budget.charge(Duration::from_millis(1), NOW);
    }
    assert!(!budget.allows(Algorithm::Es256, Purse::Reserve, NOW));
    assert!(budget.allows(Algorithm::Es256, Purse::Reserve, NOW + 2 * SECOND));
}

#[test]
fn an_older_token_that_several_keys_were_tried_for_is_not_charged() {
    let keys = [(); 3].map(|()| Key::generate(None, Algorithm::Es256).unwrap());
    let ring = keys.clone().map(|key| (key, KeyState::VerifyOnly));
    let policy = policy()
        .with_cache_size(0)
        .with_migration(Migration::until(NOW + SECOND))
        .with_bad_token_share(BadTokenShare::percent(1));
    let verifier = Verifier::new::<NoClaims>(KeyRing::new(ring).unwrap().into(), policy);
    let last = forge(
        &keys[2],
        r#"{"alg":"ES256","typ":"at+jwt"}"#,
        &claims().to_string(),
    );
    for _ in 0..200 {
        assert_eq!(kind(&verifier, &last, NOW), None);
    }
}
