//! Tokens that other services put out by `SET blacklist:<jti>`.

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value};

use super::RedisStore;
use super::entries;
use super::news::strings;
use crate::clock::UnixTime;
use crate::crypto::digest;
use crate::revocation::{EndReason, RevocationEntry, RevocationStore, Revoked};
use crate::token::TokenId;

/// Has the server say which of these keys change, from now on.
pub(super) async fn track(wire: &mut MultiplexedConnection) -> RedisResult<()> {
    redis::cmd("CLIENT")
        .arg(&["TRACKING", "ON", "BCAST", "PREFIX", PREFIX])
        .exec_async(wire)
        .await
}

/// Those that are there.
pub(super) async fn scan(wire: &mut MultiplexedConnection) -> RedisResult<Vec<String>> {
    let mut cursor = 0_u64;
    let mut found = Vec::new();
    loop {
        let (next, keys): (u64, Vec<String>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg(&["MATCH", "blacklist:*", "COUNT", "1000"])
            .query_async(wire)
            .await?;
        found.extend(keys);
        cursor = next;
        if cursor == 0 {
            return Ok(found);
        }
    }
}

pub(super) fn keys_of(data: Vec<Value>) -> Vec<String> {
    data.into_iter().flat_map(strings).collect()
}

/// Writes a line of the log for each token that somebody else put out. Named by the token, so
/// that it is one line however many nodes hear of it. `false` where that failed.
pub(super) async fn take_over(
    store: &RedisStore,
    wire: &mut MultiplexedConnection,
    keys: Vec<String>,
) -> bool {
    for keys in keys.chunks(AT_ONCE) {
        let values: RedisResult<Vec<Option<Vec<u8>>>> =
            redis::cmd("MGET").arg(keys).query_async(wire).await;
        let values = match values {
            Ok(values) => values,
            Err(error) => {
                tracing::warn!(%error, "tokens that others put out cannot be read");
                return false;
            }
        };
        let foreign: Vec<_> = keys
            .iter()
            .zip(values)
            .filter(|(_, value)| value.as_ref().is_some_and(|value| value != OURS))
            .filter_map(|(key, _)| entry(key))
            .collect();
        if foreign.is_empty() {
            continue;
        }
        if let Err(error) = store.append(foreign).await {
            tracing::warn!(%error, "tokens that others put out are not yet in the log");
            return false;
        }
    }
    true
}

fn entry(key: &str) -> Option<RevocationEntry> {
    let token = TokenId::new(key.strip_prefix(PREFIX)?).ok()?;
    let digest = digest::digest(&digest::SHA256, key.as_bytes());
    let name: [u8; 16] = digest.as_ref().first_chunk().copied()?;
    Some(RevocationEntry {
        id: entries::id_of(u128::from_be_bytes(name)),
        revoked: Revoked::Token { token, user: None },
        reason: EndReason::AdminRevoked,
        at: UnixTime::EPOCH,
        until: UnixTime::EPOCH,
    })
}

const PREFIX: &str = "blacklist:";
/// What the scripts write into these keys, so that they are not heard as others'.
const OURS: &[u8] = b"tower-jwt-session";
const AT_ONCE: usize = 500;
