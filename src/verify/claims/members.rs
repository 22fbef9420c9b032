//! The members of a payload that have a meaning of their own.

use serde::de::{IgnoredAny, MapAccess};

use super::values::{NumericDate, OneOrMany};
use crate::clock::UnixTime;
use crate::token::{TokenId, UserId};
use crate::verify::policy::{ClaimNames, RolesClaim};

/// A member that has a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Acr,
    Amr,
    Audience,
    AuthTime,
    ClientId,
    Expires,
    Generation,
    IssuedAt,
    Issuer,
    NotBefore,
    RevokedGen,
    Roles,
    RolesGen,
    Scope,
    Session,
    Subject,
    Token,
}

/// What the known members say, each in its type, and none of it judged.
#[derive(Debug, Default)]
pub(in crate::verify) struct Members {
    seen: u32,
    pub(super) acr: Option<Box<str>>,
    pub(super) amr: Option<Box<[Box<str>]>>,
    pub(super) audience: Option<Box<[Box<str>]>>,
    pub(super) auth_time: Option<UnixTime>,
    pub(super) client_id: Option<Box<str>>,
    pub(super) expires: Option<UnixTime>,
    pub(super) generation: Option<u32>,
    pub(super) issued_at: Option<UnixTime>,
    pub(super) issuer: Option<Box<str>>,
    pub(super) not_before: Option<UnixTime>,
    pub(super) revoked_gen: Option<u64>,
    pub(super) roles: Option<Box<[Box<str>]>>,
    pub(super) roles_gen: Option<u64>,
    pub(super) scope: Option<Box<str>>,
    pub(super) session: Option<Box<str>>,
    pub(super) subject: Option<UserId>,
    pub(super) token: Option<TokenId>,
}

impl Known {
    /// What a name means under `names`; `None` for the application's own.
    pub(crate) fn of(name: &str, names: &ClaimNames) -> Option<Self> {
        let roles = match &names.roles {
            RolesClaim::List(roles) | RolesClaim::Single(roles) => Some(roles.as_str()),
            RolesClaim::Scope => None,
        };
        Self::registered(name)
            .or_else(|| (name == names.session).then_some(Self::Session))
            .or_else(|| (Some(name) == roles).then_some(Self::Roles))
    }

    /// Whether a name has a meaning whatever the names of session and roles are.
    pub(crate) fn is_registered(name: &str) -> bool {
        Self::registered(name).is_some()
    }

    fn registered(name: &str) -> Option<Self> {
        Some(match name {
            "acr" => Self::Acr,
            "amr" => Self::Amr,
            "aud" => Self::Audience,
            "auth_time" => Self::AuthTime,
            "client_id" => Self::ClientId,
            "exp" => Self::Expires,
            "gen" => Self::Generation,
            "iat" => Self::IssuedAt,
            "iss" => Self::Issuer,
            "jti" => Self::Token,
            "nbf" => Self::NotBefore,
            "rgen" => Self::RolesGen,
            "scope" => Self::Scope,
            "sub" => Self::Subject,
            "ugen" => Self::RevokedGen,
            _ => return None,
        })
    }

    /// The cause when its value cannot be read.
    pub(super) const fn misread(self) -> &'static str {
        match self {
            Self::Acr => "the claim acr is no string",
            Self::Amr => "the claim amr is no list of strings",
            Self::Audience => "the claim aud is no string or list of strings",
            Self::AuthTime => "the claim auth_time is no date",
            Self::ClientId => "the claim client_id is no string",
            Self::Expires => "the claim exp is no date",
            Self::Generation => "the claim gen is no generation",
            Self::IssuedAt => "the claim iat is no date",
            Self::Issuer => "the claim iss is no string",
            Self::NotBefore => "the claim nbf is no date",
            Self::RevokedGen => "the claim ugen is no counter",
            Self::Roles => "the roles are not written as configured",
            Self::RolesGen => "the claim rgen is no counter",
            Self::Scope => "the claim scope is no string",
            Self::Session => "the session id is no string",
            Self::Subject => "the claim sub is no user id",
            Self::Token => "the claim jti is no token id",
        }
    }
}

impl Members {
    /// Marks a member as seen; `false` when it was seen before.
    pub(super) fn mark(&mut self, known: Known) -> bool {
        let bit = 1 << known as u32;
        let is_first = self.seen & bit == 0;
        self.seen |= bit;
        is_first
    }

    /// Reads the value of a member. Those that only our own tokens know are passed over where
    /// `foreign`, because another issuer may mean something else by their names.
    pub(super) fn take<'de, A: MapAccess<'de>>(
        &mut self,
        known: Known,
        foreign: bool,
        names: &ClaimNames,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match known {
            Known::Generation | Known::RevokedGen | Known::RolesGen if foreign => {
                map.next_value::<IgnoredAny>()?;
            }
            Known::Acr => self.acr = Some(map.next_value()?),
            Known::Amr => self.amr = Some(map.next_value::<Vec<_>>()?.into_boxed_slice()),
            Known::Audience => self.audience = Some(map.next_value::<OneOrMany>()?.0),
            Known::AuthTime => self.auth_time = Some(map.next_value::<NumericDate>()?.0),
            Known::ClientId => self.client_id = Some(map.next_value()?),
            Known::Expires => self.expires = Some(map.next_value::<NumericDate>()?.0),
            Known::Generation => self.generation = Some(map.next_value()?),
            Known::IssuedAt => self.issued_at = Some(map.next_value::<NumericDate>()?.0),
            Known::Issuer => self.issuer = Some(map.next_value()?),
            Known::NotBefore => self.not_before = Some(map.next_value::<NumericDate>()?.0),
            Known::RevokedGen => self.revoked_gen = Some(map.next_value()?),
            Known::Roles => self.roles = Some(read_roles(names, map)?),
            Known::RolesGen => self.roles_gen = Some(map.next_value()?),
            Known::Scope => self.scope = Some(map.next_value()?),
            Known::Session => self.session = Some(map.next_value()?),
            Known::Subject => self.subject = Some(map.next_value()?),
            Known::Token => self.token = Some(map.next_value()?),
        }
        Ok(())
    }
}

fn read_roles<'de, A: MapAccess<'de>>(
    names: &ClaimNames,
    map: &mut A,
) -> Result<Box<[Box<str>]>, A::Error> {
    match names.roles {
        RolesClaim::Single(_) => Ok(Box::new([map.next_value()?])),
        RolesClaim::List(_) | RolesClaim::Scope => Ok(map.next_value::<OneOrMany>()?.0),
    }
}
