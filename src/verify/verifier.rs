//! From a [`RawToken`] to a [`VerifiedToken`].

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::budget::{self, Budget, Purse};
use super::cache::{Standing, TokenCache};
use super::claims::{self, CustomClaims, ReadPayload, Reading};
use super::compact::{Compact, MAX_SIGNATURE};
use super::header::{ACCESS_TOKEN, Header};
use super::keys::{Algorithm, Key, KeyRing, KeySet, Origin};
use super::policy::TokenPolicy;
use super::stamp::Stamp;
use super::{Checked, VerifiedToken, VerifyError};
use crate::clock::UnixTime;
use crate::telemetry::{Lookup, Telemetry};
use crate::token::RawToken;

/// Checks tokens: shape, key, algorithm, signature, type, issuer, audience, times.
///
/// A token passes when all of this holds:
///
/// 1. It is no longer than the policy's maximum, and has three parts in strict base64url.
/// 2. Its header is one JSON object without duplicates that brings no key of its own and asks
///    for no extension, compression or encryption.
/// 3. Its `kid` names a key of the ring that verifies. Without a `kid`, the ring must have exactly
///    one such key, or a [`Migration`](super::Migration) must be going on.
/// 4. Its `alg` is that key's algorithm. It never selects one.
/// 5. Its `typ` is that of an access token.
/// 6. Its signature is good.
/// 7. Its claims are one JSON object without duplicates, each of the type it must have, and say
///    what the [`TokenPolicy`] asks for.
/// 8. It has not expired.
///
/// That a token has expired is only told of a genuine one. Whatever is told before the signature
/// is checked is told of genuine tokens in the same words: the times are looked at first where a
/// signature costs more than the look, and a token that expired over 90 days ago, or begins in
/// the future, is [`Invalid`](super::VerifyErrorKind::Invalid) either way.
pub struct Verifier {
    keys: Arc<KeyRing>,
    policy: TokenPolicy,
    usual: claims::Usual,
    read: ReadPayload,
    cache: TokenCache,
    budget: Budget,
    telemetry: Telemetry,
}

/// What a token is checked for, and what it may cost.
struct Effort {
    purse: Purse,
    /// Whether one that has expired is good for something.
    ignores_expiry: bool,
    spent: Duration,
}

impl Verifier {
    /// A verifier for tokens with the application's claims `C`.
    #[must_use]
    pub fn new<C: CustomClaims>(keys: Arc<KeyRing>, policy: TokenPolicy) -> Self {
        Self {
            cache: TokenCache::new(policy.cache_bytes),
            budget: Budget::new(policy.bad_token_share),
            keys,
            usual: claims::Usual::of(&policy),
            policy,
            read: claims::read::<C>,
            telemetry: Telemetry::default(),
        }
    }

    /// Counts where others count.
    pub(crate) fn with_telemetry(mut self, telemetry: Telemetry) -> Self {
        self.telemetry = telemetry;
        self
    }

    /// Checks a token at `now`, from the cache where it verified before.
    ///
    /// # Errors
    ///
    /// [`VerifyError`], which tells the client little and the log the cause. A token that was not
    /// looked at, because [too much was spent](super::BadTokenShare) on bad ones, is
    /// [`Busy`](super::VerifyErrorKind::Busy).
    pub fn verify(&self, token: RawToken<'_>, now: UnixTime) -> Result<VerifiedToken, VerifyError> {
        let verified = self.find(token, now, Effort::with(Purse::Common))?;
        if !verified.checked.window.holds(now) {
            verified.claims().times().check_end(&self.policy, now)?;
        }
        Ok(verified)
    }

    /// Checks a token that was [`Busy`](super::VerifyErrorKind::Busy), out of what is kept for
    /// networks from which nothing bad came of late; for others it still is.
    #[cold]
    pub(crate) fn verify_from(
        &self,
        network: Option<IpAddr>,
        token: RawToken<'_>,
        now: UnixTime,
    ) -> Result<VerifiedToken, VerifyError> {
        if !network.is_some_and(|network| self.budget.trusts(network, now)) {
            return Err(VerifyError::busy());
        }
        // It is not among those that verified, and has been counted as such.
        let (token, stamp) = (token.as_bytes(), self.keys.stamp());
        let verified = self.check_new(token, stamp, now, Effort::with(Purse::Reserve))?;
        verified.claims().times().check_end(&self.policy, now)?;
        Ok(verified)
    }

    /// Notes that something bad came from a network.
    pub(crate) fn note_bad(&self, network: Option<IpAddr>, now: UnixTime) {
        if let Some(network) = network {
            self.budget.note(network, now);
        }
    }

    /// Notes that a genuine token was of no session that the store knows, and was asked for in vain. It
    /// takes no room from those that are let in; who sends it again makes it be checked again.
    pub(crate) fn note_unknown(
        &self,
        (token, algorithm): (&[u8], Algorithm),
        network: Option<IpAddr>,
        now: UnixTime,
    ) {
        self.cache.remove(token);
        self.budget.charge(budget::question(algorithm), now);
        self.note_bad(network, now);
    }

    /// Checks a token like [`verify`](Self::verify), but lets one pass that has merely expired.
    ///
    /// For signing out and for cookies that travel together; never for admission.
    ///
    /// # Errors
    ///
    /// As for [`verify`](Self::verify), but never because the token has expired.
    pub fn verify_ignoring_expiry(
        &self,
        token: RawToken<'_>,
        now: UnixTime,
    ) -> Result<VerifiedToken, VerifyError> {
        self.find(token, now, Effort::with(Purse::Common).ignoring_expiry())
    }

    /// The same of a token that decides about another, so that it is read whatever it costs: the
    /// other has been found good, and there are not many of those.
    pub(crate) fn read(
        &self,
        token: RawToken<'_>,
        now: UnixTime,
    ) -> Result<VerifiedToken, VerifyError> {
        self.find(token, now, Effort::with(Purse::Any).ignoring_expiry())
    }

    #[inline]
    fn find(
        &self,
        token: RawToken<'_>,
        now: UnixTime,
        effort: Effort,
    ) -> Result<VerifiedToken, VerifyError> {
        let token = token.as_bytes();
        if token.len() > self.policy.max_size {
            return Err(VerifyError::malformed("longer than the maximum size"));
        }
        // Read before the keys: whatever is verified by a key that leaves meanwhile carries a
        // stamp that is never admitted.
        let stamp = self.keys.stamp();
        if let Some(entry) = self.cache.get(token) {
            if self.keys.admits(entry.stamp) {
                self.telemetry.looked_up(Lookup::Hit);
                self.check_again(&entry.checked, now)?;
                return Ok(VerifiedToken {
                    checked: entry.checked,
                });
            }
            self.cache.remove_stale(token, entry.stamp);
        }
        self.telemetry.looked_up(Lookup::Miss);
        self.check_new(token, stamp, now, effort)
    }

    /// The rules that it applies.
    #[must_use]
    pub fn policy(&self) -> &TokenPolicy {
        &self.policy
    }

    /// The keys that it checks against.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyRing> {
        &self.keys
    }

    /// Checks what time may have changed about a token that verified before.
    fn check_again(&self, checked: &Checked, now: UnixTime) -> Result<(), VerifyError> {
        if checked.legacy && !self.policy.is_migrating(now) {
            return Err(VerifyError::invalid("the migration is over"));
        }
        if checked.window.holds(now) {
            return Ok(());
        }
        checked.claims.times().check_begin(&self.policy, now)
    }

    /// Checks a token that was not seen before. Kept out of the way of those that were.
    #[inline(never)]
    fn check_new(
        &self,
        token: &[u8],
        stamp: Stamp,
        now: UnixTime,
        mut effort: Effort,
    ) -> Result<VerifiedToken, VerifyError> {
        let checked = self.check(token, now, &mut effort);
        let has_expired = |checked: &Arc<Checked>| {
            let times = checked.claims.times();
            times.check_end(&self.policy, now).is_err()
        };
        let (keep, in_vain) = match &checked {
            Ok(checked) if has_expired(checked) => (false, !effort.ignores_expiry),
            Ok(_) => (true, false),
            Err(_) => (false, true),
        };
        if in_vain {
            self.budget.charge(effort.spent, now);
        }
        let checked = checked?;
        if keep {
            self.cache.insert(token, stamp, checked.clone());
        }
        Ok(VerifiedToken { checked })
    }

    fn check(
        &self,
        token: &[u8],
        now: UnixTime,
        effort: &mut Effort,
    ) -> Result<Arc<Checked>, VerifyError> {
        let keys = self.keys.keys();
        let mut signature = [0; MAX_SIGNATURE];
        let token = Compact::parse(token, &mut signature, |part| keys.header(part))?;
        let key = self.signing_key(&keys, &token, now, effort)?;
        let reading = Reading {
            names: &self.policy.names,
            required: &self.policy.required,
            foreign: *key.origin() != Origin::Ours,
        };
        let (members, custom) = (self.read)(&token.payload, &reading)?;
        let judged = claims::judge(
            members,
            custom,
            key.origin(),
            (&self.policy, &self.usual),
            now,
        )?;
        Ok(Arc::new(Checked {
            window: judged.claims.times().window(&self.policy),
            untracked: judged.claims.facts().is_untracked(),
            claims: judged.claims,
            algorithm: key.algorithm(),
            legacy: judged.legacy || self.needs_migration(key, &keys, &token.header),
            standing: Standing::default(),
        }))
    }

    /// Whether a token of ours would be refused by its header if no migration were going on.
    fn needs_migration(&self, key: &Key, keys: &KeySet, header: &Header<'_>) -> bool {
        let is_ambiguous = header.kid.is_none() && keys.verifying().nth(1).is_some();
        *key.origin() == Origin::Ours && (is_ambiguous || !self.is_ours(header))
    }

    /// The key that signed the token.
    fn signing_key<'k>(
        &self,
        keys: &'k KeySet,
        token: &Compact<'_>,
        now: UnixTime,
        effort: &mut Effort,
    ) -> Result<&'k Key, VerifyError> {
        if let Some(kid) = &token.header.kid {
            let (key, state) = keys
                .find(kid)
                .ok_or(VerifyError::invalid("no key has this kid"))?;
            if !state.verifies() {
                return Err(VerifyError::invalid("the key is retired"));
            }
            return self.check_signature(key, token, now, effort).map(|()| key);
        }
        let mut verifying = keys.verifying();
        if let (Some(only), None) = (verifying.next(), verifying.next()) {
            return self
                .check_signature(only, token, now, effort)
                .map(|()| only);
        }
        let mut refusal = VerifyError::invalid("no kid, and more than one key or none");
        if self.policy.is_migrating(now) {
            for key in keys.verifying().filter(|key| *key.origin() == Origin::Ours) {
                match self.check_signature(key, token, now, effort) {
                    Ok(()) => return Ok(key),
                    Err(error) => refusal = error,
                }
            }
        }
        Err(refusal)
    }

    fn check_signature(
        &self,
        key: &Key,
        token: &Compact<'_>,
        now: UnixTime,
        effort: &mut Effort,
    ) -> Result<(), VerifyError> {
        // Compared, never looked up: a token must not choose how it is checked.
        if token.header.alg != key.algorithm().as_str() {
            return Err(VerifyError::invalid("the algorithm is not that of the key"));
        }
        if !self.is_access_token(&token.header, key.origin(), now) {
            return Err(VerifyError::invalid("not of the type of an access token"));
        }
        // A MAC costs less than this look.
        if !key.algorithm().is_symmetric() {
            claims::peek(&token.payload)?.check_begin(&self.policy, now)?;
        }
        // Last of all that costs little: what is refused without it is told so at any time.
        if !self.budget.allows(key.algorithm(), effort.purse, now) {
            return Err(VerifyError::busy());
        }
        effort.spent += budget::cost(key.algorithm());
        if !key.is_good(token.signed, token.signature) {
            return Err(VerifyError::invalid("the signature is wrong"));
        }
        Ok(())
    }

    fn is_access_token(&self, header: &Header<'_>, origin: &Origin, now: UnixTime) -> bool {
        let is_plain_jwt = header.typ.is_none() || header.is_type("JWT");
        let takes_plain_jwt = *origin != Origin::Ours || self.policy.is_migrating(now);
        self.is_ours(header) || is_plain_jwt && takes_plain_jwt
    }

    /// Whether the type is one that our own tokens may have.
    fn is_ours(&self, header: &Header<'_>) -> bool {
        let mut more = self.policy.more_types.iter();
        header.is_type(ACCESS_TOKEN) || more.any(|typ| header.is_type(typ))
    }
}

impl Effort {
    #[inline]
    const fn with(purse: Purse) -> Self {
        Self {
            purse,
            ignores_expiry: false,
            spent: Duration::ZERO,
        }
    }

    #[inline]
    const fn ignoring_expiry(self) -> Self {
        Self {
            ignores_expiry: true,
            ..self
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("keys", &self.keys)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
