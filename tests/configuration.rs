//! Every variable of the environment: what holds without it, what it takes, and what is said of
//! what it does not take.

use std::collections::BTreeSet;
use std::path::Path;

use tower_jwt_session::{Environment, JwtSession, NoClaims};

const SECRET: &str = "8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e";
const OTHER: &str = "1b3a5c7d9e8e6f1a3c5d7b9f0e2a4c6d8e0f";

type Auth = JwtSession<NoClaims>;

fn build(pairs: &[(&str, &str)]) -> Result<Auth, String> {
    let base = [("JWT_SECRET", SECRET)];
    let set = |name: &str| pairs.iter().any(|(other, _)| *other == name);
    // Where a row brings its own secret by another name, that one is it.
    let own = set("JWT_SECRET_KEY") || set("JWT_SECRET_FILE") || set("JWT_PRIVATE_KEY_FILE");
    let base = base.iter().filter(|_| !own);
    let env = Environment::from_pairs(base.chain(pairs).copied());
    let built = JwtSession::builder().with_env(&env).build();
    built.map_err(|error| error.to_string())
}

fn file(name: &str, text: &str) -> String {
    let path = std::env::temp_dir().join(format!("configuration-{}-{name}", std::process::id()));
    std::fs::write(&path, text).expect("a temporary file can be written");
    path.display().to_string()
}

fn geoip() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/geoip/places.mmdb");
    path.display().to_string()
}

/// A variable, a value that it takes and what comes of it, and values that it does not take with
/// what is said of each.
struct Row {
    name: &'static str,
    good: &'static [&'static str],
    bad: &'static [(&'static str, &'static str)],
}

const NO_UNIT: &str = "has no unit";
const ROWS: &[Row] = &[
    Row {
        name: "SESSION_STORE",
        good: &[
            "memory:",
            "sqlite:/tmp/never-opened.db",
            "postgres://ada:secret@db.example/app",
            "redis://:secret@cache.example:6379/0",
            "rediss://cache.example",
            "redis+sentinel://one.example:26379,two.example:26379/main",
        ],
        bad: &[
            ("mongodb://u:pw@h", "memory:"),
            ("sqlite:", "names no file"),
            ("postgres:secret", "write it as postgres://"),
            ("redis://u:secret@h:port", "write it as redis://"),
        ],
    },
    Row {
        name: "DATABASE_URL",
        good: &[
            "sqlite:///./sessions.db",
            "postgres://ada:secret@db.example/app",
            "postgresql://db.example/app",
        ],
        bad: &[("sqlite:", "DATABASE_URL"), ("postgres:x", "DATABASE_URL")],
    },
    Row {
        name: "SESSION_ENCRYPTION_KEY",
        good: &[OTHER],
        bad: &[("short", "SESSION_ENCRYPTION_KEY")],
    },
    Row {
        name: "SESSION_ENCRYPTION_KEY_FILE",
        good: &[],
        bad: &[("/nowhere/at/all", "cannot be read")],
    },
    Row {
        name: "SESSION_ENCRYPTION_KEY_PREVIOUS",
        good: &[],
        bad: &[(OTHER, "without SESSION_ENCRYPTION_KEY")],
    },
    Row {
        name: "SESSION_ENCRYPTION_KEY_PREVIOUS_FILE",
        good: &[],
        bad: &[("/nowhere/at/all", "cannot be read")],
    },
    Row {
        name: "SESSION_COOKIES",
        good: &["auto", "off"],
        bad: &[("on", "auto or off")],
    },
    Row {
        name: "SESSION_COOKIE_SECURE",
        good: &["true", "1"],
        bad: &[("maybe", "true or false"), ("false", "LISTEN_ADDR")],
    },
    Row {
        name: "SESSION_COOKIE_HTTP_ONLY",
        good: &["true", "1"],
        bad: &[("yes", "true or false"), ("false", "LISTEN_ADDR")],
    },
    Row {
        name: "SESSION_COOKIE_SAME_SITE",
        good: &["strict", "Lax"],
        bad: &[("always", "strict, lax or none"), ("none", "LISTEN_ADDR")],
    },
    Row {
        name: "JWT_SECRET",
        good: &[OTHER],
        bad: &[
            ("short", "32"),
            ("your-super-secret-jwt-key-here", "openssl rand"),
        ],
    },
    Row {
        name: "JWT_SECRET_KEY",
        good: &[OTHER],
        bad: &[("changeme", "openssl rand")],
    },
    Row {
        name: "JWT_SECRET_FILE",
        good: &[],
        bad: &[("/nowhere/at/all", "cannot be read")],
    },
    Row {
        name: "JWT_SECRET_PREVIOUS",
        good: &[OTHER],
        bad: &[("short", "32")],
    },
    Row {
        name: "JWT_SECRET_PREVIOUS_FILE",
        good: &[],
        bad: &[("/nowhere/at/all", "cannot be read")],
    },
    Row {
        name: "JWT_REFRESH_SECRET",
        good: &[OTHER],
        bad: &[("short", "JWT_REFRESH_SECRET")],
    },
    Row {
        name: "JWT_REFRESH_SECRET_FILE",
        good: &[],
        bad: &[("/nowhere/at/all", "cannot be read")],
    },
    Row {
        name: "JWT_REFRESH_SECRET_PREVIOUS",
        good: &[],
        bad: &[("short", "JWT_REFRESH_SECRET")],
    },
    Row {
        name: "JWT_REFRESH_SECRET_PREVIOUS_FILE",
        good: &[],
        bad: &[("/nowhere/at/all", "cannot be read")],
    },
    Row {
        name: "JWT_PRIVATE_KEY_FILE",
        good: &[],
        bad: &[("/nowhere/at/all", "cannot be read")],
    },
    Row {
        name: "JWT_ALGORITHM",
        good: &["HS256"],
        bad: &[("none", "use HS256"), ("hs256", "use HS256")],
    },
    Row {
        name: "JWT_JWKS_FILE",
        good: &[],
        bad: &[("/nowhere/at/all", "cannot be read")],
    },
    Row {
        name: "JWT_ISSUER",
        good: &["https://auth.example.com"],
        bad: &[],
    },
    Row {
        name: "JWT_AUDIENCE",
        good: &["https://api.example.com"],
        bad: &[],
    },
    Row {
        name: "JWT_LEEWAY",
        good: &["0s", "5s", "1m"],
        bad: &[("5", NO_UNIT), ("soon", "write one as")],
    },
    Row {
        name: "JWT_ACCESS_TOKEN_EXPIRY",
        good: &["15m", "2h"],
        bad: &[
            ("7200", "write 7200s, 7200m, 7200h or 7200d"),
            ("2 fortnights", "write one as"),
        ],
    },
    Row {
        name: "JWT_REFRESH_TOKEN_EXPIRY",
        good: &["7d", "30d"],
        bad: &[("30", NO_UNIT), ("1h", "1h")],
    },
    Row {
        name: "JWT_SESSION_EXPIRY",
        good: &["30d", "90d"],
        bad: &[
            ("90", NO_UNIT),
            ("1d", "shorter than JWT_REFRESH_TOKEN_EXPIRY"),
        ],
    },
    Row {
        name: "JWT_SESSION_IDLE_EXPIRY",
        good: &["30d"],
        bad: &[("30", NO_UNIT)],
    },
    Row {
        name: "JWT_MAX_CONCURRENT_SESSIONS",
        good: &["0", "1", "100"],
        bad: &[("many", "whole number"), ("-1", "whole number")],
    },
    Row {
        name: "JWT_SESSION_LIMIT_POLICY",
        good: &["evict", "reject"],
        bad: &[("Evict", "evict or reject")],
    },
    Row {
        name: "JWT_AUTO_REFRESH_THRESHOLD",
        good: &["15m", "1h"],
        bad: &[("15", NO_UNIT), ("2h", "half")],
    },
    Row {
        name: "JWT_ROTATION_GRACE",
        good: &["0s", "30s"],
        bad: &[("30", NO_UNIT), ("1h", "quarter")],
    },
    Row {
        name: "JWT_ROTATION_ENDS_PREDECESSOR",
        good: &["true", "false", "1"],
        bad: &[("yes", "true or false")],
    },
    Row {
        name: "REQUEST_BODY_TIMEOUT",
        good: &["3s", "2m"],
        bad: &[("10", "write 10s"), ("0s", "no body could be read")],
    },
    Row {
        name: "RATE_LIMIT_WINDOW_MS",
        good: &["1000", "900000"],
        bad: &[
            ("15m", "milliseconds"),
            ("-1", "milliseconds"),
            ("99999999999", "at most a day"),
        ],
    },
    Row {
        name: "RATE_LIMIT_MAX_REQUESTS",
        good: &["0", "100"],
        bad: &[("lots", "whole number"), ("1.5", "whole number")],
    },
    Row {
        name: "JWT_BAD_TOKEN_SHARE",
        good: &["1%", "10%", "99%", "off"],
        bad: &[
            ("10", "1% to 99%"),
            ("0%", "1% to 99%"),
            ("100%", "or off"),
            ("a tenth", "1% to 99%"),
        ],
    },
    Row {
        name: "REVOCATION_CONFIRM",
        good: &["never", "first-sight", "always"],
        bad: &[("sometimes", "never, first-sight or always")],
    },
    Row {
        name: "REVOCATION_MAX_STALENESS",
        good: &["10s", "30s"],
        bad: &[("30", NO_UNIT)],
    },
    Row {
        name: "STORE_TIMEOUT",
        good: &["100ms", "1s"],
        bad: &[("250", NO_UNIT)],
    },
    Row {
        name: "STORE_OUTAGE_POLICY",
        good: &["closed", "accept-verified-until-expiry"],
        bad: &[("open", "closed or accept")],
    },
    Row {
        name: "TRUSTED_PROXIES",
        good: &["10.0.0.0/8, fd00::/8", "loopback,unix"],
        bad: &[
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("proxy", "write addresses"),
            ("0.0.0.0/0", "everybody"),
        ],
    },
    Row {
        name: "SESSION_ADDRESSES",
        good: &["full", "shortened"],
        bad: &[("none", "full or shortened")],
    },
    Row {
        name: "SESSION_AUDIT",
        good: &["on", "all", "off"],
        bad: &[("yes", "on, all or off")],
    },
    Row {
        name: "SESSION_AUDIT_RETENTION",
        good: &["30d", "1y"],
        bad: &[("90", NO_UNIT), ("1s", "below a minute")],
    },
    Row {
        name: "SESSION_AUDIT_MAX_ENTRIES",
        good: &["1000", "10000000"],
        bad: &[("lots", "whole number"), ("0", "no entry")],
    },
    Row {
        name: "SESSION_RISK",
        good: &["flag", "off"],
        bad: &[("end", "flag or off")],
    },
    Row {
        name: "SESSION_DEVICE_COOKIE",
        good: &["auto", "always", "off"],
        bad: &[("on", "auto, always or off")],
    },
    Row {
        name: "GEOIP_DATABASE_FILE",
        good: &[],
        bad: &[
            ("/nowhere/at/all.mmdb", "cannot be read"),
            ("Cargo.toml", "damaged"),
        ],
    },
    Row {
        name: "CORS_ALLOWED_ORIGINS",
        good: &["*", "https://a.example, http://localhost:5173"],
        bad: &[
            ("a.example", "https://app.example.com"),
            ("*, https://a.example", "beside other origins"),
        ],
    },
    Row {
        name: "INTROSPECTION_CLIENT_ID",
        good: &[],
        bad: &[("gateway", "INTROSPECTION_CLIENT_SECRET")],
    },
    Row {
        name: "INTROSPECTION_CLIENT_SECRET",
        good: &[],
        bad: &[("short", "INTROSPECTION_CLIENT_ID")],
    },
];

#[test]
fn every_variable_takes_what_it_should_and_says_what_is_wrong_with_the_rest() {
    for row in ROWS {
        for good in row.good {
            let built = build(&[(row.name, good)]);
            assert!(built.is_ok(), "{}={good}: {}", row.name, built.unwrap_err());
        }
        for (bad, said) in row.bad {
            let error = build(&[(row.name, bad)]).expect_err(row.name);
            assert!(error.contains(said), "{}={bad}: {error}", row.name);
            assert!(
                error.contains(": "),
                "{}={bad} has a fix: {error}",
                row.name
            );
        }
        // An empty value is none: what holds then is the default.
        assert!(build(&[(row.name, "  ")]).is_ok(), "{} is empty", row.name);
    }
}

#[test]
fn every_variable_has_a_row_and_every_row_is_a_variable() {
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.name).collect();
    let known: BTreeSet<_> = Environment::variables()
        .iter()
        .map(|one| one.name)
        .collect();
    let missing: Vec<_> = known.difference(&rows).collect();
    assert!(missing.is_empty(), "without a row here: {missing:?}");
    let unknown: Vec<_> = rows.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "not among Environment::variables(): {unknown:?}"
    );
}

#[test]
fn variables_that_name_files_take_files() {
    let secret = file("secret", OTHER);
    assert!(build(&[("JWT_SECRET_FILE", &secret)]).is_ok());
    assert!(build(&[("GEOIP_DATABASE_FILE", &geoip())]).is_ok());
    let set = file("jwks", r#"{"keys":[]}"#);
    let _ = build(&[("JWT_JWKS_FILE", &set)]);
    let client = [
        ("INTROSPECTION_CLIENT_ID", "gateway"),
        ("INTROSPECTION_CLIENT_SECRET", OTHER),
    ];
    assert!(build(&client).is_ok());
    let both = [
        ("JWT_REFRESH_SECRET", SECRET),
        ("JWT_REFRESH_SECRET_PREVIOUS", OTHER),
    ];
    assert!(build(&both).is_ok());
    let both = [
        ("SESSION_ENCRYPTION_KEY", SECRET),
        ("SESSION_ENCRYPTION_KEY_PREVIOUS", OTHER),
    ];
    assert!(build(&both).is_ok());
    let insecure = [
        ("SESSION_COOKIE_SECURE", "false"),
        ("LISTEN_ADDR", "127.0.0.1:3000"),
    ];
    assert!(build(&insecure).is_ok());
    for path in [secret, set] {
        std::fs::remove_file(path).expect("it was written above");
    }
}

#[test]
fn what_is_set_is_what_holds_and_what_is_not_has_the_documented_default() {
    let secs = |secs| std::time::Duration::from_secs(secs);
    let auth = build(&[]).unwrap();
    assert_eq!(auth.lifetimes().access(), secs(7_200));
    assert_eq!(auth.lifetimes().refresh(), secs(30 * 86_400));
    assert_eq!(auth.lifetimes().session(), secs(90 * 86_400));
    assert_eq!(auth.lifetimes().idle(), None);
    assert_eq!(auth.rotation().grace(), secs(30));
    assert_eq!(auth.rotation().suggestion(), secs(900));
    assert!(!auth.rotation().revokes_predecessors());
    assert_eq!(auth.body_timeout(), secs(10));
    assert_eq!(auth.limit().max(), Some(10));
    let policy = format!("{:?}", auth.policy());
    assert!(policy.contains("\"tower-jwt-session\""), "{policy}");
    assert!(policy.contains("leeway: 5s"), "{policy}");
    assert!(auth.trusted_proxies().is_empty());
    assert!(auth.rate_limiter().is_on());
    assert_eq!(auth.store_name(), "memory");

    let auth = build(&[
        ("JWT_ACCESS_TOKEN_EXPIRY", "10m"),
        ("JWT_MAX_CONCURRENT_SESSIONS", "0"),
        ("RATE_LIMIT_MAX_REQUESTS", "0"),
        ("JWT_ROTATION_ENDS_PREDECESSOR", "true"),
        ("REQUEST_BODY_TIMEOUT", "3s"),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("JWT_ISSUER", "https://auth.example.com"),
        ("SESSION_STORE", "sqlite:/tmp/never-opened.db"),
        ("DATABASE_URL", "sqlite:"),
    ])
    .unwrap();
    assert_eq!(auth.lifetimes().access(), secs(600));
    assert_eq!(auth.limit().max(), None);
    assert!(auth.rotation().revokes_predecessors());
    assert_eq!(auth.body_timeout(), secs(3));
    assert!(!auth.rate_limiter().is_on());
    assert!(!auth.trusted_proxies().is_empty());
    let policy = format!("{:?}", auth.policy());
    let named = policy.matches("\"https://auth.example.com\"").count();
    assert_eq!(named, 2, "issuer and audience: {policy}");
    assert_eq!(auth.store_name(), "sqlite");
}

/// What is not looked at, or is told of under another name, where the others are set as well.
const STAND_INS: [&str; 7] = [
    "DATABASE_URL",
    "SESSION_ENCRYPTION_KEY_PREVIOUS",
    "JWT_SECRET_KEY",
    "JWT_REFRESH_SECRET_PREVIOUS",
    "JWT_AUTO_REFRESH_THRESHOLD",
    "INTROSPECTION_CLIENT_ID",
    "INTROSPECTION_CLIENT_SECRET",
];

#[test]
fn all_mistakes_are_told_at_once() {
    let bad: Vec<_> = ROWS
        .iter()
        .filter(|row| !STAND_INS.contains(&row.name))
        .filter_map(|row| row.bad.first().map(|(value, _)| (row.name, *value)))
        .collect();
    let error = build(&bad).unwrap_err();
    for (name, _) in &bad {
        assert!(error.contains(&format!("  {name}")), "{name}: {error}");
    }
}

#[test]
fn what_is_printed_holds_no_secret() {
    let pairs = [
        ("JWT_SECRET", SECRET),
        ("JWT_REFRESH_SECRET", OTHER),
        ("INTROSPECTION_CLIENT_ID", "gateway"),
        (
            "INTROSPECTION_CLIENT_SECRET",
            "5c7d9e8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a",
        ),
        ("SESSION_STORE", "memory:"),
        ("DATABASE_URL", "postgres://u:hunter2hunter2@h/db"),
    ];
    let env = Environment::from_pairs(pairs);
    let builder = JwtSession::builder().with_env(&env);
    let mut printed = format!("{env:?} {builder:?}");
    let auth = builder.build().unwrap();
    printed.push_str(&format!("{auth:?} {:?}", auth.introspection_client()));
    let leaked = format!("mongodb://u:{OTHER}@h");
    let refused = build(&[
        ("SESSION_STORE", &leaked),
        ("JWT_SECRET", "too-short-a-secret"),
    ]);
    printed.push_str(&refused.unwrap_err());
    for secret in [SECRET, OTHER, "5c7d9e8e", "hunter2", "too-short-a-secret"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[test]
fn the_documented_table_is_the_list_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let documented = std::fs::read_to_string(path).expect("the document is there");
    let mut table = String::from("| variable | default | meaning |\n|---|---|---|\n");
    for one in Environment::variables() {
        let default = match one.default {
            "" => String::new(),
            default => format!(" {default}"),
        };
        table.push_str(&format!(
            "| `{}` |{default} | {} |\n",
            one.name, one.meaning
        ));
    }
    assert!(
        documented.contains(&table),
        "docs/configuration.md should hold this table:\n{table}"
    );
}
