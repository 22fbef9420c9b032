use super::*;

fn secret(byte: u8) -> Vec<u8> {
    (0..32u8).map(|at| at.wrapping_mul(37) ^ byte).collect()
}

fn key(byte: u8) -> SealKey {
    SealKey::from_secret(&secret(byte)).expect("32 bytes")
}

fn user(name: &str) -> UserId {
    UserId::new(name).expect("valid")
}

const SESSION: SessionId = SessionId::from_bytes([7; 16]);

#[test]
fn a_text_comes_back_and_no_two_sealed_forms_are_alike() {
    let (keys, ada) = (SealKeys::new(key(1)), user("ada"));
    let place = Place {
        session: SESSION,
        user: &ada,
        field: NAME,
    };
    let first = keys.seal(place, "Kitchen").expect("sealed");
    let second = keys.seal(place, "Kitchen").expect("sealed");
    assert_ne!(first, second);
    assert!(!first.contains("Kitchen"));
    for sealed in [first, second] {
        assert_eq!(keys.open(place, &sealed).as_deref(), Ok("Kitchen"));
    }
}

#[test]
fn a_text_opens_only_in_its_own_place() {
    let (keys, ada, eve) = (SealKeys::new(key(1)), user("ada"), user("eve"));
    let place = Place {
        session: SESSION,
        user: &ada,
        field: NAME,
    };
    let sealed = keys.seal(place, "Kitchen").expect("sealed");
    let elsewhere = [
        Place {
            user: &eve,
            ..place
        },
        Place {
            field: DATA,
            ..place
        },
        Place {
            session: SessionId::from_bytes([8; 16]),
            ..place
        },
    ];
    for place in elsewhere {
        assert_eq!(keys.open(place, &sealed), Err(SealError));
    }
}

#[test]
fn a_rotated_key_still_opens_and_a_lost_one_does_not() {
    let ada = user("ada");
    let place = Place {
        session: SESSION,
        user: &ada,
        field: NAME,
    };
    let sealed = SealKeys::new(key(1))
        .seal(place, "Kitchen")
        .expect("sealed");
    let rotated = SealKeys::new(key(2)).add_open_only(key(1));
    assert_eq!(rotated.open(place, &sealed).as_deref(), Ok("Kitchen"));
    assert_eq!(
        SealKeys::new(key(2)).open(place, &sealed),
        Err(SealError),
        "a key that never wrote it"
    );
    assert!(
        rotated.seal(place, "Kitchen").expect("sealed") != sealed,
        "written under the new key"
    );
}

#[test]
fn a_text_that_was_changed_or_cut_does_not_open() {
    let (keys, ada) = (SealKeys::new(key(1)), user("ada"));
    let place = Place {
        session: SESSION,
        user: &ada,
        field: NAME,
    };
    let sealed = keys.seal(place, "Kitchen").expect("sealed");
    for cut in "sealed:1:".len()..sealed.len() {
        assert_eq!(keys.open(place, &sealed[..cut]), Err(SealError), "{cut}");
    }
    for at in "sealed:1:".len()..sealed.len() {
        let mut changed = sealed.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ASCII");
        assert_eq!(keys.open(place, &changed), Err(SealError), "{at}");
    }
}

#[test]
fn what_was_written_before_there_was_a_key_is_read_as_it_is() {
    let (keys, ada) = (SealKeys::new(key(1)), user("ada"));
    let place = Place {
        session: SESSION,
        user: &ada,
        field: NAME,
    };
    assert_eq!(keys.open(place, "Kitchen").as_deref(), Ok("Kitchen"));
}

#[test]
fn neither_a_key_nor_an_error_shows_a_secret() {
    let shown = format!("{:?}", SealKeys::new(key(1)));
    assert_eq!(shown, "SealKeys { active: SealKey(..), open_only: [] }");
}
