//! The text of a token, for those who pass it on before it is verified.

use super::{RawToken, SourceError};

impl<'a> RawToken<'a> {
    /// The token as text, where it is one by the grammar `token68` of RFC 9110, section 11.2.
    pub(crate) fn text(&self) -> Result<&'a str, SourceError> {
        let bytes = self.bytes;
        let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
        let body = &bytes[..bytes.len() - padding];
        if body.is_empty() || !body.iter().copied().all(is_token68_byte) {
            return Err(SourceError::Malformed);
        }
        std::str::from_utf8(bytes).map_err(|_| SourceError::Malformed)
    }
}

fn is_token68_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}
