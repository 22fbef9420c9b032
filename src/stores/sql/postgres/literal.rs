//! Values inside the text of a statement.
//!
//! Several statements travel together only by PostgreSQL's simple protocol, which has no
//! parameters. Each value is written in an alphabet that cannot end it: digits, or hexadecimal.

use std::fmt;

use crate::clock::UnixTime;
use crate::stores::codec;

/// A text.
pub(super) struct Text<'a>(pub(super) &'a str);

/// Bytes.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

/// Sixteen bytes, as a UUID.
pub(super) struct Id<'a>(pub(super) &'a [u8; 16]);

/// A value that may be absent.
pub(super) struct Maybe<T>(pub(super) Option<T>);

/// The name of a schema, a table or a channel.
pub(super) struct Name<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "convert_from({}, 'UTF8')", Bytes(self.0.as_bytes()))
    }
}

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decode('{}', 'hex')", codec::hex(self.0))
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{:032x}'::uuid", u128::from_be_bytes(*self.0))
    }
}

impl<T: fmt::Display> fmt::Display for Maybe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("NULL"),
        }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// An instant as a column holds it, in microseconds; what is too late for a column is as late as
/// one can say.
pub(super) fn instant(at: UnixTime) -> i64 {
    i64::try_from(at.as_micros()).unwrap_or(i64::MAX)
}

/// Values between commas.
pub(super) fn list<T: fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    values.join(", ")
}

/// How many at most.
pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_its_own_literal() {
        let text = Text("'; DROP TABLE users; --\\").to_string();
        let inner = text
            .strip_prefix("convert_from(decode('")
            .and_then(|rest| rest.strip_suffix("', 'hex'), 'UTF8')"));
        let inner = inner.expect("it is one literal");
        assert!(
            inner.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{inner}"
        );
    }

    #[test]
    fn a_name_with_quotes_stays_one_name() {
        assert_eq!(Name("a\"; b").to_string(), "\"a\"\"; b\"");
    }

    #[test]
    fn an_absent_value_is_null() {
        assert_eq!(Maybe(None::<Text<'_>>).to_string(), "NULL");
        assert_eq!(list([1, 2, 3]), "1, 2, 3");
    }
}
