//! What a node keeps in mind of the log.

use super::super::progress::{Load, Probe};
use super::*;

const HISTORY: u128 = 2;
const MICRO: Duration = Duration::from_micros(1);

/// A load of the log at which so much stood in it.
fn load(log: &[EntryId], beyond: UnixTime) -> Load {
    Load {
        history: HISTORY,
        cursor: Cursor(vec![0]),
        began: fake::HandClock::default().instants(),
        last: None,
        log: log.iter().copied().collect(),
        lost: Vec::new(),
        beyond,
    }
}

/// What this node wrote, up to so far in the log.
fn written(until: UnixTime, value: u64) -> Committed {
    let entry = RevocationEntry {
        until,
        ..ends_token(&facts_of("ada"), fake::START)
    };
    Committed {
        entries: vec![entry],
        positions: vec![LogPosition { part: 0, value }],
        leases: Vec::new(),
        history: HISTORY,
        now: fake::START,
    }
}

fn loaded() -> Progress {
    let mut progress = Progress::new(SKEW);
    progress.loaded(load(&[], fake::START));
    progress
}

/// What of its own it still waits for, by what would be written back if the log had lost everything.
fn awaited(mut progress: Progress) -> Vec<EntryId> {
    progress.loaded(load(&[], UnixTime::EPOCH));
    let back = progress.to_write_back(9);
    back.iter().map(|entry| entry.id).collect()
}

fn id(write: &Committed) -> EntryId {
    write.entries[0].id
}

#[test]
fn of_this_nodes_own_writes_those_are_lost_that_the_log_lacks_and_that_still_live() {
    let mut progress = loaded();
    let beyond = fake::START + Duration::from_secs(60);
    let over = written(beyond, 1);
    let [there, lost] = [1, 1].map(|value| written(beyond + MICRO, value));
    for write in [&over, &there, &lost] {
        progress.wrote(write);
    }
    progress.loaded(load(&[id(&there)], beyond));
    let back: Vec<_> = progress
        .to_write_back(9)
        .iter()
        .map(|entry| entry.id)
        .collect();
    assert_eq!(back, [id(&lost)]);
}

#[test]
fn a_write_of_this_node_is_awaited_until_a_poll_of_its_history_has_read_that_far() {
    let bench = Bench::unloaded(1);
    for (history, cursor, read) in [
        (HISTORY, 2, false),
        (HISTORY, 3, true),
        (HISTORY + 1, 3, false),
    ] {
        let mut progress = loaded();
        let write = written(UnixTime::MAX, 3);
        progress.wrote(&write);
        let poll = Poll {
            history,
            entries: Vec::new(),
            cursor: Cursor(vec![cursor]),
            missing: Vec::new(),
            now: fake::START,
        };
        progress.advanced(poll, bench.clock.instants(), &*bench.store);
        let expected = if read { vec![] } else { vec![id(&write)] };
        assert_eq!(awaited(progress), expected, "{history} {cursor}");
    }
}

#[test]
fn what_is_over_by_both_clocks_is_awaited_no_longer() {
    let end = fake::START + Duration::from_secs(60);
    for (until, kept) in [(end, false), (end + MICRO, true)] {
        let mut progress = loaded();
        let (early, late) = (written(until, 1), written(UnixTime::MAX, 2));
        progress.wrote(&early);
        progress.over_before(end, end + SKEW);
        progress.wrote(&late);
        let mut expected = vec![id(&late)];
        if kept {
            expected.insert(0, id(&early));
        }
        assert_eq!(awaited(progress), expected);
    }
}

#[test]
fn the_clock_of_the_store_goes_on_with_ours_between_two_answers() {
    let mut progress = Progress::new(SKEW);
    let (ours, the_stores) = (fake::START, fake::START + SKEW);
    progress.over_before(ours, the_stores);
    let second = Duration::from_secs(1);
    assert_eq!(progress.store_time(ours + second), the_stores + second);
    assert_eq!(progress.store_time(ours), the_stores);
}

#[test]
fn what_was_read_and_comes_again_means_a_loss_unless_it_was_over_or_is_about_nobody_known() {
    let end = fake::START + Duration::from_secs(60);
    let facts = facts_of("ada");
    let of = |user: Option<&UserId>| RevocationEntry {
        until: end,
        ..ends(facts.session.unwrap(), user, fake::START)
    };
    for (entry, now, expected) in [
        (of(Some(&facts.user)), end - MICRO, true),
        (of(Some(&facts.user)), end, false),
        (of(None), end - MICRO, false),
    ] {
        let mut progress = Progress::new(SKEW);
        progress.loaded(Load {
            last: Some(Probe::of(&entry)),
            ..load(&[entry.id], UnixTime::EPOCH)
        });
        progress.over_before(now, now);
        let other = ends_token(&facts_of("bob"), fake::START);
        assert!(!progress.was_read(&[]) && !progress.was_read(std::slice::from_ref(&other)));
        assert_eq!(progress.was_read(&[other, entry]), expected, "{now:?}");
    }
}
