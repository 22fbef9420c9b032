//! What the tests of the databases put into them.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::revocation::{
    About, Answer, EndReason, EntryId, NodeId, PollRequest, Question, RevocationEntry, Revoked,
};
use crate::session::refresh::SeedHash;
use crate::session::{
    Authentication, Device, EndAll, EndSession, Listing, NewSession, SessionLimit, SessionRecord,
    SessionStore, SignInOutcome, Transport,
};
use crate::testing::ManualClock;
use crate::token::{SessionId, UserId};
use crate::verify::{Counter, TokenFacts};

pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

pub(super) fn user() -> UserId {
    UserId::new("ada").expect("it is a name")
}

pub(super) fn new_session(number: u8) -> NewSession {
    NewSession {
        id: SessionId::random(),
        user: user(),
        revoked_gen: Counter::ZERO,
        seed: SeedHash::from_bytes([number; 32]),
        operation: [number; 32],
        issued_at: ManualClock::START,
        access_expires_at: ManualClock::START + HOUR,
        refresh_lifetime: HOUR,
        absolute_lifetime: 2 * HOUR,
        idle_lifetime: None,
        limit: SessionLimit::UNLIMITED,
        device: Device::default(),
        name: None,
        transport: Transport::Body,
        authentication: Authentication::default(),
        data: None,
    }
}

pub(super) fn end(record: &SessionRecord) -> EndSession {
    EndSession {
        session: record.id,
        owner: None,
        reason: EndReason::SignedOut,
        by: None,
        entry: EntryId::random(),
    }
}

/// Where what is logged goes to.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn said(&self) -> String {
        let said = std::mem::take(&mut *self.0.lock().expect("nobody panicked"));
        String::from_utf8(said).expect("it is text")
    }
}

/// What is written over a session's record, or over what the log says; each is to be reported.
const CORRUPT: [&str; 10] = [
    "UPDATE jwt_sessions SET record = '' WHERE record LIKE '%BROKEN%'",
    "UPDATE jwt_sessions SET record = 'null' WHERE record LIKE '%BROKEN%'",
    "UPDATE jwt_sessions SET record = '{}' WHERE record LIKE '%BROKEN%'",
    "UPDATE jwt_sessions SET record = '[[[[' WHERE record LIKE '%BROKEN%'",
    "UPDATE jwt_sessions SET record = (SELECT o.record FROM jwt_sessions o \
         WHERE o.record LIKE '%ALIVE%') WHERE record LIKE '%BROKEN%'",
    "UPDATE jwt_sessions SET record = replace(record, 'BROKEN', 'ada') WHERE record LIKE '%BROKEN%'",
    "UPDATE jwt_log SET entry = ''",
    "UPDATE jwt_log SET entry = '{\"revoked\":1}'",
    "UPDATE jwt_log SET entry = replace(entry, 'ENDED', 'BROKEN')",
    "UPDATE jwt_log SET subject = 'nobody', entry = ''",
];

/// Has rows written over, one way after the other, and sees that whoever they are of is nobody,
/// that nobody who has ended comes back, and that everybody else goes on.
pub(super) async fn corrupt_rows_harm_nobody_else<S: SessionStore>(
    fresh: impl AsyncFn() -> S,
    tamper: impl AsyncFn(&S, String),
) {
    let log = Log::default();
    let writer = log.clone();
    let logging = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let _logging = tracing::subscriber::set_default(logging.finish());
    // While there is one subscriber alone, what another thread without any says first is taken to
    // interest nobody.
    let _another = tracing::Dispatch::new(tracing_subscriber::registry());
    for way in CORRUPT {
        let store = fresh().await;
        let mut made = Vec::new();
        for number in 1..=3 {
            match store.sign_in(new_session(number)).await {
                Ok(SignInOutcome::Created { record, .. }) => made.push(record),
                other => panic!("a session is made, not {other:?}"),
            }
        }
        let [alive, ended, broken] = &made[..] else {
            panic!("there are three");
        };
        store.end(end(ended)).await.expect("the store answers");
        log.said();
        let sql = way
            .replace("ALIVE", &alive.id.to_string())
            .replace("ENDED", &ended.id.to_string())
            .replace("BROKEN", &broken.id.to_string());
        tamper(&store, sql).await;
        let answer = store.ask(&question(alive)).await;
        assert_eq!(answer.ok(), Some(Answer::Alive), "{way}");
        let answer = store.ask(&question(ended)).await.expect("it answers");
        assert_ne!(answer, Answer::Alive, "{way}");
        let whole = way.contains("jwt_log");
        let answer = store.ask(&question(broken)).await.expect("it answers");
        assert_eq!(answer == Answer::Alive, whole, "{way}");
        let left = if whole { 2 } else { 1 };
        assert_eq!(store.count(&user()).await.ok(), Some(left), "{way}");
        let listed = store.list(&user(), Listing::Live).await;
        assert_eq!(listed.expect("it answers").len() as u64, left, "{way}");
        let poll = store.poll(PollRequest::new(NodeId(1), HOUR)).await;
        poll.expect("it answers");
        assert!(log.said().contains("ERROR"), "{way} is not reported");
        store.sweep(HOUR, 10).await.expect("it answers");
        match store.sign_in(new_session(9)).await {
            Ok(SignInOutcome::Created { .. }) => {}
            other => panic!("a session is made, not {other:?}"),
        }
        let all = EndAll {
            user: user(),
            except: None,
            reason: EndReason::AdminRevoked,
            by: None,
            entry: EntryId::random(),
        };
        store.end_all(all).await.expect("it answers");
        for record in &made {
            let answer = store.ask(&question(record)).await.expect("it answers");
            assert_ne!(answer, Answer::Alive, "{way}");
        }
    }
}

/// Lines that have an hour to live.
pub(super) fn lines(count: usize) -> Vec<RevocationEntry> {
    let line = |_| RevocationEntry {
        id: EntryId::random(),
        revoked: Revoked::Session {
            session: SessionId::random(),
            user: Some(user()),
        },
        reason: EndReason::SignedOut,
        at: ManualClock::START,
        until: ManualClock::START + HOUR,
    };
    (0..count).map(line).collect()
}

/// Has lines of a long log written over, and sees that of each all of its subject is out, and that
/// the others are read as they were. What the log says then.
pub(super) async fn corrupt_lines_harm_no_others<S: SessionStore>(
    store: &S,
    tamper: impl AsyncFn(String),
) -> Vec<RevocationEntry> {
    let whole = async || {
        let poll = store.poll(PollRequest::new(NodeId(1), HOUR)).await;
        poll.expect("the store answers").entries
    };
    let written = store.append(lines(5_000)).await;
    let mut written = written.expect("the store answers").entries;
    assert!(whole().await == written, "it is not what was written");
    for (number, entry) in [(17, "'\u{1f}'"), (4_999, "entry || '\u{1f}'")] {
        tamper(format!(
            "UPDATE jwt_log SET entry = {entry} WHERE number = {number}"
        ))
        .await;
        let read = whole().await;
        let broken = &mut written[number - 1];
        let Revoked::Session { user, .. } = &mut broken.revoked else {
            panic!("it is about a session");
        };
        // All that its subject can have meant.
        *user = None;
        broken.reason = EndReason::AdminRevoked;
        assert!(read == written, "{number}");
    }
    written
}

pub(super) fn question(record: &SessionRecord) -> Question {
    Question {
        facts: TokenFacts {
            user: record.user.clone(),
            session: Some(record.id),
            token: None,
            binding: None,
            issued_at: Some(ManualClock::START),
            expires_at: ManualClock::START + HOUR,
        },
        about: About::Session,
    }
}
