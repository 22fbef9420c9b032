//! The public half of a key, as it is published.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::crypto::digest::{SHA256, digest};
use crate::crypto::{Curve, der};

/// The public numbers of an asymmetric key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicNumbers {
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Ed {
        x: Vec<u8>,
    },
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl PublicNumbers {
    /// From an uncompressed point (SEC 1, section 2.3.3).
    pub(super) fn from_point(curve: Curve, point: &[u8]) -> Option<Self> {
        let (form, coordinates) = point.split_first()?;
        if *form != 0x04 || coordinates.is_empty() || coordinates.len() % 2 != 0 {
            return None;
        }
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        Some(Self::Ec {
            curve,
            x: x.to_vec(),
            y: y.to_vec(),
        })
    }

    /// From the `SubjectPublicKeyInfo` of a key on this curve (RFC 5480, section 2).
    pub(super) fn from_ec_info(curve: Curve, info: &[u8]) -> Option<Self> {
        let algorithm: &[u8] = match curve {
            Curve::P256 => {
                b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
            }
            Curve::P384 => b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
        };
        Self::from_point(curve, der::public_key(algorithm, info)?)
    }

    /// From the `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410, section 4).
    pub(super) fn from_ed_info(info: &[u8]) -> Option<Self> {
        let x = der::public_key(b"\x06\x03\x2b\x65\x70", info)?.to_vec();
        Some(Self::Ed { x })
    }

    /// From the `SubjectPublicKeyInfo` of an RSA key (RFC 3279, section 2.3.1).
    pub(super) fn from_rsa_info(info: &[u8]) -> Option<Self> {
        let algorithm = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        Self::from_rsa_der(der::public_key(algorithm, info)?)
    }

    /// From the DER of an `RSAPublicKey` (RFC 8017, appendix A.1.1).
    pub(super) fn from_rsa_der(key: &[u8]) -> Option<Self> {
        let (sequence, rest) = der::element(0x30, key)?;
        let (n, sequence) = der::positive(sequence)?;
        let (e, end) = der::positive(sequence)?;
        (rest.is_empty() && end.is_empty()).then(|| Self::Rsa {
            n: n.to_vec(),
            e: e.to_vec(),
        })
    }

    /// The bits of the modulus of an RSA key; 0 for others.
    pub(super) fn modulus_bits(&self) -> usize {
        match self {
            Self::Rsa { n, .. } => der::bits(n),
            _ => 0,
        }
    }

    /// The members of a JSON Web Key (RFC 7518, section 6; RFC 8037, section 2).
    pub(super) fn to_jwk(&self) -> Value {
        match self {
            Self::Ec { curve, x, y } => {
                json!({"crv": curve.name(), "kty": "EC", "x": encode(x), "y": encode(y)})
            }
            Self::Ed { x } => json!({"crv": "Ed25519", "kty": "OKP", "x": encode(x)}),
            Self::Rsa { n, e } => json!({"e": encode(e), "kty": "RSA", "n": encode(n)}),
        }
    }

    /// The thumbprint of RFC 7638: the members in the order of their names, without white space.
    pub(super) fn thumbprint(&self) -> String {
        let canonical = match self {
            Self::Ec { curve, x, y } => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                curve.name(),
                encode(x),
                encode(y)
            ),
            Self::Ed { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
            Self::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n))
            }
        };
        encode(digest(&SHA256, canonical.as_bytes()).as_ref())
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let numbers = PublicNumbers::Rsa {
            n: URL_SAFE_NO_PAD.decode(n).unwrap(),
            e: URL_SAFE_NO_PAD.decode("AQAB").unwrap(),
        };
        assert_eq!(
            numbers.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        assert_eq!(numbers.modulus_bits(), 2048);
    }

    #[test]
    fn a_public_key_of_another_algorithm_or_with_more_or_less_of_it_is_refused() {
        let mut der = vec![
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0,
        ];
        der.extend([7; 32]);
        let numbers = PublicNumbers::Ed { x: vec![7; 32] };
        assert_eq!(PublicNumbers::from_ed_info(&der), Some(numbers));
        assert_eq!(PublicNumbers::from_ec_info(Curve::P256, &der), None);
        for end in 0..der.len() {
            assert_eq!(PublicNumbers::from_ed_info(&der[..end]), None, "{end}");
        }
        for (at, byte) in [(8, 0x71), (11, 1)] {
            let mut other = der.clone();
            other[at] = byte;
            assert_eq!(PublicNumbers::from_ed_info(&other), None, "{at}");
        }
        der.push(0);
        assert_eq!(PublicNumbers::from_ed_info(&der), None);
    }

    #[test]
    fn truncated_der_is_refused() {
        let der = [0x30, 0x08, 0x02, 0x03, 0x00, 0xc1, 0x0f, 0x02, 0x01, 0x03];
        let numbers = PublicNumbers::from_rsa_der(&der).unwrap();
        assert_eq!(
            numbers,
            PublicNumbers::Rsa {
                n: vec![0xc1, 0x0f],
                e: vec![3]
            }
        );
        for end in 0..der.len() {
            assert_eq!(PublicNumbers::from_rsa_der(&der[..end]), None);
        }
    }
}
