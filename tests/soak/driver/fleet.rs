//! The nodes, which come and go.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::NODE;
use super::place::Place;
use crate::nodes::{Launch, Node};

pub struct Fleet {
    launch: Launch,
    /// Held by whoever makes a fault.
    pub place: Mutex<Place>,
    addresses: [String; 2],
    folder: PathBuf,
    nodes: [RwLock<Option<Up>>; 2],
}

/// A node that is there.
#[derive(Clone)]
pub struct Up {
    pub node: Arc<Node>,
    pub listens: SocketAddr,
}

impl Fleet {
    pub async fn start(store: &str, launch: &Launch) -> Self {
        let place = Place::new(store).await;
        let fleet = Self {
            launch: launch.clone(),
            addresses: [0, 1].map(|node| place.address(node).to_owned()),
            folder: place.folder(),
            place: Mutex::new(place),
            nodes: [RwLock::new(None), RwLock::new(None)],
        };
        for node in [0, 1] {
            fleet.revive(node).await;
        }
        fleet
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// A node, unless it was killed.
    pub fn up(&self, node: usize) -> Option<Up> {
        self.nodes[node].read().expect("nobody panicked").clone()
    }

    /// Kills a node as `kill -9` does.
    pub fn kill(&self, node: usize) {
        if let Some(up) = self.nodes[node].write().expect("nobody panicked").take() {
            let id = up.node.id().to_string();
            let killed = Command::new("kill").args(["-KILL", &id]).status();
            assert!(killed.expect("there is a kill").success());
        }
    }

    /// Starts a node.
    pub async fn revive(&self, node: usize) {
        let started = self.begun(node).await;
        let listens = started.ask("listen").await;
        let up = Up {
            node: Arc::new(started),
            listens: listens.parse().expect("it says where it listens"),
        };
        *self.nodes[node].write().expect("nobody panicked") = Some(up);
    }

    /// Tried again where the store does not answer in time: so does whatever keeps nodes up.
    async fn begun(&self, node: usize) -> Node {
        let address = &self.addresses[node];
        let tried_until = Instant::now() + Duration::from_secs(60);
        loop {
            match self.launch.try_start(address, &NODE).await {
                Ok(started) => return started,
                Err(why) if why.contains("is unavailable") && Instant::now() < tried_until => {
                    eprintln!("node {node} is started again: {why}");
                }
                Err(why) => panic!("node {node} does not start: {why}"),
            }
        }
    }
}
