//! Paths with a parameter.

use std::str;

use percent_encoding::percent_decode_str;

/// How a path matches a pattern; the better of two is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    /// By a `{*rest}`.
    Rest,
    /// By a `{parameter}`.
    Parameter,
    /// To the letter.
    Literal,
}

/// Compares the path of a request, as it was sent, with a pattern.
pub(super) fn matched(pattern: &str, path: &str) -> Option<Match> {
    let mut found = Match::Literal;
    let mut rest = path;
    let mut segments = pattern.split('/').peekable();
    while let Some(wanted) = segments.next() {
        if wanted.starts_with("{*") {
            return (!rest.is_empty()).then_some(Match::Rest);
        }
        let (segment, after) = match (segments.peek(), rest.split_once('/')) {
            (Some(_), Some((segment, after))) => (segment, after),
            (None, None) => (rest, ""),
            _ => return None,
        };
        if wanted.starts_with('{') {
            // As in axum's router: what ends in a slash is something else.
            if segment.is_empty() && segments.peek().is_none() {
                return None;
            }
            found = Match::Parameter;
        } else if wanted != segment {
            return None;
        }
        rest = after;
    }
    Some(found)
}

/// The value of the parameter of a pattern, decoded; empty where the pattern has none, and `None`
/// where the value is no text.
pub(super) fn parameter(pattern: &str, path: &str) -> Option<String> {
    let place = pattern
        .split('/')
        .position(|wanted| wanted.starts_with('{'));
    let Some(place) = place else {
        return Some(String::new());
    };
    let value = path.split('/').nth(place)?;
    let value = percent_decode_str(value).decode_utf8().ok()?;
    Some(value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_matched_to_the_letter_or_as_a_parameter() {
        let id = "/sessions/{id}";
        assert_eq!(matched(id, "/sessions/7"), Some(Match::Parameter));
        assert_eq!(matched("/sessions", "/sessions"), Some(Match::Literal));
        for other in [
            "/sessions",
            "/sessions/",
            "/sessions/7/name",
            "/Sessions/7",
            "//sessions/7",
        ] {
            assert_eq!(matched(id, other), None, "{other}");
        }
        let name = "/sessions/{id}/name";
        assert_eq!(matched(name, "/sessions/7/name"), Some(Match::Parameter));
        assert_eq!(matched(name, "/sessions//name"), Some(Match::Parameter));
        assert_eq!(matched(name, "/sessions/7/name/"), None);
        assert!(Match::Literal > Match::Parameter && Match::Parameter > Match::Rest);
    }

    #[test]
    fn a_rest_is_not_empty() {
        let rest = "/.well-known/x/{*path}";
        assert_eq!(matched(rest, "/.well-known/x/a/b"), Some(Match::Rest));
        assert_eq!(matched(rest, "/.well-known/x/"), None);
        assert_eq!(matched(rest, "/.well-known/x"), None);
    }

    #[test]
    fn a_parameter_is_decoded_and_what_is_no_text_is_none() {
        let of = |path| parameter("/api/users/{user}/sessions", path);
        assert_eq!(of("/api/users/a%40b+c/sessions").unwrap(), "a@b+c");
        assert_eq!(of("/api/users/a%2Fb/sessions").unwrap(), "a/b");
        assert_eq!(of("/api/users/%ff/sessions"), None);
        assert_eq!(parameter("/sessions", "/sessions").unwrap(), "");
    }
}
