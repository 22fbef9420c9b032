//! The Redis store: one server, a primary that sentinels name, or a cluster, for many nodes.

mod across;
mod address;
#[cfg(feature = "test-util")]
pub(crate) mod anything;
mod audit;
mod batch;
mod blacklist;
mod call;
mod checks;
mod cluster;
mod entries;
mod error;
mod joined;
mod link;
mod log;
mod news;
mod parts;
mod records;
mod reply;
mod revocations;
mod scripts;
mod sessions;
mod transport;
mod upkeep;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use redis::aio::ConnectionManager;
use redis::{Client, RedisResult};
use uuid::Uuid;

use self::address::Address;
use self::error::told;
use self::link::Link;
use self::news::{Listening, News};
use self::parts::{BUCKETS, Histories};
use crate::clock::Clock;
use crate::error::{StoreError, StoreErrorKind};
use crate::session::{NewSession, RefreshAttempt, RefreshOutcome, SignInOutcome};
use crate::stores::together::Together;

/// Keeps everything in Redis 7 or later: a single server, the primary that sentinels name, or a
/// cluster.
///
/// Each step is one script, so it is atomic, takes one round trip, and goes by the server's clock.
/// All keys begin with `{prefix}:`, in a cluster with `{prefix:0}:` to `{prefix:63}:`: each user's
/// belong to one of 64 parts. `docs/redis.md` has the layout, the permissions that a user
/// needs, and what is promised under which persistence. Cloning shares the connection.
///
/// What was acknowledged survives a crash of the server with `appendonly yes` and
/// `appendfsync always`. With less, and after a failover, which may lose the latest writes, the
/// nodes notice that the history is another one and write back every revocation that any of them
/// still knows. Weak persistence is said in the log; a server that may evict keys is refused.
///
/// Nodes hear of each other's revocations by a push; a node that cannot be pushed to finds them
/// by polling.
///
/// # Other services that know `blacklist:<jti>`
///
/// Unless told otherwise by [`with_blacklist`](Self::with_blacklist), ending a session also writes
/// `blacklist:<jti>` for each of its access tokens that has not expired, with the rest of its life
/// and the leeway as TTL, in the same step; and a key that another service sets there puts that
/// token out on every node.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::{JwtSession, RedisStore};
///
/// // Nothing is connected before the start.
/// let store = RedisStore::new("redis://sessions:password@127.0.0.1:6379/0")?;
/// let auth = JwtSession::builder()
///     .hmac_secret(b"an example; 32 random bytes in earnest")
///     .store(store)
///     .build()?;
/// # let _ = auth;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RedisStore {
    shared: Arc<Shared>,
    settings: Arc<Settings>,
    sign_ins: Arc<Together<NewSession, Result<SignInOutcome, StoreError>>>,
    refreshes: Arc<Together<RefreshAttempt, Result<RefreshOutcome, StoreError>>>,
}

struct Shared {
    link: Link,
    news: News,
    /// The deployment that was found here first; it is given back to a server that lost it.
    deployment: Mutex<Deployment>,
    listening: Mutex<Option<Listening>>,
    histories: Histories,
}

struct Deployment {
    name: String,
    /// Until then the name is one that an empty server may take.
    found: bool,
}

#[derive(Clone)]
struct Settings {
    prefix: Arc<str>,
    blacklist: bool,
    clock: Option<Arc<dyn Clock>>,
}

impl RedisStore {
    /// A store at an address, as `redis://user:password@host:6379/0`, `rediss://…` with the
    /// feature `tls`, or `redis+sentinel://user:password@host:26379,host:26379/master/0`, where
    /// user and password are those of the primary (sentinels that ask for some of their own are
    /// given `?sentinel_user=…&sentinel_password=…`), or
    /// `redis+cluster://user:password@host:6379,host:6379` with some nodes of a cluster. Nothing
    /// is connected before the start.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Configuration`] when the address cannot be understood. Nothing of it is
    /// repeated.
    pub fn new(address: &str) -> Result<Self, StoreError> {
        Address::parse(address).map(|address| Self::on(Link::new(address)))
    }

    /// The same through a connection that the application has. The address is still needed: the
    /// server pushes its news over a connection of their own.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn with_connection(
        address: &str,
        connection: ConnectionManager,
    ) -> Result<Self, StoreError> {
        Address::parse(address).map(|address| Self::on(Link::of(address, connection)))
    }

    /// Keeps everything under keys that begin with `{prefix}:`. `tower-jwt-session` unless said
    /// otherwise; two services that share a database need two.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Configuration`] for an empty prefix, one of more than 100 bytes, or with
    /// braces, spaces or control characters in it.
    pub fn with_prefix(mut self, prefix: &str) -> Result<Self, StoreError> {
        let odd = |c: char| matches!(c, '{' | '}') || c.is_whitespace() || c.is_control();
        if prefix.is_empty() || prefix.len() > 100 || prefix.contains(odd) {
            return Err(told(
                StoreErrorKind::Configuration,
                "a prefix has 1 to 100 bytes, without braces, spaces and control characters",
            ));
        }
        Arc::make_mut(&mut self.settings).prefix = prefix.into();
        Ok(self.apart())
    }

    /// Whether ended tokens are shared with other services as `blacklist:<jti>`. They are unless
    /// said otherwise; the user then needs permissions for these keys. On a cluster they are not:
    /// these keys belong to other slots than what must change with them.
    #[must_use]
    pub fn with_blacklist(mut self, shared: bool) -> Self {
        Arc::make_mut(&mut self.settings).blacklist = shared;
        self.apart()
    }

    /// Goes by another clock than the server's, for tests: every node of a fleet must go by one.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        Arc::make_mut(&mut self.settings).clock = Some(clock);
        self.apart()
    }

    fn on(link: Link) -> Self {
        let histories = Histories::new(if link.is_cluster() { BUCKETS } else { 1 });
        Self {
            shared: Arc::new(Shared {
                link,
                news: News::default(),
                deployment: Mutex::new(Deployment {
                    name: fresh(),
                    found: false,
                }),
                listening: Mutex::new(None),
                histories,
            }),
            settings: Arc::new(Settings {
                prefix: "tower-jwt-session".into(),
                blacklist: true,
                clock: None,
            }),
            sign_ins: Arc::new(Together::new()),
            refreshes: Arc::new(Together::new()),
        }
    }

    /// Those who share a script share what it goes by.
    fn apart(self) -> Self {
        Self {
            sign_ins: Arc::new(Together::new()),
            refreshes: Arc::new(Together::new()),
            ..self
        }
    }

    fn news(&self) -> &News {
        &self.shared.news
    }

    fn lists_ended_tokens(&self) -> bool {
        self.settings.blacklist && !self.shared.link.is_cluster()
    }

    async fn primary(&self) -> RedisResult<Client> {
        self.shared.link.address.primary().await
    }

    /// Listens for news from now on, until the last handle to this store is gone.
    fn listen(&self) {
        let mut listening = lock(&self.shared.listening);
        // The runtime that it ran on may be over.
        if listening.as_ref().is_some_and(|task| !task.0.is_finished()) {
            return;
        }
        let (shared, settings) = (Arc::downgrade(&self.shared), self.settings.clone());
        let store = move || {
            Some(Self {
                shared: shared.upgrade()?,
                settings: settings.clone(),
                sign_ins: Arc::new(Together::new()),
                refreshes: Arc::new(Together::new()),
            })
        };
        *listening = Some(Listening(tokio::spawn(news::listen(store))));
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.settings.prefix)
            .field("blacklist", &self.settings.blacklist)
            .finish_non_exhaustive()
    }
}

fn fresh() -> String {
    Uuid::now_v7().simple().to_string()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
