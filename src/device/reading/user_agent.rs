//! From a `User-Agent` to the name of a browser or client and its platform.

use super::products::{APPS, BOTS, BROWSERS, CLIENTS, TRAILING_CLIENTS};
use super::{Guess, text};
use crate::session::DeviceKind;

/// Reads a text that was cut to a sane length before.
pub(super) fn read(user_agent: &str) -> Guess {
    bot(user_agent)
        .or_else(|| client(user_agent))
        .or_else(|| app(user_agent))
        .or_else(|| browser(user_agent))
        .or_else(|| native(user_agent))
        .unwrap_or_else(|| long_tail(user_agent))
}

fn bot(user_agent: &str) -> Option<Guess> {
    let lower = user_agent.to_ascii_lowercase();
    let (_, name) = BOTS.iter().find(|(token, _)| lower.contains(token))?;
    Some(Guess {
        client: Some((*name).to_owned()),
        platform: None,
        kind: DeviceKind::Script,
    })
}

fn client(user_agent: &str) -> Option<Guess> {
    let first = first_product(user_agent).to_ascii_lowercase();
    let name = CLIENTS
        .iter()
        .find(|(token, _)| *token == first)
        .map(|(_, name)| *name)
        .or_else(|| named(TRAILING_CLIENTS, user_agent))?;
    Some(Guess {
        client: Some(name.to_owned()),
        platform: platform(user_agent),
        kind: DeviceKind::Script,
    })
}

fn app(user_agent: &str) -> Option<Guess> {
    let name = match named(APPS, user_agent) {
        Some(name) => name.to_owned(),
        None if has(user_agent, "Electron/") => electron(user_agent)?,
        None => web_view(user_agent)?.to_owned(),
    };
    Some(Guess {
        client: Some(name),
        platform: platform(user_agent),
        kind: DeviceKind::App,
    })
}

/// Electron puts the application's own product before the engine's.
fn electron(user_agent: &str) -> Option<String> {
    let engine = ["Mozilla", "AppleWebKit", "Chrome", "Electron", "Safari"];
    let own = products(user_agent).find(|name| !engine.contains(name))?;
    Some(text::shown(own, MAX_NAME))
}

fn web_view(user_agent: &str) -> Option<&'static str> {
    let apple = user_agent.contains("like Mac OS X")
        && user_agent.contains("AppleWebKit/")
        && !BROWSERS.iter().any(|(token, _)| has(user_agent, token))
        && !has(user_agent, "Safari/");
    let android = user_agent.contains("; wv)");
    (apple || android).then_some("App")
}

fn browser(user_agent: &str) -> Option<Guess> {
    let platform = platform(user_agent);
    let apple = matches!(platform, Some("iOS" | "iPadOS" | "macOS"));
    let name = match named(BROWSERS, user_agent) {
        Some(name) => name,
        None if has(user_agent, "Safari/") && apple => "Safari",
        None if has(user_agent, "Safari/") && platform == Some("Android") => "Android Browser",
        // A bare string that names an Apple device and no product can only be its own browser.
        None if user_agent.contains("like Mac OS X") => "Safari",
        None => return None,
    };
    Some(Guess {
        client: Some(name.to_owned()),
        platform,
        kind: kind(platform, user_agent),
    })
}

/// A program that names itself, as `MyApp/1.2 (iPhone; iOS 17.1; Scale/3.00)`.
fn native(user_agent: &str) -> Option<Guess> {
    let first = first_product(user_agent);
    let is_product = user_agent.len() > first.len() && user_agent[first.len()..].starts_with('/');
    if first == "Mozilla" || !is_product || first.is_empty() {
        return None;
    }
    let platform = platform(user_agent);
    let of_device = platform.is_some() || has(user_agent, "CFNetwork/");
    let kind = if of_device {
        DeviceKind::App
    } else {
        DeviceKind::Script
    };
    let name = if first == "Dalvik" { "App" } else { first };
    Some(Guess {
        client: Some(text::shown(&name.replace("%20", " "), MAX_NAME)),
        platform,
        kind,
    })
}

/// What our own table does not name.
fn long_tail(user_agent: &str) -> Guess {
    let platform = platform(user_agent);
    let (client, kind) =
        super::long_tail::known(user_agent).unwrap_or_else(|| (None, kind(platform, user_agent)));
    Guess {
        client,
        platform,
        kind,
    }
}

/// The platform; those whose text also names another come before it.
fn platform(user_agent: &str) -> Option<&'static str> {
    let names = |tokens: &[&str]| tokens.iter().any(|token| user_agent.contains(token));
    let platforms: [(&[&str], &str); 15] = [
        (&["Windows Phone"], "Windows Phone"),
        (&["PlayStation", "PLAYSTATION"], "PlayStation"),
        (&["Xbox"], "Xbox"),
        (&["Nintendo"], "Nintendo"),
        (&["iPad"], "iPadOS"),
        (
            &["iPhone", "iPod", "like Mac OS X", "; iOS ", "iOS/"],
            "iOS",
        ),
        (&["CrOS"], "ChromeOS"),
        (&["Tizen"], "Tizen"),
        (&["Web0S", "webOS"], "webOS"),
        (&["HarmonyOS", "OpenHarmony"], "HarmonyOS"),
        (&["KAIOS"], "KaiOS"),
        (&["Android"], "Android"),
        (&["Windows", "win32"], "Windows"),
        (&["Macintosh", "Mac OS X", "macOS", "apple-darwin"], "macOS"),
        (&["Linux", "linux", "Ubuntu"], "Linux"),
    ];
    platforms
        .iter()
        .find(|(tokens, _)| names(tokens))
        .map(|(_, name)| *name)
}

fn kind(platform: Option<&str>, user_agent: &str) -> DeviceKind {
    match platform {
        Some("iOS" | "Windows Phone" | "KaiOS") => DeviceKind::Phone,
        Some("iPadOS") => DeviceKind::Tablet,
        Some("Android" | "HarmonyOS") if user_agent.contains("Mobile") => DeviceKind::Phone,
        Some("Android") if ["TV", "BRAVIA", "AFT"].iter().any(|tv| has(user_agent, tv)) => {
            DeviceKind::Unknown
        }
        Some("Android" | "HarmonyOS") => DeviceKind::Tablet,
        Some("ChromeOS" | "Linux" | "macOS" | "Windows") => DeviceKind::Desktop,
        _ => DeviceKind::Unknown,
    }
}

fn named(table: &[(&str, &'static str)], user_agent: &str) -> Option<&'static str> {
    let (_, name) = table.iter().find(|(token, _)| has(user_agent, token))?;
    Some(name)
}

/// Whether a token stands in a text at the start of a word.
fn has(user_agent: &str, token: &str) -> bool {
    user_agent.match_indices(token).any(|(at, _)| {
        let before = user_agent[..at].chars().next_back();
        !before.is_some_and(char::is_alphanumeric)
    })
}

fn first_product(user_agent: &str) -> &str {
    let end = user_agent.find(['/', ' ', '(']).unwrap_or(user_agent.len());
    &user_agent[..end]
}

/// The names of all `product/version` pairs (RFC 9110, section 10.1.5) outside of comments.
fn products(user_agent: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    user_agent
        .split(move |c: char| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ')' || (c == ' ' && depth == 0)
        })
        .filter(|word| !word.starts_with('('))
        .filter_map(|word| word.split_once('/').map(|(name, _)| name))
        .filter(|name| !name.is_empty())
}

const MAX_NAME: usize = 40;
