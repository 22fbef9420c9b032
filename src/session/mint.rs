//! Writes our own access tokens (RFC 9068).

use std::fmt;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::record::Authentication;
use crate::clock::UnixTime;
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::{Binding, ClaimNames, KeyRing, Known, RolesClaim, SignError, TokenPolicy};

/// What an access token is to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccessToken<'a, C> {
    pub(crate) user: &'a UserId,
    pub(crate) stands_for: StandsFor<'a>,
    pub(crate) binding: Binding,
    pub(crate) issued_at: UnixTime,
    pub(crate) expires_at: UnixTime,
    pub(crate) roles: &'a [String],
    pub(crate) scopes: &'a [String],
    pub(crate) custom: &'a C,
}

/// What a token of ours stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StandsFor<'a> {
    /// A generation of a session, from which the `jti` follows.
    Session {
        id: SessionId,
        authenticated_at: UnixTime,
        authentication: &'a Authentication,
    },
    /// Nothing but itself: it names no session and no generation, and does not say when its user
    /// proved who they are, so it is never fresh.
    Itself(&'a TokenId),
}

/// Why no token was made.
#[derive(Debug)]
pub(crate) enum MintError {
    /// The application's claims could not be written.
    Custom(serde_json::Error),
    /// The application's claims are no JSON object.
    NotAnObject,
    /// A claim of the application's has a name with a meaning of its own.
    Reserved {
        /// The name.
        claim: String,
    },
    /// The application's claims are more, or nested deeper, than a reader accepts.
    TooComplex,
    /// A scope, or a role that is written as one, is not of the form of RFC 6749, section 3.3.
    Scope,
    /// It could not be signed.
    Sign(SignError),
    /// The token would be longer than the policy accepts.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
}

impl<C: Serialize> AccessToken<'_, C> {
    /// Writes the claims, and signs them with the signing key.
    ///
    /// The instants are cut to whole seconds, as every reader of a token understands them.
    pub(crate) fn mint(&self, keys: &KeyRing, policy: &TokenPolicy) -> Result<String, MintError> {
        let custom = self.custom(&policy.names)?;
        let scope = self.scope(&policy.names)?;
        let mut payload = Vec::with_capacity(512);
        self.write(policy, &scope, &custom, &mut payload)
            .map_err(MintError::Custom)?;
        let token = keys.sign(&payload).map_err(MintError::Sign)?;
        if token.len() > policy.max_size {
            return Err(MintError::TooLong { bytes: token.len() });
        }
        Ok(token)
    }

    /// Refuses what no token can be made of, without signing.
    pub(crate) fn check(&self, policy: &TokenPolicy) -> Result<(), MintError> {
        let custom = self.custom(&policy.names)?;
        let scope = self.scope(&policy.names)?;
        let mut payload = Vec::with_capacity(512);
        self.write(policy, &scope, &custom, &mut payload)
            .map_err(MintError::Custom)?;
        let bytes = payload.len().div_ceil(3) * 4 + LONGEST_FRAME;
        if bytes > policy.max_size {
            return Err(MintError::TooLong { bytes });
        }
        Ok(())
    }

    fn custom(&self, names: &ClaimNames) -> Result<Map<String, Value>, MintError> {
        let Value::Object(custom) = serde_json::to_value(self.custom).map_err(MintError::Custom)?
        else {
            return Err(MintError::NotAnObject);
        };
        if custom.len() > MAX_CUSTOM || custom.values().any(|value| is_deeper(value, MAX_DEPTH)) {
            return Err(MintError::TooComplex);
        }
        match custom.keys().find(|name| Known::of(name, names).is_some()) {
            Some(claim) => Err(MintError::Reserved {
                claim: claim.clone(),
            }),
            None => Ok(custom),
        }
    }

    /// The words of `scope`; the roles are among them where they are written so.
    fn scope(&self, names: &ClaimNames) -> Result<String, MintError> {
        let roles = match names.roles {
            RolesClaim::Scope => self.roles,
            RolesClaim::List(_) | RolesClaim::Single(_) => &[],
        };
        let mut words: Vec<&str> = Vec::with_capacity(roles.len() + self.scopes.len());
        for word in roles.iter().chain(self.scopes) {
            if !is_scope(word) {
                return Err(MintError::Scope);
            }
            if !words.contains(&word.as_str()) {
                words.push(word);
            }
        }
        Ok(words.join(" "))
    }

    fn write(
        &self,
        policy: &TokenPolicy,
        scope: &str,
        custom: &Map<String, Value>,
        payload: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let mut serializer = serde_json::Serializer::new(payload);
        let mut claims = serializer.serialize_map(None)?;
        let client_id = policy.client_id.as_ref().unwrap_or(&policy.audience);
        claims.serialize_entry("iss", &policy.issuer)?;
        claims.serialize_entry("aud", &policy.audience)?;
        claims.serialize_entry("sub", self.user)?;
        claims.serialize_entry("client_id", client_id)?;
        claims.serialize_entry("iat", &self.issued_at.as_secs())?;
        claims.serialize_entry("exp", &self.expires_at.as_secs())?;
        claims.serialize_entry("ugen", &self.binding.revoked_gen)?;
        claims.serialize_entry("rgen", &self.binding.roles_gen)?;
        match self.stands_for {
            StandsFor::Itself(token) => claims.serialize_entry("jti", token)?,
            StandsFor::Session {
                id,
                authenticated_at,
                authentication,
            } => {
                let token = TokenId::of_generation(id, self.binding.generation);
                claims.serialize_entry("jti", &token)?;
                claims.serialize_entry(&policy.names.session, &id)?;
                claims.serialize_entry("gen", &self.binding.generation)?;
                claims.serialize_entry("auth_time", &authenticated_at.as_secs())?;
                if let Some(acr) = &authentication.acr {
                    claims.serialize_entry("acr", acr)?;
                }
                if !authentication.amr.is_empty() {
                    claims.serialize_entry("amr", &authentication.amr)?;
                }
            }
        }
        if !scope.is_empty() {
            claims.serialize_entry("scope", scope)?;
        }
        match (&policy.names.roles, self.roles) {
            (RolesClaim::Scope, _) | (_, []) => {}
            (RolesClaim::List(name), roles) => claims.serialize_entry(name, roles)?,
            (RolesClaim::Single(name), [first, ..]) => claims.serialize_entry(name, first)?,
        }
        for (name, value) in custom {
            claims.serialize_entry(name, value)?;
        }
        SerializeMap::end(claims)
    }
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom(_) => f.write_str("the custom claims cannot be written"),
            Self::NotAnObject => f.write_str("the custom claims are no JSON object"),
            Self::Reserved { claim } => {
                write!(f, "the custom claim {claim:?} has a meaning of its own")
            }
            Self::TooComplex => {
                f.write_str("the custom claims are more than 200, or nested deeper than 100 levels")
            }
            Self::Scope => {
                f.write_str("a scope is empty or holds a space, a quote or a control character")
            }
            Self::Sign(SignError::Failed) => f.write_str("signing failed"),
            Self::Sign(SignError::NoKey) => f.write_str("the key ring has no key that signs"),
            Self::TooLong { bytes } => {
                write!(
                    f,
                    "the token has {bytes} bytes, more than the policy accepts"
                )
            }
        }
    }
}

impl std::error::Error for MintError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Custom(error) => Some(error),
            _ => None,
        }
    }
}

/// Whether a value nests deeper than so many levels.
fn is_deeper(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else {
        return true;
    };
    match value {
        Value::Array(values) => values.iter().any(|value| is_deeper(value, below)),
        Value::Object(members) => members.values().any(|value| is_deeper(value, below)),
        _ => false,
    }
}

/// Below the 256 members that a verifier reads.
const MAX_CUSTOM: usize = 200;
/// Below the 128 levels that serde_json reads.
const MAX_DEPTH: usize = 100;
/// Header, dots and the signature of an RSA key of 4096 bits, encoded.
const LONGEST_FRAME: usize = 1024;

/// A `scope-token` of RFC 6749, section 3.3.
fn is_scope(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests;
