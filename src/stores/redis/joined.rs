//! What the parts of the store say, as one answer.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use redis::Value;

use super::RedisStore;
use super::parts::whole;
use super::reply::{self, PartPoll, Standing};
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{Committed, Cursor, EntryId, Lease, LogPosition, NodeId, Poll};

/// What the parts hold of one node's leases.
#[derive(Default)]
struct Held {
    histories: Vec<(u16, u128)>,
    applied: Vec<(u16, u64)>,
    left: Duration,
}

impl RedisStore {
    /// What one part committed.
    pub(super) fn committed(&self, part: u16, value: Value) -> Result<Committed, StoreError> {
        Ok(self.joined(vec![(part, reply::standing(value)?)]))
    }

    /// What several parts committed, in their order. An entry that stands in more than one of
    /// them is the first one's: whoever has read up to there has read it.
    pub(super) fn joined(&self, parts: Vec<(u16, Standing)>) -> Committed {
        let told = parts
            .iter()
            .map(|(part, standing)| (*part, standing.history));
        let histories = self.shared.histories.heard(told);
        // Masters may differ a little in their time; what is left of a lease does not.
        let now = parts.first().map(|(_, standing)| standing.now);
        let now = now.unwrap_or(UnixTime::EPOCH);
        let leases = leases(&parts, &histories, now);
        let mut known = HashSet::new();
        let (mut entries, mut positions) = (Vec::new(), Vec::new());
        for (part, standing) in parts {
            for (entry, value) in standing.lines {
                if known.insert(entry.id) {
                    entries.push(entry);
                    positions.push(LogPosition { part, value });
                }
            }
        }
        Committed {
            entries,
            positions,
            leases,
            history: whole(&histories),
            now,
        }
    }

    /// What all parts answered to a poll.
    pub(super) fn joined_poll(&self, parts: Vec<PartPoll>) -> Poll {
        let told = (0..).zip(parts.iter().map(|part| part.history));
        let histories = self.shared.histories.heard(told);
        let cursor = Cursor(parts.iter().map(|part| part.end).collect());
        let now = parts.iter().map(|part| part.now).min();
        let (mut known, mut entries) = (HashSet::new(), Vec::new());
        let mut missing: Option<Vec<EntryId>> = None;
        let several = parts.len() > 1;
        for mut part in parts {
            if several {
                // Of two lines of one name in a part the later end counts, so both are told.
                part.entries.retain(|entry| !known.contains(&entry.id));
                known.extend(part.entries.iter().map(|entry| entry.id));
            }
            match entries.is_empty() {
                true => entries = part.entries,
                false => entries.append(&mut part.entries),
            }
            let before = missing.get_or_insert_with(|| part.missing.clone());
            before.retain(|id| part.missing.contains(id));
        }
        Poll {
            history: whole(&histories),
            entries,
            cursor,
            missing: missing.unwrap_or_default(),
            now: now.unwrap_or(UnixTime::EPOCH),
        }
    }

    /// What each part is to take for known, so that it answers what is new since then.
    pub(super) fn known(&self, history: Option<u128>) -> Vec<Option<u128>> {
        let parts = usize::from(self.parts());
        if parts == 1 {
            return vec![history];
        }
        let Some(history) = history else {
            return vec![None; parts];
        };
        let heard = self.shared.histories.heard([]);
        if whole(&heard) == history {
            return heard.into_iter().map(Some).collect();
        }
        // It is over, so nobody follows it any more.
        vec![Some(0); parts]
    }
}

fn leases(parts: &[(u16, Standing)], histories: &[u128], now: UnixTime) -> Vec<Lease> {
    let mut nodes: BTreeMap<NodeId, Held> = BTreeMap::new();
    for (part, standing) in parts {
        for lease in &standing.leases {
            let held = nodes.entry(lease.node).or_default();
            held.histories.push((*part, lease.history));
            held.applied.extend(lease.applied.map(|read| (*part, read)));
            held.left = held.left.max(lease.until.since(standing.now));
        }
    }
    nodes
        .into_iter()
        .map(|(node, held)| {
            let mut followed = histories.to_vec();
            for (part, history) in held.histories {
                followed[usize::from(part)] = history;
            }
            let mut applied = Vec::new();
            for (part, read) in held.applied {
                applied.resize(histories.len(), 0);
                applied[usize::from(part)] = read;
            }
            Lease {
                node,
                history: whole(&followed),
                applied: Cursor(applied),
                until: now + held.left,
            }
        })
        .collect()
}
