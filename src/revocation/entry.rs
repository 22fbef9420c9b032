//! One entry of the revocation log, and which tokens it puts out.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::UnixTime;
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::{Counter, TokenFacts};

/// Names one entry of the revocation log, or of the audit log; chosen by the writer, so that a write can be repeated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(Uuid);

impl EntryId {
    /// A new id, unlike any other.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id from its sixteen bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    pub(crate) const fn as_u128(&self) -> u128 {
        self.0.as_u128()
    }

    /// The sixteen bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for EntryId {
    /// As a UUID with hyphens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One line of the revocation log: who is out, since when, why, and how long that must be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationEntry {
    /// The name of the entry.
    pub id: EntryId,
    /// Who is out.
    pub revoked: Revoked,
    /// Why.
    pub reason: EndReason,
    /// When it was committed, by the store's clock.
    pub at: UnixTime,
    /// Until when it must be known: by then every token that it concerns has expired.
    pub until: UnixTime,
}

/// Who is out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Revoked {
    /// Every access token of a user whose roles were read below a counter; the sessions live on.
    Roles {
        /// Whose roles changed.
        user: UserId,
        /// Tokens with a lower role counter are out.
        below: Counter,
    },
    /// One session, with all its tokens.
    Session {
        /// The session.
        session: SessionId,
        /// Its user; a token that names the session but another user is not meant.
        user: Option<UserId>,
    },
    /// One token.
    Token {
        /// The token.
        token: TokenId,
        /// Its user; a token of that id but of another user is not meant.
        user: Option<UserId>,
    },
    /// Everything of a user below a counter; of other issuers' tokens, what was issued until then.
    User {
        /// The user.
        user: UserId,
        /// Sessions made under a lower revocation counter are out.
        below: Counter,
        /// The one session that stays.
        except: Option<SessionId>,
    },
}

/// Why a session or token was ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndReason {
    /// An administrator ended it.
    AdminRevoked,
    /// It gave way to a newer session, because the user had as many as allowed.
    Evicted,
    /// Its absolute lifetime, or that of its refresh token, was over.
    Expired,
    /// It was not used for too long.
    Idle,
    /// The user's password was changed.
    PasswordChanged,
    /// A refresh token was used again: someone else may have had it.
    RefreshReused,
    /// A newer generation of the session's tokens took this one's place.
    Replaced,
    /// The user's roles changed; the token is renewed by a refresh.
    RolesChanged,
    /// The user signed out.
    SignedOut,
    /// The application ended it for what was unusual about it.
    Suspicious,
    /// Nobody could say that it still stands: the store was away for too long, or does not know
    /// it. Never written down.
    Unconfirmed,
    /// The user ended it from another device.
    UserRevoked,
    /// The user does not exist any more.
    UserRemoved,
}

impl EndReason {
    /// Every reason.
    pub(crate) const ALL: [Self; 13] = [
        Self::AdminRevoked,
        Self::Evicted,
        Self::Expired,
        Self::Idle,
        Self::PasswordChanged,
        Self::RefreshReused,
        Self::Replaced,
        Self::RolesChanged,
        Self::SignedOut,
        Self::Suspicious,
        Self::Unconfirmed,
        Self::UserRevoked,
        Self::UserRemoved,
    ];

    /// Its place among [all](Self::ALL).
    pub(super) fn code(&self) -> u8 {
        let place = Self::ALL.iter().position(|reason| reason == self);
        let code = place.and_then(|place| u8::try_from(place).ok());
        code.expect("every reason has its place")
    }

    /// The name that listings and the log use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AdminRevoked => "admin_revoked",
            Self::Evicted => "evicted",
            Self::Expired => "expired",
            Self::Idle => "idle",
            Self::PasswordChanged => "password_changed",
            Self::RefreshReused => "refresh_reused",
            Self::Replaced => "replaced",
            Self::RolesChanged => "roles_changed",
            Self::SignedOut => "signed_out",
            Self::Suspicious => "suspicious",
            Self::Unconfirmed => "unconfirmed",
            Self::UserRevoked => "user_revoked",
            Self::UserRemoved => "user_removed",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an entry does to a token that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The token is out for good.
    Revoked(EndReason),
    /// The token's roles are out of date; a refresh brings new ones.
    Stale,
}

impl Effect {
    /// The stronger of two: out for good, over out of date.
    pub(crate) fn stronger(self, other: Self) -> Self {
        match self {
            Self::Revoked(_) => self,
            Self::Stale => other,
        }
    }
}

impl RevocationEntry {
    /// What this entry does to a token, if anything.
    ///
    /// `skew` is how far any clock of the fleet may be from true time. It matters only for tokens
    /// of other issuers, which have no counters: they are out when issued up to `2 x skew` after
    /// the entry, or when they do not say when they were issued.
    #[must_use]
    pub fn effect_on(&self, facts: &TokenFacts, skew: Duration) -> Option<Effect> {
        let out = || Some(Effect::Revoked(self.reason.clone()));
        match &self.revoked {
            Revoked::Roles { user, below } => {
                let stale = *user == facts.user
                    && match facts.binding {
                        Some(binding) => binding.roles_gen < *below,
                        None => self.is_after_issue_of(facts, skew),
                    };
                stale.then_some(Effect::Stale)
            }
            Revoked::Session { session, user } => {
                let meant = facts.session == Some(*session)
                    && user.as_ref().is_none_or(|user| *user == facts.user);
                meant.then(out).flatten()
            }
            Revoked::Token { token, user } => {
                let meant = facts.token.as_ref() == Some(token)
                    && user.as_ref().is_none_or(|user| *user == facts.user);
                meant.then(out).flatten()
            }
            Revoked::User {
                user,
                below,
                except,
            } => {
                if *user != facts.user || (except.is_some() && facts.session == *except) {
                    return None;
                }
                let below = match facts.binding {
                    Some(binding) => binding.revoked_gen < *below,
                    None => self.is_after_issue_of(facts, skew),
                };
                below.then(out).flatten()
            }
        }
    }
}

impl RevocationEntry {
    /// Whether a token without counters was issued before this entry, or may have been.
    fn is_after_issue_of(&self, facts: &TokenFacts, skew: Duration) -> bool {
        facts
            .issued_at
            .is_none_or(|issued_at| issued_at <= self.at + 2 * skew)
    }
}

impl Revoked {
    /// The user that it concerns, where that is known.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Roles { user, .. } | Self::User { user, .. } => Some(user),
            Self::Session { user, .. } | Self::Token { user, .. } => user.as_ref(),
        }
    }
}
