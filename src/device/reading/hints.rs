//! User agent client hints: `Sec-CH-UA`, `Sec-CH-UA-Platform`, `Sec-CH-UA-Mobile`.

use http::HeaderMap;

use super::products::BRANDS;
use super::{Guess, text};
use crate::session::DeviceKind;

/// Reads the hints; what they do not say stays unknown.
pub(super) fn read(headers: &HeaderMap) -> Guess {
    let platform = quoted(header(headers, "sec-ch-ua-platform"))
        .next()
        .and_then(platform);
    Guess {
        client: client(header(headers, "sec-ch-ua")),
        platform,
        kind: kind(platform, header(headers, "sec-ch-ua-mobile").trim()),
    }
}

/// The brand that says most: not the engine, and not the one made up to keep parsers honest.
fn client(brands: &str) -> Option<String> {
    let mut engine = None;
    for brand in quoted(brands) {
        if is_grease(brand) {
            continue;
        }
        if brand == "Chromium" {
            engine = Some("Chromium");
            continue;
        }
        let known = BRANDS.iter().find(|(token, _)| *token == brand);
        let name = known.map_or(brand, |(_, name)| name);
        return Some(text::shown(name, MAX_BRAND)).filter(|name| !name.is_empty());
    }
    engine.map(str::to_owned)
}

/// `"Not-A.Brand"`, `" Not;A Brand"`, `"(Not(A:Brand"` and whatever comes next.
fn is_grease(brand: &str) -> bool {
    let letters = brand.chars().filter(char::is_ascii_alphabetic);
    let letters: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    letters == "notabrand" || letters == "notanybrand"
}

fn platform(name: &str) -> Option<&'static str> {
    match name {
        "Android" => Some("Android"),
        "Chrome OS" | "Chromium OS" => Some("ChromeOS"),
        "iOS" => Some("iOS"),
        "Linux" => Some("Linux"),
        "macOS" => Some("macOS"),
        "Windows" => Some("Windows"),
        _ => None,
    }
}

fn kind(platform: Option<&str>, mobile: &str) -> DeviceKind {
    match (platform, mobile) {
        (_, "?1") => DeviceKind::Phone,
        (Some("Android"), "?0") => DeviceKind::Tablet,
        (Some("ChromeOS" | "Linux" | "macOS" | "Windows"), _) => DeviceKind::Desktop,
        _ => DeviceKind::Unknown,
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| value.len() <= MAX_HEADER)
        .unwrap_or_default()
}

/// The strings of a structured list (RFC 8941, section 3.3.3) that are names: those that no `=`
/// makes a parameter. No name that we know holds an escape, so escapes are not undone.
fn quoted(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        loop {
            let (before, after) = rest.split_once('"')?;
            let (inside, behind) = after.split_once('"')?;
            rest = behind;
            if !before.trim_end().ends_with('=') {
                return Some(inside);
            }
        }
    })
}

const MAX_BRAND: usize = 40;
const MAX_HEADER: usize = 1024;
