//! Which keys sign, check and make refresh tokens.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::builder::JwtSessionBuilder;
use crate::crypto::rand;
use crate::session::SessionStore;
use crate::session::refresh::{RefreshKey, RefreshKeys};
use crate::stores::{SealKey, SealKeys};
use crate::verify::{Algorithm, CustomClaims, Key, KeyRing, KeyState};

impl<C: CustomClaims> JwtSessionBuilder<C> {
    pub(super) fn add_hmac(&mut self, algorithm: Algorithm, secret: &[u8], state: KeyState) {
        match Key::hmac(None, algorithm, secret) {
            Ok(key) => {
                self.keys.push((key, state));
                let secret = Zeroizing::new(secret.to_vec());
                if state == KeyState::Sign {
                    self.derived_secrets.insert(0, secret);
                } else {
                    self.derived_secrets.push(secret);
                }
            }
            Err(error) => self.problems.add(error.what(), error.fix()),
        }
    }

    /// The same with a secret from a variable, whose name stands before what is wrong with it.
    pub(super) fn add_named_hmac(
        &mut self,
        name: &str,
        algorithm: Algorithm,
        secret: &str,
        state: KeyState,
    ) {
        let before = std::mem::take(&mut self.problems);
        self.add_hmac(algorithm, secret.as_bytes(), state);
        let more = std::mem::replace(&mut self.problems, before);
        self.problems.append(more.in_variable(name));
    }

    /// Makes a secret where nobody gave one. With the memory store nothing outlives the run, so
    /// neither need the secret.
    pub(super) fn add_secret_for_the_run(&mut self, algorithm: Algorithm) {
        let mut secret = Zeroizing::new([0; 64]);
        if self.is_durable() {
            self.problems.add(
                "JWT_SECRET is not set, and the session store outlives this process",
                "make one: openssl rand -hex 32",
            );
        } else if rand::fill(&mut *secret).is_ok() {
            self.add_hmac(algorithm, &*secret, KeyState::Sign);
        }
    }

    /// The keys under which session data is kept; `None` where it is kept as it is.
    pub(super) fn seal_keys(&mut self) -> Option<SealKeys> {
        let Some(active) = self.seal_secret.take() else {
            if !self.previous_seal_secrets.is_empty() {
                self.problems.add(
                    "SESSION_ENCRYPTION_KEY_PREVIOUS is set without SESSION_ENCRYPTION_KEY",
                    "set the key that encrypts from now on: openssl rand -hex 32",
                );
            }
            return None;
        };
        let mut key = |name, secret: &[u8]| match SealKey::from_secret(secret) {
            Ok(key) => Some(key),
            Err(error) => {
                self.problems
                    .add(format!("{name}: {}", error.what()), error.fix());
                None
            }
        };
        let active = key("SESSION_ENCRYPTION_KEY", &active).map(SealKeys::new);
        self.previous_seal_secrets
            .iter()
            .filter_map(|secret| key("SESSION_ENCRYPTION_KEY_PREVIOUS", secret))
            .fold(active, |keys, old| Some(keys?.add_open_only(old)))
    }

    /// The keys of the refresh tokens: their own where there are any, else derived from the
    /// signing secrets, else made for this run.
    pub(super) fn refresh_keys(&mut self) -> Option<RefreshKeys> {
        let own = std::mem::take(&mut self.refresh_secrets);
        let mut secrets = if own.is_empty() {
            std::mem::take(&mut self.derived_secrets)
        } else {
            own
        };
        if secrets.is_empty() {
            if self.problems.is_empty()
                && self.is_durable()
                && self.keys.iter().any(|(_, state)| *state == KeyState::Sign)
            {
                self.problems.add(
                    "there is no secret for refresh tokens",
                    "a private key cannot make them: set JWT_REFRESH_SECRET (openssl rand -hex 32), the same on every node",
                );
                return None;
            }
            let mut random = Zeroizing::new(vec![0; 32]);
            if rand::fill(&mut random).is_err() {
                self.problems
                    .add("the system gives no random numbers", "check /dev/urandom");
                return None;
            }
            secrets.push(random);
        }
        let mut keys = Vec::with_capacity(secrets.len());
        for secret in &secrets {
            match RefreshKey::from_secret(secret) {
                Ok(key) => keys.push(key),
                Err(error) => self
                    .problems
                    .add(format!("JWT_REFRESH_SECRET: {}", error.what()), error.fix()),
            }
        }
        let mut keys = keys.into_iter();
        let active = RefreshKeys::new(keys.next()?);
        Some(keys.fold(active, RefreshKeys::add_verify_only))
    }

    /// Whether the sessions outlive this process.
    fn is_durable(&self) -> bool {
        let durable = |store: &Arc<dyn SessionStore>| store.backend() != "memory";
        self.store.as_ref().is_some_and(durable)
    }

    pub(super) fn key_ring(&mut self) -> Option<KeyRing> {
        let keys = std::mem::take(&mut self.keys);
        if keys.is_empty() {
            if self.problems.is_empty() {
                self.problems.add(
                    "there is no key to check tokens with",
                    "set JWT_SECRET (openssl rand -hex 32) or JWT_JWKS_FILE, or call hmac_secret, key or key_set",
                );
            }
            return None;
        }
        match KeyRing::new(keys) {
            Ok(ring) => Some(ring),
            Err(error) => {
                self.problems.add(error.what(), error.fix());
                None
            }
        }
    }
}
