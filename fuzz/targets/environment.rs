//! Any environment: a configuration or mistakes with their fixes, and no secret in either.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_jwt_session::{Environment, JwtSession};

const SECRET: &str = "an unusual secret 7d1f0a7be2c94b6e";

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    // Files are read, and addresses asked, where the environment says so.
    let harmless = pairs.filter(|(name, _)| !name.contains("FILE") && !name.contains("STORE"));
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
