//! The address that an account goes by.

use std::fmt;

/// An address in the one spelling that accounts go by.
#[derive(Default)]
pub struct Email(String);

impl Email {
    /// Something, an `@`, something, no blanks, of a length that mail servers take.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.split_once('@')?;
        let sound = !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        sound.then_some(Self(text))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
