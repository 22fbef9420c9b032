//! A Redis Cluster of a test's own: three masters without replicas, gone with the last user.
#![allow(dead_code)]

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tower_jwt_session::{RedisStore, SessionId};

use crate::redis_server::{Server, free_port};

pub struct Cluster {
    pub masters: Vec<Server>,
    buses: Vec<u16>,
}

const SLOTS: u32 = 16_384;

impl Cluster {
    pub fn new() -> Self {
        let (mut masters, mut buses) = (Vec::new(), Vec::new());
        for number in 0..3 {
            let bus = free_port();
            masters.push(Server::with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus.to_string(),
            ]));
            buses.push(bus);
            let (from, to) = (number * SLOTS / 3, (number + 1) * SLOTS / 3 - 1);
            let master = &masters[number as usize];
            let epoch = (number + 1).to_string();
            master.run::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
            let range = [from.to_string(), to.to_string()];
            master.run::<()>(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]]);
        }
        let cluster = Self { masters, buses };
        cluster.meet();
        cluster
    }

    /// The one that other tests of this process use, too.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(Self::new());
        *shared = Arc::downgrade(&cluster);
        cluster
    }

    fn meet(&self) {
        for (master, bus) in self.masters.iter().zip(&self.buses).skip(1) {
            let (port, bus) = (master.port.to_string(), bus.to_string());
            let meet = ["CLUSTER", "MEET", "127.0.0.1", &port, &bus];
            self.masters[0].run::<()>(&meet);
        }
        for _ in 0..2_000 {
            if self.masters.iter().all(is_whole) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the masters do not find each other");
    }

    pub fn address(&self) -> String {
        // One of the nodes is not there.
        let mut hosts = vec![format!("127.0.0.1:{}", free_port())];
        hosts.extend(
            self.masters
                .iter()
                .map(|of| format!("127.0.0.1:{}", of.port)),
        );
        format!("redis+cluster://{}", hosts.join(","))
    }

    /// A store that nobody else uses.
    pub fn store(&self, prefix: &str) -> RedisStore {
        let store = RedisStore::new(&self.address()).expect("the address is one");
        store.with_prefix(prefix).expect("it is one")
    }

    /// Begins to move the slot of a key: whence, whither and which.
    pub fn begin_move(&self, key: &str) -> (usize, usize, String) {
        let slot: u32 = self.masters[0].run(&["CLUSTER", "KEYSLOT", key]);
        let slot = slot.to_string();
        let holds = |master: &&Server| {
            let nodes: String = master.run(&["CLUSTER", "NODES"]);
            let own = nodes.lines().find(|line| line.contains("myself"));
            own.is_some_and(|own| holds_slot(own, slot.parse().expect("a number")))
        };
        let from = self.masters.iter().position(|master| holds(&master));
        let from = from.expect("one of them has it");
        let to = (from + 1) % 3;
        let id = |of: usize| self.masters[of].run::<String>(&["CLUSTER", "MYID"]);
        let importing = ["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)];
        self.masters[to].run::<()>(&importing);
        let migrating = ["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)];
        self.masters[from].run::<()>(&migrating);
        (from, to, slot)
    }

    pub fn move_key(&self, from: usize, to: usize, key: &str) {
        let port = self.masters[to].port.to_string();
        let migrate = ["MIGRATE", "127.0.0.1", &port, key, "0", "5000"];
        self.masters[from].run::<redis::Value>(&migrate);
    }

    pub fn end_move(&self, (from, to, slot): (usize, usize, String)) {
        loop {
            let in_slot = ["CLUSTER", "GETKEYSINSLOT", &slot, "100"];
            let keys: Vec<String> = self.masters[from].run(&in_slot);
            if keys.is_empty() {
                break;
            }
            for key in keys {
                self.move_key(from, to, &key);
            }
        }
        let id: String = self.masters[to].run(&["CLUSTER", "MYID"]);
        for of in [to, from, 3 - from - to] {
            self.masters[of].run::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &id]);
        }
    }
}

fn is_whole(master: &Server) -> bool {
    let info: String = master.run(&["CLUSTER", "INFO"]);
    info.contains("cluster_state:ok")
        && info.contains("cluster_known_nodes:3")
        && info.contains("cluster_slots_assigned:16384")
}

fn holds_slot(line: &str, slot: u32) -> bool {
    line.split(' ').skip(8).any(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let within = from.parse().ok().zip(to.parse().ok());
        within.is_some_and(|(from, to): (u32, u32)| (from..=to).contains(&slot))
    })
}

pub fn fresh_prefix() -> String {
    format!("cluster-{}", SessionId::random())
}
