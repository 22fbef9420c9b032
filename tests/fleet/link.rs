//! Nodes whose link to the store fails: for stores that are servers.

use std::time::Duration;

use crate::nodes::{Node, cuts};
use crate::place::Place;
use crate::proxy::{Link, Proxy};
use crate::{SHORT_VIEW, launch};

const STALENESS: Duration = Duration::from_secs(2);
const HASTY: [(&str, &str); 2] = [
    ("REVOCATION_MAX_STALENESS", "2s"),
    ("STORE_TIMEOUT", "500ms"),
];
/// The deadline of a question to the store, and what a busy machine may add.
const LONGEST_ANSWER: Duration = Duration::from_millis(500 + 30_000);

/// A node beside the link, one behind it, and the link.
async fn linked(place: &Place, settings: &[(&str, &str)]) -> (Node, Node, Proxy) {
    let server = place.server().expect("only a server has a link");
    let proxy = Proxy::to(server).await.unwrap();
    let beside = launch().start(place.address(), &SHORT_VIEW).await;
    let behind = launch()
        .start(&place.by_way_of(proxy.address()), settings)
        .await;
    (beside, behind, proxy)
}

async fn fails(place: &Place, how: Link, times: u32) {
    let (beside, behind, proxy) = linked(place, &HASTY).await;
    for _ in 0..times {
        let cut = cuts::cut(&beside, &behind, &proxy, how, STALENESS).await;
        let cut = cut.unwrap();
        assert!(cut.admitted_until <= STALENESS, "{cut:?}");
        assert!(cut.longest_answer <= LONGEST_ANSWER, "{cut:?}");
    }
}

pub async fn a_cut_link_admits_nothing_from_beyond_the_staleness_bound(place: &Place) {
    fails(place, Link::Cut, 10).await;
}

pub async fn a_link_that_hangs_costs_a_request_no_more_than_the_deadline(place: &Place) {
    fails(place, Link::Stall, 2).await;
}

pub async fn a_link_that_loses_the_answers_admits_nothing_for_longer(place: &Place) {
    fails(place, Link::Mute, 2).await;
}

pub async fn a_link_that_loses_the_questions_admits_nothing_for_longer(place: &Place) {
    fails(place, Link::Deaf, 2).await;
}

pub async fn a_slow_link_slows_down_and_refuses_nobody(place: &Place) {
    let (beside, behind, proxy) = linked(place, &SHORT_VIEW).await;
    proxy.set(Link::Delay(Duration::from_millis(20)));
    for _ in 0..5 {
        let pair = beside.sign_in("ada").await.unwrap();
        assert_eq!(behind.check(&pair.access).await.status, 200);
        beside.end_everywhere(&pair.session).await.unwrap();
        assert_eq!(behind.check(&pair.access).await.status, 401);
    }
}
