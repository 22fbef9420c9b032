//! Texts that a lenient reader would take for others.

use crate::case::Expected::NoMore;
use crate::case::{Case, bearer};
use crate::forge::{ALWAYS, Forge, url};

pub fn add(forge: &Forge, cases: &mut Vec<Case>) {
    base64(forge, cases);
    json(forge, cases);
    duplicates(forge, cases);
}

/// RFC 7515, section 2: base64url without padding, and nothing else.
fn base64(forge: &Forge, cases: &mut Vec<Case>) {
    let parts = forge.parts();
    for (index, which) in ["header", "claims", "signature"].into_iter().enumerate() {
        let part = parts[index];
        let middle = part.len() / 2;
        let (left, right) = part.split_at(middle);
        let loose = [
            ("padded with =", format!("{part}=").into_bytes()),
            ("padded with ==", format!("{part}==").into_bytes()),
            ("padded with ===", format!("{part}===").into_bytes()),
            ("a space inside", format!("{left} {right}").into_bytes()),
            ("a tab inside", format!("{left}\t{right}").into_bytes()),
            (
                "an encoded line end inside",
                format!("{left}%0A{right}").into_bytes(),
            ),
            (
                "a backslash n inside",
                format!("{left}\\n{right}").into_bytes(),
            ),
            ("a + inside", format!("{left}+{right}").into_bytes()),
            ("a / inside", format!("{left}/{right}").into_bytes()),
            ("a = inside", format!("{left}={right}").into_bytes()),
            (
                "a percent escape of its first letter",
                format!("%{:02x}{}", part.as_bytes()[0], &part[1..]).into_bytes(),
            ),
            ("one letter more", format!("{part}A").into_bytes()),
            ("four letters more", format!("{part}AAAA").into_bytes()),
            (
                "a byte above 127 inside",
                [left.as_bytes(), &[0xc3, 0xa9], right.as_bytes()].concat(),
            ),
            (
                "bytes that are no text inside",
                [left.as_bytes(), &[0xff, 0xfe], right.as_bytes()].concat(),
            ),
            (
                "a zero-width space inside",
                format!("{left}\u{200b}{right}").into_bytes(),
            ),
            ("a quote inside", format!("{left}\"{right}").into_bytes()),
            ("a tilde inside", format!("{left}~{right}").into_bytes()),
            ("a comma inside", format!("{left},{right}").into_bytes()),
            ("last bits set that are not used", unused_bits(part)),
        ];
        for (name, text) in loose {
            let mut texts: Vec<Vec<u8>> =
                parts.iter().map(|part| part.as_bytes().to_vec()).collect();
            if texts[index] == text || (which == "claims" && name.starts_with("last bits")) {
                continue; // every bit may be used
            }
            texts[index] = text;
            let token = texts.join(&b'.');
            cases.push(bearer(
                "base64",
                format!("{which}: {name}"),
                "RFC 7515 2; RFC 4648 3.5",
                token,
            ));
        }
    }
    let mut texts = (0..).map(|x| {
        let claims = forge.claims_with(serde_json::json!({ "x": x }));
        forge.key.token(forge.header_text(), claims)
    });
    let with_both = texts.find(|text| text.contains('-') && text.contains('_'));
    let with_both = with_both.expect("there are enough numbers");
    for (name, token) in [
        ("an encoded dot", forge.token.replace('.', "%2e")),
        ("a wide dot", forge.token.replace('.', "\u{ff0e}")),
        ("a small dot", forge.token.replace('.', "\u{fe52}")),
        (
            "- and _ as + and /",
            with_both.replace('-', "+").replace('_', "/"),
        ),
        ("spaces around the dots", forge.token.replace('.', " . ")),
    ] {
        cases.push(bearer("base64", name, "RFC 4648 3.3", token));
    }
}

/// The same bytes in another spelling: the last letter carries bits that no byte takes.
fn unused_bits(part: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = part.as_bytes().to_vec();
    let unused = match text.len() % 4 {
        2 => 0b1111,
        3 => 0b11,
        _ => 0,
    };
    if let Some(last) = text.last_mut() {
        let value = LETTERS
            .iter()
            .position(|letter| letter == last)
            .expect("a letter");
        *last = LETTERS[value | unused];
    }
    text
}

/// JSON that is none (RFC 8259), or that says more than one thing (RFC 7493). All well signed.
fn json(forge: &Forge, cases: &mut Vec<Case>) {
    for (which, text) in [
        ("header", forge.header_text()),
        ("claims", forge.claims_text()),
    ] {
        let inside = &text[1..text.len() - 1];
        let deep = |depth: usize| {
            format!(
                "{{{inside},\"x\":{}{}}}",
                "[".repeat(depth),
                "]".repeat(depth)
            )
        };
        let mut loose: Vec<(&str, Vec<u8>)> = vec![
            (
                "a byte order mark before",
                format!("\u{feff}{text}").into_bytes(),
            ),
            ("a letter behind", format!("{text}x").into_bytes()),
            (
                "a second object behind",
                format!("{text}{text}").into_bytes(),
            ),
            (
                "a second object on the next line",
                format!("{text}\n{{}}").into_bytes(),
            ),
            ("a NUL behind", format!("{text}\0").into_bytes()),
            ("a closing brace too many", format!("{text}}}").into_bytes()),
            (
                "no closing brace",
                text.as_bytes()[..text.len() - 1].to_vec(),
            ),
            ("a trailing comma", format!("{{{inside},}}").into_bytes()),
            ("a leading comma", format!("{{,{inside}}}").into_bytes()),
            ("a comment", format!("{{/* x */{inside}}}").into_bytes()),
            ("a line comment", format!("{{{inside}}}// x").into_bytes()),
            ("single quotes", text.replace('"', "'").into_bytes()),
            (
                "names without quotes",
                format!("{{{inside},x:1}}").into_bytes(),
            ),
            ("NaN", format!("{{{inside},\"x\":NaN}}").into_bytes()),
            (
                "Infinity",
                format!("{{{inside},\"x\":Infinity}}").into_bytes(),
            ),
            (
                "-Infinity",
                format!("{{{inside},\"x\":-Infinity}}").into_bytes(),
            ),
            (
                "undefined",
                format!("{{{inside},\"x\":undefined}}").into_bytes(),
            ),
            ("True", format!("{{{inside},\"x\":True}}").into_bytes()),
            (
                "a leading zero",
                format!("{{{inside},\"x\":01}}").into_bytes(),
            ),
            ("a plus", format!("{{{inside},\"x\":+1}}").into_bytes()),
            (
                "hexadecimal",
                format!("{{{inside},\"x\":0x1}}").into_bytes(),
            ),
            (
                "a dot without digits",
                format!("{{{inside},\"x\":1.}}").into_bytes(),
            ),
            (
                "a control character in a text",
                format!("{{{inside},\"x\":\"\n\"}}").into_bytes(),
            ),
            (
                "a NUL in a text",
                format!("{{{inside},\"x\":\"\0\"}}").into_bytes(),
            ),
            (
                "an unknown escape",
                format!("{{{inside},\"x\":\"\\x41\"}}").into_bytes(),
            ),
            (
                "half an escape",
                format!("{{{inside},\"x\":\"\\u12\"}}").into_bytes(),
            ),
            (
                "a lone surrogate",
                format!("{{{inside},\"x\":\"\\ud800\"}}").into_bytes(),
            ),
            (
                "surrogates exchanged",
                format!("{{{inside},\"x\":\"\\udc00\\ud800\"}}").into_bytes(),
            ),
            (
                "bytes that are no text in a value",
                [&text.as_bytes()[..text.len() - 1], b",\"x\":\"\xff\"}"].concat(),
            ),
            (
                "bytes that are no text in a name",
                [&text.as_bytes()[..text.len() - 1], b",\"\xff\":1}"].concat(),
            ),
            (
                "an overlong encoding",
                [&text.as_bytes()[..text.len() - 1], b",\"x\":\"\xc0\xaf\"}"].concat(),
            ),
            (
                "a surrogate as bytes",
                [
                    &text.as_bytes()[..text.len() - 1],
                    b",\"x\":\"\xed\xa0\x80\"}",
                ]
                .concat(),
            ),
            (
                "UTF-16",
                text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            ),
            ("1000 brackets deep", deep(1000).into_bytes()),
            ("130 brackets deep", deep(130).into_bytes()),
            ("a list around it", format!("[{text}]").into_bytes()),
            ("a text around it", format!("{text:?}").into_bytes()),
            ("a number", b"1".to_vec()),
            ("true", b"true".to_vec()),
            ("null", b"null".to_vec()),
            ("an empty object", b"{}".to_vec()),
            ("an empty list", b"[]".to_vec()),
            ("nothing", Vec::new()),
            ("spaces alone", b"   ".to_vec()),
            (
                "YAML",
                text.replace(['{', '}', '"'], "")
                    .replace(',', "\n")
                    .into_bytes(),
            ),
            ("form feed as a space", format!("\u{c}{text}").into_bytes()),
            (
                "no-break space as a space",
                format!("\u{a0}{text}").into_bytes(),
            ),
            (
                "a number of 400 digits",
                format!("{{{inside},\"x\":{}}}", "9".repeat(400)).into_bytes(),
            ),
            ("1e400", format!("{{{inside},\"x\":1e400}}").into_bytes()),
        ];
        loose.push(("300 unknown members", {
            let more: String = (0..300).map(|one| format!(",\"x{one}\":{one}")).collect();
            format!("{{{inside}{more}}}").into_bytes()
        }));
        for (name, bytes) in loose {
            let token = match which {
                "header" => forge.key.token(&bytes, forge.claims_text()),
                _ => forge.key.token(forge.header_text(), &bytes),
            };
            let case = bearer(
                "json",
                format!("{which}: {name}"),
                "RFC 8259; RFC 7493; RFC 8725 3.4",
                token,
            );
            // In a member that nobody reads, and what decides is of one meaning.
            let is_harmless = matches!(
                name,
                "a number of 400 digits"
                    | "1e400"
                    | "300 unknown members"
                    | "a lone surrogate"
                    | "surrogates exchanged"
                    | "1000 brackets deep"
                    | "130 brackets deep"
            );
            cases.push(if is_harmless {
                case.expecting(NoMore)
            } else {
                case
            });
        }
    }
}

/// A member that stands twice: two readers may read two tokens (RFC 7519, section 4).
fn duplicates(forge: &Forge, cases: &mut Vec<Case>) {
    for (which, object) in [("header", &forge.header), ("claims", &forge.claims)] {
        let text = serde_json::to_string(object).expect("an object");
        let inside = &text[1..text.len() - 1];
        let always = |name: &str| which == "header" || ALWAYS.contains(&name);
        for (name, value) in object.iter().filter(|(name, _)| always(name)) {
            let escaped: String = name.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
            let variants = [
                ("twice the same", format!("{{{inside},\"{name}\":{value}}}")),
                (
                    "another before",
                    format!("{{\"{name}\":\"other\",{inside}}}"),
                ),
                (
                    "another behind",
                    format!("{{{inside},\"{name}\":\"other\"}}"),
                ),
                ("null behind", format!("{{{inside},\"{name}\":null}}")),
                (
                    "the same, escaped, behind",
                    format!("{{{inside},\"{escaped}\":{value}}}"),
                ),
            ];
            for (how, text) in variants {
                let token = match which {
                    "header" => forge.key.token(&text, forge.claims_text()),
                    _ => forge.key.token(forge.header_text(), &text),
                };
                let name = format!("{which}: {name}, {how}");
                cases.push(bearer("duplicate", name, "RFC 7519 4; RFC 8725 3.4", token));
            }
        }
    }
    let unknown = format!(
        "{},\"x\":1,\"x\":2}}",
        forge.claims_text().trim_end_matches('}')
    );
    let token = forge.key.token(forge.header_text(), unknown);
    cases.push(
        bearer(
            "duplicate",
            "claims: an unknown one twice",
            "RFC 7519 4",
            token,
        )
        .expecting(NoMore),
    );
    let [header, claims, good] = forge.parts();
    let unsigned = format!("{header}.{}.{good}", url(format!("{claims} ")));
    cases.push(bearer(
        "duplicate",
        "claims: encoded twice",
        "RFC 7519 4",
        unsigned,
    ));
}
