//! A log that is read in pieces.

use super::super::names::Now;
use super::super::pieces::read_on;
use super::super::pools::Class;
use super::*;
use crate::revocation::{Pieces, RevocationEntry};
use crate::stores::sql::fixtures::{corrupt_lines_harm_no_others, lines};

async fn whole(store: &PostgresStore) -> Vec<RevocationEntry> {
    let poll = store.poll(PollRequest::new(NodeId(1), HOUR)).await;
    poll.expect("the store answers").entries
}

#[tokio::test]
async fn a_corrupt_line_takes_no_other_of_a_long_log_with_it() {
    let server = server::shared();
    let database = server.database().await;
    let store = store(&server.admin(&database), LAYOUT);
    let tamper = async |sql: String| {
        server.execute(&database, &sql).await;
    };
    corrupt_lines_harm_no_others(&store, tamper).await;
}

#[tokio::test]
async fn all_pieces_are_of_the_snapshot_in_which_the_first_was_read() {
    let server = server::shared();
    let database = server.database().await;
    let store = store(&server.admin(&database), LAYOUT);
    let written = store.append(lines(5_000)).await;
    let log = written.expect("the store answers").entries;
    let opened = store.shared.opened().await.expect("it is open");
    let link = store.shared.acquire(Class::Follow).await;
    let mut link = link.unwrap_or_else(|failure| panic!("{}", failure.into_error()));
    let names = &opened.names;
    let now = ManualClock::START;
    let first = names.snapshot() + &names.piece_after(0, now);
    let mut rows = link.run(first).await.expect("the server answers");
    let pieces = Pieces::default();
    let later = store.append(lines(3)).await;
    later.expect("the store answers");
    // What is over may be purged meanwhile.
    let purged = format!("DELETE FROM jwt_log WHERE until <= {}", Now::At(now + HOUR));
    server.execute(&database, &purged).await;
    let read = read_on(&mut link, names, &mut rows, now, Some(&pieces)).await;
    let read = read.expect("the server answers").into_iter();
    let read: Vec<RevocationEntry> = read.map(|line| line.entry).collect();
    assert!(read == log, "they are not these");
    assert_eq!(pieces.so_far(), 1, "who waits is told of each but the last");
    assert!(whole(&store).await.is_empty(), "all are purged");
}

#[tokio::test]
async fn only_unexpired_lines_fill_a_piece() {
    let server = server::shared();
    let database = server.database().await;
    let store = store(&server.admin(&database), LAYOUT);
    let mut many = lines(9_000);
    for line in many.iter_mut().step_by(2) {
        line.until = ManualClock::START + HOUR / 2;
    }
    let written = store.append(many).await;
    let mut log = written.expect("the store answers").entries;
    let over = format!(
        "UPDATE jwt_log SET until = 1 WHERE until < {}",
        Now::At(ManualClock::START + HOUR)
    );
    server.execute(&database, &over).await;
    log.retain(|entry| entry.until == ManualClock::START + HOUR);
    assert_eq!(log.len(), 4_500);
    assert!(whole(&store).await == log, "they are not these");
}
