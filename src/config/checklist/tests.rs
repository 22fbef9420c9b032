use super::*;
use crate::config::JwtSessionBuilder;
use crate::device::TrustedProxies;
use crate::session::Lifetimes;

fn builder() -> JwtSessionBuilder {
    JwtSession::builder().hmac_secret(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e")
}

fn env(pairs: &[(&str, &str)]) -> Environment {
    Environment::from_pairs(pairs.iter().copied())
}

fn kinds(checklist: &Checklist) -> Vec<FindingKind> {
    let found = checklist.findings().iter();
    found.map(|finding| finding.kind).collect()
}

fn found(pairs: &[(&str, &str)]) -> Vec<FindingKind> {
    let auth = builder().with_env(&env(pairs)).build().unwrap();
    kinds(&Checklist::of(&auth))
}

#[test]
fn each_thing_that_must_not_stay_so_is_found() {
    for (name, value, kind) in [
        ("SESSION_STORE", "memory:", FindingKind::MemoryStore),
        ("CORS_ALLOWED_ORIGINS", "*", FindingKind::OpenOrigins),
        ("RATE_LIMIT_MAX_REQUESTS", "0", FindingKind::NoRateLimit),
        (
            "REVOCATION_CONFIRM",
            "never",
            FindingKind::UnconfirmedSessions,
        ),
        (
            "STORE_OUTAGE_POLICY",
            "accept-verified-until-expiry",
            FindingKind::OutageAccepted,
        ),
        (
            "JWT_ACCESS_TOKEN_EXPIRY",
            "25h",
            FindingKind::LongAccessTokens,
        ),
        ("JWT_SESSION_EXPIRY", "400d", FindingKind::LongSessions),
    ] {
        let found = found(&[(name, value)]);
        assert!(found.contains(&kind), "{name}={value}: {found:?}");
    }
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let auth = builder()
        .trusted_proxies(TrustedProxies::parse("10.0.0.0/8").unwrap())
        .lifetimes(Lifetimes::default())
        .with_env(&env(&[("CORS_ALLOWED_ORIGINS", "https://app.example.com")]))
        .build()
        .unwrap();
    let checklist = Checklist::of(&auth)
        .listening_on("0.0.0.0:80".parse().unwrap())
        .with_env(&env(&[("SESSION_COOKIE_SECURE", "true")]));
    let left: Vec<_> = kinds(&checklist)
        .into_iter()
        .filter(|kind| !matches!(kind, FindingKind::MemoryStore | FindingKind::NoRateLimit))
        .collect();
    assert_eq!(left, []);
}

#[test]
fn plain_http_is_found_beyond_this_machine_unless_a_proxy_is_trusted() {
    let auth = builder().build().unwrap();
    let no_tls = |address: &str| {
        let checklist = Checklist::of(&auth).listening_on(address.parse().unwrap());
        kinds(&checklist).contains(&FindingKind::NoTls)
    };
    assert!(no_tls("0.0.0.0:3000"));
    assert!(no_tls("[::]:3000"));
    assert!(no_tls("192.0.2.1:80"));
    assert!(!no_tls("127.0.0.1:3000"));
    assert!(!no_tls("[::1]:3000"));
}

#[test]
fn cookies_that_are_weakened_are_found() {
    let auth = builder().build().unwrap();
    for (name, value) in [
        ("SESSION_COOKIE_SECURE", "false"),
        ("SESSION_COOKIE_HTTP_ONLY", "False"),
        ("SESSION_COOKIE_SAME_SITE", "None"),
    ] {
        let checklist = Checklist::of(&auth).with_env(&env(&[(name, value)]));
        assert!(
            kinds(&checklist).contains(&FindingKind::InsecureCookies),
            "{name}"
        );
    }
}
