//! Ten cuts of a node's link to the store.

use std::net::SocketAddr;
use std::time::Duration;

use crate::backend::Backend;
use crate::figures::{Bound, Figure, Figures};
use crate::nodes::{Launch, cuts};
use crate::proxy::{Link, Proxy};
use crate::revoked::SETTINGS as PATIENT;

const STALENESS: Duration = Duration::from_secs(2);
const TIMES: u32 = 10;
const SETTINGS: [(&str, &str); 2] = [
    ("REVOCATION_MAX_STALENESS", "2s"),
    ("STORE_TIMEOUT", "250ms"),
];

pub async fn measure(backend: &dyn Backend, figures: &mut Figures) {
    let address = backend.address("cuts").await;
    let Some(server) = server(&address) else {
        eprintln!("there is no link to cut: the store is not a server on 127.0.0.1");
        return;
    };
    figures.part("cuts", "The link of a node is cut, or hangs");
    let proxy = Proxy::to(server).await.expect("a port is free");
    let way = address.replace(&server.to_string(), &proxy.address().to_string());
    let beside = Launch::program().start(&address, &PATIENT).await;
    let behind = Launch::program().start(&way, &SETTINGS).await;
    for (how, name) in [(Link::Cut, "cut"), (Link::Stall, "hanging")] {
        let (mut within, mut answer, mut recovered) = (0, Duration::ZERO, Duration::ZERO);
        for _ in 0..TIMES {
            let cut = cuts::cut(&beside, &behind, &proxy, how, STALENESS).await;
            let cut = cut.expect("the nodes answer");
            within += u32::from(cut.admitted_until <= STALENESS);
            answer = answer.max(cut.longest_answer);
            recovered = recovered.max(cut.recovered_after);
        }
        let all = Some(Bound::AtLeast(f64::from(TIMES)));
        let name = |what: &str| format!("{name}: {what}");
        let what = format!("refused or 503 within the bound, of {TIMES}");
        figures.add(Figure::new(name(&what), f64::from(within), "", all));
        let most = Some(Bound::AtMost(250.0 + 300.0));
        figures.add(Figure::millis(name("longest answer"), answer, most));
        let most = Some(Bound::AtMost(1_000.0));
        figures.add(Figure::millis(
            name("longest until well again"),
            recovered,
            most,
        ));
    }
}

fn server(address: &str) -> Option<SocketAddr> {
    let (_, rest) = address.split_once("127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)))
}
