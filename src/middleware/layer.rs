//! [`JwtSessionLayer`]: what is put around a service, and how.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::knobs::{Anonymous, CountAs, Enforcement};
use super::same_origin::Origins;
use super::service::JwtSessionService;
use crate::clock::Clock;
use crate::events::Observer;
use crate::rejection::ProblemResponses;
use crate::revocation::{Confirm, OnStoreFailure, Revocations, Terms};
use crate::session::Activity;
use crate::telemetry::Telemetry;
use crate::token::TokenSource;
use crate::verify::{Untracked, Verifier};

/// Lets only requests with a good token pass.
///
/// Made by [`JwtSession::layer`](crate::JwtSession::layer); cloning is cheap. `J` makes the
/// responses of refused requests.
///
/// See the [module docs](crate::middleware) for an example.
#[must_use = "a layer does nothing until it is put around a service"]
pub struct JwtSessionLayer<J = ProblemResponses> {
    settings: Arc<Settings<J>>,
}

/// What the layers of one `JwtSession` share.
pub(crate) struct Gate {
    pub(crate) source: TokenSource,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) origins: Arc<Origins>,
    pub(crate) telemetry: Telemetry,
}

/// What the services of one layer share.
pub(super) struct Settings<J> {
    pub(super) gate: Arc<Gate>,
    pub(super) source: TokenSource,
    pub(super) rules: Rules,
    pub(super) responses: Arc<J>,
}

/// How one layer decides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    pub(super) anonymous: Anonymous,
    pub(super) enforcement: Enforcement,
    pub(super) activity: CountAs,
    pub(super) terms: Terms,
    pub(super) untracked: Untracked,
}

impl JwtSessionLayer {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        let settings = Settings {
            source: gate.source.clone(),
            gate,
            rules: Rules::default(),
            responses: Arc::new(ProblemResponses),
        };
        Self {
            settings: Arc::new(settings),
        }
    }
}

impl<J> JwtSessionLayer<J> {
    /// What happens to requests without a token. Defaults to [`Anonymous::Reject`].
    pub fn with_anonymous(self, anonymous: Anonymous) -> Self {
        self.with(|settings| settings.rules.anonymous = anonymous)
    }

    /// Whether a refusal is one. Defaults to [`Enforcement::Enforce`].
    pub fn with_enforcement(self, enforcement: Enforcement) -> Self {
        self.with(|settings| settings.rules.enforcement = enforcement)
    }

    /// How much the store is asked. Defaults to [`Confirm::FirstSight`].
    pub fn with_confirm(self, confirm: Confirm) -> Self {
        self.with(|settings| settings.rules.terms.confirm = confirm)
    }

    /// What happens when the store has to be asked and cannot be. Defaults to
    /// [`OnStoreFailure::Reject`].
    pub fn with_on_store_failure(self, on_store_failure: OnStoreFailure) -> Self {
        self.settings.gate.revocations.note_terms(on_store_failure);
        self.with(|settings| settings.rules.terms.on_store_failure = on_store_failure)
    }

    /// Whether requests show that the user is there. Defaults to [`CountAs::Activity`].
    pub fn with_activity(self, activity: CountAs) -> Self {
        self.with(|settings| settings.rules.activity = activity)
    }

    /// Whether [untracked tokens](crate::Sessions::issue_untracked) pass, where the policy accepts any.
    /// Defaults to [`Untracked::Refuse`]: a handler can count on [`Session::id`](crate::Session::id)
    /// for tokens of our own.
    pub fn with_untracked(self, untracked: Untracked) -> Self {
        self.with(|settings| settings.rules.untracked = untracked)
    }

    /// Where the token is looked for. Defaults to the source of the `JwtSession`.
    pub fn with_source(self, source: TokenSource) -> Self {
        self.with(|settings| settings.source = source)
    }

    /// How the responses of refused requests are made. Defaults to [`ProblemResponses`].
    ///
    /// Takes anything that makes them, a closure over a `&Rejection` included.
    pub fn with_responses<K>(self, responses: K) -> JwtSessionLayer<K> {
        let settings = Settings {
            gate: self.settings.gate.clone(),
            source: self.settings.source.clone(),
            rules: self.settings.rules,
            responses: Arc::new(responses),
        };
        JwtSessionLayer {
            settings: Arc::new(settings),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Settings<J>)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S, J> Layer<S> for JwtSessionLayer<J> {
    type Service = JwtSessionService<S, J>;

    fn layer(&self, inner: S) -> Self::Service {
        JwtSessionService::new(inner, self.settings.clone())
    }
}

impl<J> Clone for JwtSessionLayer<J> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
        }
    }
}

impl<J> fmt::Debug for JwtSessionLayer<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSessionLayer")
            .field("rules", &self.settings.rules)
            .field("source", &self.settings.source)
            .finish_non_exhaustive()
    }
}

impl<J> Clone for Settings<J> {
    fn clone(&self) -> Self {
        Self {
            gate: self.gate.clone(),
            source: self.source.clone(),
            rules: self.rules,
            responses: self.responses.clone(),
        }
    }
}
