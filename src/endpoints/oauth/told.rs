//! What is told of a token that is active (RFC 7662, section 2.2).

use serde::Serialize;

use crate::session::RefreshTokenInfo;
use crate::token::TokenId;
use crate::verify::{TokenClaims, TokenPolicy};

/// An access token.
#[derive(Serialize)]
pub(super) struct AccessToken<'t> {
    active: bool,
    token_type: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'t str>,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    sub: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<Audience<'t>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'t TokenId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'t str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<&'t str>,
}

/// A refresh token: nothing by which it could pass for an access token.
#[derive(Serialize)]
pub(super) struct RefreshToken<'t> {
    active: bool,
    token_type: &'static str,
    client_id: &'t str,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    sub: &'t str,
    iss: &'t str,
    sid: String,
    auth_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'t str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'t [String],
}

/// The `aud` claim in the form of RFC 7519, section 4.1.3.
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'t> {
    Many(Vec<&'t str>),
    One(&'t str),
}

impl<'t> AccessToken<'t> {
    pub(super) fn of(claims: &'t TokenClaims) -> Self {
        let facts = claims.facts();
        Self {
            active: true,
            token_type: "Bearer",
            scope: claims.scopes().collect::<Vec<_>>().join(" "),
            client_id: claims.client_id(),
            exp: facts.expires_at.as_secs(),
            iat: facts.issued_at.map(|at| at.as_secs()),
            nbf: claims.not_before().map(|at| at.as_secs()),
            sub: facts.user.as_str(),
            aud: Audience::of(claims),
            iss: claims.issuer(),
            jti: facts.token.as_ref(),
            sid: facts.session.map(|id| id.to_string()),
            roles: claims.roles().collect(),
            auth_time: claims.authenticated_at().map(|at| at.as_secs()),
            acr: claims.acr(),
            amr: claims.amr().collect(),
        }
    }
}

impl<'t> RefreshToken<'t> {
    pub(super) fn of(info: &'t RefreshTokenInfo, policy: &'t TokenPolicy) -> Self {
        Self {
            active: true,
            token_type: "refresh_token",
            client_id: policy.client_id.as_ref().unwrap_or(&policy.audience),
            exp: info.expires_at.as_secs(),
            iat: info.issued_at.map(|at| at.as_secs()),
            sub: info.user.as_str(),
            iss: &policy.issuer,
            sid: info.session.to_string(),
            auth_time: info.authenticated_at.as_secs(),
            acr: info.authentication.acr.as_deref(),
            amr: &info.authentication.amr,
        }
    }
}

impl<'t> Audience<'t> {
    fn of(claims: &'t TokenClaims) -> Option<Self> {
        let mut all: Vec<_> = claims.audience().collect();
        match all.len() {
            0 => None,
            1 => all.pop().map(Self::One),
            _ => Some(Self::Many(all)),
        }
    }
}
