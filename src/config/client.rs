//! Who may ask what tokens are worth.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};

use super::builder::JwtSessionBuilder;
use super::env::Environment;
use crate::crypto::digest::{SHA256, digest};
use crate::error::ConfigError;
use crate::verify::{CustomClaims, check_substance};

/// A client that may introspect tokens (RFC 7662, section 2.1), by an id and a secret of its own:
/// a gateway, or a service that cannot check tokens by itself.
///
/// It keeps hashes alone and compares them in constant time.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::IntrospectionClient;
///
/// let client = IntrospectionClient::new("gateway", "6f1d0c9ab27e4853f0e19d7c5a3b8264")?;
/// assert!(client.is("gateway", "6f1d0c9ab27e4853f0e19d7c5a3b8264"));
/// assert!(!client.is("gateway", "another"));
/// assert!(IntrospectionClient::new("gateway", "changeme").is_err());
/// # Ok::<(), tower_jwt_session::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct IntrospectionClient {
    id: [u8; 32],
    secret: [u8; 32],
}

impl IntrospectionClient {
    /// A client of this id and secret, the latter of at least 32 bytes.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for an empty id, and for a secret that is short, known or guessable.
    pub fn new(id: &str, secret: &str) -> Result<Self, ConfigError> {
        let mut problems = ConfigError::default();
        if id.is_empty() {
            problems.add(
                "the id of the introspection client is empty",
                format!("name it in {ID}"),
            );
        }
        if secret.len() < MIN_SECRET {
            problems.add(
                format!(
                    "{SECRET} has {} bytes and needs at least {MIN_SECRET}",
                    secret.len()
                ),
                FIX,
            );
        } else if let Err(error) = check_substance(secret.as_bytes()) {
            problems.add(format!("{SECRET}: {}", error.what()), error.fix());
        }
        problems.into_result(Self {
            id: hash(id),
            secret: hash(secret),
        })
    }

    /// Whether these are its credentials. Takes the same time whatever is wrong with them.
    #[must_use]
    pub fn is(&self, id: &str, secret: &str) -> bool {
        let id: Choice = self.id.ct_eq(&hash(id));
        let secret = self.secret.ct_eq(&hash(secret));
        (id & secret).into()
    }

    pub(super) fn read(env: &Environment, problems: &mut ConfigError) -> Option<Self> {
        let (id, secret) = match (env.get(ID), env.get(SECRET)) {
            (None, None) => return None,
            (Some(id), Some(secret)) => (id, secret),
            (Some(_), None) => {
                problems.add(format!("{ID} is set without {SECRET}"), FIX);
                return None;
            }
            (None, Some(_)) => {
                problems.add(
                    format!("{SECRET} is set without {ID}"),
                    format!("name the client in {ID}"),
                );
                return None;
            }
        };
        match Self::new(id, secret) {
            Ok(client) => Some(client),
            Err(more) => {
                problems.append(more);
                None
            }
        }
    }
}

impl<C: CustomClaims> JwtSessionBuilder<C> {
    /// Who may introspect tokens, beside administrators. Nobody unless said otherwise.
    pub fn introspection_client(mut self, client: IntrospectionClient) -> Self {
        self.introspection_client = Some(client);
        self
    }
}

impl fmt::Debug for IntrospectionClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntrospectionClient(..)")
    }
}

/// Hashed before they are compared: the time tells nothing of lengths, either.
fn hash(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

const ID: &str = "INTROSPECTION_CLIENT_ID";
const SECRET: &str = "INTROSPECTION_CLIENT_SECRET";
const MIN_SECRET: usize = 32;
const FIX: &str = "make one: openssl rand -hex 32";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt_session::JwtSession;

    const GOOD: &str = "6f1d0c9ab27e4853f0e19d7c5a3b8264";

    fn read(pairs: &[(&str, &str)]) -> Result<Option<IntrospectionClient>, String> {
        let env = Environment::from_pairs(pairs.iter().copied());
        let mut problems = ConfigError::default();
        let client = IntrospectionClient::read(&env, &mut problems);
        let result = problems.into_result(client);
        result.map_err(|problems| problems.to_string())
    }

    #[test]
    fn only_both_the_right_id_and_the_right_secret_will_do() {
        let client = IntrospectionClient::new("gateway", GOOD).unwrap();
        assert!(client.is("gateway", GOOD));
        assert!(!client.is("gateway2", GOOD));
        assert!(!client.is("gateway", &GOOD[..31]));
        assert!(!client.is("", ""));
        assert_eq!(format!("{client:?}"), "IntrospectionClient(..)");
    }

    #[test]
    fn both_variables_are_set_or_neither() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[(ID, "gateway"), (SECRET, GOOD)]).unwrap().is_some());
        assert!(read(&[(ID, "gateway")]).unwrap_err().contains(SECRET));
        assert!(read(&[(SECRET, GOOD)]).unwrap_err().contains(ID));
    }

    #[test]
    fn what_the_environment_names_is_what_is_built() {
        let env = Environment::from_pairs([(ID, "gateway"), (SECRET, GOOD)]);
        let auth = JwtSession::builder().with_env(&env).build().unwrap();
        assert!(auth.introspection_client().unwrap().is("gateway", GOOD));
        let auth = JwtSession::builder().with_env(&Environment::default());
        assert!(auth.build().unwrap().introspection_client().is_none());
        let half = Environment::from_pairs([(ID, "gateway"), ("JWT_LEEWAY", "5")]);
        let error = JwtSession::builder().with_env(&half).build().unwrap_err();
        assert_eq!(error.len(), 2, "{error}");
    }

    #[test]
    fn short_and_known_secrets_are_refused_and_not_repeated() {
        for secret in [
            "changeme",
            &GOOD[..31],
            "please-change-this-secret-in-production",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            let error = read(&[(ID, "gateway"), (SECRET, secret)]).unwrap_err();
            assert!(error.contains(SECRET), "{error}");
            assert!(!error.contains(secret), "{error}");
        }
    }
}
