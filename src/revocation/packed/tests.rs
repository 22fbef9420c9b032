use proptest::prelude::*;

use super::*;
use crate::testing::ManualClock;

fn session_ids() -> impl Strategy<Value = SessionId> {
    any::<[u8; 16]>().prop_map(SessionId::from_bytes)
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9]{1,8}", "[a-zäöü☃@.]{1,60}", Just("x".repeat(255))]
}

fn users() -> impl Strategy<Value = UserId> {
    texts().prop_map(|text| UserId::new(text).expect("it is one"))
}

fn revoked() -> impl Strategy<Value = Revoked> {
    let counters = any::<u64>().prop_map(Counter::from_u64);
    let tokens = texts().prop_map(|text| TokenId::new(text).expect("it is one"));
    prop_oneof![
        (session_ids(), proptest::option::of(users()))
            .prop_map(|(session, user)| Revoked::Session { session, user }),
        (tokens, proptest::option::of(users()))
            .prop_map(|(token, user)| Revoked::Token { token, user }),
        (users(), counters.clone()).prop_map(|(user, below)| Revoked::Roles { user, below }),
        (users(), counters, proptest::option::of(session_ids())).prop_map(
            |(user, below, except)| Revoked::User {
                user,
                below,
                except
            }
        ),
    ]
}

fn entries() -> impl Strategy<Value = RevocationEntry> {
    let reasons = proptest::sample::select(&EndReason::ALL[..]);
    (
        any::<[u8; 16]>(),
        revoked(),
        reasons,
        any::<u64>(),
        any::<u64>(),
    )
        .prop_map(|(id, revoked, reason, at, until)| RevocationEntry {
            id: EntryId::from_bytes(id),
            revoked,
            reason,
            at: UnixTime::from_micros(at),
            until: UnixTime::from_micros(until),
        })
}

fn all(packed: &Packed) -> Vec<RevocationEntry> {
    packed.iter().map(|(_, kept)| kept.entry()).collect()
}

proptest! {
    #[test]
    fn what_is_kept_comes_back_as_it_was(entries in proptest::collection::vec(entries(), 0..80)) {
        let mut packed = Packed::default();
        let places: Vec<Place> = entries.iter().map(|entry| packed.push(&Written::of(entry))).collect();
        prop_assert_eq!(all(&packed), entries.clone());
        for (place, entry) in places.into_iter().zip(&entries) {
            let kept = packed.get(place);
            prop_assert_eq!(kept.entry(), entry.clone());
            prop_assert!(kept.is(&Written::of(entry)));
            let hashes = Hashes::default();
            prop_assert_eq!(kept.hash(&hashes), hashes.of_entry(&entry.revoked));
        }
    }

    #[test]
    fn what_was_dropped_is_gone_and_the_rest_stays(
        entries in proptest::collection::vec((entries(), any::<bool>()), 0..80),
    ) {
        let mut packed = Packed::default();
        let places: Vec<Place> = entries.iter().map(|(entry, _)| packed.push(&Written::of(entry))).collect();
        for (place, (_, goes)) in places.into_iter().zip(&entries) {
            if *goes {
                packed.drop_at(place);
            }
        }
        let stay = entries.into_iter().filter(|(_, goes)| !goes);
        let stay: Vec<_> = stay.map(|(entry, _)| entry).collect();
        prop_assert_eq!(all(&packed), stay.clone());
        let anew = packed.packed();
        prop_assert!(!anew.is_loose());
        prop_assert_eq!(all(&anew), stay);
    }
}

#[test]
fn a_moved_end_changes_nothing_else() {
    let entry = RevocationEntry {
        id: EntryId::random(),
        revoked: Revoked::Session {
            session: SessionId::random(),
            user: None,
        },
        reason: EndReason::SignedOut,
        at: ManualClock::START,
        until: ManualClock::START,
    };
    let mut packed = Packed::default();
    let place = packed.push(&Written::of(&entry));
    packed.set_until(place, UnixTime::MAX);
    let moved = RevocationEntry {
        until: UnixTime::MAX,
        ..entry
    };
    assert_eq!(all(&packed), [moved]);
}

fn of_token(user: Option<&str>) -> RevocationEntry {
    RevocationEntry {
        id: EntryId::random(),
        revoked: Revoked::Token {
            token: TokenId::new("t").expect("it is one"),
            user: user.map(|user| UserId::new(user).expect("it is one")),
        },
        reason: EndReason::SignedOut,
        at: ManualClock::START,
        until: ManualClock::START,
    }
}

#[test]
fn a_quarter_that_was_dropped_is_worth_packing() {
    let mut packed = Packed::default();
    assert!(!packed.is_loose(), "there is nothing to gain");
    let places: Vec<_> = (0..5)
        .map(|_| packed.push(&Written::of(&of_token(Some("ada")))))
        .collect();
    assert!(!packed.is_loose());
    packed.drop_at(places[0]);
    assert!(!packed.is_loose(), "a fifth is little");
    packed.drop_at(places[1]);
    assert!(packed.is_loose());
    let mut four = Packed::default();
    let places: Vec<_> = (0..4)
        .map(|_| four.push(&Written::of(&of_token(None))))
        .collect();
    four.drop_at(places[3]);
    assert!(four.is_loose());
    let expected = format!("Packed {{ pages: 1, dropped: {} }}", HEAD + 1);
    assert_eq!(format!("{four:?}"), expected);
}

#[test]
fn an_entry_about_a_token_concerns_that_token_alone_whoever_it_says_the_user_is() {
    let facts = |token: &str| TokenFacts {
        user: UserId::new("ada").expect("it is one"),
        session: None,
        token: Some(TokenId::new(token).expect("it is one")),
        binding: None,
        issued_at: None,
        expires_at: ManualClock::START,
    };
    for user in [None, Some("ada"), Some("bob")] {
        let mut packed = Packed::default();
        let place = packed.push(&Written::of(&of_token(user)));
        assert!(packed.get(place).may_concern(&facts("t")));
        assert!(!packed.get(place).may_concern(&facts("u")));
    }
}

#[test]
fn the_same_entry_is_of_one_id_and_about_the_same() {
    let [ada, bob] = ["ada", "bob"].map(|name| UserId::new(name).expect("it is one"));
    let (id, session) = (EntryId::random(), SessionId::random());
    let token = |name| Revoked::Token {
        token: TokenId::new(name).expect("it is one"),
        user: None,
    };
    let roles = |user: &UserId, below| Revoked::Roles {
        user: user.clone(),
        below: Counter::from_u64(below),
    };
    let everything = |user: &UserId, below, except| Revoked::User {
        user: user.clone(),
        below: Counter::from_u64(below),
        except,
    };
    let of_session = |session, user| Revoked::Session { session, user };
    let all = [
        of_session(session, None),
        of_session(SessionId::random(), None),
        token("t"),
        token("u"),
        roles(&ada, 1),
        roles(&bob, 1),
        roles(&ada, 2),
        everything(&ada, 1, None),
        everything(&bob, 1, None),
        everything(&ada, 2, None),
        everything(&ada, 1, Some(session)),
    ];
    let entry = |id, revoked: &Revoked| RevocationEntry {
        id,
        revoked: revoked.clone(),
        ..of_token(None)
    };
    let is = |one: &RevocationEntry, other: &RevocationEntry| {
        let mut packed = Packed::default();
        let place = packed.push(&Written::of(one));
        packed.get(place).is(&Written::of(other))
    };
    for one in &all {
        for other in &all {
            let same = is(&entry(id, one), &entry(id, other));
            assert_eq!(same, one == other, "{one:?} {other:?}");
            assert!(!is(&entry(id, one), &entry(EntryId::random(), other)));
        }
    }
    // Whose session it is says nothing of which it is.
    let whose = of_session(session, Some(ada));
    assert!(is(&entry(id, &all[0]), &entry(id, &whose)));
}

#[test]
fn a_session_of_a_user_takes_52_bytes_beside_the_name_of_the_user() {
    assert_eq!(HEAD + size_of::<SessionId>(), 52);
}
