//! The connection: opened when it is needed, replaced when it is lost.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo};
use redis::{AsyncConnectionConfig, ErrorKind, RedisError, RedisResult, Value};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

use super::address::Address;
use super::call::Call;
use super::checks;
use super::error::{SILENT, not_opened, told};
use crate::error::{StoreError, StoreErrorKind};

#[derive(Debug)]
pub(super) struct Link {
    pub(super) address: Address,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    open: ArcSwapOption<Open>,
    /// Whoever opens holds it.
    opening: Arc<Mutex<()>>,
    told: AtomicBool,
}

#[derive(Debug)]
struct Open {
    wire: Wire,
    suspected: AtomicBool,
    answers: AtomicU64,
    /// Whether it was given up.
    over: watch::Sender<bool>,
}

#[derive(Clone)]
enum Wire {
    /// Finds its way about the cluster, and mends itself.
    Cluster(ClusterConnection),
    /// The application's, which mends itself.
    Manager(ConnectionManager),
    Own(MultiplexedConnection),
}

impl Link {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            shared: Arc::new(Shared {
                open: ArcSwapOption::empty(),
                opening: Arc::default(),
                told: AtomicBool::new(false),
            }),
        }
    }

    pub(super) fn of(address: Address, manager: ConnectionManager) -> Self {
        let link = Self::new(address);
        link.shared
            .open
            .store(Some(Arc::new(Open::new(Wire::Manager(manager)))));
        link
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.address, Address::Cluster(_))
    }

    /// Asks. Dropping the future leaves the connection to the others in good order.
    ///
    /// Where the connection breaks, it is asked once more on another: a script that is run twice
    /// finds what it did by its name, and does nothing more.
    pub(super) async fn run(&self, call: &Call<'_>) -> Result<RedisResult<Value>, StoreError> {
        match self.run_once(call).await? {
            Err(error) if error.is_io_error() => self.run_once(call).await,
            answer => Ok(answer),
        }
    }

    async fn run_once(&self, call: &Call<'_>) -> Result<RedisResult<Value>, StoreError> {
        let open = self.open().await?;
        let mut pending = Pending {
            shared: &self.shared,
            open: &open,
            answered: false,
        };
        let answer = match open.wire.clone() {
            Wire::Cluster(mut wire) => pending.or_given_up(call.ask(&mut wire)).await,
            Wire::Own(mut wire) => pending.or_given_up(call.ask(&mut wire)).await,
            // It has the application's own patience.
            Wire::Manager(mut wire) => call.ask(&mut wire).await,
        };
        pending.answered = true;
        if !answer.as_ref().is_err_and(RedisError::is_timeout) {
            open.answers.fetch_add(1, Ordering::Relaxed);
        }
        if let Err(error) = &answer {
            self.shared.judge(&open, error);
        }
        Ok(answer)
    }

    /// Looks whether the server can keep sessions, also where the connection is another's.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        let open = self.open().await?;
        match open.wire.clone() {
            // Masters come and go.
            Wire::Cluster(mut wire) => self.shared.tell(&checks::check_all(&mut wire).await?),
            Wire::Manager(mut wire) => self.shared.tell(&checks::check(&mut wire).await?),
            Wire::Own(_) => {}
        }
        Ok(())
    }

    async fn open(&self) -> Result<Arc<Open>, StoreError> {
        if let Some(open) = self.shared.open.load_full() {
            return Ok(open);
        }
        let gone = || told(StoreErrorKind::Unavailable, "the runtime is shutting down");
        let lock = self.shared.opening.clone().lock_owned().await;
        if let Some(open) = self.shared.open.load_full() {
            return Ok(open);
        }
        let (address, shared) = (self.address.clone(), self.shared.clone());
        // In a task of its own: a caller whose deadline is short must not undo what it began.
        let opening = tokio::spawn(async move {
            let _lock = lock;
            let (open, weaknesses) = tokio::time::timeout(PATIENCE, connect(&address))
                .await
                .map_err(|_| told(StoreErrorKind::Timeout, SILENT))??;
            shared.tell(&weaknesses);
            shared.open.store(Some(open.clone()));
            Ok(open)
        });
        opening.await.map_err(|_| gone())?
    }
}

async fn connect(address: &Address) -> Result<(Arc<Open>, Vec<&'static str>), StoreError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(None);
    if let Address::Cluster(cluster) = address {
        // Masters are looked at when a node joins: one that is away must not keep the others'
        // users out.
        let wire = cluster.connect().await.map_err(not_opened)?;
        return Ok((Arc::new(Open::new(Wire::Cluster(wire))), Vec::new()));
    }
    let client = address.primary().await.map_err(not_opened)?;
    let mut wire = client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .map_err(not_opened)?;
    let weaknesses = checks::check(&mut wire).await?;
    Ok((Arc::new(Open::new(Wire::Own(wire))), weaknesses))
}

impl Shared {
    /// Says once what the server does not promise.
    fn tell(&self, weaknesses: &[&'static str]) {
        if !weaknesses.is_empty() && !self.told.swap(true, Ordering::Relaxed) {
            for weakness in weaknesses {
                tracing::warn!("redis: {weakness}");
            }
        }
    }

    /// Gives a connection up after which nothing better will come.
    fn judge(&self, open: &Arc<Open>, error: &RedisError) {
        let lost = match open.wire {
            // It may be the driver's own task that is gone, with the runtime that it ran on.
            Wire::Cluster(_) => error.is_connection_dropped(),
            _ => {
                error.is_io_error()
                    || error.is_unrecoverable_error()
                    || matches!(error.code(), Some("READONLY" | "NOREPLICAS"))
            }
        };
        if lost {
            self.give_up(open);
        }
    }

    /// Has the next question asked over another connection.
    fn replace(&self, open: &Arc<Open>) {
        if !matches!(open.wire, Wire::Manager(_)) {
            self.open.compare_and_swap(open, None);
        }
    }

    /// The same, and tells those who still wait.
    fn give_up(&self, open: &Arc<Open>) {
        self.replace(open);
        open.over.send_replace(true);
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cluster(_) => "Cluster",
            Self::Manager(_) => "Manager",
            Self::Own(_) => "Own",
        })
    }
}

impl Open {
    fn new(wire: Wire) -> Self {
        Self {
            wire,
            suspected: AtomicBool::new(false),
            answers: AtomicU64::new(0),
            over: watch::Sender::new(false),
        }
    }
}

/// A question that has not been answered. One that is dropped may have met a server that hangs.
struct Pending<'a> {
    shared: &'a Arc<Shared>,
    open: &'a Arc<Open>,
    answered: bool,
}

impl Pending<'_> {
    /// The answer; an error of the connection where that is given up meanwhile.
    ///
    /// A question that is asked in the very moment in which the connection breaks is neither
    /// answered nor refused: it stays in the driver's channel for as long as anybody could ask
    /// another. And a cluster's driver waits for itself now and then, and whoever is in it then
    /// waits for ever.
    async fn or_given_up(
        &self,
        answer: impl Future<Output = RedisResult<Value>>,
    ) -> RedisResult<Value> {
        let mut answer = pin!(answer);
        let silence = match self.open.wire {
            Wire::Cluster(_) => SILENCE,
            Wire::Own(_) | Wire::Manager(_) => SHORT_SILENCE,
        };
        if let Ok(answer) = tokio::time::timeout(silence, &mut answer).await {
            return answer;
        }
        self.suspect();
        let mut over = self.open.over.subscribe();
        tokio::select! {
            answer = answer => answer,
            _ = over.wait_for(|over| *over) => Err((ErrorKind::Io, "the connection was given up").into()),
        }
    }

    /// Sees whether there is anybody at the other end, unless somebody is at that.
    fn suspect(&self) {
        if self.open.suspected.swap(true, Ordering::Relaxed) {
            return;
        }
        let (shared, open) = (self.shared.clone(), self.open.clone());
        let Ok(runtime) = Handle::try_current() else {
            self.shared.give_up(self.open);
            return;
        };
        runtime.spawn(async move {
            let answers = open.answers.load(Ordering::Relaxed);
            let is_cluster = matches!(open.wire, Wire::Cluster(_));
            let patience = if is_cluster { SILENCE } else { PATIENCE };
            let answer = tokio::time::timeout(patience, ping(open.wire.clone())).await;
            let silent = answer.is_err();
            let answered = match answer {
                Ok(Ok(_)) => true,
                // A server that refuses to be asked is there.
                Ok(Err(error)) => !error.is_io_error(),
                Err(_) => false,
            };
            // Of a cluster one master may hang. Where nobody is heard at all, it is the driver
            // that waits for itself, which it may after a slot has moved.
            let others = is_cluster && open.answers.load(Ordering::Relaxed) != answers;
            if answered || others {
                open.suspected.store(false, Ordering::Relaxed);
            } else if silent && !is_cluster {
                // It may be busy: what it was asked may yet be answered, and is not asked again.
                shared.replace(&open);
            } else {
                shared.give_up(&open);
            }
        });
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.answered && !matches!(self.open.wire, Wire::Manager(_)) {
            self.suspect();
        }
    }
}

async fn ping(wire: Wire) -> RedisResult<Value> {
    let ping = redis::cmd("PING");
    match wire {
        Wire::Cluster(mut wire) => {
            let all = MultipleNodeRoutingInfo::AllMasters;
            let any = RoutingInfo::MultiNode((all, Some(ResponsePolicy::OneSucceeded)));
            wire.route_command(ping, any).await
        }
        Wire::Manager(mut wire) => ping.query_async(&mut wire).await,
        Wire::Own(mut wire) => ping.query_async(&mut wire).await,
    }
}

/// How long a server may take to let somebody in, or to answer a ping.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer may take before it is looked whether the connection still is one: well below
/// the deadlines of those who wait for it.
const SHORT_SILENCE: Duration = Duration::from_millis(80);
/// The same for a cluster, and how long no master of it may be heard: after a failover the driver
/// waits for itself more than once.
const SILENCE: Duration = Duration::from_millis(300);
