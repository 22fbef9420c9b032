//! What is unusual about sign-ins and refreshes, and who decides what becomes of it.
//!
//! Where a [`RiskWatch`] is set, each sign-in, refresh and re-authentication is compared with what
//! is remembered of the user and the session; requests are not. What is found is a [`RiskSignal`]
//! with its evidence. A [`RiskPolicy`] of the application decides; the one that stands in for it
//! puts a [`RiskFlag`] on the session at most and keeps nobody out.
//!
//! The rules are functions of [`Sighting`]s, with no clock and no store: [`RiskRules`]. Each threshold
//! stands with its reason in `docs/risk.md`, beside cases that were decided by hand.
//!
//! # Examples
//!
//! ```
//! use tower_jwt_session::JwtSession;
//! use tower_jwt_session::session::risk::{RiskAssessment, RiskVerdict, RiskWatch, Severity};
//!
//! let watch = RiskWatch::deciding(|case: &RiskAssessment| match case.severity() {
//!     Severity::High => RiskVerdict::AskFresh,
//!     Severity::Medium => RiskVerdict::Flag,
//!     _ => RiskVerdict::Allow,
//! });
//! let auth = JwtSession::builder()
//!     .hmac_secret(b"an example; 32 random bytes in earnest")
//!     .watch_risk(watch)
//!     .build()?;
//! # let _ = auth;
//! # Ok::<(), tower_jwt_session::ConfigError>(())
//! ```

mod flag;
mod known;
mod policy;
mod rules;
mod sighting;
mod signal;
#[cfg(test)]
mod tests;
mod travel;

pub use flag::RiskFlag;
pub use known::NewDevice;
pub(crate) use known::{NewDeviceNotices, is_known};
pub use policy::{FlagUnusual, RiskAssessment, RiskPolicy, RiskStep, RiskVerdict, RiskWatch};
pub use rules::RiskRules;
pub(crate) use rules::{changed_country, is_news};
pub use sighting::{Sight, Sighting};
pub use signal::{RiskSignal, Severity};
pub use travel::{Spot, Travel};
