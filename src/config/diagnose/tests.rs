use std::sync::Arc;

use super::*;
use crate::clock::UnixTime;
use crate::diagnosis::CheckState;
use crate::revocation::FleetLimits;
use crate::stores::MemoryStore;
use crate::testing::ManualClock;

const SECRET: &[u8] = b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e";

fn auth(pairs: &[(&str, &str)]) -> JwtSession {
    let env = Environment::from_pairs(pairs.iter().copied());
    let builder = JwtSession::builder().hmac_secret(SECRET).with_env(&env);
    builder.build().expect("it is complete")
}

fn state(diagnosis: &Diagnosis, name: &str) -> CheckState {
    let mut checks = diagnosis.checks().iter();
    let found = checks.find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("{name} is looked at")).state
}

#[test]
fn each_area_is_told_of_whether_or_not_something_is_wrong() {
    let plain = auth(&[]);
    let diagnosis = plain.configuration(&Checklist::of(&plain));
    for name in [KEYS, LIFETIMES, TLS, COOKIES, ORIGINS, LIMIT, REVOCATION] {
        assert_eq!(state(&diagnosis, name), CheckState::Ok, "{name}");
    }
    assert_eq!(state(&diagnosis, "store"), CheckState::Warn);
    let loose = auth(&[
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("JWT_ACCESS_TOKEN_EXPIRY", "30h"),
        ("RATE_LIMIT_MAX_REQUESTS", "0"),
        ("REVOCATION_CONFIRM", "never"),
    ]);
    let address = "0.0.0.0:80".parse().expect("it is an address");
    let diagnosis = loose.configuration(&Checklist::of(&loose).listening_on(address));
    for name in [LIFETIMES, TLS, ORIGINS, LIMIT, REVOCATION] {
        assert_eq!(state(&diagnosis, name), CheckState::Warn, "{name}");
    }
}

#[test]
fn a_node_that_the_fleet_would_refuse_is_found() {
    let auth = auth(&[("JWT_ACCESS_TOKEN_EXPIRY", "3h")]);
    let limits = |hours: u64| FleetLimits {
        access_lifetime: Duration::from_secs(hours * 3_600 + 2),
        leeway: Duration::from_secs(5),
        skew: Duration::from_secs(5),
    };
    for (hours, expected) in [(2, CheckState::Fail), (3, CheckState::Ok)] {
        let report = StoreReport {
            limits: Some(limits(hours)),
            ..StoreReport::default()
        };
        let check = auth.membership(&report).expect("there is a fleet");
        assert_eq!(check.state, expected, "{}", check.seen);
    }
}

#[test]
fn clocks_that_are_apart_are_found() {
    let auth = auth(&[]);
    for (said, expected) in [
        (1_000, CheckState::Ok),
        (1_003, CheckState::Warn),
        (998, CheckState::Warn),
        (1_020, CheckState::Fail),
        (900, CheckState::Fail),
    ] {
        let reading = ClockReading {
            asked: UnixTime::from_secs(1_000),
            said: UnixTime::from_secs(said),
            answered: UnixTime::from_secs(1_000),
        };
        assert_eq!(auth.clocks(reading).state, expected, "{said}");
    }
}

#[tokio::test]
async fn looking_changes_nothing_and_shows_no_secret() {
    let clock: Arc<dyn crate::Clock> = Arc::new(ManualClock::new());
    let store = MemoryStore::with_clock(clock.clone());
    let builder = JwtSession::builder().hmac_secret(SECRET).clock(clock);
    let auth = builder.store(store.clone()).build().expect("complete");
    let diagnosis = auth.diagnose(&Checklist::of(&auth)).await;
    let shown = format!("{diagnosis:?}");
    assert!(!shown.contains("8e6f1a3c"), "{shown}");
    let report = store.upkeep().expect("it has").inspect().await;
    assert_eq!(report.limits, None, "nobody joined");
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_found() {
    use std::os::unix::fs::PermissionsExt;
    let name = format!("diagnose-{}", crate::SessionId::random());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, "x").expect("it can be written");
    let env = Environment::from_pairs([("JWT_SECRET_FILE", path.display().to_string())]);
    for (mode, expected) in [
        (0o600, CheckState::Ok),
        (0o640, CheckState::Warn),
        (0o644, CheckState::Fail),
    ] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&path, permissions).expect("it is ours");
        assert_eq!(env.check_files()[0].state, expected, "{mode:o}");
    }
    std::fs::remove_file(&path).expect("it is ours");
}
