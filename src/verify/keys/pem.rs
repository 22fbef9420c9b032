//! Keys from PEM text.

use aws_lc_rs::rsa::PublicKey as RsaPublicKey;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::algorithm::Family;
use super::key::wrong_type;
use super::material::Signer;
use super::public::PublicNumbers;
use super::{Algorithm, KeyError};

/// Reads a private key; the crate that reads the PEM wipes its copy.
pub(super) fn private(algorithm: Algorithm, pem: &[u8]) -> Result<Signer, KeyError> {
    check_label(pem, "PRIVATE KEY")?;
    let wrong = || wrong_type(algorithm, "this private key");
    Ok(match algorithm.family() {
        Family::Ec { signing, .. } => {
            let der = EncodingKey::from_ec_pem(pem).map_err(|_| wrong())?;
            let pair = EcdsaKeyPair::from_pkcs8(signing, der.as_bytes()).map_err(|_| wrong())?;
            Signer::Ec(pair)
        }
        Family::Ed => {
            let der = EncodingKey::from_ed_pem(pem).map_err(|_| wrong())?;
            Signer::Ed(Ed25519KeyPair::from_pkcs8(der.as_bytes()).map_err(|_| wrong())?)
        }
        Family::Hmac(_) => return Err(wrong()),
        Family::Rsa { signing, .. } => {
            let der = EncodingKey::from_rsa_pem(pem).map_err(|_| wrong())?;
            let pair = RsaKeyPair::from_der(der.as_bytes()).map_err(|_| wrong())?;
            Signer::Rsa(pair, signing)
        }
    })
}

/// Reads a public key.
pub(super) fn public(algorithm: Algorithm, pem: &[u8]) -> Result<PublicNumbers, KeyError> {
    check_label(pem, "PUBLIC KEY")?;
    let wrong = || wrong_type(algorithm, "this public key");
    let numbers = match algorithm.family() {
        Family::Ec { curve, .. } => {
            let key = DecodingKey::from_ec_pem(pem).map_err(|_| wrong())?;
            let point = key.try_get_as_bytes().map_err(|_| wrong())?;
            PublicNumbers::from_point(curve, point)
        }
        Family::Ed => {
            let key = DecodingKey::from_ed_pem(pem).map_err(|_| wrong())?;
            let x = key.try_get_as_bytes().map_err(|_| wrong())?.to_vec();
            Some(PublicNumbers::Ed { x })
        }
        Family::Hmac(_) => None,
        Family::Rsa { .. } => {
            let key = DecodingKey::from_rsa_pem(pem).map_err(|_| wrong())?;
            let der = key.try_get_as_bytes().map_err(|_| wrong())?;
            let key = RsaPublicKey::from_der(der).map_err(|_| wrong())?;
            PublicNumbers::from_rsa_der(key.as_ref())
        }
    };
    numbers.ok_or_else(wrong)
}

/// Sees that the PEM holds what was asked for, and says how to convert what it does not read.
fn check_label(pem: &[u8], wanted: &'static str) -> Result<(), KeyError> {
    let label = std::str::from_utf8(pem)
        .ok()
        .and_then(|text| text.split_once("-----BEGIN "))
        .and_then(|(_, rest)| rest.split_once("-----"))
        .map(|(label, _)| label);
    let fix = match label {
        Some(label) if label == wanted || label.strip_prefix("RSA ") == Some(wanted) => {
            return Ok(());
        }
        Some("EC PRIVATE KEY" | "ENCRYPTED PRIVATE KEY") => {
            "convert it with `openssl pkcs8 -topk8 -nocrypt`"
        }
        Some("CERTIFICATE") => "take the key out with `openssl x509 -pubkey -noout`",
        _ if wanted == "PRIVATE KEY" => "give a PEM file with BEGIN PRIVATE KEY (PKCS#8)",
        _ => "give a PEM file with BEGIN PUBLIC KEY",
    };
    Err(KeyError::new("the PEM text holds no usable key", fix))
}
