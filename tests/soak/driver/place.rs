//! The store of a soak, with a link of its own for each node.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::folder::Folder;
use crate::nodes::gated::Gate;
use crate::proxy::{Link, Proxy};
use crate::redis_server::{DURABLE, Server};

pub struct Place {
    store: Store,
    links: [Proxy; 2],
    addresses: [String; 2],
    folder: Folder,
}

enum Store {
    Redis(Server),
    Postgres(Cluster),
    /// A file beyond a gate; the file has nothing that could be stopped.
    Sqlite {
        _gate: Gate,
    },
}

impl Place {
    pub async fn new(store: &str) -> Self {
        let folder = Folder::new();
        let (store, address) = match store {
            "redis" => {
                let server = Server::with(&DURABLE);
                let address = server.address();
                (Store::Redis(server), address)
            }
            "postgres" => {
                let cluster = Cluster::start_with("fsync = on\n");
                let address = cluster.admin("postgres");
                (Store::Postgres(cluster), address)
            }
            _ => {
                let gate = Gate::open().await;
                let address = gate.before(&folder.file("sessions.db"));
                (Store::Sqlite { _gate: gate }, address)
            }
        };
        let server = server(&address);
        let links = [link(server).await, link(server).await];
        let by_way_of =
            |link: &Proxy| address.replace(&server.to_string(), &link.address().to_string());
        Self {
            addresses: [by_way_of(&links[0]), by_way_of(&links[1])],
            store,
            links,
            folder,
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// As the `SESSION_STORE` of a node holds it.
    pub fn address(&self, node: usize) -> &str {
        &self.addresses[node]
    }

    /// Where the store itself listens, where it can be asked in a word.
    pub fn redis(&self) -> Option<SocketAddr> {
        match &self.store {
            Store::Redis(redis) => Some(server(&redis.address())),
            Store::Postgres(_) | Store::Sqlite { .. } => None,
        }
    }

    pub fn set(&self, node: usize, link: Link) {
        self.links[node].set(link);
    }

    pub fn set_both(&self, link: Link) {
        self.links.iter().for_each(|way| way.set(link));
    }

    /// Whether it is a server that can be stopped and killed.
    pub fn is_server(&self) -> bool {
        !matches!(self.store, Store::Sqlite { .. })
    }

    pub fn stop(&self) {
        self.signal("-STOP");
    }

    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        match &self.store {
            Store::Redis(server) => server.signal(signal),
            Store::Postgres(cluster) => cluster.signal(signal),
            Store::Sqlite { .. } => {}
        }
    }

    /// Kills it as `kill -9` does, and starts it on what it left some time later.
    pub fn kill(&mut self, away: Duration) {
        match &mut self.store {
            Store::Redis(server) => {
                server.kill();
                std::thread::sleep(away);
                server.start();
            }
            Store::Postgres(cluster) => {
                cluster.kill_all();
                std::thread::sleep(away);
                cluster.resume();
            }
            Store::Sqlite { .. } => {}
        }
    }
}

async fn link(server: SocketAddr) -> Proxy {
    Proxy::to(server).await.expect("a port is free")
}

/// The server in an address of this machine.
fn server(address: &str) -> SocketAddr {
    let (_, rest) = address.split_once("127.0.0.1:").expect("it is here");
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port is a number")))
}
