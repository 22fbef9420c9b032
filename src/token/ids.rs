//! The identifiers that a token carries, each a type of its own.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::short::Text;
use crate::crypto::digest::{Context, SHA256, digest};

/// Names one session: the `sid` claim (OpenID Connect Front-Channel Logout, section 3).
///
/// Ours are version 7 UUIDs, so they sort by creation time; they are names, not secrets.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::SessionId;
///
/// let id: SessionId = "0197a0d2-5c4e-7000-8000-000000000001".parse()?;
/// assert_eq!(id.to_string(), "0197a0d2-5c4e-7000-8000-000000000001");
/// # Ok::<(), tower_jwt_session::InvalidId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Uuid);

impl SessionId {
    /// A new id, unlike any other.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id that stands for the `sid` of another issuer: 122 bits of the SHA-256 of both, as a
    /// version 8 UUID (RFC 9562, section 5.8).
    ///
    /// Never one of ours, whatever the issuer writes: no token of another issuer names a session
    /// that we keep.
    #[must_use]
    pub fn from_foreign(issuer: &str, sid: &str) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&(issuer.len() as u64).to_be_bytes());
        context.update(issuer.as_bytes());
        context.update(sid.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&context.finish().as_ref()[..16]);
        Self(Uuid::new_v8(bytes))
    }

    /// The id from its sixteen bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The sixteen bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl FromStr for SessionId {
    type Err = InvalidId;

    /// Accepts the hyphenated lower- or upper-case form alone.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() != 36 {
            return Err(InvalidId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names a user: the `sub` claim (RFC 7519, section 4.1.2), 1 to 255 bytes without control characters.
///
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct UserId(Text);

/// Names a token: the `jti` claim (RFC 7519, section 4.1.7), 1 to 255 bytes without control characters.
///
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct TokenId(Text);

impl TokenId {
    /// A new id, unlike any other.
    #[must_use]
    pub fn random() -> Self {
        let mut buffer = Uuid::encode_buffer();
        Self(Text::new(
            Uuid::now_v7().as_hyphenated().encode_lower(&mut buffer),
        ))
    }

    /// The id of the access token that `generation` of `session` carries.
    ///
    /// Derived, so that ending a session can name each of its tokens without having stored them.
    #[must_use]
    pub fn of_generation(session: SessionId, generation: u32) -> Self {
        let mut input = [0; 20];
        input[..16].copy_from_slice(session.as_bytes());
        input[16..].copy_from_slice(&generation.to_be_bytes());
        let hash = digest(&SHA256, &input);
        Self(Text::new(&URL_SAFE_NO_PAD.encode(hash.as_ref())))
    }
}

macro_rules! text_id {
    ($name:ident) => {
        impl $name {
            /// Checks and takes over a text.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] when it is empty, longer than 255 bytes or holds a control character.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                if text.is_empty() || text.len() > MAX_LEN || has_control(text) {
                    return Err(InvalidId);
                }
                Ok(Self(Text::new(text)))
            }

            /// The text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        // By hand, for the one copy that it takes: each token brings one of each.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Reader(|text| Self::new(text)))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    };
}

text_id!(UserId);
text_id!(TokenId);

/// Makes an id of a string where it stands.
struct Reader<T>(fn(&str) -> Result<T, InvalidId>);

impl<T> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

fn has_control(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    }
}

/// A text that cannot be an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid identifier")
    }
}

impl std::error::Error for InvalidId {}

const MAX_LEN: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_says_so() {
        assert_eq!(InvalidId.to_string(), "not a valid identifier");
        let error = serde_json::from_str::<UserId>("7").map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("expected a string")));
    }

    #[test]
    fn each_generation_has_its_own_token_id() {
        let session = SessionId::random();
        let first = TokenId::of_generation(session, 1);
        assert_eq!(first, TokenId::of_generation(session, 1));
        assert_ne!(first, TokenId::of_generation(session, 2));
        assert_eq!(first.as_str().len(), 43);
    }

    #[test]
    fn a_foreign_session_id_is_never_one_of_ours_and_differs_by_issuer() {
        let ours = SessionId::random();
        let of = SessionId::from_foreign;
        assert_ne!(of("a", &ours.to_string()), ours);
        assert_eq!(of("a", "abc"), of("a", "abc"));
        assert_ne!(of("a", "abc"), of("a", "abd"));
        assert_ne!(of("a", "bc"), of("ab", "c"));
    }

    #[test]
    fn ids_with_control_characters_or_of_no_length_are_refused() {
        assert!(UserId::new("").is_err());
        assert!(UserId::new("a\nb").is_err());
        assert!(UserId::new("x".repeat(256)).is_err());
        assert!(UserId::new("x".repeat(255)).is_ok());
    }
}
