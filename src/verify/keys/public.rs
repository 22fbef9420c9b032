//! The public half of a key, as it is published.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The public numbers of an asymmetric key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicNumbers {
    Ec {
        curve: &'static str,
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
    pub(super) fn from_point(curve: &'static str, point: &[u8]) -> Option<Self> {
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
    pub(super) fn from_ec_info(curve: &'static str, der: &[u8]) -> Option<Self> {
        let algorithm: &[u8] = match curve {
            "P-256" => {
                b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
            }
            "P-384" => b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
            _ => return None,
        };
        Self::from_point(curve, key_bits(algorithm, der)?)
    }

    /// From the `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410, section 4).
    pub(super) fn from_ed_info(der: &[u8]) -> Option<Self> {
        let x = key_bits(b"\x06\x03\x2b\x65\x70", der)?.to_vec();
        Some(Self::Ed { x })
    }

    /// From the DER of an `RSAPublicKey` (RFC 8017, appendix A.1.1).
    pub(super) fn from_rsa_der(der: &[u8]) -> Option<Self> {
        let (sequence, rest) = der_element(0x30, der)?;
        let (n, sequence) = der_element(0x02, sequence)?;
        let (e, end) = der_element(0x02, sequence)?;
        (rest.is_empty() && end.is_empty()).then(|| Self::Rsa {
            n: unsigned(n).to_vec(),
            e: unsigned(e).to_vec(),
        })
    }

    /// The bits of the modulus of an RSA key; 0 for others.
    pub(super) fn modulus_bits(&self) -> usize {
        let Self::Rsa { n, .. } = self else { return 0 };
        let Some(first) = n.first() else { return 0 };
        n.len() * 8 - first.leading_zeros() as usize
    }

    /// The members of a JSON Web Key (RFC 7518, section 6; RFC 8037, section 2).
    pub(super) fn to_jwk(&self) -> Value {
        match self {
            Self::Ec { curve, x, y } => {
                json!({"crv": curve, "kty": "EC", "x": encode(x), "y": encode(y)})
            }
            Self::Ed { x } => json!({"crv": "Ed25519", "kty": "OKP", "x": encode(x)}),
            Self::Rsa { n, e } => json!({"e": encode(e), "kty": "RSA", "n": encode(n)}),
        }
    }

    /// The thumbprint of RFC 7638: the members in the order of their names, without white space.
    pub(super) fn thumbprint(&self) -> String {
        let canonical = match self {
            Self::Ec { curve, x, y } => format!(
                r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#,
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

/// The key in a `SubjectPublicKeyInfo` of exactly this algorithm (RFC 5280, section 4.1).
fn key_bits<'d>(algorithm: &[u8], der: &'d [u8]) -> Option<&'d [u8]> {
    let (info, rest) = der_element(0x30, der)?;
    let (found, info) = der_element(0x30, info)?;
    let (bits, end) = der_element(0x03, info)?;
    let (unused, key) = bits.split_first()?;
    let whole = rest.is_empty() && end.is_empty() && *unused == 0;
    (whole && found == algorithm).then_some(key)
}

/// The content of the DER element with this tag at the start, and what follows it.
fn der_element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    let (len, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (len, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let len = len
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (len, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// The bytes of a DER `INTEGER` without the zero that keeps it positive.
fn unsigned(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
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
        assert_eq!(PublicNumbers::from_ec_info("P-256", &der), None);
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
