//! How long what is open outlives its session, from the moment the revocation is sent to the moment the client sees the end.
//! Printed, never judged: what else the machine does is in it.

use std::time::Duration;

/// One connection that was cut.
pub struct Cut {
    pub node: usize,
    pub what: &'static str,
    pub after: Duration,
}

/// All that were, on one store.
pub struct Figures {
    store: String,
    cuts: Vec<Cut>,
}

impl Figures {
    pub fn new(store: &str) -> Self {
        Self {
            store: store.to_owned(),
            cuts: Vec::new(),
        }
    }

    pub fn add(&mut self, cuts: Vec<Cut>) {
        self.cuts.extend(cuts);
    }

    pub fn print(&self) {
        for (node, place) in ["the node that revokes", "the other node"]
            .iter()
            .enumerate()
        {
            for what in ["WebSocket", "/ticks", "/sessions/events"] {
                let of = |cut: &&Cut| cut.node == node && cut.what == what;
                let cuts = self.cuts.iter().filter(of);
                let mut after: Vec<Duration> = cuts.map(|cut| cut.after).collect();
                after.sort_unstable();
                let (median, longest) = (after[after.len() / 2], after[after.len() - 1]);
                let late = after.iter().filter(|after| **after > WANTED).count();
                eprintln!(
                    "{}, {place}, {what}: median {median:.1?}, longest {longest:.1?}, {late} of {} later than {WANTED:?}",
                    self.store,
                    after.len(),
                );
            }
        }
    }
}

/// How many revocations: one, unless `LIVE_CUTS` says otherwise.
pub fn rounds() -> u32 {
    let said = std::env::var("LIVE_CUTS").ok();
    said.map_or(1, |said| said.parse().expect("a number"))
}

const WANTED: Duration = Duration::from_millis(100);
