//! The compact serialisation of a signed token (RFC 7515, section 7.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::VerifyError;
use super::header::Header;

/// A token taken apart; nothing of it is known to be true.
pub(super) struct Compact<'t> {
    pub(super) header: Header<'t>,
    pub(super) payload: String,
    /// What the signature is over.
    pub(super) signed: &'t [u8],
    pub(super) signature: &'t [u8],
}

impl<'t> Compact<'t> {
    /// Takes a token apart: exactly three parts, each in strict base64url, the first a header
    /// that asks for nothing we do not do. `known` tells what a first part says that need not be
    /// read, and the signature is put into `room`.
    pub(super) fn parse(
        token: &'t [u8],
        room: &'t mut [u8; MAX_SIGNATURE],
        known: impl FnOnce(&str) -> Option<Header<'t>>,
    ) -> Result<Self, VerifyError> {
        let shape = || VerifyError::malformed("not three parts of base64url");
        let token = std::str::from_utf8(token).map_err(|_| shape())?;
        let (signed, signature_text) = token.rsplit_once('.').ok_or_else(shape)?;
        let (header, payload) = signed.split_once('.').ok_or_else(shape)?;
        if header.is_empty() || payload.is_empty() || signature_text.is_empty() {
            return Err(shape());
        }
        let payload = text(payload)?;
        let signature_len = URL_SAFE_NO_PAD
            .decode_slice(signature_text, room)
            .map_err(|_| shape())?;
        Ok(Self {
            // Last, so that what has not even the shape is told so whatever its header asks for.
            header: match known(header) {
                Some(header) => header,
                None => Header::parse(&text(header)?)?,
            },
            payload,
            signed: signed.as_bytes(),
            signature: &room[..signature_len],
        })
    }
}

fn text(part: &str) -> Result<String, VerifyError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| VerifyError::malformed("not three parts of base64url"))?;
    String::from_utf8(bytes).map_err(|_| VerifyError::malformed("header or claims are not UTF-8"))
}

/// What an RSA key of 8192 bits makes, and room for the decoder's estimate.
pub(super) const MAX_SIGNATURE: usize = 1024 + 8;

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "eyJhbGciOiJIUzI1NiJ9";

    fn cause(token: &str) -> Option<&'static str> {
        Compact::parse(token.as_bytes(), &mut [0; MAX_SIGNATURE], |_| None)
            .err()
            .map(|error| error.cause())
    }

    #[test]
    fn a_token_has_exactly_three_parts_none_of_them_empty() {
        assert_eq!(cause(&format!("{HEADER}.e30.AA")), None);
        for token in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            HEADER.to_owned(),
            format!("{HEADER}.e30"),
            format!("{HEADER}.e30."),
            format!("{HEADER}..AA"),
            format!(".{HEADER}.AA"),
            format!("{HEADER}.e30.AA.AA"),
            format!("{HEADER}.e30.AA.AA.AA"),
            format!(".{HEADER}.e30.AA"),
            format!("{HEADER}.e30.AA."),
        ] {
            assert!(cause(&token).is_some(), "{token}");
        }
    }

    #[test]
    fn base64_is_strict() {
        for signature in [
            "AB", "AA=", "AA==", "A", "A+", "A/", "AA ", " AA", "A\nA", "Aé",
        ] {
            assert!(
                cause(&format!("{HEADER}.e30.{signature}")).is_some(),
                "{signature:?}"
            );
        }
        for payload in ["e31", "e30=", "e3 0", "e+0", "e"] {
            assert!(
                cause(&format!("{HEADER}.{payload}.AA")).is_some(),
                "{payload:?}"
            );
        }
    }

    #[test]
    fn a_signature_longer_than_any_is_refused() {
        let longest = "A".repeat(1024 * 4 / 3 + 1);
        assert_eq!(1024, URL_SAFE_NO_PAD.decode(&longest).unwrap().len());
        assert_eq!(cause(&format!("{HEADER}.e30.{longest}")), None);
        assert!(cause(&format!("{HEADER}.e30.{}", "A".repeat(2000))).is_some());
    }
}
