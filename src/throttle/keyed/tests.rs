use super::*;
use crate::testing::ManualClock;
use crate::throttle::{Attempt, RateLimiter};

const WINDOW: Duration = Duration::from_secs(900);

fn clock() -> (Arc<dyn Clock>, ManualClock) {
    let clock = ManualClock::new();
    (Arc::new(clock.clone()), clock)
}

fn limiter(max: u32) -> (RateLimiter, ManualClock) {
    let (shared, clock) = clock();
    (
        RateLimiter::new(RateLimit::new(max, WINDOW), &shared),
        clock,
    )
}

fn ip(text: &str) -> Option<std::net::IpAddr> {
    Some(text.parse().unwrap())
}

fn sign_in(account: &str) -> Attempt<'_> {
    Attempt::SignIn { account }
}

#[test]
fn as_many_attempts_as_the_limit_are_let_through_and_come_back_one_by_one() {
    let (limiter, clock) = limiter(100);
    let address = ip("192.0.2.1");
    for left in (0..100).rev() {
        let allowance = limiter.attempt(Attempt::Register, address).unwrap();
        assert_eq!(allowance.unwrap().remaining, left);
    }
    let exceeded = limiter.attempt(Attempt::Refresh, address).unwrap_err();
    assert_eq!(exceeded.retry_after, Duration::from_secs(9));
    assert_eq!(exceeded.allowance.limit, 100);
    assert_eq!(exceeded.allowance.remaining, 0);
    assert_eq!(exceeded.allowance.reset, WINDOW);

    clock.advance(Duration::from_secs(8));
    assert!(limiter.attempt(Attempt::Refresh, address).is_err());
    clock.advance(Duration::from_secs(1));
    assert!(limiter.attempt(Attempt::Refresh, address).is_ok());
    assert!(limiter.attempt(Attempt::Refresh, address).is_err());
    clock.advance(WINDOW);
    let all = limiter.attempt(Attempt::Refresh, address).unwrap().unwrap();
    assert_eq!(all.remaining, 99);
}

#[test]
fn one_customer_is_one_address_and_another_is_another() {
    let (limiter, _clock) = limiter(5);
    let drain = |address| while limiter.attempt(Attempt::Register, ip(address)).is_ok() {};
    drain("2001:db8:1:2::1");
    assert!(
        limiter
            .attempt(Attempt::Register, ip("2001:db8:1:2:ffff::1"))
            .is_err()
    );
    assert!(
        limiter
            .attempt(Attempt::Register, ip("2001:db8:1:3::1"))
            .is_ok()
    );
    drain("192.0.2.1");
    assert!(
        limiter
            .attempt(Attempt::Register, ip("::ffff:192.0.2.1"))
            .is_err()
    );
    assert!(limiter.attempt(Attempt::Register, ip("192.0.2.2")).is_ok());
}

#[test]
fn guesses_are_slowed_where_they_come_from_and_the_owner_is_not_kept_out() {
    let (limiter, _clock) = limiter(100);
    let (stranger, owner) = (ip("198.51.100.1"), ip("192.0.2.1"));
    for _ in 0..25 {
        assert!(
            limiter
                .attempt(sign_in("ada@example.com"), stranger)
                .is_ok()
        );
    }
    for spelling in ["ada@example.com", "ADA@example.com", " Ada@Example.com "] {
        assert!(
            limiter.attempt(sign_in(spelling), stranger).is_err(),
            "{spelling}"
        );
    }
    // The stranger may try others, as long as the address may.
    assert!(
        limiter
            .attempt(sign_in("bob@example.com"), stranger)
            .is_ok()
    );
    assert!(limiter.attempt(sign_in("ada@example.com"), owner).is_ok());
}

#[test]
fn what_is_told_is_what_is_left_of_the_tighter_limit() {
    let (limiter, _clock) = limiter(100);
    let allowance = limiter.attempt(sign_in("ada"), ip("192.0.2.1")).unwrap();
    assert_eq!(allowance.unwrap().limit, 25);
    let allowance = limiter.attempt(Attempt::Refresh, ip("192.0.2.1")).unwrap();
    assert_eq!(allowance.unwrap().remaining, 98);
}

#[test]
fn a_small_limit_is_not_widened_for_an_account() {
    let of = |max| RateLimit::new(max, WINDOW).of_one_account().max();
    assert_eq!([of(100), of(20), of(8), of(3)], [25, 5, 5, 3]);
}

#[test]
fn a_session_is_counted_wherever_its_token_comes_from() {
    let (limiter, _clock) = limiter(3);
    let session = crate::token::SessionId::random();
    for _ in 0..3 {
        assert!(limiter.session(session).unwrap().is_some());
    }
    assert!(limiter.session(session).is_err());
    assert!(limiter.session(crate::token::SessionId::random()).is_ok());
}

#[test]
fn where_no_address_is_known_nobody_can_use_up_what_all_would_share() {
    let (limiter, _clock) = limiter(5);
    for _ in 0..50 {
        assert_eq!(limiter.attempt(Attempt::Refresh, None), Ok(None));
    }
    for _ in 0..50 {
        assert_eq!(limiter.attempt(sign_in("ada"), None), Ok(None));
    }
}

#[test]
fn no_limit_counts_nothing() {
    let (shared, _clock) = clock();
    for off in [
        RateLimit::off(),
        RateLimit::new(0, WINDOW),
        RateLimit::new(100, Duration::ZERO),
    ] {
        let limiter = RateLimiter::new(off, &shared);
        assert!(!limiter.is_on());
        assert_eq!(
            limiter.attempt(Attempt::Register, ip("192.0.2.1")),
            Ok(None)
        );
    }
}

#[test]
fn those_of_whom_nothing_is_left_to_remember_are_forgotten() {
    let (shared, clock) = clock();
    let keyed = Keyed::new(RateLimit::new(100, WINDOW), &shared).unwrap();
    for key in 0..1_000 {
        keyed.take(key).unwrap();
    }
    assert_eq!(keyed.counts.len(), 1_000);
    clock.advance(2 * WINDOW);
    keyed.take(0).unwrap();
    assert!(keyed.counts.len() <= 1, "{}", keyed.counts.len());
}

#[test]
fn any_number_of_strangers_takes_no_more_than_so_much_memory_and_each_is_still_limited() {
    let (shared, _clock) = clock();
    let limit = RateLimit::new(10, WINDOW);
    let keyed = Keyed::with_max_keys(limit, &shared, 1_000).unwrap();
    for stranger in 0..50_000_u64 {
        let _ = keyed.take(stranger.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
    assert!(
        keyed.counts.len() as u64 <= 1_000 + SHARED,
        "{}",
        keyed.counts.len()
    );
    let refused = (0..20).filter(|_| keyed.take(u64::MAX).is_err()).count();
    assert!(refused >= 10, "{refused}");
}
