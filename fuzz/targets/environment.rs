//! Any environment: a configuration or mistakes with their fixes, and no secret in either. A variable is named, or
//! numbered, so that each is reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_jwt_session::{Environment, JwtSession};

const SECRET: &str = "an unusual secret 7d1f0a7be2c94b6e";

const OUTSIDE: [&str; 4] = ["FILE", "SESSION_STORE", "TOKEN_STORE", "URL"];

fn named(name: &str) -> &str {
    let all = Environment::variables();
    name.parse::<usize>()
        .map_or(name, |number| all[number % all.len()].name)
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, value)| (named(name), value));
    // Files are read, and addresses asked, where the environment says so.
    let pairs = pairs.filter(|(name, _)| !OUTSIDE.iter().any(|word| name.contains(word)));
    // Whoever writes a secret where none belongs is told what stands there.
    let harmless =
        pairs.filter(|(name, value)| ![name, value].iter().any(|text| text.contains(SECRET)));
    let secrets = [
        ("JWT_SECRET", SECRET),
        ("SESSION_ENCRYPTION_KEY", SECRET),
        ("JWT_REFRESH_SECRET", SECRET),
    ];
    let env = Environment::from_pairs(harmless.chain(secrets));
    let told = match JwtSession::builder().with_env(&env).build() {
        Ok(auth) => format!("{auth:?}"),
        Err(mistakes) => format!("{mistakes} {mistakes:?}"),
    };
    assert!(!told.contains(SECRET), "a secret is told");
});
