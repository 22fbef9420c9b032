//! `doctor`, and `doctor restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::folder::Folder;
use crate::redis_server::{self, DURABLE};
use crate::server::{CHROME, IPHONE, PASSWORD, Server};
use crate::{ADA, Done, SECRET, back_up, postgres, run};

/// The checks by name, the worst where there are several.
fn state(report: &Done, name: &str) -> String {
    let report: Value = serde_json::from_str(&report.out).expect("it is JSON");
    let checks = report["checks"].as_array().expect("there are checks");
    let states = checks.iter().filter(|check| check["name"] == name);
    let states = states.filter_map(|check| check["state"].as_str());
    let worst = states.max_by_key(|state| ["ok", "warn", "fail"].iter().position(|s| s == state));
    worst
        .unwrap_or_else(|| panic!("{name} is looked at in {report}"))
        .to_owned()
}

fn examined(variables: &[(&str, &str)]) -> Done {
    run(&["doctor", "--json"], variables)
}

#[test]
fn where_all_is_well_it_says_so_and_makes_nothing() {
    let folder = Folder::new();
    let data = folder.path().display().to_string();
    let report = examined(&[("XDG_DATA_HOME", &data)]).succeeded();
    for name in ["keys", "lifetimes", "tls", "cookies", "store"] {
        assert_eq!(state(&report, name), "ok", "{name}");
    }
    let left = fs::read_dir(folder.path()).expect("it is there").count();
    assert_eq!(left, 0, "looking makes nothing");
    let table = run(&["doctor"], &[("XDG_DATA_HOME", &data)]).succeeded();
    assert!(table.out.contains("keys"), "{table:?}");
    assert!(!table.out.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn what_should_not_stay_so_is_a_warning_and_may_pass() {
    let variables = [
        ("SESSION_STORE", "memory:"),
        ("LISTEN_ADDR", "0.0.0.0:3000"),
        ("CORS_ALLOWED_ORIGINS", "*"),
    ];
    let report = examined(&variables);
    assert_eq!(report.code, 1, "{report:?}");
    for name in ["store", "tls", "origins"] {
        assert_eq!(state(&report, name), "warn", "{name}");
    }
    run(&["doctor", "--warnings-pass"], &variables).succeeded();
}

#[test]
fn every_mistake_of_the_configuration_is_a_failure_with_its_fix() {
    let report = run(
        &["doctor"],
        &[
            ("SESSION_STORE", "memory:"),
            ("JWT_SECRET", "too-short"),
            ("JWT_ACCESS_TOKEN_EXPIRY", "2"),
        ],
    );
    assert_eq!(report.code, 2, "{report:?}");
    assert!(report.out.contains("openssl rand"), "{report:?}");
    assert!(report.out.contains("write 2s"), "{report:?}");
    assert!(!report.out.contains("too-short"), "{report:?}");
}

#[test]
fn files_that_others_may_read_are_found() {
    let folder = Folder::new();
    let (file, secret) = (folder.file("mine.db"), folder.file("mine.secret"));
    let address = format!("sqlite:{}", file.display());
    let server = Server::start_with(&[("SESSION_STORE", &address)]);
    drop(server);
    let report = examined(&[("SESSION_STORE", &address)]);
    assert!(report.out.contains("p99"), "{report:?}");
    for name in ["store", "store permissions", "disk space", "fleet"] {
        assert_eq!(state(&report, name), "ok", "{name}");
    }
    for path in [&file, &secret] {
        let open = fs::Permissions::from_mode(0o644);
        fs::set_permissions(path, open).expect("it is ours");
    }
    let report = examined(&[("SESSION_STORE", &address)]);
    assert_eq!(report.code, 2, "{report:?}");
    assert_eq!(state(&report, "JWT_SECRET_FILE"), "fail");
    assert_eq!(state(&report, "store permissions"), "warn");
    let longer = [
        ("SESSION_STORE", address.as_str()),
        ("JWT_ACCESS_TOKEN_EXPIRY", "3h"),
    ];
    let report = examined(&longer);
    assert_eq!(state(&report, "fleet"), "fail", "{report:?}");
}

#[test]
fn a_redis_that_forgets_is_found_before_a_node_meets_it() {
    let keeps = redis_server::Server::with(&DURABLE);
    let address = keeps.address();
    let variables = [("SESSION_STORE", address.as_str()), ("JWT_SECRET", SECRET)];
    let report = examined(&variables).succeeded();
    for name in ["store", "store eviction", "store persistence", "clock"] {
        assert_eq!(state(&report, name), "ok", "{name}");
    }
    let keys: Vec<String> = keeps.run(&["KEYS", "*"]);
    assert_eq!(keys, [""; 0], "looking makes nothing");
    let _: () = keeps.run(&["CONFIG", "SET", "appendfsync", "everysec"]);
    assert_eq!(state(&examined(&variables), "store persistence"), "warn");
    let _: () = keeps.run(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let report = examined(&variables);
    assert_eq!(report.code, 2, "{report:?}");
    assert_eq!(state(&report, "store eviction"), "fail");
    drop(keeps);
    let report = examined(&variables);
    assert_eq!(report.code, 2, "{report:?}");
    assert_eq!(state(&report, "store"), "fail");
}

#[tokio::test]
async fn a_postgres_is_looked_at_without_making_tables_in_it() {
    let server = postgres::shared();
    let database = server.database().await;
    let address = server.admin(&database);
    let variables = [("SESSION_STORE", address.as_str()), ("JWT_SECRET", SECRET)];
    let report = examined(&variables);
    assert_eq!(state(&report, "store"), "ok", "{report:?}");
    assert_eq!(state(&report, "clock"), "ok");
    assert_eq!(
        state(&report, "store persistence"),
        "warn",
        "fsync is off here"
    );
    let tables = "SELECT 1 FROM pg_tables WHERE tablename LIKE 'jwt%'";
    assert_eq!(server.execute(&database, tables).await.len(), 0);
    let wrong = server.url("postgres", "hunter2hunter2", &database);
    let report = examined(&[("SESSION_STORE", &wrong), ("JWT_SECRET", SECRET)]);
    assert_eq!(report.code, 2, "{report:?}");
    assert_eq!(state(&report, "store"), "fail");
    assert!(!format!("{report:?}").contains("hunter2"), "{report:?}");
}

#[tokio::test]
async fn after_a_backup_was_put_back_nothing_that_was_revoked_lives_again() {
    let folder = Folder::new();
    let (file, backup) = (folder.file("mine.db"), folder.file("backup.db"));
    let address = format!("sqlite:{}", file.display());
    let variables = [("SESSION_STORE", address.as_str())];
    let server = Server::start_with(&variables);
    let mut laptop = server.client(CHROME);
    laptop.register(ADA).await.accepted(201);
    let mut phone = server.client(IPHONE);
    phone.sign_in(ADA, PASSWORD).await.accepted(200);
    assert!(server.terminate().success());
    back_up(&file, &backup).await;

    let server = Server::start_with(&variables);
    phone.moved_to(&server);
    let out = phone.post("/api/auth/logout", serde_json::json!({})).await;
    out.accepted(204);
    assert!(server.terminate().success());
    for name in ["mine.db", "mine.db-wal", "mine.db-shm"] {
        let _ = fs::remove_file(folder.file(name));
    }
    fs::copy(&backup, &file).expect("it is put back");

    let looked = run(&["doctor", "restore", "--dry-run"], &variables).succeeded();
    assert!(
        looked.out.contains("2 sessions would be ended"),
        "{looked:?}"
    );
    let unasked = run(&["doctor", "restore"], &variables);
    assert_ne!(unasked.code, 0, "{unasked:?}");
    let done = run(&["doctor", "restore", "--yes"], &variables).succeeded();
    assert!(done.out.contains("2 sessions ended"), "{done:?}");

    let server = Server::start_with(&variables);
    for mut device in [phone, laptop] {
        device.moved_to(&server);
        device.get("/api/me").await.refused(401, "token_revoked");
        device.refresh().await.refused(401, "invalid_token");
    }
    let mut tablet = server.client(CHROME);
    tablet.sign_in(ADA, PASSWORD).await.accepted(200);
    tablet.get("/api/me").await.accepted(200);
}

#[tokio::test]
async fn liveness_touches_nothing_and_readiness_says_what_is_left() {
    let mut redis = redis_server::Server::with(&DURABLE);
    let address = redis.address();
    let server = Server::start_with(&[
        ("SESSION_STORE", address.as_str()),
        ("JWT_SECRET", SECRET),
        ("REVOCATION_MAX_STALENESS", "3s"),
    ]);
    let listens = server.address().trim_start_matches("http://").to_owned();
    let variables = [("LISTEN_ADDR", listens.as_str())];
    postgres::eventually("it is ready", async || {
        let ready = run(&["health"], &variables);
        ready.code == 0 && ready.out.contains("\"status\":\"ready\"")
    })
    .await;
    redis.kill();
    let client = server.client(CHROME);
    postgres::eventually("it is not ready", async || {
        client.get("/api/token/health").await.status == 503
    })
    .await;
    let down = run(&["health"], &variables);
    assert_eq!(down.code, 1, "{down:?}");
    assert!(down.out.contains("\"status\":\"down\""), "{down:?}");
    client.get("/livez").await.accepted(200);
    redis.start();
    postgres::eventually("it is ready again", async || {
        run(&["health"], &variables).code == 0
    })
    .await;
    drop(server);
    assert_ne!(run(&["health"], &variables).code, 0);
}
