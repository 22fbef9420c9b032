use super::*;
use crate::session::AuditEntry;

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

#[tokio::test]
async fn where_somebody_was_is_sealed_in_the_audit_log_and_opens_for_its_entry_alone() {
    let inner = crate::stores::MemoryStore::new();
    let store = SealedStore::new(Arc::new(inner.clone()), SealKeys::new(key(1)));
    let node = crate::revocation::NodeId(1);
    let entry = || AuditEntry {
        user: Some(user("ada")),
        address: "192.0.2.7".parse().ok(),
        device: Some("Lynx".to_owned()),
        ..AuditEntry::new(crate::clock::UnixTime::EPOCH, node, "signed_in")
    };
    let nobodys = AuditEntry::new(crate::clock::UnixTime::EPOCH, node, "store_lost");
    let written = [entry(), entry(), nobodys];
    let log = store.audit_log().expect("the memory store keeps one");
    log.record(&written).await.unwrap();

    let request = crate::session::AuditRequest::new(10);
    let mut read = log.read(request.clone()).await.unwrap().entries;
    read.reverse();
    assert_eq!(read, written);
    let mut seen = inner.read(request.clone()).await.unwrap().entries;
    let text = format!("{seen:?}");
    assert!(
        !text.contains("Lynx") && !text.contains("192.0.2.7"),
        "{text}"
    );

    // Somebody who can write to the store moves one text to another entry.
    let stolen = seen[1].device.take();
    seen[2].device = stolen;
    inner.forget(&user("ada")).await.unwrap();
    inner.record(&seen[2..]).await.unwrap();
    let shown = log.read(request).await.unwrap().entries;
    assert_eq!((shown[0].address, &shown[0].device), (None, &None));
}
