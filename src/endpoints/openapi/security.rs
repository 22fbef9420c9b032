//! How somebody says who they are.

use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};

use super::call::Cookies;
use crate::config::SessionCookies;
use crate::endpoints::routes::Access;

const ACCESS_COOKIE: &str = "accessCookie";
const BEARER: &str = "bearer";
const CLIENT: &str = "client";
const REFRESH_COOKIE: &str = "refreshCookie";

pub(super) fn schemes() -> [(&'static str, SecurityScheme); 4] {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.bearer_format("JWT").build();
    let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
    let cookies = SessionCookies::default();
    let cookie = |name: &str, about: &str| {
        let value = ApiKeyValue::with_description(name, about);
        SecurityScheme::ApiKey(ApiKey::Cookie(value))
    };
    let access = cookie(
        cookies.access_name(),
        "The access token, where there is no bearer header.",
    );
    let refresh = cookie(
        cookies.refresh_name(),
        "The refresh token, where there is none in the body.",
    );
    [
        (ACCESS_COOKIE, access),
        (BEARER, SecurityScheme::Http(bearer)),
        (CLIENT, SecurityScheme::Http(basic)),
        (REFRESH_COOKIE, refresh),
    ]
}

/// Any of these will do; an empty one says that none is needed.
pub(super) fn requirements(access: Access, cookies: Cookies) -> Vec<SecurityRequirement> {
    let one = |name: &&str| SecurityRequirement::new::<_, [&str; 0], &str>(*name, []);
    let (open, named): (bool, &[&str]) = match (access, cookies) {
        (Access::Public, Cookies::None | Cookies::Set) => (false, &[]),
        (Access::Public, Cookies::SetByRefresh) => (true, &[REFRESH_COOKIE]),
        (Access::Public, Cookies::TakenBack) => (true, &[BEARER, ACCESS_COOKIE, REFRESH_COOKIE]),
        (Access::Introspector, _) => (false, &[BEARER, CLIENT]),
        (Access::Admin | Access::User | Access::Watcher, _) => (false, &[BEARER, ACCESS_COOKIE]),
    };
    let nothing = open.then(SecurityRequirement::default);
    nothing.into_iter().chain(named.iter().map(one)).collect()
}
