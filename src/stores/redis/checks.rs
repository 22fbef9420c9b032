//! What a server must be to keep sessions.

use redis::aio::ConnectionLike;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{RedisResult, Value};

use super::error::{garbled, not_opened, told};
use crate::error::{StoreError, StoreErrorKind};

/// Refuses a server that would forget, or that is not the one to write to; answers what it does
/// not promise.
pub(super) async fn check(
    connection: &mut (impl ConnectionLike + Send),
) -> Result<Vec<&'static str>, StoreError> {
    let (info, fsync) = said(connection).await?;
    judge(&info, "standalone")?;
    Ok(weaknesses(&info, fsync.as_deref()))
}

/// What a server says of itself, and how often it writes its file.
pub(super) async fn said(
    connection: &mut (impl ConnectionLike + Send),
) -> Result<Said, StoreError> {
    let info: String = redis::cmd("INFO")
        .query_async(connection)
        .await
        .map_err(not_opened)?;
    // Who may not ask is not told.
    let fsync: Option<Vec<String>> = redis::cmd("CONFIG")
        .arg("GET")
        .arg("appendfsync")
        .query_async(connection)
        .await
        .ok();
    Ok((info, fsync))
}

/// The same of every master of a cluster.
pub(super) async fn check_all(
    wire: &mut ClusterConnection,
) -> Result<Vec<&'static str>, StoreError> {
    let mut found = Vec::new();
    for (info, fsync) in said_by_all(wire).await? {
        judge(&info, "cluster")?;
        found.extend(weaknesses(&info, fsync.as_deref()));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What every master says of itself, and how often it writes its file.
pub(super) async fn said_by_all(wire: &mut ClusterConnection) -> Result<Vec<Said>, StoreError> {
    let ask = |command: &[&str]| {
        let mut call = redis::cmd(command[0]);
        call.arg(&command[1..]);
        let mut wire = wire.clone();
        let masters = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        async move { wire.route_command(call, masters).await }
    };
    let infos = each(ask(&["INFO"]).await.map_err(not_opened)?).map_err(not_opened)?;
    let fsyncs = ask(&["CONFIG", "GET", "appendfsync"]).await;
    let fsyncs = fsyncs.and_then(each).unwrap_or_default();
    let mut said = Vec::new();
    for (at, info) in infos.into_iter().enumerate() {
        let info: String = redis::from_redis_value(info).map_err(|_| garbled())?;
        // Who may not ask is not told.
        let fsync: Option<Vec<String>> = fsyncs
            .get(at)
            .and_then(|fsync| redis::from_redis_value(fsync.clone()).ok());
        said.push((info, fsync));
    }
    Ok(said)
}

/// `INFO`, and `CONFIG GET appendfsync` where that is permitted.
pub(super) type Said = (String, Option<Vec<String>>);

/// What each master answered.
fn each(answers: Value) -> RedisResult<Vec<Value>> {
    match answers {
        Value::Map(answers) => answers
            .into_iter()
            .map(|(_, answer)| answer.extract_error())
            .collect(),
        other => Ok(vec![other]),
    }
}

pub(super) fn judge(info: &str, mode: &str) -> Result<(), StoreError> {
    let wrong = |what: &str| Err(told(StoreErrorKind::Configuration, what));
    let away = |what: &str| Err(told(StoreErrorKind::Unavailable, what));
    if field(info, "redis_mode") == Some("sentinel") {
        return wrong(
            "this is a sentinel: write the address as redis+sentinel://host:26379/master",
        );
    }
    let version = field(info, "redis_version").unwrap_or_default();
    let major = version.split('.').next().and_then(|text| text.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST) {
        return Err(told(
            StoreErrorKind::Configuration,
            format!("the server is of version {version}: {OLDEST}.0 or later is needed"),
        ));
    }
    match (field(info, "redis_mode"), mode) {
        (Some("cluster"), "standalone") => {
            return wrong("this is a node of a cluster: write the address as redis+cluster://");
        }
        (Some("standalone"), "cluster") => {
            return wrong("this is no node of a cluster: write the address as redis://");
        }
        _ => {}
    }
    if field(info, "maxmemory_policy").is_some_and(|policy| policy != "noeviction") {
        return wrong(
            "the server may evict keys, and with them revocations: set maxmemory-policy noeviction",
        );
    }
    if field(info, "loading") == Some("1") {
        return away("the server is loading its data");
    }
    if field(info, "role") != Some("master") {
        return away("this server is a replica: writes go to the primary");
    }
    Ok(())
}

pub(super) fn weaknesses(info: &str, fsync: Option<&[String]>) -> Vec<&'static str> {
    let mut found = Vec::new();
    if field(info, "aof_enabled") != Some("1") {
        found.push(
            "appendonly is off: a restart loses sessions and revocations that no node still knows",
        );
    } else if fsync.is_some_and(|pair| pair.get(1).is_none_or(|value| value != "always")) {
        found.push(
            "appendfsync is not \"always\": a crash loses the last second of sessions and revocations",
        );
    }
    found
}

pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// The first whose scripts are refused by a replica, and by a primary that has lost its own.
const OLDEST: u32 = 7;

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: [(&str, &str); 6] = [
        ("redis_version", "7.0.15"),
        ("redis_mode", "standalone"),
        ("loading", "0"),
        ("role", "master"),
        ("maxmemory_policy", "noeviction"),
        ("aof_enabled", "1"),
    ];

    fn info(name: &str, value: &str) -> String {
        let line = |of: &(&str, &str)| {
            let value = if of.0 == name { value } else { of.1 };
            format!("{}:{value}\r\n", of.0)
        };
        SOUND.iter().map(line).collect()
    }

    #[test]
    fn a_server_that_is_as_it_should_be_is_taken() {
        assert!(judge(&info("", ""), "standalone").is_ok());
        let always = ["appendfsync".to_owned(), "always".to_owned()];
        assert!(weaknesses(&info("", ""), Some(&always)).is_empty());
    }

    #[test]
    fn what_would_forget_or_is_no_primary_is_refused() {
        for (name, value, kind) in [
            ("redis_version", "6.2.9", StoreErrorKind::Configuration),
            ("redis_version", "", StoreErrorKind::Configuration),
            ("redis_mode", "cluster", StoreErrorKind::Configuration),
            ("redis_mode", "sentinel", StoreErrorKind::Configuration),
            (
                "maxmemory_policy",
                "allkeys-lru",
                StoreErrorKind::Configuration,
            ),
            (
                "maxmemory_policy",
                "volatile-ttl",
                StoreErrorKind::Configuration,
            ),
            ("role", "slave", StoreErrorKind::Unavailable),
            ("loading", "1", StoreErrorKind::Unavailable),
        ] {
            let error = judge(&info(name, value), "standalone").expect_err("it cannot be used");
            assert_eq!(error.kind(), kind, "{name}:{value}");
        }
    }

    #[test]
    fn weak_persistence_is_said() {
        let every = ["appendfsync".to_owned(), "everysec".to_owned()];
        assert_eq!(weaknesses(&info("", ""), Some(&every)).len(), 1);
        assert_eq!(weaknesses(&info("aof_enabled", "0"), None).len(), 1);
        assert!(weaknesses(&info("", ""), None).is_empty());
    }
}
