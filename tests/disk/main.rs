//! A disk that is full, read-only or hangs, and a process that may open no more files: on the
//! SQLite store, for real.
//!
//! What needs rights that this user does not have is skipped, and says so.
#![cfg(target_os = "linux")]

#[path = "../folder/mod.rs"]
mod folder;
#[path = "../nodes/mod.rs"]
mod nodes;
#[path = "../support/proxy.rs"]
mod proxy;
mod room;

use std::process::Command;
use std::time::{Duration, Instant};

use folder::Folder;
use nodes::process::Pair;
use nodes::{Launch, Node, program};
use room::Room;

/// Does nothing unless it was started as a node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_in_another_process() {
    if std::env::var_os(nodes::IS_NODE).is_some() {
        program::play().await;
    }
}

/// Until something is taken for never.
const PATIENCE: Duration = Duration::from_secs(60);

const SETTINGS: [(&str, &str); 2] = [("REVOCATION_MAX_STALENESS", "2s"), ("STORE_TIMEOUT", "1s")];

fn launch() -> Launch {
    Launch::test("a_node_in_another_process")
}

/// Sessions of which it was said that they were made, and one of which it was said that it ended.
struct Acknowledged {
    alive: Vec<Pair>,
    ended: Pair,
}

impl Acknowledged {
    async fn by(node: &Node) -> Self {
        let mut alive = Vec::new();
        for _ in 0..5 {
            alive.push(at_last(async || node.sign_in("ada").await).await);
        }
        let ended = at_last(async || node.sign_in("ada").await).await;
        at_last(async || node.end(&ended.session).await).await;
        alive[0] = at_last(async || node.refresh(&alive[0].refresh).await).await;
        Self { alive, ended }
    }

    async fn is_known_to(&self, node: &Node) {
        for pair in &self.alive {
            assert_eq!(verdict(node, pair).await, 200);
        }
        let listed = at_last(async || node.list("ada").await).await;
        for pair in &self.alive {
            assert!(listed.contains(&pair.session));
        }
        assert_eq!(verdict(node, &self.ended).await, 401);
        node.refresh(&self.ended.refresh).await.unwrap_err();
    }
}

/// What a call comes to, asked again where the machine was too busy for an answer in time. What was
/// lost is lost at every try.
async fn at_last<T>(mut call: impl AsyncFnMut() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(why) => assert!(began.elapsed() < PATIENCE, "{why}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether a node lets a session in, once it can say.
async fn verdict(node: &Node, pair: &Pair) -> u16 {
    let checked = at_last(async || {
        let answer = node.check(&pair.access).await;
        match answer.status {
            503 => Err(answer.code),
            status => Ok(status),
        }
    });
    checked.await
}

/// Waits until a node lets a live session in again, writes, and lists: each has a breaker of its own.
async fn recovered(node: &Node, pair: &Pair) {
    let began = Instant::now();
    while node.check(&pair.access).await.status != 200
        || node.sign_in("later").await.is_err()
        || node.list("ada").await.is_err()
    {
        assert!(began.elapsed() < PATIENCE, "it does not recover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a node has no view left to answer from, and sees that it says so.
async fn closed(node: &Node, pair: &Pair) {
    let began = Instant::now();
    loop {
        let answer = node.check(&pair.access).await;
        match answer.status {
            503 => return assert_eq!(answer.code, "store_unavailable"),
            200 => assert!(began.elapsed() < PATIENCE, "it stays open"),
            _ => panic!("a live session was refused: {answer:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_loses_nothing_and_goes_on_when_there_is_room() {
    let Some(room) =
        Room::of_memory("mount -o remount,size=3m .; head -c 1500000 /dev/zero > ballast")
    else {
        return;
    };
    let node = room.start(&launch(), &SETTINGS).await;
    let acknowledged = Acknowledged::by(&node).await;
    // A sign-in that was only late may have been made, or not.
    let (mut made, mut doubtful, mut refused) = (0_u64, 0_u64, String::new());
    for _ in 0..20_000 {
        match node.sign_in("grace").await {
            Ok(_) => made += 1,
            Err(why) => {
                doubtful += 1;
                refused = why;
                if refused.contains(FULL) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    assert!(refused.contains(FULL), "{refused}");
    // What a sign-in did not fit into may have been enough for less.
    room.run(&node, "cat /dev/zero > rest || true");
    // An end that cannot be written holds here all the same, and is written when it can be.
    let goes = acknowledged.alive[0].clone();
    node.end(&goes.session).await.unwrap_err();
    assert_ne!(node.check(&goes.access).await.status, 200);
    // What is read still answers for a while, and where even a poll finds no room, the node says so.
    let answer = node.check(&acknowledged.alive[1].access).await;
    assert!(
        answer.status == 200 || answer.code == "store_unavailable",
        "{answer:?}"
    );
    let still = Acknowledged {
        alive: acknowledged.alive[1..].to_vec(),
        ended: acknowledged.ended,
    };

    room.run(&node, "rm ballast rest");
    recovered(&node, &still.alive[0]).await;
    still.is_known_to(&node).await;
    node.await_refusal(&goes.access).await.unwrap();
    let count = at_last(async || node.count("grace").await).await;
    let expected = made..=made + doubtful;
    assert!(expected.contains(&count), "{count} of {expected:?}");
    let other = room.join(&node, &launch(), &SETTINGS).await;
    still.is_known_to(&other).await;
    at_last(async || match other.list("ada").await? {
        listed if listed.contains(&goes.session) => Err("its end is not written".to_owned()),
        _ => Ok(()),
    })
    .await;
}

const FULL: &str = "the disk is full: make room";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_disk_is_a_matter_of_configuration_at_the_start() {
    for before in ["true", "cp \"$SEED\" sessions.db"] {
        let seed = Folder::new();
        let file = seed.file("sessions.db");
        drop(
            launch()
                .start(&format!("sqlite:{}", file.display()), &SETTINGS)
                .await,
        );
        let prepare =
            format!("{before}; mount -o remount,ro .").replace("$SEED", &file.to_string_lossy());
        let Some(room) = Room::of_memory(&prepare) else {
            return;
        };
        let refused = room.try_start(&launch(), &SETTINGS).await;
        let refused = refused.err().expect("it cannot be written");
        assert!(
            refused.contains("cannot be written: let this process write"),
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_becomes_read_only_refuses_and_goes_on_when_it_is_not_any_more() {
    let folder = Folder::new();
    let file = folder.file("sessions.db");
    let node = launch()
        .start(&format!("sqlite:{}", file.display()), &SETTINGS)
        .await;
    let acknowledged = Acknowledged::by(&node).await;
    // Not the index of the log, which is mapped into memory: the kernel ends a process that writes
    // to an immutable page of it.
    let files = [file.clone(), folder.file("sessions.db-wal")];
    let Some(frozen) = room::Immutable::files(&files) else {
        return;
    };
    at_last(async || {
        let refused = node.sign_in("grace").await.unwrap_err();
        let says = ["the disk does not answer as it should", "cannot be written"];
        let is_said = says.iter().any(|&why| refused.contains(why));
        if is_said { Ok(()) } else { Err(refused) }
    })
    .await;
    closed(&node, &acknowledged.alive[0]).await;
    drop(frozen);
    recovered(&node, &acknowledged.alive[0]).await;
    acknowledged.is_known_to(&node).await;
    assert_eq!(at_last(async || node.count("grace").await).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_hangs_costs_a_call_its_deadline_and_no_more() {
    let Some(room) = Room::of_image("true") else {
        return;
    };
    let node = room.start(&launch(), &SETTINGS).await;
    let acknowledged = Acknowledged::by(&node).await;
    let frozen = room.freeze(&node);
    for _ in 0..3 {
        let began = Instant::now();
        node.sign_in("grace").await.unwrap_err();
        // Twice the deadline, of the ticket and of the sign-in, and what a busy machine adds.
        assert!(
            began.elapsed() < Duration::from_secs(2 + 28),
            "{:?}",
            began.elapsed()
        );
    }
    closed(&node, &acknowledged.alive[0]).await;
    drop(frozen);
    recovered(&node, &acknowledged.alive[0]).await;
    acknowledged.is_known_to(&node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_may_open_no_more_files_answers_and_loses_nothing() {
    let folder = Folder::new();
    let address = format!("sqlite:{}", folder.file("sessions.db").display());
    let node = launch().start(&address, &SETTINGS).await;
    let acknowledged = Acknowledged::by(&node).await;
    let limit = |most: &str| {
        let id = node.id().to_string();
        let set = Command::new("prlimit")
            .args(["--pid", &id, &format!("--nofile={most}:")])
            .status();
        set.is_ok_and(|status| status.success())
    };
    if !limit("4") {
        return eprintln!("skipped: there is no prlimit");
    }
    // More readers than are connected: whoever needs another one cannot have it.
    let mut refused = 0;
    for _ in 0..5 {
        let lists = (0..20).map(|_| node.list("ada"));
        let lists = futures_util::future::join_all(lists).await;
        refused += lists.iter().filter(|list| list.is_err()).count();
        let made = node.sign_in("grace").await;
        refused += usize::from(made.is_err());
    }
    assert!(refused > 0, "every call found a file to open");
    assert_eq!(verdict(&node, &acknowledged.ended).await, 401);
    assert!(limit("1024"));
    recovered(&node, &acknowledged.alive[0]).await;
    acknowledged.is_known_to(&node).await;
    let other = launch().start(&address, &SETTINGS).await;
    acknowledged.is_known_to(&other).await;
}
