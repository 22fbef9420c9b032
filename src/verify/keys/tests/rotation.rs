//! A ring whose keys are exchanged.

use super::*;

#[test]
fn a_ring_refuses_two_keys_of_one_kid_two_signers_and_signers_that_cannot() {
    let key = |kid| Key::generate(Some(kid), Algorithm::Hs256).unwrap();
    let ring = |keys: Vec<(Key, KeyState)>| KeyRing::new(keys);
    assert!(
        ring(vec![
            (key("a"), KeyState::Sign),
            (key("a"), KeyState::Retired)
        ])
        .is_err()
    );
    assert!(ring(vec![(key("a"), KeyState::Sign), (key("b"), KeyState::Sign)]).is_err());
    let public = public(Algorithm::EdDsa, ED_PUBLIC).unwrap();
    assert!(ring(vec![(public.clone(), KeyState::Sign)]).is_err());
    assert!(ring(vec![(public, KeyState::VerifyOnly)]).is_ok());
    assert!(ring(vec![(key("a").foreign("x"), KeyState::Sign)]).is_err());
}

#[test]
fn a_refused_replacement_leaves_the_old_keys() {
    let ring = KeyRing::new([(key(Algorithm::Hs256), KeyState::Sign)]).unwrap();
    let stamp = ring.stamp();
    let twice = [
        (key(Algorithm::Hs256), KeyState::Sign),
        (key(Algorithm::Hs256), KeyState::Sign),
    ];
    assert!(ring.replace(twice).is_err());
    assert!(ring.can_sign() && ring.admits(stamp));
}

#[test]
fn the_version_is_raised_when_a_key_that_verified_left_or_changed() {
    let fresh = |kid| Key::generate(Some(kid), Algorithm::Hs256).unwrap();
    let (one, two) = (fresh("1"), fresh("2"));
    let before = || {
        vec![
            (one.clone(), KeyState::Sign),
            (two.clone(), KeyState::VerifyOnly),
        ]
    };
    for (after, is_raised) in [
        (before(), false),
        (
            vec![
                (two.clone(), KeyState::Sign),
                (one.clone(), KeyState::VerifyOnly),
            ],
            false,
        ),
        (
            [before(), vec![(fresh("3"), KeyState::VerifyOnly)]].concat(),
            false,
        ),
        (vec![(one.clone(), KeyState::Sign)], true),
        (
            vec![
                (one.clone(), KeyState::Sign),
                (two.clone(), KeyState::Retired),
            ],
            true,
        ),
        (
            vec![
                (one.clone(), KeyState::Sign),
                (fresh("2"), KeyState::VerifyOnly),
            ],
            true,
        ),
        (
            vec![
                (one.clone(), KeyState::Sign),
                (two.clone().foreign("x"), KeyState::VerifyOnly),
            ],
            true,
        ),
    ] {
        let ring = KeyRing::new(before()).unwrap();
        let stamp = ring.stamp();
        ring.replace(after).unwrap();
        assert_eq!(!ring.admits(stamp), is_raised);
    }
}

fn fresh(kid: &str) -> Key {
    Key::generate(Some(kid), Algorithm::EdDsa).unwrap()
}

fn states(ring: &KeyRing) -> Vec<(String, KeyState)> {
    let keys = ring.list().into_iter();
    keys.map(|key| (key.kid, key.state)).collect()
}

#[test]
fn a_key_is_announced_then_signs_and_the_one_before_retires_when_it_is_due() {
    let (old, new) = (fresh("old"), fresh("new"));
    let ring = KeyRing::new([(old, KeyState::Sign)]).unwrap();
    ring.announce(new.clone()).unwrap();
    ring.announce(new).unwrap();
    let announced = [
        ("old".to_owned(), KeyState::Sign),
        ("new".to_owned(), KeyState::VerifyOnly),
    ];
    assert_eq!(states(&ring), announced);
    let due = UnixTime::from_secs(100);
    let stamp = ring.stamp();
    ring.sign_with("new", Some(due)).unwrap();
    assert!(ring.admits(stamp), "whoever was let in stays in");
    ring.retire_due(UnixTime::from_secs(99));
    assert_eq!(states(&ring)[0].1, KeyState::VerifyOnly);
    assert_eq!(ring.list()[0].retires_at, Some(due));
    ring.retire_due(due);
    assert_eq!(states(&ring)[0].1, KeyState::Retired);
    assert!(!ring.admits(stamp));
}

#[test]
fn a_key_that_signs_again_is_not_retired_when_it_was_due() {
    let ring = KeyRing::new([
        (fresh("one"), KeyState::Sign),
        (fresh("two"), KeyState::VerifyOnly),
    ])
    .unwrap();
    let (first, second) = (UnixTime::from_secs(100), UnixTime::from_secs(200));
    ring.sign_with("two", Some(first)).unwrap();
    ring.sign_with("one", Some(second)).unwrap();
    assert_eq!(retirements(&ring), [None, Some(second)]);
    ring.retire_due(first);
    let kept = [
        ("one".to_owned(), KeyState::Sign),
        ("two".to_owned(), KeyState::VerifyOnly),
    ];
    assert_eq!(states(&ring), kept);
    assert_eq!(retirements(&ring), [None, Some(second)]);
    ring.retire_due(second);
    assert_eq!(states(&ring)[1].1, KeyState::Retired);
}

#[test]
fn the_key_that_signs_is_never_retired_and_one_that_cannot_never_signs() {
    let public = Key::from_jwk_set(
        &KeyRing::new([(fresh("b"), KeyState::Sign)])
            .unwrap()
            .jwks()
            .to_string(),
    );
    let public = public.unwrap().remove(0);
    let ring = KeyRing::new([(fresh("a"), KeyState::Sign)]).unwrap();
    assert!(ring.retire("a").is_err());
    assert!(ring.retire("nobody").is_err());
    assert!(ring.sign_with("nobody", None).is_err());
    ring.announce(public).unwrap();
    assert!(ring.sign_with("b", None).is_err());
    assert!(
        ring.announce(fresh("b")).is_err(),
        "another key of that name"
    );
    assert_eq!(states(&ring)[0].1, KeyState::Sign);
    ring.retire("b").unwrap();
}

#[test]
fn the_private_half_of_an_announced_key_takes_the_place_of_its_public_one() {
    let whole = fresh("b");
    let public = KeyRing::new([(whole.clone(), KeyState::Sign)])
        .unwrap()
        .jwks();
    let public = Key::from_jwk_set(&public.to_string()).unwrap().remove(0);
    let ring = KeyRing::new([(fresh("a"), KeyState::Sign)]).unwrap();
    ring.announce(public.clone()).unwrap();
    ring.announce(whole).unwrap();
    ring.announce(public).unwrap();
    ring.sign_with("b", None).unwrap();
    assert_eq!(ring.list().len(), 2);
}

fn retirements(ring: &KeyRing) -> Vec<Option<UnixTime>> {
    ring.list().into_iter().map(|key| key.retires_at).collect()
}

/// A ring whose keys signed one after the other, and whose first two are to retire; and its keys.
fn changed_twice() -> (KeyRing, [Key; 3]) {
    let keys = ["one", "two", "three"].map(fresh);
    let ring = KeyRing::new(keys.clone().map(|key| (key, KeyState::VerifyOnly))).unwrap();
    ring.sign_with("one", None).unwrap();
    ring.sign_with("two", Some(UnixTime::from_secs(100)))
        .unwrap();
    ring.sign_with("three", Some(UnixTime::from_secs(200)))
        .unwrap();
    (ring, keys)
}

#[test]
fn each_key_retires_at_its_own_instant() {
    let (first, second) = (UnixTime::from_secs(100), UnixTime::from_secs(200));
    let (ring, _) = changed_twice();
    assert_eq!(retirements(&ring), [Some(first), Some(second), None]);
    ring.retire_due(first);
    assert_eq!(retirements(&ring), [None, Some(second), None]);
    ring.retire("one").unwrap();
    assert_eq!(retirements(&ring), [None, Some(second), None]);
}

#[test]
fn a_key_that_has_left_is_not_waited_for_and_the_others_are() {
    let (ring, [_, two, three]) = changed_twice();
    let left = [(two, KeyState::VerifyOnly), (three, KeyState::Sign)];
    ring.replace(left).unwrap();
    ring.retire_due(UnixTime::from_secs(100));
    assert_eq!(retirements(&ring), [Some(UnixTime::from_secs(200)), None]);
}

#[test]
fn a_key_that_is_announced_again_stays_where_it_is() {
    let whole = fresh("b");
    let alone = KeyRing::new([(whole.clone(), KeyState::Sign)]).unwrap();
    let public = Key::from_jwk_set(&alone.jwks().to_string())
        .unwrap()
        .remove(0);
    for key in [whole, public] {
        let ring = KeyRing::new([(fresh("a"), KeyState::Sign)]).unwrap();
        ring.announce(key.clone()).unwrap();
        ring.announce(fresh("c")).unwrap();
        ring.announce(key).unwrap();
        let kids: Vec<_> = ring.list().into_iter().map(|key| key.kid).collect();
        assert_eq!(kids, ["a", "b", "c"]);
    }
}

#[test]
fn a_key_under_another_name_does_not_admit_the_same() {
    let secret = b"k8Zq1vN3xT5bY7mW0cR2fJ4hL6pD9sGa";
    let key = |kid| Key::hmac(Some(kid), Algorithm::Hs256, secret).unwrap();
    assert!(key("a").admits_as(&key("a")));
    assert!(!key("a").admits_as(&key("b")));
}

/// Alone, it admits tokens that name no key.
#[test]
fn a_key_that_is_no_longer_alone_admits_less() {
    let (one, other) = (fresh("one"), fresh("other"));
    let alone = [(one, KeyState::Sign)];
    let ring = KeyRing::new(alone.clone()).unwrap();
    let stamp = ring.stamp();
    ring.replace(alone.clone()).unwrap();
    assert!(ring.admits(stamp), "nothing has changed");
    let joined = alone.into_iter().chain([(other, KeyState::VerifyOnly)]);
    ring.replace(joined).unwrap();
    assert!(!ring.admits(stamp));
}
