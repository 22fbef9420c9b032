//! Keys exchanged while the service runs, as the environment and its files hold them now.

use super::builder::JwtSessionBuilder;
use super::env::Environment;
use crate::error::ConfigError;
use crate::jwt_session::JwtSession;
use crate::verify::CustomClaims;

impl<C: CustomClaims> JwtSession<C> {
    /// Reads the keys anew, from the variables and the files that they name: those that sign and
    /// check access tokens, those of refresh tokens, and those that encrypt. What is not set stays
    /// as it is; the access tokens' keys must be. Requests on their way are not held up, and none
    /// of the old tokens is refused whose key is still among the new ones. Keys that were given in
    /// code are not kept.
    ///
    /// docs/key-rotation.md says in which order keys are changed so that nobody notices.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every mistake at once; then no key was exchanged.
    pub fn reload_keys(&self, env: &Environment) -> Result<(), ConfigError> {
        let mut builder = JwtSessionBuilder::new();
        env.apply_keys(&mut builder);
        let has = |secrets: &[_]| !secrets.is_empty();
        let refreshes = has(&builder.refresh_secrets) || has(&builder.derived_secrets);
        let refresh_keys = builder.refresh_keys().filter(|_| refreshes);
        let seal_keys = builder.seal_keys();
        if seal_keys.is_some() != self.seals() && seal_keys.is_some() {
            builder.problems.add(
                "SESSION_ENCRYPTION_KEY is set, and this node was started without one",
                "restart the nodes to begin with encryption",
            );
        }
        let keys = std::mem::take(&mut builder.keys);
        if keys.is_empty() && builder.problems.is_empty() {
            builder.problems.add(
                "there is no key to check tokens with",
                "set JWT_SECRET_FILE, JWT_PRIVATE_KEY_FILE or JWT_JWKS_FILE",
            );
        }
        builder.problems.into_result(())?;
        if let Err(error) = self.keys().replace(keys) {
            let mut problems = ConfigError::default();
            problems.add(error.what(), error.fix());
            return Err(problems);
        }
        if let Some(keys) = refresh_keys {
            self.replace_refresh_keys(keys);
        }
        if let Some(keys) = seal_keys {
            self.exchange_seal_keys(keys);
        }
        Ok(())
    }
}
