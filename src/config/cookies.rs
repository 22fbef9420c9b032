//! Tokens in cookies: their names and attributes, and from which pages they may be used.

use std::net::SocketAddr;

use super::builder::JwtSessionBuilder;
use super::env::Environment;
use crate::error::ConfigError;
use crate::middleware::Origins;
use crate::session::{DeviceCookies, Transport};
use crate::token::TokenSource;

/// How tokens travel in cookies, where a sign-in asks for that.
///
/// By default the refresh token is in `__Secure-rt`, sent below `/api` alone and never across
/// sites, and the access token in `__Host-at`. Both are out of reach of scripts and of connections
/// without TLS; their prefixes make browsers insist on that (RFC 6265bis, section 4.1.3).
///
/// # Examples
///
/// ```
/// use tower_jwt_session::{JwtSession, SessionCookies};
///
/// let auth = JwtSession::builder()
///     .hmac_secret(b"an example; 32 random bytes in earnest")
///     .cookies(SessionCookies::default().with_refresh_path("/v1/api"))
///     .build()?;
/// assert_eq!(auth.cookies().refresh_name(), "__Secure-rt");
/// # Ok::<(), tower_jwt_session::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCookies {
    on: bool,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    refresh_path: String,
    device: DeviceCookies,
    listens_on: Option<SocketAddr>,
}

/// Whether browsers send a cookie along when another site's page makes the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// When it follows a link.
    Lax,
    /// Always. Dangerous: what stays is the check where a request comes from.
    None,
    /// Never. The default of the refresh cookie.
    #[default]
    Strict,
}

impl SessionCookies {
    /// No cookies: tokens travel in bodies and bearer headers, and a sign-in that asks for another
    /// transport is refused.
    #[must_use]
    pub fn off() -> Self {
        Self {
            on: false,
            ..Self::default()
        }
    }

    /// Sets the path below which every endpoint lies that refreshes or signs out; the refresh
    /// cookie is sent nowhere else. Defaults to `/api`, where the routers have them.
    #[must_use]
    pub fn with_refresh_path(mut self, path: impl Into<String>) -> Self {
        self.refresh_path = path.into();
        self
    }

    /// Sets whether the refresh cookie is sent across sites. Defaults to [`SameSite::Strict`]; the
    /// access cookie is always [`SameSite::Lax`], so that links lead to pages that know the user.
    #[must_use]
    pub fn with_same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Sets whether sign-ins leave a cookie behind by which the device is recognised at the next,
    /// so that its user is not told of a new one. Unless said otherwise those do whose tokens
    /// travel in cookies, where somebody is told of new devices or risk is watched; with `true` all do,
    /// with `false` none.
    ///
    /// It holds a random value for a year, the same for all who use the browser, and is sent over
    /// TLS alone. With a session a hash of it and the user is kept, for as long as the session
    /// is remembered.
    #[must_use]
    pub fn with_device_cookie(mut self, always: bool) -> Self {
        self.device = if always {
            DeviceCookies::Always
        } else {
            DeviceCookies::Never
        };
        self
    }

    /// Sends the cookies over connections without TLS, under the plain names `rt` and `at`. For
    /// trying things out, on a server that listens on this machine alone.
    #[must_use]
    pub fn dangerous_without_secure(mut self, listens_on: SocketAddr) -> Self {
        self.secure = false;
        self.listens_on = Some(listens_on);
        self
    }

    /// Lets scripts read the tokens. For trying things out, on a server that listens on this
    /// machine alone.
    #[must_use]
    pub fn dangerous_without_http_only(mut self, listens_on: SocketAddr) -> Self {
        self.http_only = false;
        self.listens_on = Some(listens_on);
        self
    }

    /// Whether tokens may travel so.
    #[must_use]
    pub fn allow(&self, transport: Transport) -> bool {
        self.on || transport == Transport::Body
    }

    /// The name of the cookie of the access token.
    #[must_use]
    pub fn access_name(&self) -> &'static str {
        if self.secure { "__Host-at" } else { "at" }
    }

    /// The name of the cookie of the refresh token.
    #[must_use]
    pub fn refresh_name(&self) -> &'static str {
        if self.secure { "__Secure-rt" } else { "rt" }
    }

    /// Whether the cookies need TLS.
    #[must_use]
    pub fn are_secure(&self) -> bool {
        self.secure
    }

    /// Where the path of the refresh cookie begins.
    #[must_use]
    pub fn refresh_path(&self) -> &str {
        &self.refresh_path
    }

    /// What stands behind name and value of the access cookie.
    #[must_use]
    pub fn access_attributes(&self) -> String {
        self.attributes("/", SameSite::Lax)
    }

    /// What stands behind name and value of the refresh cookie.
    #[must_use]
    pub fn refresh_attributes(&self) -> String {
        self.attributes(&self.refresh_path, self.same_site)
    }

    /// Browsers keep the device cookie over TLS alone; without it there is none.
    pub(crate) fn device_cookies(&self) -> DeviceCookies {
        if self.on && self.secure {
            self.device
        } else {
            DeviceCookies::Never
        }
    }

    fn attributes(&self, path: &str, same_site: SameSite) -> String {
        let http_only = if self.http_only { "; HttpOnly" } else { "" };
        let secure = if self.secure { "; Secure" } else { "" };
        let same_site = same_site.as_str();
        format!("; Path={path}{http_only}{secure}; SameSite={same_site}")
    }

    /// Where access tokens are looked for: the header, and the cookie where there may be one.
    pub(super) fn token_source(&self) -> TokenSource {
        if self.on {
            let cookie = TokenSource::cookie(self.access_name());
            TokenSource::first_of([TokenSource::bearer(), cookie])
        } else {
            TokenSource::bearer()
        }
    }

    /// Why browsers do not protect these cookies, where they do not.
    fn weakness(&self) -> Option<&'static str> {
        if !self.secure {
            Some("session cookies travel without TLS")
        } else if !self.http_only {
            Some("session cookies can be read by scripts")
        } else if self.same_site == SameSite::None {
            Some("the refresh cookie is sent across sites")
        } else {
            None
        }
    }

    pub(super) fn check(&self, problems: &mut ConfigError) {
        if !self.on {
            return;
        }
        let path = self.refresh_path.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b';';
        if path.first() != Some(&b'/') || !path.iter().all(plain) {
            problems.add(
                format!("{:?} is no path for the refresh cookie", self.refresh_path),
                "write it as /api",
            );
        }
        let Some(weakness) = self.weakness() else {
            return;
        };
        let here = self.listens_on.is_some_and(|at| at.ip().is_loopback());
        if here {
            tracing::warn!("{weakness}: for trying things out on this machine alone");
        } else {
            problems.add(
                format!("{weakness}, and the server is not said to listen on this machine alone"),
                "take the insecure SESSION_COOKIE_ settings away, or set LISTEN_ADDR to 127.0.0.1:3000",
            );
        }
    }

    /// Takes over what the environment says.
    pub(super) fn read(mut self, env: &Environment, problems: &mut ConfigError) -> Self {
        let on = env.parsed("SESSION_COOKIES", problems, |text| match text {
            "auto" => Ok(true),
            "off" => Ok(false),
            _ => Err("write auto or off"),
        });
        self.on = on.unwrap_or(self.on);
        let mut flag = |name| env.flag(name, problems);
        self.secure = flag("SESSION_COOKIE_SECURE").unwrap_or(self.secure);
        self.http_only = flag("SESSION_COOKIE_HTTP_ONLY").unwrap_or(self.http_only);
        let same_site = env.parsed("SESSION_COOKIE_SAME_SITE", problems, |text| {
            match text.to_ascii_lowercase().as_str() {
                "lax" => Ok(SameSite::Lax),
                "none" => Ok(SameSite::None),
                "strict" => Ok(SameSite::Strict),
                _ => Err("write strict, lax or none"),
            }
        });
        self.same_site = same_site.unwrap_or(self.same_site);
        let device = env.parsed("SESSION_DEVICE_COOKIE", problems, |text| match text {
            "always" => Ok(DeviceCookies::Always),
            "auto" => Ok(DeviceCookies::WithCookies),
            "off" => Ok(DeviceCookies::Never),
            _ => Err("write auto, always or off"),
        });
        self.device = device.unwrap_or(self.device);
        let listens_on = env.get("LISTEN_ADDR").and_then(|text| text.parse().ok());
        self.listens_on = listens_on.or(self.listens_on);
        self
    }
}

impl Default for SessionCookies {
    fn default() -> Self {
        Self {
            on: true,
            secure: true,
            http_only: true,
            same_site: SameSite::default(),
            refresh_path: "/api".to_owned(),
            device: DeviceCookies::WithCookies,
            listens_on: None,
        }
    }
}

impl SameSite {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::None => "None",
            Self::Strict => "Strict",
        }
    }
}

impl<C> JwtSessionBuilder<C> {
    /// How tokens travel in cookies. Unless said otherwise a sign-in may ask for that, and they
    /// are as safe as browsers can make them.
    pub fn cookies(mut self, cookies: SessionCookies) -> Self {
        self.cookies = cookies;
        self
    }

    pub(super) fn apply_cookies(&mut self, env: &Environment) {
        self.cookies = self.cookies.clone().read(env, &mut self.problems);
    }
}

/// What a [`JwtSession`](crate::JwtSession) keeps of all this.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    pub(crate) cookies: SessionCookies,
    pub(crate) origins: std::sync::Arc<Origins>,
}

#[cfg(test)]
mod tests;
