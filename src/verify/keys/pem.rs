//! Keys from PEM text.

use zeroize::Zeroizing;

use super::algorithm::Family;
use super::key::{refused, wrong_type};
use super::public::PublicNumbers;
use super::{Algorithm, KeyError};
use crate::crypto::PrivateKey;

/// Reads a private key, and wipes the copy that it makes.
pub(super) fn private(algorithm: Algorithm, pem: &[u8]) -> Result<PrivateKey, KeyError> {
    let label = label(pem, "PRIVATE KEY")?;
    let wrong = || wrong_type(algorithm, "this private key");
    let der = pem::parse(pem).map_err(|_| wrong())?.into_contents();
    let der = Zeroizing::new(der);
    let key = match algorithm.family() {
        Family::Ec(curve) => PrivateKey::ec(curve, &der),
        Family::Ed => PrivateKey::ed(&der),
        Family::Hmac(_) => return Err(wrong()),
        Family::Rsa { signing, .. } if label.starts_with("RSA ") => {
            PrivateKey::rsa_alone(signing, &der)
        }
        Family::Rsa { signing, .. } => PrivateKey::rsa(signing, &der),
    };
    key.map_err(|why| refused(why, wrong))
}

/// Reads a public key.
pub(super) fn public(algorithm: Algorithm, pem: &[u8]) -> Result<PublicNumbers, KeyError> {
    label(pem, "PUBLIC KEY")?;
    let wrong = || wrong_type(algorithm, "this public key");
    let der = pem::parse(pem).map_err(|_| wrong())?.into_contents();
    let numbers = match algorithm.family() {
        Family::Ec(curve) => PublicNumbers::from_ec_info(curve, &der),
        Family::Ed => PublicNumbers::from_ed_info(&der),
        Family::Hmac(_) => None,
        Family::Rsa { .. } => {
            PublicNumbers::from_rsa_info(&der).or_else(|| PublicNumbers::from_rsa_der(&der))
        }
    };
    numbers.ok_or_else(wrong)
}

/// What the PEM holds, if it is what was asked for; says how to convert what it does not read.
fn label<'p>(pem: &'p [u8], wanted: &'static str) -> Result<&'p str, KeyError> {
    let label = std::str::from_utf8(pem)
        .ok()
        .and_then(|text| text.split_once("-----BEGIN "))
        .and_then(|(_, rest)| rest.split_once("-----"))
        .map(|(label, _)| label);
    let fix = match label {
        Some(label) if label == wanted || label.strip_prefix("RSA ") == Some(wanted) => {
            return Ok(label);
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
