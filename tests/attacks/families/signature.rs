//! Signatures that are almost one.

use crate::case::Expected::NoMore;
use crate::case::{Case, bearer};
use crate::forge::{Forge, decoded, url};

pub fn add(forge: &Forge, cases: &mut Vec<Case>) {
    let good = decoded(forge.parts()[2]);
    for (name, signature) in cut_and_flipped(&good) {
        cases.push(signed(forge, name, "RFC 7515 5.2", signature));
    }
    match forge.key.algorithm {
        "ES256" => curve(forge, &good, cases),
        "EdDSA" => edwards(forge, &good, cases),
        "RS256" => modulus(forge, &good, cases),
        _ => digests(forge, cases),
    }
    swapped(forge, &good, cases);
}

fn signed(
    forge: &Forge,
    name: impl Into<String>,
    reference: &'static str,
    signature: impl AsRef<[u8]>,
) -> Case {
    let [header, claims, _] = forge.parts();
    let token = format!("{header}.{claims}.{}", url(signature));
    bearer("signature", name, reference, token)
}

fn cut_and_flipped(good: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut signatures = Vec::new();
    for cut in [1, 2, 8, 12, good.len() / 2, good.len() - 1] {
        signatures.push((
            format!("{cut} bytes cut off its end"),
            good[..good.len() - cut].to_vec(),
        ));
        signatures.push((
            format!("{cut} bytes cut off its beginning"),
            good[cut..].to_vec(),
        ));
    }
    for more in [1, 2, 32, 64] {
        signatures.push((
            format!("{more} zeros behind"),
            [good, &vec![0; more]].concat(),
        ));
        signatures.push((
            format!("{more} zeros before"),
            [&vec![0; more], good].concat(),
        ));
    }
    signatures.push(("itself twice".to_owned(), [good, good].concat()));
    for fill in [0_u8, 0xff, 1] {
        signatures.push((format!("{fill:#04x} in every byte"), vec![fill; good.len()]));
    }
    for place in 0..32 {
        let index = place * (good.len() - 1) / 31;
        for bit in [1_u8, 0x80] {
            let mut flipped = good.to_vec();
            flipped[index] ^= bit;
            signatures.push((
                format!("bit {bit:#04x} of byte {place} of 32 flipped"),
                flipped,
            ));
        }
    }
    signatures.push(("reversed".to_owned(), good.iter().rev().copied().collect()));
    signatures.push((
        "inverted".to_owned(),
        good.iter().map(|byte| !byte).collect(),
    ));
    signatures
}

/// The order of P-256.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn curve(forge: &Forge, good: &[u8], cases: &mut Vec<Case>) {
    let (r, s) = good.split_at(32);
    let (zero, one) = ([0; 32], number(1));
    let pairs: [(&str, [&[u8]; 2]); 14] = [
        ("r and s are zero", [&zero, &zero]),
        ("r is zero", [&zero, s]),
        ("s is zero", [r, &zero]),
        ("r and s are one", [&one, &one]),
        ("r is one, s is zero", [&one, &zero]),
        ("r is zero, s is one", [&zero, &one]),
        ("r is n", [&N, s]),
        ("s is n", [r, &N]),
        ("r and s are n", [&N, &N]),
        ("r is n, s is zero", [&N, &zero]),
        ("r is zero, s is n", [&zero, &N]),
        ("r and s exchanged", [s, r]),
        ("s is r", [r, r]),
        ("r is s", [s, s]),
    ];
    for (name, [r, s]) in pairs {
        cases.push(signed(
            forge,
            name,
            "CVE-2022-21449; Wycheproof",
            [r, s].concat(),
        ));
    }
    // The other solution of the same equation: a good signature, by which nothing may be revoked.
    let other = [r, &difference(&N, s)].concat();
    cases.push(
        signed(
            forge,
            "n - s",
            "FIPS 186-5 6.4; revoked by id, never by text",
            other,
        )
        .expecting(NoMore),
    );
    for (name, der) in [
        ("as DER", der(r, s, 0)),
        ("as DER with a long length", der(r, s, 1)),
        (
            "as DER with rubbish behind",
            [der(r, s, 0), vec![0; 8]].concat(),
        ),
    ] {
        cases.push(signed(forge, name, "RFC 7518 3.4", der));
    }
    let padded = [&[0][..], r, &[0], s].concat();
    cases.push(signed(
        forge,
        "each half with a zero before",
        "RFC 7518 3.4",
        padded,
    ));
}

fn number(last: u8) -> [u8; 32] {
    let mut number = [0; 32];
    number[31] = last;
    number
}

fn difference(from: &[u8; 32], what: &[u8]) -> Vec<u8> {
    let mut borrow = 0_i16;
    let mut rest = vec![0; 32];
    for index in (0..32).rev() {
        let digit = i16::from(from[index]) - i16::from(what[index]) - borrow;
        borrow = i16::from(digit < 0);
        rest[index] = u8::try_from(digit.rem_euclid(256)).expect("a byte");
    }
    rest
}

fn der(r: &[u8], s: &[u8], long: usize) -> Vec<u8> {
    let integer = |value: &[u8]| {
        let zeros = value.iter().take_while(|byte| **byte == 0).count();
        let value = &value[zeros.min(31)..];
        let sign: &[u8] = if value[0] >= 0x80 { &[0] } else { &[] };
        let length = u8::try_from(sign.len() + value.len()).expect("short");
        [&[2, length][..], sign, value].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let length = u8::try_from(body.len()).expect("short");
    let head = if long == 0 {
        vec![0x30, length]
    } else {
        vec![0x30, 0x81, length]
    };
    [head, body].concat()
}

/// The order of Ed25519, least significant byte first.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn edwards(forge: &Forge, good: &[u8], cases: &mut Vec<Case>) {
    let (r, s) = good.split_at(32);
    let mut sum = s.to_vec();
    for times in 1..=8 {
        sum = added(&sum, &L);
        let name = format!("s + {times} L");
        cases.push(signed(forge, name, "RFC 8032 5.1.7", [r, &sum].concat()));
    }
    let neutral = {
        let mut point = [0; 32];
        point[0] = 1;
        point
    };
    let points: [(&str, [u8; 32]); 5] = [
        ("the neutral element", neutral),
        ("a point of order 2", {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (0xec, 0x7f);
            point
        }),
        ("a point of order 4", [0; 32]),
        ("a point that is not canonical", {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (0xee, 0x7f);
            point
        }),
        ("no point", [0xff; 32]),
    ];
    for (name, point) in points {
        for (which, s) in [("zero", vec![0; 32]), ("the good s", s.to_vec())] {
            let name = format!("r is {name}, s is {which}");
            cases.push(signed(
                forge,
                name,
                "RFC 8032 5.1.7; Wycheproof",
                [&point[..], &s].concat(),
            ));
        }
    }
    let mut high = good.to_vec();
    high[63] |= 0xe0;
    cases.push(signed(forge, "high bits of s set", "RFC 8032 5.1.7", high));
}

fn added(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0_u16;
    let sum = a.iter().zip(b).map(|(a, b)| {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        carry = digit >> 8;
        digit.to_le_bytes()[0]
    });
    sum.collect()
}

fn modulus(forge: &Forge, good: &[u8], cases: &mut Vec<Case>) {
    let n = decoded(forge.key.jwk()["n"].as_str().expect("an RSA key has n"));
    let mut carry = 0_u16;
    let mut sum: Vec<u8> = good
        .iter()
        .rev()
        .zip(n.iter().rev())
        .map(|(a, b)| {
            let digit = u16::from(*a) + u16::from(*b) + carry;
            carry = digit >> 8;
            digit.to_le_bytes()[0]
        })
        .collect();
    sum.reverse();
    if carry > 0 {
        sum.insert(0, u8::try_from(carry).expect("a digit"));
    }
    cases.push(signed(forge, "plus n", "RFC 8017 8.2.2", sum));
    cases.push(signed(forge, "is n", "RFC 8017 8.2.2", &n));
    let one = [vec![0; n.len() - 1], vec![1]].concat();
    cases.push(signed(forge, "is one", "RFC 8017 8.2.2", one));
    let mut less = n.clone();
    *less.last_mut().expect("n is odd") -= 1;
    cases.push(signed(forge, "is n - 1", "RFC 8017 8.2.2", less));
}

fn digests(forge: &Forge, cases: &mut Vec<Case>) {
    let [header, claims, _] = forge.parts();
    let text = format!("{header}.{claims}");
    for (name, message) in [
        ("of the claims alone", claims.to_owned()),
        ("of the header alone", header.to_owned()),
        ("with a dot behind", format!("{text}.")),
        ("of nothing", String::new()),
        (
            "of the decoded text",
            format!("{}.{}", forge.header_text(), forge.claims_text()),
        ),
    ] {
        let tag = forge.key.signature(message.as_bytes());
        cases.push(signed(forge, name, "RFC 7515 5.2", tag));
    }
}

/// Parts of one token on another.
fn swapped(forge: &Forge, good: &[u8], cases: &mut Vec<Case>) {
    let [header, claims, _] = forge.parts();
    let changed = [
        ("sub", serde_json::json!({ "sub": "somebody-else" })),
        ("roles", serde_json::json!({ "roles": ["admin"] })),
        ("exp", serde_json::json!({ "exp": 9_999_999_999_u64 })),
        (
            "sid",
            serde_json::json!({ "sid": "01a1fe9f-8ded-712b-8875-90ab7049efd2" }),
        ),
        ("gen", serde_json::json!({ "gen": 2 })),
        ("ugen", serde_json::json!({ "ugen": 99 })),
        ("jti", serde_json::json!({ "jti": "other" })),
        ("aud", serde_json::json!({ "aud": "other" })),
    ];
    for (claim, members) in changed {
        let token = format!("{header}.{}.{}", url(forge.claims_with(members)), url(good));
        let name = format!("the good one under a changed {claim}");
        cases.push(bearer("signature", name, "RFC 7515 5.2", token));
    }
    let spaced = format!(" {}", String::from_utf8_lossy(&decoded(claims)));
    let token = format!("{header}.{}.{}", url(spaced), url(good));
    cases.push(bearer(
        "signature",
        "the good one under the same claims with a space",
        "RFC 7515 5.2",
        token,
    ));
    let spaced = format!(" {}", String::from_utf8_lossy(&decoded(header)));
    let token = format!("{}.{claims}.{}", url(spaced), url(good));
    cases.push(bearer(
        "signature",
        "the good one under the same header with a space",
        "RFC 7515 5.2",
        token,
    ));
}
