//! From what a payload says to claims that are accepted.

use std::any::Any;

use super::members::Members;
use super::shared::{Granted, Parties, Usual};
use super::times::Times;
use super::{Binding, Counter, Rare, TokenClaims, TokenFacts};
use crate::clock::UnixTime;
use crate::token::SessionId;
use crate::verify::policy::{RolesClaim, TokenPolicy, Untracked};
use crate::verify::{Origin, VerifyError};

/// Claims that are accepted, but for their end.
pub(in crate::verify) struct Judged {
    pub(in crate::verify) claims: TokenClaims,
    /// Whether only the migration lets the token pass.
    pub(in crate::verify) legacy: bool,
}

/// Judges the claims of a token whose signature is good. Whether it has expired is left open.
///
/// 1. `exp` is there, and the times but the end are right.
/// 2. `iss` is ours; for another issuer's key the one that it is bound to, or one that the policy
///    names.
/// 3. `aud` holds an audience of the policy.
/// 4. `sub` is there.
/// 5. A token of ours names its session, itself, when it was issued, and where in the session's
///    history it stands; or it names all but the session, and the policy accepts untracked tokens;
///    or it is an older one while the migration lasts.
pub(in crate::verify) fn judge(
    mut members: Members,
    custom: Box<dyn Any + Send + Sync>,
    origin: &Origin,
    (policy, usual): (&TokenPolicy, &Usual),
    now: UnixTime,
) -> Result<Judged, VerifyError> {
    let times = Times {
        expires_at: members
            .expires
            .ok_or(VerifyError::invalid("the claim exp is missing"))?,
        issued_at: members.issued_at,
        not_before: members.not_before,
    };
    times.check_begin(policy, now)?;
    check_issuer(members.issuer.as_deref(), origin, policy)?;
    check_audience(members.audience.as_deref(), policy)?;
    let user = members
        .subject
        .take()
        .ok_or(VerifyError::invalid("the claim sub is missing"))?;
    let ours = *origin == Origin::Ours;
    let binding = binding(&members).filter(|_| ours);
    let untracked = binding.is_some() && members.session.is_none();
    // Also while a migration lasts, whose older tokens have no counters.
    if untracked && policy.untracked == Untracked::Refuse {
        return Err(VerifyError::invalid(
            "an untracked token, which the policy refuses",
        ));
    }
    let legacy = ours && binding.is_none();
    if legacy && !policy.is_migrating(now) {
        return Err(VerifyError::invalid(
            "the session id, jti, iat, gen, ugen or rgen is missing",
        ));
    }
    let session = match members.session.as_deref() {
        None => None,
        Some(text) if binding.is_some() => Some(own_session(text)?),
        Some("") => return Err(VerifyError::invalid("the session id is empty")),
        Some(text) => Some(unbound_session(text, &members, ours)),
    };
    let facts = TokenFacts {
        user,
        session,
        token: members.token.take(),
        binding,
        issued_at: times.issued_at,
        expires_at: times.expires_at,
    };
    Ok(Judged {
        claims: claims(members, facts, (policy, usual), custom),
        legacy,
    })
}

/// The session that a token without counters names. One of ours may name one that we keep, as
/// before a migration.
fn unbound_session(text: &str, members: &Members, ours: bool) -> SessionId {
    let kept = if ours { text.parse().ok() } else { None };
    let issuer = members.issuer.as_deref().unwrap_or_default();
    kept.unwrap_or_else(|| SessionId::from_foreign(issuer, text))
}

fn check_issuer(
    issuer: Option<&str>,
    origin: &Origin,
    policy: &TokenPolicy,
) -> Result<(), VerifyError> {
    let issuer = issuer.ok_or(VerifyError::invalid("the claim iss is missing"))?;
    let is_right = match origin {
        Origin::Ours => issuer == policy.issuer,
        Origin::Foreign { issuer: Some(only) } => issuer == only,
        // Never ours: a token that says it is would pass for one without its session.
        Origin::Foreign { issuer: None } => policy.more_issuers.iter().any(|one| one == issuer),
    };
    is_right
        .then_some(())
        .ok_or(VerifyError::invalid("made by another issuer"))
}

fn check_audience(audience: Option<&[Box<str>]>, policy: &TokenPolicy) -> Result<(), VerifyError> {
    let audience = audience.ok_or(VerifyError::invalid("the claim aud is missing"))?;
    audience
        .iter()
        .any(|one| {
            **one == *policy.audience || policy.more_audiences.iter().any(|us| **us == **one)
        })
        .then_some(())
        .ok_or(VerifyError::invalid("meant for another audience"))
}

/// Where one of our tokens stands; `None` where it lacks any part of it. Session and generation
/// come together, or neither does.
fn binding(members: &Members) -> Option<Binding> {
    members.token.as_ref()?;
    members.issued_at?;
    let generation = match (&members.session, members.generation) {
        (Some(_), Some(generation)) => generation,
        (None, None) => Binding::NO_GENERATION,
        _ => return None,
    };
    Some(Binding {
        generation,
        revoked_gen: Counter::from_u64(members.revoked_gen?),
        roles_gen: Counter::from_u64(members.roles_gen?),
    })
}

fn own_session(text: &str) -> Result<SessionId, VerifyError> {
    text.parse()
        .map_err(|_| VerifyError::invalid("the session id is no UUID"))
}

fn claims(
    members: Members,
    facts: TokenFacts,
    (policy, usual): (&TokenPolicy, &Usual),
    custom: Box<dyn Any + Send + Sync>,
) -> TokenClaims {
    let scopes: Box<[Box<str>]> = members
        .scope
        .iter()
        .flat_map(|scope| scope.split(' '))
        .filter(|word| !word.is_empty())
        .map(Box::from)
        .collect();
    let roles = match policy.names.roles {
        RolesClaim::Scope => scopes.clone(),
        RolesClaim::List(_) | RolesClaim::Single(_) => members.roles.unwrap_or_default(),
    };
    let parties = Parties {
        issuer: members.issuer,
        audience: members.audience.unwrap_or_default(),
        client_id: members.client_id,
    };
    let rare = Rare {
        not_before: members.not_before,
        acr: members.acr,
        amr: members.amr.unwrap_or_default(),
    };
    TokenClaims {
        facts,
        parties: usual.parties(parties),
        granted: usual.granted(Granted { roles, scopes }),
        authenticated_at: members.auth_time,
        rare: (rare != Rare::default()).then(|| Box::new(rare)),
        custom,
    }
}
