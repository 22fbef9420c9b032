//! The token on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use crate::crypto::digest;
use crate::session::refresh::{RefreshKey, RefreshKeys, RefreshToken, SeedHash, bucket_of};
use crate::token::{SessionId, UserId};

fn key(byte: u8) -> RefreshKey {
    let secret = digest::digest(&digest::SHA256, &[byte]);
    RefreshKey::from_secret(secret.as_ref()).expect("a hash is long enough and no pattern")
}

fn keys() -> RefreshKeys {
    RefreshKeys::new(key(1))
}

fn ada() -> UserId {
    UserId::new("ada").expect("it is a name")
}

fn token() -> RefreshToken {
    RefreshToken::first(&key(1), &ada(), SessionId::random(), b"operation secret")
}

#[test]
fn a_token_is_read_back_as_it_was_made() {
    let token = token().at_generation(u32::MAX);
    let text = token.encode(&keys());
    assert!(RefreshToken::decode(&text, &keys()).is_ok_and(|read| read == token));
    assert_eq!(token.bucket(), bucket_of(&ada()));
    assert!(token.bucket() < 64);
}

#[test]
fn one_generation_has_one_text() {
    let token = token();
    assert_eq!(token.encode(&keys()), token.clone().encode(&keys()));
    let next = token.at_generation(2);
    assert_ne!(token.encode(&keys()), next.encode(&keys()));
    assert_eq!(token.seed_hash(), next.seed_hash());
}

#[test]
fn the_token_of_another_key_is_refused() {
    let text = token().encode(&RefreshKeys::new(key(2)));
    assert!(RefreshToken::decode(&text, &keys()).is_err());
}

#[test]
fn a_key_is_rolled_out_verify_only_first() {
    let (old, new) = (keys(), RefreshKeys::new(key(2)));
    let knows_new = keys().add_verify_only(key(2));
    let knows_old = RefreshKeys::new(key(2)).add_verify_only(key(1));
    let (by_old, by_new) = (token().encode(&old), token().encode(&new));
    for accepts_both in [&knows_new, &knows_old] {
        assert!(RefreshToken::decode(&by_old, accepts_both).is_ok());
        assert!(RefreshToken::decode(&by_new, accepts_both).is_ok());
    }
    assert_eq!(token().encode(&knows_new).len(), by_old.len());
    assert!(RefreshToken::decode(&by_old, &new).is_err());
    let read = RefreshToken::decode(&by_old, &knows_old).expect("the old key is known");
    let renewed = read.at_generation(2).encode(&knows_old);
    assert!(
        RefreshToken::decode(&renewed, &new).is_ok(),
        "the active key makes it"
    );
}

#[test]
fn a_short_secret_makes_no_key() {
    assert!(RefreshKey::from_secret(&[1; 31]).is_err());
    assert!(RefreshKey::from_secret(&[]).is_err());
}

#[test]
fn a_placeholder_makes_no_key() {
    for secret in [
        "your-super-secret-jwt-key-here-0000000000",
        "changeme-changeme-changeme-changeme",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        assert!(
            RefreshKey::from_secret(secret.as_bytes()).is_err(),
            "{secret}"
        );
    }
}

#[test]
fn a_repeated_sign_in_derives_the_same_seed() {
    let session = SessionId::random();
    let first = RefreshToken::first(&key(1), &ada(), session, b"secret");
    let again = RefreshToken::first(&key(1), &ada(), SessionId::random(), b"secret");
    assert_eq!(first.seed_hash(), again.seed_hash());
    assert_ne!(first, again);
}

#[test]
fn the_seed_depends_on_the_user_the_secret_and_the_key() {
    let session = SessionId::random();
    let bob = UserId::new("bob").expect("it is a name");
    let of = |key: &RefreshKey, user: &UserId, secret: &[u8]| {
        RefreshToken::first(key, user, session, secret).seed_hash()
    };
    let seed = of(&key(1), &ada(), b"secret");
    assert_ne!(seed, of(&key(1), &bob, b"secret"));
    assert_ne!(seed, of(&key(1), &ada(), b"secreT"));
    assert_ne!(seed, of(&key(2), &ada(), b"secret"));
    let ad = UserId::new("ad").expect("it is a name");
    assert_ne!(of(&key(1), &ada(), b"b"), of(&key(1), &ad, b"ab"));
}

#[test]
fn what_a_store_holds_makes_no_token_not_even_with_the_key() {
    let token = token();
    let stolen = token.seed_hash();
    // Whoever has the key and the hash can only put the hash where the seed belongs.
    let mut bytes = decoded(&token.encode(&keys()));
    bytes[26..58].copy_from_slice(stolen.as_bytes());
    let text = encoded(&bytes);
    assert!(RefreshToken::decode(&text, &keys()).is_err());
    assert_ne!(
        SeedHash::from_bytes(*stolen.as_bytes()),
        hash_of(&bytes[26..58])
    );
}

fn hash_of(seed: &[u8]) -> SeedHash {
    let hash = digest::digest(&digest::SHA256, seed);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.as_ref());
    SeedHash::from_bytes(bytes)
}

#[test]
fn the_seed_in_a_token_is_not_what_the_store_holds() {
    let token = token();
    let bytes = decoded(&token.encode(&keys()));
    assert_eq!(hash_of(&bytes[26..58]), token.seed_hash());
    assert_ne!(&bytes[26..58], token.seed_hash().as_bytes());
}

#[test]
fn generation_zero_was_never_made() {
    let text = token().at_generation(0).encode(&keys());
    assert!(RefreshToken::decode(&text, &keys()).is_err());
}

#[test]
fn another_version_is_refused() {
    let mut bytes = decoded(&token().encode(&keys()));
    for version in (0..=255).filter(|version| *version != 1) {
        bytes[0] = version;
        assert!(RefreshToken::decode(&encoded(&bytes), &keys()).is_err());
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = decoded(&token().encode(&keys()));
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            RefreshToken::decode(&encoded(&flipped), &keys()).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let text = token().encode(&keys());
    for end in 0..text.len() {
        assert!(RefreshToken::decode(&text[..end], &keys()).is_err());
    }
    for tail in ["A", "=", "==", " ", "AAAA"] {
        assert!(RefreshToken::decode(&format!("{text}{tail}"), &keys()).is_err());
    }
    assert!(RefreshToken::decode(&format!(" {text}"), &keys()).is_err());
}

#[test]
fn neither_text_nor_seed_shows_in_debug_output() {
    let token = token();
    let bytes = decoded(&token.encode(&keys()));
    let shown = format!("{token:?} {:?} {:?}", token.seed_hash(), keys());
    let seed = URL_SAFE_NO_PAD.encode(&bytes[26..58]);
    assert!(!shown.contains(&seed));
    assert!(!shown.contains(&format!("{:?}", &bytes[26..58])));
    assert!(!shown.contains(&format!("{:?}", token.seed_hash().as_bytes())));
}

fn decoded(text: &str) -> Vec<u8> {
    let encoded = text.strip_prefix("tjs_rt_").expect("it has the prefix");
    URL_SAFE_NO_PAD.decode(encoded).expect("it is base64url")
}

fn encoded(bytes: &[u8]) -> String {
    format!("tjs_rt_{}", URL_SAFE_NO_PAD.encode(bytes))
}

proptest! {
    #[test]
    fn garbage_is_refused(text in ".{0,200}") {
        prop_assert!(RefreshToken::decode(&text, &keys()).is_err());
    }

    #[test]
    fn garbage_of_the_right_shape_is_refused(bytes in prop::collection::vec(any::<u8>(), 90)) {
        prop_assert!(RefreshToken::decode(&encoded(&bytes), &keys()).is_err());
    }

    #[test]
    fn a_token_with_bytes_exchanged_is_refused(at in 0usize..90, byte in any::<u8>()) {
        let mut bytes = decoded(&token().encode(&keys()));
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        prop_assert!(RefreshToken::decode(&encoded(&bytes), &keys()).is_err());
    }

    #[test]
    fn any_token_is_read_back(generation in 1u32.., secret in prop::collection::vec(any::<u8>(), 0..64)) {
        let made = RefreshToken::first(&key(1), &ada(), SessionId::random(), &secret);
        let made = made.at_generation(generation);
        let read = RefreshToken::decode(&made.encode(&keys()), &keys());
        prop_assert!(read.is_ok_and(|read| read == made));
    }
}

#[test]
fn where_a_user_is_kept_never_changes() {
    // The first byte of SHA-256 of the id, and of that six bits: stores have written it down.
    for (name, bucket) in [("ada", 61), ("bob", 1)] {
        let user = UserId::new(name).expect("it is a name");
        assert_eq!(bucket_of(&user), bucket);
    }
}

#[test]
fn what_is_printed_says_what_it_is_and_nothing_that_opens_a_session() {
    let token = token();
    let printed = format!("{token:?}");
    assert!(printed.starts_with("RefreshToken { session: "));
    assert!(printed.ends_with("generation: 1, .. }"));
    assert_eq!(format!("{:?}", token.seed_hash()), "SeedHash(..)");
    assert_eq!(format!("{:?}", key(1)), "RefreshKey(..)");
    let error = RefreshToken::decode("tjs_rt_", &keys())
        .map(|_| ())
        .map_err(|error| error.to_string());
    assert_eq!(error, Err("not a refresh token of this service".to_owned()));
}
