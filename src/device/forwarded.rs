//! Forwarding headers, as the hops that they report: `Forwarded` (RFC 7239) and the older
//! `X-Forwarded-For`.

use std::net::{IpAddr, Ipv6Addr};

use http::header::{FORWARDED, HeaderName};
use http::{HeaderMap, HeaderValue};

/// What a proxy reported of the hop before it: `None` where it did not or would not say, or where
/// what stands there is no address.
pub(super) type Hop = Option<IpAddr>;

pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The hops of `X-Forwarded-For`, the nearest first; `None` without such a header.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let lines = nearest_first(headers, &X_FORWARDED_FOR)?;
    let items = lines
        .into_iter()
        .flat_map(|line| line.unwrap_or_default().rsplit(','));
    Some(items.take(MAX_HOPS).map(|item| node(item.trim())).collect())
}

/// The hops of `Forwarded`, the nearest first; `None` without such a header.
pub(super) fn forwarded(headers: &HeaderMap) -> Option<Vec<Hop>> {
    let hops = elements(headers)?.into_iter().map(|element| {
        let name = element.ok()?.the("for")?;
        node(&name)
    });
    Some(hops.take(MAX_HOPS).collect())
}

/// Whether the nearest proxy says that it was reached over TLS.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    let nearest = elements(headers)
        .and_then(|elements| elements.into_iter().next())
        .and_then(|element| element.ok()?.the("proto"));
    let older = || {
        let line = nearest_first(headers, &X_FORWARDED_PROTO)?
            .first()
            .copied()??;
        Some(line.rsplit(',').next()?.trim().to_owned())
    };
    nearest
        .or_else(older)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// The lines of a header from the last to the first; one that is no text is `None`.
fn nearest_first<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Vec<Option<&'h str>>> {
    let text = |value: &'h HeaderValue| value.to_str().ok();
    let mut lines: Vec<_> = headers.get_all(name).iter().map(text).collect();
    lines.reverse();
    (!lines.is_empty()).then_some(lines)
}

/// One element of `Forwarded`: its pairs, names in lower case.
struct Element(Vec<(String, String)>);

/// What is no element at all.
struct Malformed;

impl Element {
    /// The value of a parameter that stands exactly once (RFC 7239, section 4).
    fn the(&self, name: &str) -> Option<String> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        let (_, value) = values.next()?;
        values.next().is_none().then(|| value.clone())
    }

    fn parse(text: &str) -> Result<Self, Malformed> {
        let pairs = split(text, ';').into_iter().map(str::trim);
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').ok_or(Malformed)?;
            Ok((name.to_ascii_lowercase(), unquoted(value)?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }
}

fn elements(headers: &HeaderMap) -> Option<Vec<Result<Element, Malformed>>> {
    let mut elements = Vec::new();
    for line in nearest_first(headers, &FORWARDED)? {
        let items = split(line.unwrap_or_default(), ',');
        elements.extend(items.into_iter().rev().map(Element::parse));
    }
    Some(elements)
}

/// Cuts a text at a sign where that does not stand in a quoted string.
///
/// A quote that a client opened and did not close takes in what a proxy wrote behind it. What
/// comes of that is no value, see [`unquoted`], and so nobody's address.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        c == at && !quoted
    })
    .collect()
}

/// A token, or a whole quoted string with its escapes undone (RFC 9110, section 5.6.4).
fn unquoted(value: &str) -> Result<String, Malformed> {
    let Some(inside) = value.strip_prefix('"') else {
        return if value.contains('"') || value.is_empty() {
            Err(Malformed)
        } else {
            Ok(value.to_owned())
        };
    };
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    loop {
        match chars.next().ok_or(Malformed)? {
            '"' => break,
            '\\' => text.push(chars.next().ok_or(Malformed)?),
            c => text.push(c),
        }
    }
    chars.next().is_none().then_some(text).ok_or(Malformed)
}

/// A node of either header: an address, perhaps with a port, a zone and brackets. `unknown`, and
/// the names that proxies make up (RFC 7239, section 6.3), are nobody's address.
fn node(text: &str) -> Hop {
    let address = if let Some(rest) = text.strip_prefix('[') {
        let (inside, port) = rest.split_once(']')?;
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        is_port.then_some(())?;
        IpAddr::V6(zoned(inside)?)
    } else if let Ok(address) = text.parse() {
        address
    } else if let Some(address) = zoned(text) {
        IpAddr::V6(address)
    } else {
        let (address, port) = text.split_once(':')?;
        is_port(port).then_some(())?;
        IpAddr::V4(address.parse().ok()?)
    };
    Some(address.to_canonical())
}

/// An IPv6 address; its zone (RFC 4007, section 11) means something to the proxy alone.
fn zoned(text: &str) -> Option<Ipv6Addr> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let named = zone.is_none_or(|zone| !zone.is_empty());
    named.then(|| address.parse().ok()).flatten()
}

/// A number, or a name that a proxy made up (RFC 7239, section 6).
fn is_port(port: &str) -> bool {
    port.parse::<u16>().is_ok() || port.len() > 1 && port.starts_with('_')
}

/// More than any chain of proxies has. What stands before is the client's own.
const MAX_HOPS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, line.parse().unwrap());
        }
        headers
    }

    fn shown(hops: Option<Vec<Hop>>) -> Vec<String> {
        let shown = |hop: Hop| hop.map_or("-".to_owned(), |ip| ip.to_string());
        hops.unwrap().into_iter().map(shown).collect()
    }

    fn older(lines: &[&str]) -> Vec<String> {
        shown(x_forwarded_for(&headers(X_FORWARDED_FOR, lines)))
    }

    fn newer(lines: &[&str]) -> Vec<String> {
        shown(forwarded(&headers(FORWARDED, lines)))
    }

    #[test]
    fn hops_are_read_from_the_nearest_on_over_all_lines() {
        assert_eq!(
            older(&["192.0.2.1, 192.0.2.2", "192.0.2.3"]),
            ["192.0.2.3", "192.0.2.2", "192.0.2.1"]
        );
        assert_eq!(
            newer(&["for=192.0.2.1, for=192.0.2.2;proto=https", "For=192.0.2.3"]),
            ["192.0.2.3", "192.0.2.2", "192.0.2.1"]
        );
        assert!(x_forwarded_for(&HeaderMap::new()).is_none());
        assert!(forwarded(&HeaderMap::new()).is_none());
    }

    #[test]
    fn addresses_are_read_with_ports_brackets_and_zones() {
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]:_x", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:c000:201]", "192.0.2.1"),
        ] {
            assert_eq!(older(&[text]), [address], "{text}");
            let quoted = format!("for=\"{text}\"");
            assert_eq!(newer(&[&quoted]), [address], "{quoted}");
        }
    }

    #[test]
    fn what_is_no_address_is_nobody() {
        for text in [
            "unknown",
            "_hidden",
            "",
            "192.0.2.256",
            "192.0.2.1:",
            "192.0.2.1:99999",
            "192.0.2.1:80:80",
            "[2001:db8::1",
            "[192.0.2.1]",
            "[2001:db8::1]x",
            "2001:db8::1]",
            "fe80::1%",
            "localhost",
            "1",
        ] {
            assert_eq!(older(&[text]), ["-"], "{text}");
            assert_eq!(newer(&[&format!("for=\"{text}\"")]), ["-"], "{text}");
        }
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(shown(x_forwarded_for(&headers)), ["-"]);
    }

    #[test]
    fn elements_that_are_none_are_nobody() {
        for text in [
            "proto=https",
            "for",
            "for=",
            "for=192.0.2.1;for=192.0.2.2",
            "for=\"192.0.2.1",
            "for=\"192.0.2.1\"x",
            "for=a\"192.0.2.1\"",
            "for =192.0.2.1",
        ] {
            assert_eq!(newer(&[text]), ["-"], "{text}");
        }
    }

    #[test]
    fn a_quote_that_a_client_leaves_open_hides_an_address_and_makes_none() {
        for (opened, appended) in [
            ("for=\"", "for=192.0.2.1"),
            ("for=203.0.113.9, for=\"", "for=\"[2001:db8::1]\""),
            ("for=203.0.113.9, for=\"\\", "for=\"[2001:db8::1]\""),
            ("for=203.0.113.9;by=\"", "for=\"[2001:db8::1]\";by=\"_p\""),
        ] {
            let line = format!("{opened}, {appended}");
            let hops = newer(&[&line]);
            assert_eq!(hops[0], "-", "{line}: {hops:?}");
        }
        let fine = newer(&["for=\"_a\\\", for=_b\", for=192.0.2.1"]);
        assert_eq!(fine[0], "192.0.2.1");
    }

    #[test]
    fn a_header_of_any_length_is_read_no_further_than_a_chain_is_long() {
        let line = ["192.0.2.1"; 500].join(",");
        assert_eq!(older(&[&line]).len(), MAX_HOPS);
        let line = ["for=192.0.2.1"; 500].join(",");
        assert_eq!(newer(&[&line]).len(), MAX_HOPS);
    }

    #[test]
    fn the_nearest_proxy_says_whether_it_was_reached_over_tls() {
        let secure = |name: HeaderName, lines: &[&str]| is_secure(&headers(name, lines));
        assert!(secure(X_FORWARDED_PROTO, &["http", "https"]));
        assert!(secure(X_FORWARDED_PROTO, &["http, HTTPS"]));
        assert!(!secure(X_FORWARDED_PROTO, &["https, http"]));
        assert!(secure(FORWARDED, &["proto=http, for=_a;proto=https"]));
        assert!(!secure(FORWARDED, &["proto=https, for=_a;proto=http"]));
        assert!(!secure(X_FORWARDED_FOR, &["https"]));
    }
}
