//! [`AllowedOrigins`].

use crate::error::ConfigError;

/// Which pages of other origins may call this service (the CORS protocol of the Fetch standard).
///
/// The library has no CORS layer of its own; an application gives this to the one it uses, as the
/// axum example does with tower-http's.
///
/// # Security
///
/// Whoever allows credentials does so for [`Listed`](Self::Listed) origins alone: with
/// [`Any`](Self::Any), a page of anybody could act as whoever visits it, so browsers refuse it and
/// so does [`allows_credentials`](Self::allows_credentials).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Any, without cookies: `*`.
    Any,
    /// These, as `https://app.example.com`.
    Listed(Vec<String>),
    /// None but the service's own. The default.
    #[default]
    None,
}

impl AllowedOrigins {
    /// Reads a comma list of origins, or `*`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with each part that is no origin (RFC 6454, section 6.2), and for a `*` with
    /// others beside it.
    pub fn parse(list: &str) -> Result<Self, ConfigError> {
        let items = || {
            list.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
        };
        let mut problems = ConfigError::default();
        if items().any(|item| item == "*") {
            if items().count() > 1 {
                problems.add(
                    "\"*\" stands beside other origins",
                    "name the origins alone; * is for services without cookies",
                );
            }
            return problems.into_result(Self::Any);
        }
        for item in items().filter(|item| !is_origin(item)) {
            problems.add(
                format!("{item:?} is no origin"),
                "write scheme, host and port in lower case, as https://app.example.com or \
                 http://localhost:5173, with nothing behind",
            );
        }
        let listed: Vec<_> = items().map(str::to_owned).collect();
        if listed.is_empty() {
            return problems.into_result(Self::None);
        }
        problems.into_result(Self::Listed(listed))
    }

    /// Whether pages of these origins may send cookies.
    #[must_use]
    pub fn allows_credentials(&self) -> bool {
        matches!(self, Self::Listed(_))
    }
}

/// As a browser writes it: anything else would match nothing.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let default_port = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    let port_fits = port.is_none_or(|port| {
        port.parse::<u16>().is_ok() && !port.starts_with('0') && port != default_port
    });
    port_fits && is_host(host)
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    !host.is_empty() && !host.starts_with(['.', '-']) && host.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_listed_or_any_or_none() {
        let listed = AllowedOrigins::parse("https://a.example, http://localhost:5173").unwrap();
        let origins = ["https://a.example", "http://localhost:5173"];
        assert_eq!(
            listed,
            AllowedOrigins::Listed(origins.map(str::to_owned).into())
        );
        assert!(listed.allows_credentials());
        assert_eq!(AllowedOrigins::parse(" , ").unwrap(), AllowedOrigins::None);
        let any = AllowedOrigins::parse("*").unwrap();
        assert_eq!(any, AllowedOrigins::Any);
        assert!(!any.allows_credentials());
        assert!(AllowedOrigins::parse("*, https://a.example").is_err());
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for text in [
            "a.example",
            "https://",
            "https://a.example/",
            "https://a.example/path",
            "https://A.example",
            "https://a.example:443",
            "http://a.example:80",
            "http://a.example:080",
            "https://a.example:x",
            "https://user@a.example",
            "https://*.example",
            "ftp://a.example",
            "null",
        ] {
            assert!(AllowedOrigins::parse(text).is_err(), "{text}");
        }
        for text in [
            "http://[::1]:3000",
            "http://127.0.0.1:3000",
            "https://[2001:db8::1]",
        ] {
            assert!(AllowedOrigins::parse(text).is_ok(), "{text}");
        }
    }
}
