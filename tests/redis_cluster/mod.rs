//! A Redis Cluster of a test's own: three masters, with a replica of the first where one is asked
//! for, gone with the last user.
#![allow(dead_code)]

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tower_jwt_session::{RedisStore, SessionId};

use crate::redis_server::{Server, free_port};

pub struct Cluster {
    pub masters: Vec<Server>,
    /// Of the first master.
    pub replica: Option<Server>,
    buses: Vec<u16>,
}

const SLOTS: u32 = 16_384;

impl Cluster {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// One whose masters are started with further arguments.
    pub fn with(args: &[&str]) -> Self {
        Self::with_each(|_| args.iter().map(|&arg| arg.to_owned()).collect())
    }

    /// The same with some of its own for each.
    pub fn with_each(args: impl Fn(usize) -> Vec<String>) -> Self {
        let (mut masters, mut buses) = (Vec::new(), Vec::new());
        for number in 0..3 {
            let own = args(number as usize);
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            let (master, bus) = member(&own);
            let (from, to) = (number * SLOTS / 3, (number + 1) * SLOTS / 3 - 1);
            let epoch = (number + 1).to_string();
            master.run::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
            let range = [from.to_string(), to.to_string()];
            master.run::<()>(&["CLUSTER", "ADDSLOTSRANGE", &range[0], &range[1]]);
            masters.push(master);
            buses.push(bus);
        }
        let cluster = Self {
            masters,
            replica: None,
            buses,
        };
        let others = cluster.masters.iter().zip(cluster.buses.iter().copied());
        let others: Vec<_> = others.skip(1).collect();
        cluster.gather(&others, "the masters find each other", || {
            cluster.masters.iter().all(|master| is_whole(master, 3))
        });
        cluster
    }

    /// One whose first master has a replica, which takes its place soon after that is missed.
    pub fn with_replica() -> Self {
        let mut cluster = Self::new();
        let (replica, bus) = member(&[]);
        let knows_all = |server: &Server| is_whole(server, 4);
        cluster.gather(&[(&replica, bus)], "the replica is known", || {
            knows_all(&replica) && cluster.masters.iter().all(knows_all)
        });
        let master: String = cluster.masters[0].run(&["CLUSTER", "MYID"]);
        replica.run::<()>(&["CLUSTER", "REPLICATE", &master]);
        wait("the replica follows its master", || {
            let info: String = replica.run(&["INFO", "replication"]);
            info.contains("master_link_status:up")
                && cluster.masters.iter().all(|of| knows_replica(of, &master))
        });
        // Not before they know each other: who is not answered within it forgets whom it met.
        for server in cluster.masters.iter().chain([&replica]) {
            server.run::<()>(&["CONFIG", "SET", "cluster-node-timeout", "1000"]);
        }
        cluster.replica = Some(replica);
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

    /// Introduces them to the first master, again and again: what was said once may be forgotten.
    fn gather(&self, others: &[(&Server, u16)], what: &str, is_so: impl Fn() -> bool) {
        let mut said: Option<Instant> = None;
        wait(what, || {
            let is_due = said.is_none_or(|said| said.elapsed() > Duration::from_secs(2));
            if is_due {
                said = Some(Instant::now());
                others.iter().for_each(|(of, bus)| self.meet(of, *bus));
            }
            is_so()
        });
    }

    fn meet(&self, server: &Server, bus: u16) {
        let (port, bus) = (server.port.to_string(), bus.to_string());
        let meet = ["CLUSTER", "MEET", "127.0.0.1", &port, &bus];
        self.masters[0].run::<()>(&meet);
    }

    /// Which of the masters has the slot of a key, as they were in the beginning.
    pub fn master_of(&self, key: &str) -> usize {
        let slot: u32 = self.masters[2].run(&["CLUSTER", "KEYSLOT", key]);
        let ends = |number: &u32| (number + 1) * SLOTS / 3 > slot;
        (0..3).find(ends).expect("there are no other slots") as usize
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

fn member(args: &[&str]) -> (Server, u16) {
    let started = (0..5).find_map(|_| {
        let bus = free_port();
        let port = bus.to_string();
        let mut all = vec!["--cluster-enabled", "yes", "--cluster-port", &port];
        all.extend(args);
        Some((Server::try_with(&all)?, bus))
    });
    started.expect("redis-server starts on one of five pairs of ports")
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        let is_late = began.elapsed() > Duration::from_secs(120);
        assert!(!is_late, "{what}: not within two minutes");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_whole(master: &Server, nodes: usize) -> bool {
    let info: String = master.run(&["CLUSTER", "INFO"]);
    info.contains("cluster_state:ok")
        && info.contains(&format!("cluster_known_nodes:{nodes}"))
        && info.contains("cluster_slots_assigned:16384")
}

fn knows_replica(of: &Server, master: &str) -> bool {
    let nodes: String = of.run(&["CLUSTER", "NODES"]);
    let replica = format!("slave {master}");
    nodes.lines().any(|line| line.contains(&replica))
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
