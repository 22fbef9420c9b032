//! Values of claims that JSON writes in more than one way.

use std::fmt;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use crate::clock::UnixTime;

/// A `NumericDate` (RFC 7519, section 2): seconds, with or without a fraction.
///
/// What lies before 1970 or beyond what can be written becomes the nearest instant that can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumericDate(pub(super) UnixTime);

/// One string, or a list of strings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OneOrMany(pub(super) Box<[Box<str>]>);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_any`: with serde_json's `arbitrary_precision`, which any crate of an
        // application may turn on, that shows numbers as maps.
        deserializer.deserialize_f64(DateVisitor)
    }
}

struct DateVisitor;

impl Visitor<'_> for DateVisitor {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since 1970")
    }

    fn visit_u64<E>(self, secs: u64) -> Result<NumericDate, E> {
        Ok(NumericDate(UnixTime::from_secs(secs)))
    }

    fn visit_i64<E>(self, secs: i64) -> Result<NumericDate, E> {
        Ok(NumericDate(UnixTime::from_secs(secs.max(0).unsigned_abs())))
    }

    fn visit_f64<E>(self, secs: f64) -> Result<NumericDate, E> {
        // The cast saturates at both ends.
        Ok(NumericDate(UnixTime::from_micros((secs * 1e6) as u64)))
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E>(self, one: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(Box::new([one.into()])))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = seq.next_element::<Box<str>>()? {
            many.push(one);
        }
        Ok(OneOrMany(many.into_boxed_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(json: &str) -> Option<UnixTime> {
        serde_json::from_str::<NumericDate>(json)
            .ok()
            .map(|date| date.0)
    }

    #[test]
    fn dates_are_whole_or_fractional_seconds() {
        assert_eq!(date("1800000000"), Some(UnixTime::from_secs(1_800_000_000)));
        assert_eq!(
            date("1800000000.25"),
            Some(UnixTime::from_micros(1_800_000_000_250_000))
        );
        assert_eq!(date("1.8e9"), Some(UnixTime::from_secs(1_800_000_000)));
    }

    #[test]
    fn dates_beyond_what_can_be_written_saturate() {
        for json in ["-1", "-0.5", "-9223372036854775808", "-1e300", "0"] {
            assert_eq!(date(json), Some(UnixTime::EPOCH), "{json}");
        }
        for json in ["18446744073709551615", "18446744073709551616", "1e300"] {
            assert_eq!(date(json), Some(UnixTime::MAX), "{json}");
        }
    }

    #[test]
    fn dates_of_other_types_are_refused() {
        for json in [
            "\"1800000000\"",
            "null",
            "true",
            "[1800000000]",
            "{}",
            "1e999",
            "NaN",
        ] {
            assert_eq!(date(json), None, "{json}");
        }
    }

    #[test]
    fn lists_hold_strings_alone() {
        let read = |json| {
            serde_json::from_str::<OneOrMany>(json)
                .ok()
                .map(|all| all.0)
        };
        assert_eq!(read("\"a\""), Some(Box::from([Box::from("a")])));
        assert_eq!(read("[]"), Some(Box::from([])));
        for json in [
            "[1]",
            "[null]",
            "[[\"a\"]]",
            "null",
            "1",
            "{\"a\":1}",
            "true",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
