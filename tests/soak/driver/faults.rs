//! What fails, one thing after the other.

use std::time::{Duration, Instant};

use super::Settings;
use super::fleet::Fleet;
use super::weather::Weather;
use crate::proxy::Link;

/// What can fail. The first node is never killed, so that its memory says something.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Link(usize, Link),
    BothLinks(Link),
    StoreStops,
    StoreIsKilled,
    NodeIsKilled,
    NodeStops(usize),
}

/// Makes one fault after the other, with quiet times between; each comes as often as the others.
pub async fn come_and_go(settings: &Settings, until: Instant, fleet: &Fleet, weather: &Weather) {
    let is_server = fleet.place.lock().await.is_server();
    let mut left: Vec<Kind> = Vec::new();
    loop {
        let quiet = settings.quiet.mul_f64(0.7 + 0.6 * fastrand::f64());
        // The last fault is over well before the end.
        if Instant::now() + quiet + settings.fault * 2 > until {
            break;
        }
        tokio::time::sleep(quiet).await;
        if left.is_empty() {
            left = kinds(is_server);
            fastrand::shuffle(&mut left);
        }
        let Some(kind) = left.pop() else { break };
        let lasts = settings.fault.mul_f64(0.2 + 0.8 * fastrand::f64());
        make(kind, lasts, fleet, weather).await;
    }
}

async fn make(kind: Kind, lasts: Duration, fleet: &Fleet, weather: &Weather) {
    let mut place = fleet.place.lock().await;
    let only = |node: usize| [node == 0, node == 1];
    let told = format!("{}, {:.1} s", told(kind), lasts.as_secs_f64());
    match kind {
        Kind::Link(node, link) => {
            weather.begins(told, only(node), false);
            place.set(node, link);
            tokio::time::sleep(lasts).await;
            place.set(node, Link::Forward);
        }
        Kind::BothLinks(link) => {
            weather.begins(told, [true; 2], false);
            place.set_both(link);
            tokio::time::sleep(lasts).await;
            place.set_both(Link::Forward);
        }
        Kind::StoreStops => {
            weather.begins(told, [true; 2], false);
            place.stop();
            tokio::time::sleep(lasts).await;
            place.go_on();
        }
        Kind::StoreIsKilled => {
            weather.begins(told, [true; 2], false);
            tokio::task::block_in_place(|| place.kill(lasts));
        }
        Kind::NodeIsKilled => {
            weather.begins(told, only(1), true);
            fleet.kill(1);
            tokio::time::sleep(lasts).await;
            fleet.revive(1).await;
        }
        Kind::NodeStops(node) => {
            weather.begins(told, only(node), false);
            if let Some(up) = fleet.up(node) {
                up.node.pause();
                tokio::time::sleep(lasts).await;
                up.node.resume();
            }
        }
    }
    weather.ends();
}

fn kinds(is_server: bool) -> Vec<Kind> {
    let mut kinds = vec![
        Kind::Link(0, Link::Cut),
        Kind::Link(1, Link::Cut),
        Kind::Link(0, Link::Stall),
        Kind::Link(1, Link::Stall),
        Kind::Link(0, Link::Delay(SLOW)),
        Kind::Link(1, Link::Mute),
        Kind::Link(0, Link::Deaf),
        Kind::BothLinks(Link::Stall),
        Kind::BothLinks(Link::Delay(SLOW)),
        Kind::NodeIsKilled,
        Kind::NodeStops(0),
        Kind::NodeStops(1),
    ];
    if is_server {
        kinds.extend([Kind::StoreStops, Kind::StoreIsKilled, Kind::StoreIsKilled]);
    }
    kinds
}

fn told(kind: Kind) -> String {
    let link = |link| match link {
        Link::Forward => "whole",
        Link::Cut => "cut",
        Link::Stall => "hangs",
        Link::Delay(_) => "slow",
        Link::Mute => "without answers",
        Link::Deaf => "without questions",
    };
    match kind {
        Kind::Link(node, how) => format!("link of node {node} {}", link(how)),
        Kind::BothLinks(how) => format!("both links {}", link(how)),
        Kind::StoreStops => "store stopped".to_owned(),
        Kind::StoreIsKilled => "store killed".to_owned(),
        Kind::NodeIsKilled => "node 1 killed".to_owned(),
        Kind::NodeStops(node) => format!("node {node} stopped"),
    }
}

const SLOW: Duration = Duration::from_millis(150);
