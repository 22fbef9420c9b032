//! A store that several processes share, for as long as a test needs it.

use std::any::Any;
use std::net::SocketAddr;

use crate::folder::Folder;
use crate::nodes::gated::Gate;
use crate::postgres;
use crate::redis_cluster::Cluster;
use crate::redis_server::Server;

pub struct Place {
    address: String,
    /// Ends with the place: a folder, or a server.
    _keep: Box<dyn Any + Send + Sync>,
}

impl Place {
    pub fn new(address: impl Into<String>, keep: impl Any + Send + Sync) -> Self {
        Self {
            address: address.into(),
            _keep: Box::new(keep),
        }
    }

    pub fn sqlite() -> Self {
        let folder = Folder::new();
        let file = folder.file("sessions.db");
        Self::new(format!("sqlite:{}", file.display()), folder)
    }

    /// A file beyond a link.
    pub async fn gated() -> Self {
        let (gate, folder) = (Gate::open().await, Folder::new());
        let address = gate.before(&folder.file("sessions.db"));
        Self::new(address, (gate, folder))
    }

    /// A database of its own on the server that these tests share.
    pub async fn postgres() -> Self {
        let server = postgres::shared();
        let database = server.database().await;
        Self::new(server.admin(&database), ())
    }

    pub fn redis() -> Self {
        let server = Server::new();
        Self::new(server.address(), server)
    }

    pub fn redis_cluster() -> Self {
        let cluster = Cluster::new();
        Self::new(cluster.address(), cluster)
    }

    /// As `SESSION_STORE` holds it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where its server listens; `None` where it has none.
    pub fn server(&self) -> Option<SocketAddr> {
        let (_, rest) = self.address.split_once("127.0.0.1:")?;
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)))
    }

    /// The same place by another way to its server.
    pub fn by_way_of(&self, way: SocketAddr) -> String {
        let server = self.server().expect("only a server has ways to it");
        self.address.replace(&server.to_string(), &way.to_string())
    }
}

#[test]
fn a_server_is_found_in_an_address_and_a_way_replaces_it() {
    let place = Place::new("redis://u:p@127.0.0.1:6399/0?prefix=x", ());
    assert_eq!(place.server(), "127.0.0.1:6399".parse().ok());
    let way = "127.0.0.1:7000".parse().unwrap();
    assert_eq!(
        place.by_way_of(way),
        "redis://u:p@127.0.0.1:7000/0?prefix=x"
    );
    assert_eq!(Place::new("sqlite:/tmp/x", ()).server(), None);
}
