//! How a node hears that the log has grown: a connection of its own, to which the server pushes.

use std::collections::HashSet;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, RedisResult, Value,
};
use tokio::sync::{Notify, mpsc};

use super::RedisStore;
use super::blacklist;

/// Wakes who waits for the log to grow.
#[derive(Debug, Default)]
pub(super) struct News {
    grown: Notify,
}

impl News {
    pub(super) fn spread(&self) {
        self.grown.notify_waiters();
    }

    pub(super) fn heard(&self) -> impl Future<Output = ()> + Send {
        self.grown.notified()
    }
}

/// Listens for as long as `store` answers one.
pub(super) async fn listen(store: impl Fn() -> Option<RedisStore>) {
    let mut pause = FIRST_PAUSE;
    let mut told = false;
    while let Some(strong) = store() {
        let heard = listen_once(strong, &store, &mut pause).await;
        if let Err(error) = heard
            && !told
        {
            // The follower polls by itself meanwhile.
            tracing::warn!(%error, "redis pushes no news");
            told = true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn listen_once(
    strong: RedisStore,
    store: &impl Fn() -> Option<RedisStore>,
    pause: &mut Duration,
) -> RedisResult<()> {
    let (sender, mut pushed) = mpsc::unbounded_channel();
    let client = with_pushes(strong.primary().await?)?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE))
        .set_push_sender(sender);
    let mut wire = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    wire.subscribe(strong.channels()).await?;
    if strong.lists_ended_tokens() {
        blacklist::track(&mut wire).await?;
        let found = blacklist::scan(&mut wire).await?;
        if !blacklist::take_over(&strong, &mut wire, found).await {
            return Ok(());
        }
    }
    *pause = FIRST_PAUSE;
    // What came while nobody listened was not heard.
    strong.news().spread();
    drop(strong);
    loop {
        let push = tokio::time::timeout(LIVENESS, pushed.recv()).await;
        let Some(strong) = store() else {
            return Ok(());
        };
        match push {
            Ok(Some(push)) => {
                if !hear(&strong, &mut wire, push, &mut pushed).await {
                    return Ok(());
                }
            }
            Ok(None) => return Ok(()),
            // Also finds out whether there is anybody at the other end.
            Err(_) => redis::cmd("PING").exec_async(&mut wire).await?,
        }
    }
}

/// Takes note of a push and of those that came with it; `false` when the connection is over.
async fn hear(
    store: &RedisStore,
    wire: &mut MultiplexedConnection,
    first: PushInfo,
    more: &mut mpsc::UnboundedReceiver<PushInfo>,
) -> bool {
    let mut keys = HashSet::new();
    let mut next = Some(first);
    while let Some(push) = next {
        match push.kind {
            PushKind::Disconnection => return false,
            PushKind::Invalidate => keys.extend(blacklist::keys_of(push.data)),
            PushKind::Message => store.news().spread(),
            _ => {}
        }
        next = more.try_recv().ok();
    }
    // Where that fails, all of them are looked for anew.
    blacklist::take_over(store, wire, keys.into_iter().collect()).await
}

fn with_pushes(client: Client) -> RedisResult<Client> {
    let info = client.get_connection_info().clone();
    let settings = info.redis_settings().clone();
    let settings = settings.set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(settings))
}

/// Ends a task with the last of those that it was started for.
#[derive(Debug)]
pub(super) struct Listening(pub(super) tokio::task::JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn strings(value: Value) -> Vec<String> {
    match value {
        Value::Array(values) | Value::Set(values) => values.into_iter().flat_map(strings).collect(),
        Value::BulkString(bytes) => String::from_utf8(bytes).ok().into_iter().collect(),
        Value::SimpleString(text) => vec![text],
        _ => Vec::new(),
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(2);
const LIVENESS: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(2);
