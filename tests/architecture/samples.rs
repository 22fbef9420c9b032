//! The checker itself, on samples that break each rule and on some that must not.

use crate::rules;
use crate::source::{Named, Source};

/// The lines of a file that break a rule whose reason contains `why`; panics on other offences.
#[track_caller]
fn offending(path: &str, text: &str, why: &str) -> Vec<usize> {
    let offences = rules::check(&Source::parse(path, text));
    for offence in &offences {
        assert!(offence.why.contains(why), "another offence: {offence:?}");
    }
    offences.iter().map(|offence| offence.line).collect()
}

#[track_caller]
fn clean(path: &str, text: &str) {
    let offences = rules::check(&Source::parse(path, text));
    assert!(offences.is_empty(), "{offences:?}");
}

fn paths(path: &str, text: &str) -> Vec<String> {
    let named = Source::parse(path, text).named();
    let join = |Named { line, segments }| format!("{line}:{}", segments.join("::"));
    named.into_iter().map(join).collect()
}

#[test]
fn a_stage_uses_earlier_stages_only() {
    let text =
        "use crate::token::UserId;\nuse crate::{clock::UnixTime, revocation::ActiveToken};\n";
    assert_eq!(offending("src/verify/mod.rs", text, "later stage"), [2]);
    clean("src/revocation/mod.rs", text);
    let inline = "fn f() {\n    crate::session::Session::id();\n}\n";
    assert_eq!(
        offending("src/revocation/view.rs", inline, "later stage"),
        [2]
    );
}

#[test]
fn a_later_stage_is_found_through_super_too() {
    let text = "use super::super::session::Session;\n";
    assert_eq!(offending("src/verify/keys.rs", text, "later stage"), [1]);
    clean("src/verify/keys.rs", "use super::policy::TokenPolicy;\n");
}

#[test]
fn a_stage_knows_nothing_of_what_is_put_together_from_it() {
    let why = "put together elsewhere";
    for room in ["middleware", "stores", "jwt_session", "endpoints"] {
        let text = format!("use crate::{room}::Thing;\n");
        assert_eq!(offending("src/verify/mod.rs", &text, why), [1]);
    }
    let core = "use crate::jwt_session::Core;\n";
    clean("src/session/manage/mod.rs", core);
    assert_eq!(offending("src/session/record.rs", core, why), [1]);
    clean("src/session/mod.rs", "use crate::rejection::Rejection;\n");
}

#[test]
fn http_and_tower_stay_at_the_edge() {
    for krate in ["http", "http_body_util", "tower", "tower_service"] {
        let text = format!("\nfn f() -> {krate}::Thing {{}}\n");
        assert_eq!(offending("src/session/mod.rs", &text, "the edge"), [2]);
        assert_eq!(offending("src/jwt_session.rs", &text, "the edge"), [2]);
        clean("src/middleware/service.rs", &text);
        clean("src/token/source.rs", &text);
    }
    clean("src/verify/mod.rs", "use tower_jwt_session::Session;\n");
}

#[test]
fn frameworks_stay_in_integrations() {
    for krate in ["axum", "axum_core", "hyper", "hyper_util", "tonic", "warp"] {
        let text = format!("use {krate}::Thing;\n");
        assert_eq!(offending("src/endpoints/mod.rs", &text, "frameworks"), [1]);
        clean("src/integrations/leaf.rs", &text);
    }
}

#[test]
fn drivers_stay_in_stores() {
    let text = "use sqlx::Pool;\n";
    assert_eq!(offending("src/session/store.rs", text, "drivers"), [1]);
    clean("src/stores/sql/mod.rs", text);
}

#[test]
fn stores_never_use_each_other() {
    let text = "use crate::stores::redis::Keys;\n";
    assert_eq!(offending("src/stores/memory/mod.rs", text, "store"), [1]);
    assert_eq!(
        offending("src/stores/redis.rs", "use super::MemoryStore;\n", "store"),
        [1]
    );
    let sibling = "use super::postgres::Rows;\n";
    assert_eq!(offending("src/stores/sql/sqlite.rs", sibling, "store"), [1]);
    clean("src/stores/sql/sqlite.rs", "use super::schema::TABLE;\n");
    clean(
        "src/stores/redis/mod.rs",
        "use crate::stores::codec::encode;\n",
    );
    clean(
        "src/stores/memory/user.rs",
        "use crate::stores::memory::Shelf;\n",
    );
    clean("src/stores/mod.rs", "pub use memory::MemoryStore;\n");
}

#[test]
fn nothing_hangs_on_an_integration() {
    let text = "use crate::integrations::axum_web::Router;\n";
    assert_eq!(offending("src/endpoints/mod.rs", text, "leaves"), [1]);
    clean("src/lib.rs", &format!("#![forbid(unsafe_code)]\n{text}"));
}

#[test]
fn the_clock_is_read_in_one_place() {
    for read in [
        "std::time::SystemTime::now()",
        "Instant::now()",
        "rustix::time::clock_gettime(id)",
    ] {
        let text = format!("fn f() {{\n    let now = {read};\n}}\n");
        assert_eq!(offending("src/events/mod.rs", &text, "clock.rs alone"), [2]);
        clean("src/clock.rs", &text);
    }
    clean("src/events/mod.rs", "fn f(c: &dyn Clock) { c.now(); }\n");
    let timer = "use tokio::time::{Instant, sleep};\nfn f() { Instant::now(); }\n";
    clean("src/revocation/mod.rs", timer);
    let clock = "use tokio::time::sleep;\nfn f() { Instant::now(); }\n";
    assert_eq!(offending("src/revocation/mod.rs", clock, "clock.rs"), [2]);
}

#[test]
fn one_room_knows_the_library_of_cryptography() {
    for library in ["aws_lc_rs", "ring"] {
        for text in [
            format!("use {library}::digest;\n"),
            format!("fn f() {{ {library}::digest::digest(); }}\n"),
            format!("use ::{library}::{{digest, hmac as mac}};\n"),
        ] {
            let offences = offending("src/session/mark.rs", &text, "crypto/ alone");
            assert!(!offences.is_empty() && offences.iter().all(|line| *line == 1));
            clean("src/crypto/backend.rs", &text);
            clean("src/stores/sealed/keys.rs", &text);
        }
    }
    clean("src/session/mark.rs", "use crate::crypto::digest;\n");
    clean("src/verify/keys/mod.rs", "pub use self::ring::KeyRing;\n");
}

#[test]
fn a_feature_stands_on_names_only() {
    let why = "adds names";
    let gate = "#[cfg(feature = \"axum\")]\n";
    for item in [
        "mod leaf;",
        "pub mod leaf;",
        "pub use leaf::Leaf;",
        "pub(crate) mod leaf;",
    ] {
        clean(
            "src/integrations/mod.rs",
            &format!("{gate}#[allow(x)]\n{item}\n"),
        );
    }
    for item in [
        "fn f() {}",
        "use leaf::Leaf;",
        "impl X for Y {}",
        "field: u8,",
        "pub fn f() {}",
    ] {
        let text = format!("\n{gate}{item}\n");
        assert_eq!(offending("src/session/mod.rs", &text, why), [2], "{item}");
    }
    let all = "#[cfg(all(\n    feature = \"a\",\n    unix,\n))]\nfn f() {}\n";
    assert_eq!(offending("src/session/mod.rs", all, why), [1]);
    let inside = "fn f() -> bool {\n    cfg!(feature = \"axum\")\n}\n";
    assert_eq!(offending("src/session/mod.rs", inside, why), [2]);
    clean("src/telemetry.rs", inside);
    clean("src/clock.rs", "#[cfg(target_os = \"linux\")]\nfn f() {}\n");
}

#[test]
fn a_file_is_short_without_its_tests() {
    let code = "const A: u8 = 0;\n".repeat(400);
    clean("src/session/mod.rs", &code);
    let longer = format!("{code}\n");
    assert_eq!(offending("src/session/mod.rs", &longer, "401 lines"), [401]);
    let body = "    // padding\n".repeat(300);
    let tested = format!("{code}#[cfg(test)]\nmod tests {{\n{body}}}\n");
    clean("src/session/mod.rs", &tested);
    clean("src/session/tests.rs", &code.repeat(3));
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let text = "/// `x.unwrap()`\nfn f() {\n    g().unwrap();\n}\n";
    assert_eq!(offending("src/session/mod.rs", text, "unwrap"), [3]);
    clean("src/session/tests.rs", text);
    clean("src/testing/conformance.rs", text);
    let tests = "#[cfg(test)]\nmod tests {\n    fn f() {\n        g().unwrap();\n    }\n}\n";
    clean("src/session/mod.rs", tests);
    let after = format!("{tests}fn f() {{ g().unwrap(); }}\n");
    assert_eq!(offending("src/session/mod.rs", &after, "unwrap"), [7]);
}

#[test]
fn the_front_door_forbids_unsafe_code() {
    assert_eq!(offending("src/lib.rs", "mod clock;\n", "forbid"), [1]);
    assert_eq!(
        offending("src/lib.rs", "// #![forbid(unsafe_code)]\n", "forbid"),
        [1]
    );
    clean("src/lib.rs", "#![forbid(unsafe_code)]\n");
}

#[test]
fn comments_and_texts_are_not_code() {
    let text = "// use axum::Router;\n/* use warp::X; /* SystemTime::now() */ */\n\
                /// axum::Router\nconst A: &str = \"axum::Router\";\n\
                const B: &str = r#\"\"axum::Router\"#;\nconst C: char = '\"';\nuse hyper::X;\n";
    assert_eq!(offending("src/session/mod.rs", text, "frameworks"), [7]);
}

#[test]
fn nested_use_trees_are_read_to_the_last_name() {
    let text = "pub(crate) use crate::{\n    a::{B, c::*},\n    d as e,\n};\nuse self::f::G;\n";
    assert_eq!(
        paths("src/room/mod.rs", text),
        [
            "2:crate::a::B",
            "2:crate::a::c::*",
            "3:crate::d",
            "5:crate::room::f::G"
        ]
    );
    let precise = "fn f() -> impl Sized + use<'a, C> {}\nuse http::Uri;\n";
    assert_eq!(paths("src/a.rs", precise), ["2:http::Uri"]);
}
