//! Consoles, feature phones, crawlers that few have heard of: what the data set of woothee knows.

use woothee::parser::Parser;

use crate::session::DeviceKind;

/// The name of the client, where it has one, and its kind.
pub(super) fn known(user_agent: &str) -> Option<(Option<String>, DeviceKind)> {
    let known = Parser::new().parse(user_agent)?;
    let kind = match known.category {
        "crawler" => DeviceKind::Script,
        "mobilephone" | "smartphone" => DeviceKind::Phone,
        "pc" => DeviceKind::Desktop,
        _ => DeviceKind::Unknown,
    };
    let name = match known.name {
        "UNKNOWN" => None,
        "misc crawler" => Some("Bot"),
        name => Some(name),
    };
    Some((name.map(str::to_owned), kind))
}
