//! What many tokens say alike, and is then kept once.

use std::hash::BuildHasher;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use crate::verify::cache::seed;
use crate::verify::policy::TokenPolicy;

/// By whom, for whom and at whose request a token was made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::verify) struct Parties {
    pub(super) issuer: Option<Box<str>>,
    pub(super) audience: Box<[Box<str>]>,
    pub(super) client_id: Option<Box<str>>,
}

/// What a user may do by a token.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::verify) struct Granted {
    pub(super) roles: Box<[Box<str>]>,
    pub(super) scopes: Box<[Box<str>]>,
}

/// What most tokens say that are made by a policy, and what some said of late.
pub(in crate::verify) struct Usual {
    parties: Arc<Parties>,
    /// Each in the place that its hash names: whoever comes to a place that another has takes it.
    granted: [ArcSwapOption<Granted>; PLACES],
    hasher: SeedableRandomState,
}

impl Usual {
    pub(in crate::verify) fn of(policy: &TokenPolicy) -> Self {
        let client_id = policy.client_id.as_ref().unwrap_or(&policy.audience);
        Self {
            parties: Arc::new(Parties {
                issuer: Some(policy.issuer.as_str().into()),
                audience: Box::new([policy.audience.as_str().into()]),
                client_id: Some(client_id.as_str().into()),
            }),
            granted: [const { ArcSwapOption::const_empty() }; PLACES],
            hasher: SeedableRandomState::with_seed(seed(), SharedSeed::global_random()),
        }
    }

    pub(super) fn parties(&self, parties: Parties) -> Arc<Parties> {
        if parties == *self.parties {
            return self.parties.clone();
        }
        Arc::new(parties)
    }

    pub(super) fn granted(&self, granted: Granted) -> Arc<Granted> {
        let hash = self.hasher.hash_one(&granted);
        let place = &self.granted[usize::from(hash.to_le_bytes()[0]) % PLACES];
        if let Some(shared) = &*place.load()
            && **shared == granted
        {
            return shared.clone();
        }
        let granted = Arc::new(granted);
        place.store(Some(granted.clone()));
        granted
    }
}

/// Few services have more combinations of roles and scopes in use.
const PLACES: usize = 64;

#[cfg(test)]
impl Granted {
    pub(super) fn of(roles: &[&str], scopes: &[&str]) -> Self {
        let texts = |of: &[&str]| of.iter().copied().map(Box::from).collect();
        Self {
            roles: texts(roles),
            scopes: texts(scopes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_kept_once_and_nothing_else_is() {
        let usual = Usual::of(&TokenPolicy::new("https://id.example", "api"));
        let first = usual.granted(Granted::of(&["user"], &["read"]));
        let same = usual.granted(Granted::of(&["user"], &["read"]));
        assert!(Arc::ptr_eq(&first, &same));
        for (roles, scopes) in [
            (&["user"][..], &[][..]),
            (&[], &["user"]),
            (&["read"], &["user"]),
            (&["user", "read"], &[]),
            (&["userread"], &[]),
        ] {
            let other = usual.granted(Granted::of(roles, scopes));
            assert_eq!(*other, Granted::of(roles, scopes));
            assert!(!Arc::ptr_eq(&first, &other));
        }
        let other = usual.parties(Parties::default());
        assert_eq!(*other, Parties::default());
    }

    #[test]
    fn however_many_there_are_each_says_what_it_said() {
        let usual = Usual::of(&TokenPolicy::new("https://id.example", "api"));
        let names: Vec<String> = (0..1_000).map(|number| format!("role-{number}")).collect();
        let kept: Vec<_> = (names.iter())
            .map(|name| usual.granted(Granted::of(&[name], &[])))
            .collect();
        for (name, kept) in names.iter().zip(kept) {
            assert_eq!(*kept, Granted::of(&[name], &[]));
        }
    }
}
