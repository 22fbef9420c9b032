use super::*;
use crate::clock::UnixTime;
use crate::revocation::{EndReason, EntryId, RevocationStore};
use crate::session::refresh::SeedHash;
use crate::session::{EndAll, EndSession, Listing, NewSession, PageRequest};
use crate::stores::MemoryStore;
use crate::testing::ManualClock;
use crate::token::UserId;

const LIMITS: FleetLimits = FleetLimits {
    access_lifetime: std::time::Duration::from_secs(7_202),
    leeway: std::time::Duration::from_secs(5),
    skew: std::time::Duration::from_secs(5),
};

struct World {
    clock: ManualClock,
    old: Arc<MemoryStore>,
    new: Arc<MemoryStore>,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let store = || Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        let (old, new) = (store(), store());
        old.attach(LIMITS).await.expect("it is empty");
        Self { clock, old, new }
    }

    async fn sign_in(&self, user: &str, number: u16) -> SessionId {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        let id = SessionId::random();
        let seed = SeedHash::from_bytes(bytes);
        let mut new = NewSession::new(id, name(user), seed, bytes, ManualClock::START);
        let counters = self.old.counters(&new.user).await.expect("it is there");
        new.revoked_gen = counters.revoked_gen;
        self.old.sign_in(new).await.expect("memory is there");
        id
    }

    async fn end(&self, user: &str, session: SessionId) {
        let request = EndSession {
            session,
            owner: Some(name(user)),
            reason: EndReason::SignedOut,
            by: None,
            entry: EntryId::random(),
        };
        self.old.end(request).await.expect("memory is there");
    }

    async fn copied(&self) -> CopyReport {
        let copy = StoreCopy::begin(self.old.clone(), self.new.clone()).await;
        finished(copy.expect("it can begin")).await
    }

    async fn live(&self, user: &str) -> usize {
        let live = self.new.list(&name(user), Listing::Live).await;
        live.expect("memory is there").len()
    }
}

async fn finished(mut copy: StoreCopy) -> CopyReport {
    while copy.step().await.expect("both are there") {}
    copy.report()
}

fn name(user: &str) -> UserId {
    UserId::new(user).expect("it is a name")
}

#[tokio::test]
async fn all_that_is_alive_is_alive_there_and_all_that_ended_is_not() {
    let world = World::new().await;
    let mut gone = Vec::new();
    for number in 0..1_200 {
        let user = format!("user-{}", number % 40);
        let id = world.sign_in(&user, number).await;
        if number % 3 == 0 {
            world.end(&user, id).await;
            gone.push((user, id));
        }
    }
    let report = world.copied().await;
    assert_eq!((report.made, report.changed, report.ended), (1_200, 0, 0));
    assert_eq!((report.live_from, report.live_to), (800, 800));
    assert_eq!(report.entries, 400);
    for (user, id) in gone {
        let found = world.new.find(id).await.expect("it is there");
        let found = found.expect("ended ones come, too");
        assert_eq!((found.user, found.ended.is_some()), (name(&user), true));
    }
}

#[tokio::test]
async fn a_copy_that_was_stopped_goes_on_to_the_same_end() {
    let world = World::new().await;
    for number in 0..1_200 {
        world.sign_in("ada", number).await;
    }
    let mut copy = StoreCopy::begin(world.old.clone(), world.new.clone())
        .await
        .expect("it can begin");
    assert!(copy.step().await.expect("both are there"));
    let position = serde_json::to_string(copy.position()).expect("it is text");
    drop(copy);
    let refused = StoreCopy::begin(world.old.clone(), world.new.clone()).await;
    assert!(refused.is_err(), "it holds sessions by now");
    let position = serde_json::from_str(&position).expect("it was written so");
    let copy = StoreCopy::resume(world.old.clone(), world.new.clone(), position).await;
    let report = finished(copy.expect("it goes on")).await;
    assert_eq!(report.made, 700);
    assert!(report.is_complete());
    assert_eq!(world.live("ada").await, 1_200);
}

#[tokio::test]
async fn what_ended_and_was_forgotten_between_two_copies_is_not_alive_after_the_second() {
    let world = World::new().await;
    let (first, second) = (world.sign_in("ada", 1).await, world.sign_in("bob", 2).await);
    world.sign_in("eve", 3).await;
    world.copied().await;
    world.end("ada", first).await;
    let erased = world.old.erase(&name("bob"), EntryId::random()).await;
    erased.expect("memory is there");
    // The log has forgotten both, and the old store even that there was a session.
    world.clock.advance(std::time::Duration::from_secs(86_400));
    world.sign_in("eve", 4).await;
    let copy = StoreCopy::again(world.old.clone(), world.new.clone()).await;
    let report = finished(copy.expect("they came from there")).await;
    assert_eq!(report.entries, 0);
    assert_eq!((report.live_from, report.live_to), (2, 2));
    for (user, id) in [("ada", first), ("bob", second)] {
        assert_eq!(world.live(user).await, 0, "{user}");
        let found = world.new.find(id).await.expect("it is there");
        assert!(found.is_some_and(|record| record.ended.is_some()), "{user}");
    }
}

#[tokio::test]
async fn a_second_copy_changes_nothing_where_nothing_changed() {
    let world = World::new().await;
    let id = world.sign_in("ada", 1).await;
    world.sign_in("ada", 2).await;
    world.end("ada", id).await;
    world.copied().await;
    let copy = StoreCopy::again(world.old.clone(), world.new.clone()).await;
    let report = finished(copy.expect("they came from there")).await;
    assert_eq!((report.made, report.changed, report.kept), (0, 0, 2));
    assert!(report.is_complete());
}

#[tokio::test]
async fn a_store_is_not_copied_to_itself_nor_one_that_was_never_used() {
    let world = World::new().await;
    let same = StoreCopy::begin(world.old.clone(), world.old.clone()).await;
    assert!(same.is_err());
    let position = CopyPosition {
        from: 1,
        to: 2,
        stage: CopyStage::Sessions,
        cursor: None,
        sessions: 0,
    };
    let other = StoreCopy::resume(world.old.clone(), world.new.clone(), position).await;
    assert!(other.is_err());
}

#[tokio::test]
async fn after_a_restore_nobody_is_signed_in_and_every_counter_is_higher() {
    let world = World::new().await;
    for number in 0..10 {
        world.sign_in(&format!("user-{number}"), number).await;
    }
    let everything = EndAll {
        user: name("user-0"),
        except: None,
        reason: EndReason::PasswordChanged,
        by: None,
        entry: EntryId::random(),
    };
    world.old.end_all(everything).await.expect("it is there");
    let before = world.old.counters(&name("user-0")).await.expect("there");

    let mut looking = StoreRestore::begin(world.old.clone())
        .expect("it tells all")
        .only_looking();
    while looking.step().await.expect("it is there") {}
    assert_eq!(
        (looking.progress().users, looking.progress().ended),
        (10, 9)
    );
    let live = world.old.list(&name("user-1"), Listing::Live).await;
    assert_eq!(live.expect("it is there").len(), 1);

    let mut restore = StoreRestore::begin(world.old.clone()).expect("it tells all");
    while restore.step().await.expect("it is there") {}
    assert_eq!(
        (restore.progress().users, restore.progress().ended),
        (10, 9)
    );
    let page = PageRequest {
        user: None,
        after: None,
        limit: 10,
    };
    let page = world.old.page(page).await.expect("it is there");
    assert_eq!(page.records, []);
    let after = world.old.counters(&name("user-0")).await.expect("there");
    assert!(after.revoked_gen > before.revoked_gen);
    assert!(after.revoked_gen.as_u64() >= UnixTime::as_micros(ManualClock::START));
}
