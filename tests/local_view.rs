//! What a node ends holds on that node by itself, and at once: it neither reads the log nor asks
//! the store to hear of it. Both are cut off here before the next request comes.

mod support;

use std::time::Duration;

use futures_util::FutureExt;
use support::broken::{self, BY_THE_VIEW, Broken, Fault, Method};
use support::{admit, sign_in, user};
use tower_jwt_session::revocation::{
    EndReason, EntryId, RevocationEntry, RevocationStore, Revoked,
};
use tower_jwt_session::session::Done;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    BoxFuture, JwtSession, JwtSessionBuilder, Lifetimes, Rejection, Rotation, Running,
    SessionError, SessionLimit, SessionStore, Tokens, UnixTime,
};

const MINUTE: Duration = Duration::from_secs(60);
/// Longer than any repetition of an answer is taken for an accident.
const LATER: Duration = Duration::from_secs(120);

struct Node {
    auth: JwtSession,
    store: Broken,
    clock: ManualClock,
    _running: Running,
}

async fn node(set_up: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> Node {
    let (builder, store, clock) = broken::builder();
    let auth = set_up(builder.terms(BY_THE_VIEW)).build().unwrap();
    // Only the test about sweeping wants it.
    store.set(Method::Sweep, Fault::Fails);
    let running = auth.start().await.unwrap();
    Node {
        auth,
        store,
        clock,
        _running: running,
    }
}

impl Node {
    /// Lets the tokens in, once the log was followed, and leaves the node to itself.
    async fn warm_and_alone(&self, tokens: &[&Tokens]) {
        tokio::time::sleep(Duration::from_secs(3)).await;
        for tokens in tokens {
            admit(&self.auth, &tokens.access_token).await.unwrap();
        }
        self.store.cut_off();
    }

    async fn refresh(&self, tokens: &Tokens) -> Result<Tokens, SessionError> {
        let token = tokens.refresh_token.as_deref().unwrap();
        self.auth.sessions().refresh(token).await
    }

    #[track_caller]
    fn assert_out(&self, tokens: &Tokens) {
        let admitted = admit(&self.auth, &tokens.access_token).now_or_never();
        let refusal = admitted.expect("nothing has to be waited for").map(|_| ());
        let refusal = refusal.expect_err("the token is out");
        assert!(
            matches!(refusal, Rejection::TokenRevoked { .. }),
            "{refusal:?}"
        );
    }

    #[track_caller]
    fn assert_in(&self, tokens: &Tokens) {
        let admitted = admit(&self.auth, &tokens.access_token).now_or_never();
        let session = admitted.expect("nothing has to be waited for").unwrap();
        assert_eq!(session.id(), Some(tokens.session_id));
    }
}

fn idle(builder: JwtSessionBuilder) -> JwtSessionBuilder {
    builder.lifetimes(Lifetimes::default().with_idle(30 * MINUTE))
}

#[tokio::test(start_paused = true)]
async fn a_session_that_gave_way_is_out_with_the_sign_in() {
    let node = node(|builder| builder.limit(SessionLimit::evicting(1))).await;
    let ada = user("ada");
    let first = sign_in(&node.auth, &ada).await.unwrap();
    node.warm_and_alone(&[&first]).await;
    let second = sign_in(&node.auth, &ada).await.unwrap();
    node.assert_out(&first);
    node.assert_in(&second);
}

#[tokio::test(start_paused = true)]
async fn a_session_found_to_be_over_is_out_also_when_the_sign_in_is_refused() {
    let node = node(|builder| idle(builder).limit(SessionLimit::rejecting(1))).await;
    let (builder, _clock) = support::builder();
    let roomy = idle(builder.store(node.store.clone())).build().unwrap();
    let ada = user("ada");
    let over = sign_in(&roomy, &ada).await.unwrap();
    node.clock.advance(10 * MINUTE);
    let lives = sign_in(&roomy, &ada).await.unwrap();
    node.clock.advance(21 * MINUTE);
    node.warm_and_alone(&[&over, &lives]).await;
    let refused = sign_in(&node.auth, &ada).await;
    assert!(matches!(refused, Err(SessionError::LimitReached)));
    node.assert_out(&over);
    node.assert_in(&lives);
}

#[tokio::test(start_paused = true)]
async fn a_session_found_to_be_over_is_out_with_the_refresh() {
    let node = node(idle).await;
    let over = sign_in(&node.auth, &user("ada")).await.unwrap();
    node.clock.advance(31 * MINUTE);
    node.warm_and_alone(&[&over]).await;
    let refused = node.refresh(&over).await;
    assert!(matches!(refused, Err(SessionError::Over(EndReason::Idle))));
    node.assert_out(&over);
}

#[tokio::test(start_paused = true)]
async fn a_stolen_session_is_out_with_the_refresh_that_betrays_it() {
    let node = node(|builder| builder).await;
    let first = sign_in(&node.auth, &user("ada")).await.unwrap();
    node.clock.advance(LATER);
    let second = node.refresh(&first).await.unwrap();
    node.clock.advance(LATER);
    let third = node.refresh(&second).await.unwrap();
    node.warm_and_alone(&[&third]).await;
    let reused = node.refresh(&first).await;
    assert!(matches!(reused, Err(SessionError::RefreshReused)));
    node.assert_out(&third);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_generation_is_out_with_the_refresh_that_replaces_it() {
    let node = node(|builder| builder).await;
    let first = sign_in(&node.auth, &user("ada")).await.unwrap();
    node.clock.advance(LATER);
    let lost = node.refresh(&first).await.unwrap();
    node.clock.advance(LATER);
    node.warm_and_alone(&[&lost]).await;
    let instead = node.refresh(&first).await.unwrap();
    assert_eq!(instead.generation, 3);
    node.assert_out(&lost);
    node.assert_in(&instead);
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_is_out_with_the_rotation_where_that_is_asked() {
    let rotation = Rotation::default().revoking_predecessors();
    let node = node(|builder| builder.rotation(rotation)).await;
    let first = sign_in(&node.auth, &user("ada")).await.unwrap();
    node.warm_and_alone(&[&first]).await;
    let second = node.refresh(&first).await.unwrap();
    node.assert_out(&first);
    node.assert_in(&second);
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_is_out_also_when_the_first_answer_about_it_was_lost() {
    let rotation = Rotation::default().revoking_predecessors();
    let node = node(|builder| builder.rotation(rotation)).await;
    let first = sign_in(&node.auth, &user("ada")).await.unwrap();
    node.warm_and_alone(&[&first]).await;
    node.store.set(Method::Refresh, Fault::Silent);
    let mended = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        node.store.mend(Method::Refresh);
    };
    let (second, ()) = tokio::join!(node.refresh(&first), mended);
    assert_eq!(node.store.calls(Method::Refresh), 2);
    node.assert_out(&first);
    node.assert_in(&second.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_swept_session_is_out_with_the_sweep() {
    let node = node(idle).await;
    let over = sign_in(&node.auth, &user("ada")).await.unwrap();
    node.clock.advance(31 * MINUTE);
    node.warm_and_alone(&[&over]).await;
    node.store.mend(Method::Sweep);
    tokio::time::sleep(MINUTE).await;
    node.assert_out(&over);
}

type Ending = BoxFuture<'static, Result<Done, SessionError>>;

fn end(node: &Node, by: Method, tokens: &Tokens) -> Ending {
    let (sessions, id) = (node.auth.sessions().clone(), tokens.session_id);
    let ada = user("ada");
    Box::pin(async move {
        match by {
            Method::End => sessions.end(id, EndReason::SignedOut).await,
            Method::EndAll => sessions.end_all(&ada).await,
            _ => sessions.erase(&ada).await,
        }
    })
}

const ENDINGS: [Method; 3] = [Method::End, Method::EndAll, Method::Erase];

#[tokio::test(start_paused = true)]
async fn an_end_holds_here_from_its_call_on_without_a_moment_between() {
    for by in ENDINGS {
        for fault in [Fault::Held, Fault::Silent] {
            let node = node(|builder| builder).await;
            let ours = sign_in(&node.auth, &user("ada")).await.unwrap();
            let theirs = sign_in(&node.auth, &user("bob")).await.unwrap();
            node.warm_and_alone(&[&ours, &theirs]).await;
            node.store.set(by, fault);
            let mut ending = end(&node, by, &ours);
            assert!((&mut ending).now_or_never().is_none(), "{by:?}");
            node.assert_out(&ours);
            node.assert_in(&theirs);

            node.store.mend(by);
            let done = loop {
                node.assert_out(&ours);
                match (&mut ending).now_or_never() {
                    Some(done) => break done,
                    None => tokio::task::yield_now().await,
                }
            };
            assert_eq!(done.unwrap().count(), 1);
            node.assert_out(&ours);
            node.assert_in(&theirs);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_made_after_an_end_lives_also_when_the_stores_clock_is_behind() {
    for by in ENDINGS {
        let (builder, clock) = support::builder();
        let behind = ManualClock::starting_at(ManualClock::START - Duration::from_secs(1));
        let store = Broken::new(behind, clock.clone());
        let builder = builder.store(store.clone()).terms(BY_THE_VIEW);
        let auth = builder.build().unwrap();
        let running = auth.start().await.unwrap();
        let node = Node {
            auth,
            store,
            clock,
            _running: running,
        };
        let before = sign_in(&node.auth, &user("ada")).await.unwrap();
        node.warm_and_alone(&[&before]).await;
        end(&node, by, &before).await.unwrap();
        let after = sign_in(&node.auth, &user("ada")).await.unwrap();
        node.assert_in(&after);
        node.assert_out(&before);
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_fails_takes_back_what_held_here() {
    let node = node(|builder| builder).await;
    let ours = sign_in(&node.auth, &user("ada")).await.unwrap();
    let theirs = sign_in(&node.auth, &user("bob")).await.unwrap();
    node.warm_and_alone(&[&ours]).await;
    let everything = node.auth.sessions().end_all(&user("ada"));
    let refused = everything.except(theirs.session_id).await;
    assert!(matches!(refused, Err(SessionError::NotFound)));
    node.assert_in(&ours);
}

#[tokio::test(start_paused = true)]
async fn ending_somebody_elses_session_does_not_even_hold_for_a_moment() {
    let node = node(|builder| builder).await;
    let theirs = sign_in(&node.auth, &user("ada")).await.unwrap();
    node.warm_and_alone(&[&theirs]).await;
    node.store.set(Method::End, Fault::Held);
    let (bob, id) = (user("bob"), theirs.session_id);
    let sessions = node.auth.sessions();
    let mut ending = Box::pin(sessions.end_own(&bob, id, EndReason::UserRevoked));
    assert!((&mut ending).now_or_never().is_none());
    node.assert_in(&theirs);
    node.store.mend(Method::End);
    assert!(matches!(ending.await, Err(SessionError::NotFound)));
    node.assert_in(&theirs);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_spared_once_is_not_spared_again() {
    let node = node(|builder| builder).await;
    let ada = user("ada");
    let spared = sign_in(&node.auth, &ada).await.unwrap();
    let everything = || node.auth.sessions().end_all(&ada);
    everything().except(spared.session_id).await.unwrap();
    node.clock.advance(LATER);
    let later = node.refresh(&spared).await.unwrap();
    node.warm_and_alone(&[&spared, &later]).await;
    everything().await.unwrap();
    node.assert_out(&spared);
    node.assert_out(&later);
}

#[tokio::test(start_paused = true)]
async fn a_later_token_of_a_spared_session_is_refused_by_an_entry_that_does_not_spare_it() {
    let node = node(|builder| builder).await;
    let ada = user("ada");
    let spared = sign_in(&node.auth, &ada).await.unwrap();
    let everything = node.auth.sessions().end_all(&ada);
    everything.except(spared.session_id).await.unwrap();
    let after = sign_in(&node.auth, &ada).await.unwrap();
    node.clock.advance(LATER);
    let later = node.refresh(&spared).await.unwrap();
    let below = node.store.counters(&ada).await.unwrap().revoked_gen;
    let entry = RevocationEntry {
        id: EntryId::random(),
        revoked: Revoked::User {
            user: ada.clone(),
            below,
            except: None,
        },
        reason: EndReason::AdminRevoked,
        at: UnixTime::EPOCH,
        until: UnixTime::EPOCH,
    };
    node.store.append(vec![entry]).await.unwrap();
    node.warm_and_alone(&[&after]).await;
    node.assert_out(&later);
    node.assert_in(&after);
    let listed = node.auth.sessions().list(&ada).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, after.session_id);
}

#[tokio::test(start_paused = true)]
async fn everything_is_out_at_once_also_where_the_clock_is_behind_the_stores() {
    let (builder, clock) = support::builder();
    let own = ManualClock::new();
    own.advance(Duration::from_secs(4));
    let store = Broken::new(own.clone(), clock.clone());
    let auth = builder.store(store.clone()).terms(BY_THE_VIEW).build();
    let auth = auth.unwrap();
    let _running = auth.start().await.unwrap();
    let ada = user("ada");
    // From now on her sessions are made under a counter that is ahead of this clock.
    auth.sessions().end_all(&ada).await.unwrap();
    let tokens = sign_in(&auth, &ada).await.unwrap();
    admit(&auth, &tokens.access_token).await.unwrap();
    clock.advance(Duration::from_millis(100));
    own.advance(Duration::from_millis(100));
    store.set(Method::EndAll, Fault::Fails);
    let ended = auth.sessions().end_all(&ada).await;
    assert!(matches!(ended, Err(SessionError::Store(_))));
    let refused = admit(&auth, &tokens.access_token).await.map(|_| ());
    assert!(matches!(refused, Err(Rejection::TokenRevoked { .. })));
}
