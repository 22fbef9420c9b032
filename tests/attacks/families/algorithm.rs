//! Which algorithm checks a token is the key's business, and never the token's.

use serde_json::json;

use crate::case::{Case, bearer};
use crate::forge::{Forge, mac, signed_part, url};

pub fn add(forge: &Forge, cases: &mut Vec<Case>) {
    public_key_as_secret(forge, cases);
    another_algorithm(forge, cases);
    spellings(forge, cases);
    none(forge, cases);
    weak_secrets(forge, cases);
}

const CONFUSION: &str = "RFC 8725 2.1; CVE-2016-5431";

fn public_key_as_secret(forge: &Forge, cases: &mut Vec<Case>) {
    for (form, secret) in forge.key.public_forms() {
        for algorithm in ["HS256", "HS384", "HS512"] {
            for (which, header) in [
                ("kid", forge.header_with(json!({ "alg": algorithm }))),
                (
                    "no kid",
                    forge.header_with(json!({ "alg": algorithm, "kid": null })),
                ),
            ] {
                let signed = signed_part(&header, forge.claims_text());
                let tag = url(mac(algorithm, &secret, signed.as_bytes()));
                let name = format!("public key ({form}) as the secret of {algorithm}, {which}");
                cases.push(bearer(
                    "confusion",
                    name,
                    CONFUSION,
                    format!("{signed}.{tag}"),
                ));
            }
        }
    }
}

const OTHERS: [&str; 20] = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "EdDSA",
    "Ed25519",
    "Ed448",
    "RSA1_5",
    "dir",
    "A128KW",
    "ML-DSA-44",
];

/// The good signature under another name, and a signature of the attacker's own key.
fn another_algorithm(forge: &Forge, cases: &mut Vec<Case>) {
    let [_, claims, good] = forge.parts();
    for other in OTHERS.iter().filter(|other| **other != forge.key.algorithm) {
        let header = forge.header_with(json!({ "alg": other }));
        let name = format!("{other} over the good signature");
        let token = format!("{}.{claims}.{good}", url(&header));
        cases.push(bearer("algorithm", name, "RFC 8725 3.1", token));
        let name = format!("{other}, signed by the good key as it signs");
        let token = forge.key.token(&header, forge.claims_text());
        cases.push(bearer("algorithm", name, "RFC 8725 3.1", token));
        let name = format!("{other}, signed by another key");
        let token = forge.others.token(&header, forge.claims_text());
        cases.push(bearer("algorithm", name, "RFC 8725 3.1", token));
    }
    let token = forge.others.token(forge.header_text(), forge.claims_text());
    cases.push(bearer(
        "algorithm",
        "another key under the good kid",
        "RFC 8725 3.8",
        token,
    ));
}

/// Well signed, and the name of the algorithm is written as it is not (RFC 7515, section 4.1.1).
fn spellings(forge: &Forge, cases: &mut Vec<Case>) {
    let name = forge.key.algorithm;
    let spelled = [
        name.to_lowercase(),
        name.to_uppercase(),
        format!(" {name}"),
        format!("{name} "),
        format!("{name}\0"),
        format!("{name}\n"),
        format!("{name}\t"),
        format!("{name},none"),
        format!("none,{name}"),
        name.replace('S', "\u{17f}"),
        name.replace('S', "\u{455}"),
        format!("\u{feff}{name}"),
        format!("{name}\u{200b}"),
        String::new(),
    ];
    let unlike = spelled.iter().filter(|spelled| *spelled != name);
    for (index, spelled) in unlike.enumerate() {
        let header = forge.header_with(json!({ "alg": spelled }));
        let token = forge.key.token(header, forge.claims_text());
        let name = format!("spelling {index} of the algorithm, {spelled:?}, well signed");
        cases.push(bearer("algorithm", name, "RFC 7515 4.1.1", token));
    }
    for value in [
        json!(null),
        json!(true),
        json!(256),
        json!([name]),
        json!({ "alg": name }),
    ] {
        let text = forge.header_text();
        let member = format!("\"alg\":\"{name}\"");
        let header = text.replace(&member, &format!("\"alg\":{value}"));
        let token = forge.key.token(header, forge.claims_text());
        let name = format!("the algorithm is {value}, well signed");
        cases.push(bearer("algorithm", name, "RFC 7515 4.1.1", token));
    }
    let header = forge.header_with(json!({ "alg": null }));
    let token = forge.key.token(header, forge.claims_text());
    cases.push(bearer(
        "algorithm",
        "no algorithm, well signed",
        "RFC 7515 4.1.1",
        token,
    ));
}

const NONES: [&str; 16] = [
    "none",
    "None",
    "NONE",
    "nOnE",
    "noNe",
    "NonE",
    " none",
    "none ",
    "none\0",
    "n\u{f3}ne",
    "nonE\n",
    "\u{feff}none",
    "null",
    "false",
    "0",
    "NULL",
];

fn none(forge: &Forge, cases: &mut Vec<Case>) {
    let [_, _, good] = forge.parts();
    let ends = [
        ("an empty signature", "."),
        ("no signature", ""),
        ("two ends", ".."),
    ];
    for none in NONES {
        for (which, kid) in [
            ("kid", forge.header["kid"].clone()),
            ("no kid", json!(null)),
        ] {
            let header = forge.header_with(json!({ "alg": none, "kid": kid }));
            let signed = signed_part(header, forge.claims_text());
            for (end, text) in ends {
                let name = format!("{none:?}, {which}, {end}");
                cases.push(bearer(
                    "none",
                    name,
                    "RFC 8725 3.2; CVE-2015-9235",
                    format!("{signed}{text}"),
                ));
            }
            let name = format!("{none:?}, {which}, the good signature");
            cases.push(bearer(
                "none",
                name,
                "RFC 8725 3.2",
                format!("{signed}.{good}"),
            ));
        }
    }
}

/// Secrets that are tried first.
fn weak_secrets(forge: &Forge, cases: &mut Vec<Case>) {
    let kid = forge.header["kid"].as_str().unwrap_or_default().to_owned();
    let secrets = [
        "",
        "secret",
        "your-256-bit-secret",
        "your-super-secret-jwt-key-here",
        "changeme",
        "\0",
        "00000000000000000000000000000000",
        "key",
        "password",
        "null",
        "undefined",
    ];
    for (index, secret) in secrets.iter().copied().chain([kid.as_str()]).enumerate() {
        let header = forge.header_with(json!({ "alg": "HS256" }));
        let signed = signed_part(header, forge.claims_text());
        let tag = url(mac("HS256", secret.as_bytes(), signed.as_bytes()));
        let name = format!("guess {index} of a secret");
        cases.push(bearer(
            "confusion",
            name,
            "RFC 8725 2.2",
            format!("{signed}.{tag}"),
        ));
    }
}
