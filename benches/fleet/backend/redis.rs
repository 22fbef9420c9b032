//! Redis.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Script};
use tower_jwt_session::session::refresh::SeedHash;
use tower_jwt_session::{BoxFuture, RedisStore, SessionId, SessionStore, UserId};

use super::Backend;
use super::grouped::{Way, Writer, ways};
use crate::rate::new_session;
use crate::redis_server::{DURABLE, Server};
use crate::scale::user_name;

pub struct Redis {
    /// The address of the server, without a database.
    address: String,
    client: Client,
    own: Option<Server>,
}

impl Redis {
    /// A server that waits for the disk.
    pub fn own() -> Self {
        let server = Server::with(&DURABLE);
        let mut own = Self::at(&server.address()).expect("it is an address");
        own.own = Some(server);
        own
    }

    pub fn at(address: &str) -> Result<Self, String> {
        let client = Client::open(address).map_err(|_| "this is no address of a Redis server")?;
        Ok(Self {
            address: address.trim_end_matches('/').to_owned(),
            client,
            own: None,
        })
    }

    async fn connection(&self) -> MultiplexedConnection {
        // Filling it takes longer than the driver waits by itself.
        let patient = AsyncConnectionConfig::new().set_response_timeout(None);
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&patient)
            .await;
        connection.expect("the server answers")
    }

    async fn info(&self, section: &str, name: &str) -> String {
        let mut connection = self.connection().await;
        let ask = redis::cmd("INFO").arg(section).to_owned();
        let info: Result<String, _> = ask.query_async(&mut connection).await;
        let info = info.expect("the server answers");
        let mut values = info.lines().filter_map(|line| line.split_once(':'));
        let value = values.find(|(key, _)| *key == name);
        value.map_or(String::new(), |(_, value)| value.to_owned())
    }
}

impl Backend for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn pushes(&self) -> bool {
        true
    }

    fn described(&self) -> BoxFuture<'_, String> {
        Box::pin(async {
            let mut connection = self.connection().await;
            let get = redis::cmd("CONFIG").arg("GET").arg("append*").to_owned();
            let config: Vec<String> = get.query_async(&mut connection).await.unwrap_or_default();
            let of = |name: &str| {
                let at = config.iter().position(|key| key == name)?;
                config.get(at + 1).cloned()
            };
            format!(
                "Redis {}, `appendonly={}`, `appendfsync={}`",
                self.info("server", "redis_version").await,
                of("appendonly").unwrap_or_default(),
                of("appendfsync").unwrap_or_default()
            )
        })
    }

    fn address<'a>(&'a self, part: &'a str) -> BoxFuture<'a, String> {
        // A database for each part that nodes are started for.
        let database = PARTS.iter().position(|known| *known == part);
        let database = database.expect("it is one of the parts") + 1;
        let address = format!("{}/{database}", self.address);
        Box::pin(std::future::ready(address))
    }

    fn store<'a>(&'a self, part: &'a str) -> BoxFuture<'a, Arc<dyn SessionStore>> {
        Box::pin(async move {
            let store = RedisStore::new(&self.address).expect("it is an address");
            let store = store.with_prefix(part).expect("it can be one");
            let nobody = UserId::new("nobody").expect("it is a name");
            store.count(&nobody).await.expect("the server answers");
            Arc::new(store) as Arc<dyn SessionStore>
        })
    }

    fn driver<'a>(&'a self, part: &'a str, clients: usize) -> BoxFuture<'a, Vec<Way>> {
        Box::pin(async move { drive(self.connection().await, part, clients).await })
    }

    /// Of the whole server.
    fn bytes<'a>(&'a self, _part: &'a str) -> BoxFuture<'a, Option<f64>> {
        Box::pin(async { self.info("memory", "used_memory").await.parse().ok() })
    }

    fn signal(&self, signal: &str) -> bool {
        self.own.iter().for_each(|own| own.signal(signal));
        self.own.is_some()
    }

    fn fill<'a>(&'a self, part: &'a str, users: Range<u64>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut session = new_session();
            session.user = UserId::new("template-user").expect("it is a name");
            session.seed = SeedHash::from_bytes([7; 32]);
            let id = session.id;
            let made = self.store(part).await.sign_in(session).await;
            made.expect("the store answers");
            let (script, mut connection) = (Script::new(COPY), self.connection().await);
            if self.own.is_some() {
                // Else it would be written anew after each doubling.
                let keep = ["SET", "auto-aof-rewrite-percentage", "0"];
                let set = redis::cmd("CONFIG").arg(&keep).to_owned();
                let kept = set.exec_async(&mut connection).await;
                kept.expect("the server does it");
            }
            for from in users.clone().step_by(AT_ONCE) {
                let mut copy = script.prepare_invoke();
                copy.key(format!("{{{part}}}:")).arg(id.to_string());
                copy.arg(from).arg(users.end.min(from + AT_ONCE as u64));
                copy.arg(user_name("*"));
                let copied: Result<(), _> = copy.invoke_async(&mut connection).await;
                copied.expect("the server does it");
            }
            while self.info("persistence", "aof_rewrite_in_progress").await == "1" {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
    }
}

/// Reads and writes in one round trip, over the one connection that all share.
async fn drive(connection: MultiplexedConnection, part: &str, clients: usize) -> Vec<Way> {
    let writing = || Writing {
        connection: connection.clone(),
        part: part.to_owned(),
    };
    let writers = |many| (0..many).map(move |_| writing());
    ways(clients, WRITERS, writers).await
}

struct Writing {
    connection: MultiplexedConnection,
    part: String,
}

impl Writer for Writing {
    /// Reads what was written before, and writes as much as a session is, found in two orders.
    async fn write(&mut self, before: &[SessionId]) -> Vec<SessionId> {
        let ids: Vec<SessionId> = before.iter().map(|_| SessionId::random()).collect();
        let key = |of: &str| format!("driver:{}:{of}", self.part);
        let mut step = redis::pipe();
        step.atomic();
        for (before, id) in before.iter().zip(&ids) {
            let id = id.to_string();
            step.hgetall(key(&before.to_string()));
            let write = step.cmd("HSET").arg(key(&id));
            for field in 0..FIELDS {
                write.arg(field).arg(&id[..28]);
            }
            write.ignore();
            for order in ["a", "b"] {
                step.zadd(key(order), &id, 7).ignore();
            }
        }
        let read: Result<Vec<HashMap<String, String>>, _> =
            step.query_async(&mut self.connection).await;
        read.expect("the server does it");
        ids
    }
}

const FIELDS: u32 = 25;
/// As many as a node runs at a time.
const WRITERS: usize = 2;
const PARTS: [&str; 5] = ["revoked", "everywhere", "cuts", "still", "clients"];
const AT_ONCE: usize = 100;

/// The prefix; the session to copy, users from and to, the pattern of their names.
const COPY: &str = "
local P, call = KEYS[1], redis.call
local flat, from = call('HGETALL', P .. 's:' .. ARGV[1]), {}
for i = 1, #flat, 2 do from[flat[i]] = i + 1 end
local due = call('ZSCORE', P .. 'due', ARGV[1])
local life = call('PTTL', P .. 's:' .. ARGV[1])
for i = ARGV[2] * 10, ARGV[3] * 10 - 1 do
  local x = string.format('%016x', i)
  local id = '01900000-0000-7000-' .. string.sub(x, 1, 4) .. '-' .. string.sub(x, 5)
  local user = string.gsub(ARGV[4], '%*', string.format('%010d', math.floor(i / 10)))
  local operation = x .. x .. x .. x
  flat[from.u], flat[from.so] = user, operation
  call('HSET', P .. 's:' .. id, unpack(flat))
  call('PEXPIRE', P .. 's:' .. id, life)
  call('ZADD', P .. 'due', due, id)
  call('ZADD', P .. 'open', 0, id)
  call('ZADD', P .. 'live:' .. user, 0, id)
  call('HSET', P .. 'ops:' .. user, operation, id)
end";
