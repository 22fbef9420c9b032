//! The nodes of a cluster by which the others are found.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{Client, RedisResult};

use super::address::client;
use super::error::{not_opened, told};
use super::link::PATIENCE;
use super::transport;
use crate::error::{StoreError, StoreErrorKind};

#[derive(Clone)]
pub(super) struct Cluster {
    hosts: Vec<Client>,
    turn: Arc<AtomicUsize>,
    client: ClusterClient,
}

impl Cluster {
    /// Reads `user:password@host:6379,host:6379`.
    pub(super) fn parse(scheme: &str, rest: &str) -> Result<Self, StoreError> {
        let wrong = || {
            told(
                StoreErrorKind::Configuration,
                "the nodes are not understood: write them as redis+cluster://user:password@host:6379,host:6379; a cluster has one database",
            )
        };
        let (credentials, hosts) = match rest.rsplit_once('@') {
            Some((credentials, hosts)) => (format!("{credentials}@"), hosts),
            None => (String::new(), rest),
        };
        let mut addresses = Vec::new();
        for host in hosts.split(',') {
            if host.is_empty() || host.contains('/') {
                return Err(wrong());
            }
            addresses.push(format!("{scheme}://{credentials}{host}"));
        }
        let opened = addresses.iter().map(|address| client(address));
        let hosts = opened
            .collect::<RedisResult<Vec<_>>>()
            .map_err(not_opened)?;
        let tcp = transport::patient(TcpSettings::default().set_nodelay(true));
        let client = ClusterClient::builder(addresses)
            .tcp_settings(tcp)
            .connection_timeout(LET_IN)
            .response_timeout(LONGEST)
            .retries(RETRIES)
            .min_retry_wait(10)
            .max_retry_wait(100)
            .build()
            .map_err(not_opened)?;
        Ok(Self {
            hosts,
            turn: Arc::default(),
            client,
        })
    }

    pub(super) async fn connect(&self) -> RedisResult<ClusterConnection> {
        self.client.get_async_connection().await
    }

    /// Another one each time.
    pub(super) fn some_node(&self) -> Client {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.hosts[turn % self.hosts.len()].clone()
    }
}

/// How often a command follows a slot that moved, or comes again while it moves.
const RETRIES: u32 = 5;
/// How long a node may take to let somebody in. The driver waits for it twice, once among those
/// that it was given and once among those that they name, and both has to fit into the patience
/// with a connection: else one node that hangs would keep everybody out.
const LET_IN: Duration = Duration::from_millis(700);
const _: () = assert!(2 * LET_IN.as_millis() < PATIENCE.as_millis());
/// How long a master may work on one script: all of its part of a long log.
const LONGEST: Duration = Duration::from_secs(10);
