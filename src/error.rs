//! What can go wrong outside a request: stores and configuration.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Any error that a dependency or an application gave us.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// A session store could not answer.
///
/// The message says what failed on this level; the driver's own error is the
/// [`source`](Error::source).
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    backend: &'static str,
    source: Option<Arc<dyn Error + Send + Sync + 'static>>,
}

/// What kind of failure a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store, or this node, is configured in a way that cannot work.
    Configuration,
    /// A stored record cannot be read back.
    Corrupt,
    /// The answer did not come in time; a write may or may not have happened.
    Timeout,
    /// The store cannot be reached or refused to work.
    Unavailable,
}

impl StoreError {
    /// An error of `kind` from the store called `backend`.
    #[must_use]
    pub fn new(kind: StoreErrorKind, backend: &'static str) -> Self {
        Self {
            kind,
            backend,
            source: None,
        }
    }

    /// The same with the driver's error as its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Which store it came from.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self.kind,
            StoreErrorKind::Timeout | StoreErrorKind::Unavailable
        )
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Configuration => "cannot be used as configured",
            StoreErrorKind::Corrupt => "holds a record that cannot be read",
            StoreErrorKind::Timeout => "did not answer in time",
            StoreErrorKind::Unavailable => "is unavailable",
        };
        write!(f, "session store ({}) {what}", self.backend)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Everything that is wrong with a configuration, each problem with its fix.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::ConfigError;
///
/// let mut problems = ConfigError::default();
/// problems.add("JWT_LEEWAY \"5\" has no unit", "did you mean 5s?");
/// assert_eq!(
///     problems.to_string(),
///     "1 problem in the configuration\n  JWT_LEEWAY \"5\" has no unit: did you mean 5s?",
/// );
/// assert!(problems.into_result(()).is_err());
/// ```
#[derive(Default)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

struct Problem {
    what: String,
    fix: String,
}

impl ConfigError {
    /// Notes one problem and how to get out of it. Neither may hold a secret.
    pub fn add(&mut self, what: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem {
            what: what.into(),
            fix: fix.into(),
        });
    }

    /// Takes over the problems of another.
    pub fn append(&mut self, mut other: Self) {
        self.problems.append(&mut other.problems);
    }

    /// The same problems, each under the name of the variable that it is in.
    pub(crate) fn in_variable(mut self, name: &str) -> Self {
        for problem in &mut self.problems {
            problem.what = format!("{name}: {}", problem.what);
        }
        self
    }

    /// The problems, each with the way out.
    pub fn problems(&self) -> impl Iterator<Item = (&str, &str)> {
        let problems = self.problems.iter();
        problems.map(|problem| (problem.what.as_str(), problem.fix.as_str()))
    }

    /// How many problems there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// `value`, unless there is a problem.
    ///
    /// # Errors
    ///
    /// Itself, when it holds at least one problem.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.len() == 1 {
            "problem"
        } else {
            "problems"
        };
        write!(f, "{} {noun} in the configuration", self.len())?;
        for problem in &self.problems {
            write!(f, "\n  {}: {}", problem.what, problem.fix)?;
        }
        Ok(())
    }
}

/// The same as [`Display`](fmt::Display), because what a `main` returns is shown by `Debug`.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for ConfigError {}
