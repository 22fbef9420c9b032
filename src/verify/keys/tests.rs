use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::public::PublicNumbers;
use super::*;
use crate::clock::UnixTime;
use crate::crypto::{Curve, der, digest};
use crate::verify::fixtures::{
    ALGORITHMS, RSA_PRIVATE, encode, key, policy, ring as ring_of, verify,
};
use crate::verify::{NoClaims, Verifier};

mod rotation;

const EC_256_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+tmQ4Y6pG9xWsCFzkF4WvAy4wGu94NylB+u+4LUW/MChRANCAAQyD+w8O3QwVKdrl584B1ZhPf5EqPrfN8bF5N4YJEbCGw8Y9rokWEoESnJ3g6e9Phw5oQr+9vT/6aDNrt0Xxv/2";
const EC_256_PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMg/sPDt0MFSna5efOAdWYT3+RKj63zfGxeTeGCRGwhsPGPa6JFhKBEpyd4OnvT4cOaEK/vb0/+mgza7dF8b/9g==";
const EC_384_PRIVATE: &str = "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDD8rAKuSt48YRgxXTpKLTlrd5Ti7o+4xEu0+brQuj0IUVZDHU9YRk9p0akwMkIUE9ChZANiAASaAfPMtLfXlUYiSfVbUB57XQ+BS4R2boNS2DTd9GHyDeoPo3sr5jvF4lciwJ2uLwb/FVvbB4GamimMupTLKfg1udf3UzdeBBiOJv1M3I/6FvgV+ZMiyBvAwdHQE0xtzKo=";
const ED_PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEIGHZFZu+19lA96sbr17Gcm1zUVD9cxigtroT+KMWdzCs";
const ED_PUBLIC: &str = "MCowBQYDK2VwAyEAHz6E+JuTt5h2EfyY1YdzJSVw8u4T+TJdlRbOf6sxYFg=";
const RSA_PUBLIC: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAw7khUEakshiohIizSdt6C/8BWmP8YSOeN5gAn0almf9yIy/FOC8Kb4LADeXWCKgoQz0//7pXHBNgviySl8K2hdwnbjXC/qj9ojf9RiNxumh4iI30GZeqqd0EQ4rDlIkY2NiiI0mJck//Vo3v4t3Qmw6Pg3N8qoaPigG1O/g1aGhAk6qAQx1juaqpSUx14Nvz6YGA0pSU4OqXUtsFZ6SL4AbukOoFHN8UGYPbTU+x9ZCwIF2rnXcXjdpG8mui+MeVS4U4X99GE1NHbNXIelX0kAlKrpmksu29u5XhqWSAu9d0KCEBahqKHs6duKPZKRj7QocoZwNpCP5jF23kXHAD2QIDAQAB";
const RSA_1024_PUBLIC: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC1fX6FsRPrY1eCJbwswmexJ7x8VH5ElSMUigUYcazNQKKWLuVY6194T3m3Out0GKPmbTwopmxwJsDrc1PdmTevx2cnZXZvVf1T+r69c62UvhRdKInLrTu5lbKDQXoXfwcsVC6k/j30FUsbq/vkD+3XB0xw8F107TrOYCKXe0jZ7QIDAQAB";

fn pem(label: &str, der: &str) -> String {
    STANDARD.decode(der).unwrap();
    format!("-----BEGIN {label}-----\n{der}\n-----END {label}-----\n")
}

fn private(algorithm: Algorithm, der: &str) -> Result<Key, KeyError> {
    Key::from_private_pem(None, algorithm, pem("PRIVATE KEY", der).as_bytes())
}

fn public(algorithm: Algorithm, der: &str) -> Result<Key, KeyError> {
    Key::from_public_pem(None, algorithm, pem("PUBLIC KEY", der).as_bytes())
}

#[test]
fn a_public_key_checks_what_its_private_key_signed() {
    for (algorithm, private_der, public_der) in [
        (Algorithm::EdDsa, ED_PRIVATE, ED_PUBLIC),
        (Algorithm::Es256, EC_256_PRIVATE, EC_256_PUBLIC),
        (Algorithm::Rs256, RSA_PRIVATE, RSA_PUBLIC),
        (Algorithm::Ps512, RSA_PRIVATE, RSA_PUBLIC),
    ] {
        let private = private(algorithm, private_der).unwrap();
        let public = public(algorithm, public_der).unwrap();
        assert!(private.can_sign() && !public.can_sign());
        assert_eq!(private.kid(), public.kid());
        let signature = private.sign(b"message").unwrap();
        assert!(public.is_good(b"message", &signature));
        assert!(!public.is_good(b"massage", &signature));
    }
}

#[test]
fn a_ring_signs_by_the_key_that_does_and_by_no_other() {
    let key = || private(Algorithm::Es256, EC_256_PRIVATE).unwrap();
    let signs = |state| KeyRing::new([(key(), state)]).unwrap().can_sign();
    assert!(signs(KeyState::Sign));
    assert!(!signs(KeyState::VerifyOnly));
}

#[test]
fn a_key_that_is_made_checks_what_it_signed_and_nothing_of_another() {
    for algorithm in ALGORITHMS {
        if algorithm.as_str().starts_with(['P', 'R']) {
            continue;
        }
        let made = || Key::generate(None, algorithm).unwrap();
        let (one, other) = (made(), made());
        let signature = one.sign(b"message").unwrap();
        assert!(one.is_good(b"message", &signature), "{algorithm}");
        assert!(!other.is_good(b"message", &signature), "{algorithm}");
    }
}

/// The key of an algorithm that the tokens in `signed.txt` are of; they say what the fixtures say.
fn known(algorithm: Algorithm) -> Key {
    match algorithm {
        Algorithm::EdDsa => private(algorithm, ED_PRIVATE),
        Algorithm::Es256 => private(algorithm, EC_256_PRIVATE),
        Algorithm::Es384 => private(algorithm, EC_384_PRIVATE),
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            Key::hmac(None, algorithm, RSA_PUBLIC.as_bytes())
        }
        _ => private(algorithm, RSA_PRIVATE),
    }
    .unwrap()
}

#[test]
fn what_one_library_signed_the_other_accepts() {
    let mut read = 0;
    for line in include_str!("signed.txt").lines() {
        let (library, signed) = line.split_once(' ').unwrap();
        let (name, signed) = signed.split_once(' ').unwrap();
        let algorithm = name.parse().unwrap();
        let key = known(algorithm);
        let verifier = Verifier::new::<NoClaims>(ring_of(&key), policy());
        let verified = verify(&verifier, signed).unwrap();
        assert_eq!(verified.claims().facts().user.as_str(), "alice");
        let public = Key::from_jwk_set(&ring_of(&key).jwks().to_string()).unwrap();
        for public in public {
            let verifier = Verifier::new::<NoClaims>(ring_of(&public), policy());
            verify(&verifier, signed).unwrap();
        }
        let (message, signature) = signed.rsplit_once('.').unwrap();
        let again = encode(key.sign(message.as_bytes()).unwrap());
        let is_random = name.starts_with('P') || name.starts_with("ES");
        assert_eq!(again == signature, !is_random, "{library} {name}");
        read += 1;
    }
    assert_eq!(read, 2 * ALGORITHMS.len(), "of each library one");
}

#[test]
fn a_key_of_another_type_or_curve_is_refused() {
    let ders = [EC_256_PRIVATE, EC_384_PRIVATE, ED_PRIVATE, RSA_PRIVATE];
    for algorithm in ALGORITHMS {
        let fitting = match algorithm {
            Algorithm::EdDsa => Some(ED_PRIVATE),
            Algorithm::Es256 => Some(EC_256_PRIVATE),
            Algorithm::Es384 => Some(EC_384_PRIVATE),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => None,
            _ => Some(RSA_PRIVATE),
        };
        for der in ders {
            assert_eq!(
                private(algorithm, der).is_ok(),
                fitting == Some(der),
                "{algorithm}"
            );
        }
        if !algorithm.is_symmetric() {
            assert!(Key::hmac(None, algorithm, &[1; 64]).is_err());
        }
    }
    assert!(public(Algorithm::Es384, EC_256_PUBLIC).is_err());
    assert!(public(Algorithm::EdDsa, RSA_PUBLIC).is_err());
    assert!(public(Algorithm::Hs256, RSA_PUBLIC).is_err());
}

#[test]
fn an_rsa_key_below_2048_bits_is_refused() {
    let error = public(Algorithm::Rs256, RSA_1024_PUBLIC).unwrap_err();
    assert!(error.to_string().contains("1024 bits"));
}

#[test]
fn an_rsa_key_is_read_in_both_of_its_forms() {
    let info = STANDARD.decode(RSA_PUBLIC).unwrap();
    let numbers = PublicNumbers::from_rsa_info(&info).unwrap();
    let (info, _) = der::element(0x30, &info).unwrap();
    let (_algorithm, bits) = der::element(0x30, info).unwrap();
    let (bits, _) = der::element(0x03, bits).unwrap();
    assert_eq!(PublicNumbers::from_rsa_der(&bits[1..]), Some(numbers));
    let alone = pem("RSA PUBLIC KEY", &STANDARD.encode(&bits[1..]));
    let key = Key::from_public_pem(None, Algorithm::Ps256, alone.as_bytes()).unwrap();
    let whole = public(Algorithm::Ps256, RSA_PUBLIC).unwrap();
    assert!(key.admits_as(&whole));
    let info = STANDARD.decode(RSA_PRIVATE).unwrap();
    let alone = pem("RSA PRIVATE KEY", &STANDARD.encode(&info[26..]));
    let key = Key::from_private_pem(None, Algorithm::Ps256, alone.as_bytes()).unwrap();
    assert!(key.admits_as(&whole) && key.can_sign());
}

#[test]
fn a_point_off_its_curve_is_refused() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384] {
        let ring = KeyRing::new([(key(algorithm), KeyState::Sign)]).unwrap();
        let mut set = ring.jwks();
        assert!(Key::from_jwk_set(&set.to_string()).is_ok());
        let x = set["keys"][0]["x"].clone();
        set["keys"][0]["y"] = x;
        let error = Key::from_jwk_set(&set.to_string()).unwrap_err();
        assert!(error.to_string().contains(algorithm.as_str()), "{error}");
    }
}

#[test]
fn a_point_of_the_other_curve_is_refused() {
    let ring = KeyRing::new([(key(Algorithm::Es384), KeyState::Sign)]).unwrap();
    let mut set = ring.jwks();
    set["keys"][0]["alg"] = "ES256".into();
    assert!(Key::from_jwk_set(&set.to_string()).is_err());
    set["keys"][0]["crv"] = "P-256".into();
    assert!(Key::from_jwk_set(&set.to_string()).is_err());
}

#[test]
fn a_private_key_is_not_taken_for_a_public_one_nor_the_other_way() {
    let private_pem = pem("PRIVATE KEY", RSA_PRIVATE);
    let public_pem = pem("PUBLIC KEY", RSA_PUBLIC);
    assert!(Key::from_public_pem(None, Algorithm::Rs256, private_pem.as_bytes()).is_err());
    assert!(Key::from_private_pem(None, Algorithm::Rs256, public_pem.as_bytes()).is_err());
    let lying = pem("PUBLIC KEY", RSA_PRIVATE);
    assert!(Key::from_public_pem(None, Algorithm::Rs256, lying.as_bytes()).is_err());
}

#[test]
fn other_pem_texts_are_refused_with_the_way_to_convert_them() {
    for (text, fix) in [
        (pem("EC PRIVATE KEY", EC_256_PRIVATE), "openssl pkcs8"),
        (
            pem("ENCRYPTED PRIVATE KEY", EC_256_PRIVATE),
            "openssl pkcs8",
        ),
        (pem("CERTIFICATE", EC_256_PUBLIC), "openssl x509"),
        (String::new(), "BEGIN PRIVATE KEY"),
        ("-----BEGIN PRIVATE KEY-----".to_owned(), "P-256"),
    ] {
        let error = Key::from_private_pem(None, Algorithm::Es256, text.as_bytes()).unwrap_err();
        assert!(error.fix().contains(fix), "{error}");
    }
    let error = Key::from_public_pem(None, Algorithm::Es256, b"\xff\xfe").unwrap_err();
    assert!(error.fix().contains("BEGIN PUBLIC KEY"), "{error}");
}

#[test]
fn a_public_key_that_is_cut_or_goes_on_is_none() {
    for point in [&[][..], &[4], &[4, 1], &[3, 1, 2], &[4, 1, 2, 3]] {
        assert!(
            PublicNumbers::from_point(Curve::P256, point).is_none(),
            "{point:?}"
        );
    }
    assert!(PublicNumbers::from_point(Curve::P256, &[4, 1, 2]).is_some());
    // `RSAPublicKey` alone, behind what says that it is one.
    let whole = STANDARD.decode(RSA_PUBLIC).unwrap()[24..].to_vec();
    assert!(PublicNumbers::from_rsa_der(&whole).is_some());
    let behind = [&*whole, &[0]].concat();
    let mut within = [&*whole, &[2, 1, 1]].concat();
    within[3] += 3;
    for wrong in [behind, within, whole[1..].to_vec()] {
        assert!(PublicNumbers::from_rsa_der(&wrong).is_none());
    }
}

#[test]
fn an_unusable_kid_is_refused() {
    for kid in ["", "a\nb", &"k".repeat(256)] {
        assert!(Key::generate(Some(kid), Algorithm::Hs256).is_err());
    }
}

#[test]
fn a_derived_kid_is_stable_and_tells_nothing_of_the_secret() {
    let secret = b"k8Zq1vN3xT5bY7mW0cR2fJ4hL6pD9sGa";
    let key = Key::hmac(None, Algorithm::Hs256, secret).unwrap();
    let again = Key::hmac(None, Algorithm::Hs256, secret).unwrap();
    assert_eq!(key.kid(), again.kid());
    assert_eq!(key.kid().len(), 22);
    let hash = digest::digest(&digest::SHA256, secret);
    assert!(!crate::verify::fixtures::encode(hash).starts_with(key.kid()));
}

#[test]
fn nothing_shown_of_keys_holds_a_secret() {
    let secret = "k8Zq1vN3xT5bY7mW0cR2fJ4hL6pD9sGa";
    let key = Key::hmac(Some("name"), Algorithm::Hs256, secret.as_bytes()).unwrap();
    let ring = KeyRing::new([(key.clone(), KeyState::Sign)]).unwrap();
    for shown in [
        format!("{key:?}"),
        format!("{ring:?}"),
        ring.jwks().to_string(),
    ] {
        assert!(!shown.contains(&secret[..8]), "{shown}");
    }
    assert!(format!("{key:?}").contains("name"));
}

#[test]
fn the_jwk_set_holds_our_public_keys_and_can_be_read_back() {
    let signing = private(Algorithm::Es256, EC_256_PRIVATE).unwrap();
    let rsa = public(Algorithm::Rs512, RSA_PUBLIC).unwrap();
    let ed = public(Algorithm::EdDsa, ED_PUBLIC).unwrap();
    let retired = Key::generate(Some("old"), Algorithm::Es384).unwrap();
    let other = Key::generate(Some("other"), Algorithm::Es384)
        .unwrap()
        .foreign("x");
    let ring = KeyRing::new([
        (signing.clone(), KeyState::Sign),
        (rsa.clone(), KeyState::VerifyOnly),
        (ed.clone(), KeyState::VerifyOnly),
        (key(Algorithm::Hs256), KeyState::VerifyOnly),
        (retired, KeyState::Retired),
        (other, KeyState::VerifyOnly),
    ])
    .unwrap();
    let jwks = ring.jwks();
    let read = Key::from_jwk_set(&jwks.to_string()).unwrap();
    assert_eq!(read.len(), 3);
    for (key, original) in read.iter().zip([&signing, &rsa, &ed]) {
        assert!(key.admits_as(original) && !key.can_sign());
    }
    let ec = jwks["keys"][0].as_object().unwrap();
    let names: Vec<_> = ec.keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(jwks["keys"][1]["e"], "AQAB");
    assert!(!jwks.to_string().contains("\"d\""));
}

#[test]
fn what_cannot_be_used_of_a_jwk_set_is_named() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let good = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA", "kid": "good"});
    let with = |name: &str, value: serde_json::Value| {
        let mut jwk = good.clone();
        jwk["kid"] = "bad".into();
        jwk[name] = value;
        jwk
    };
    assert!(Key::from_jwk_set(&json!({"keys": [good]}).to_string()).is_ok());
    for bad in [
        with("alg", "none".into()),
        with("alg", "HS256".into()),
        with("alg", "ES256".into()),
        with("alg", serde_json::Value::Null),
        with("crv", "X25519".into()),
        with("crv", "Ed448".into()),
        with("crv", "P-256".into()),
        with("x", "AAAA".into()),
        with("x", "!".into()),
        with("kty", "oct".into()),
        with("kty", "AKP".into()),
        with("use", "enc".into()),
        with("d", x.into()),
        with("k", x.into()),
    ] {
        let set = json!({"keys": [good, bad]}).to_string();
        let error = Key::from_jwk_set(&set).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("\"bad\"") || shown.contains("EdDSA") || shown.contains("ES256"));
        assert!(!shown.contains(x));
    }
    let nameless = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA"}]});
    let error = Key::from_jwk_set(&nameless.to_string()).unwrap_err();
    assert!(error.to_string().contains("key 1"));
    for text in ["", "{}", "[]", "{\"keys\":{}}"] {
        assert!(Key::from_jwk_set(text).is_err());
    }
}
