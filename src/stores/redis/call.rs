//! What a server is asked in one go.

use redis::aio::ConnectionLike;
use redis::{Pipeline, RedisError, RedisResult, Value};

use super::scripts::Verb;

pub(super) enum Call<'a> {
    /// Commands that only read, each by itself; what they answer as a list.
    Plain(&'a Pipeline),
    Script(&'a Verb, &'a [String; 2], &'a [String]),
}

impl Call<'_> {
    /// Fails where any of several commands does.
    pub(super) async fn ask(&self, wire: &mut (impl ConnectionLike + Send)) -> RedisResult<Value> {
        match self {
            Self::Plain(commands) => commands.query_async(wire).await.map_err(the_first),
            Self::Script(verb, keys, args) => verb.run(wire, keys, args).await,
        }
    }
}

/// What several say together bears no code.
fn the_first(error: RedisError) -> RedisError {
    let first = error.clone().into_server_errors();
    let first = first.and_then(|errors| errors.first().cloned());
    first.map_or(error, |(_, first)| first.into())
}
