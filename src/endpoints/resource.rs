//! What this service is to OAuth clients (RFC 9728).

use http::uri::{Scheme, Uri};
use http::{Request, StatusCode};
use serde::Serialize;

use super::{Endpoints, Problem, Response, jwks, reply};
use crate::verify::CustomClaims;

/// Protected resource metadata (RFC 9728, section 2).
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Metadata<'p> {
    resource: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_servers: Option<[&'p str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    bearer_methods_supported: [&'static str; 1],
}

impl<C: CustomClaims> Endpoints<C> {
    /// `GET /.well-known/oauth-protected-resource`, with the path of the resource behind it where
    /// it has one (RFC 9728, section 3.1): the audience and the issuer of the tokens. 404 unless
    /// the audience is a URL, as a resource has to be.
    #[must_use]
    pub fn protected_resource<B>(&self, request: Request<B>) -> Response {
        let policy = self.auth.policy();
        let has_keys = self.auth.keys().jwks()["keys"]
            .as_array()
            .is_some_and(|keys| !keys.is_empty());
        let asked = request.uri().path().strip_prefix(WELL_KNOWN);
        let found = asked.and_then(|path| {
            Metadata::of(&policy.audience, &policy.issuer, has_keys).filter(|_| {
                // Of another resource on this host there is nothing to say.
                url(&policy.audience).is_some_and(|resource| same_path(&resource, path))
            })
        });
        let Some(metadata) = found else {
            return Problem::not_found().into_response();
        };
        match serde_json::to_string(&metadata) {
            Ok(body) => jwks::cacheable(body, "application/json", request.headers()),
            Err(_) => reply::json(StatusCode::OK, &metadata),
        }
    }
}

impl<'p> Metadata<'p> {
    fn of(audience: &'p str, issuer: &'p str, has_keys: bool) -> Option<Self> {
        let resource = url(audience)?;
        let (scheme, authority) = (resource.scheme()?, resource.authority()?);
        Some(Self {
            resource: audience,
            authorization_servers: url(issuer).map(|_| [issuer]),
            jwks_uri: has_keys.then(|| format!("{scheme}://{authority}/.well-known/jwks.json")),
            bearer_methods_supported: ["header"],
        })
    }
}

/// Where the metadata of a resource is (RFC 9728, section 3.1); `None` for what is no resource.
pub(super) fn metadata_url(audience: &str) -> Option<String> {
    let resource = url(audience)?;
    let (scheme, authority) = (resource.scheme()?, resource.authority()?);
    let path = resource.path().trim_end_matches('/');
    Some(format!("{scheme}://{authority}{WELL_KNOWN}{path}"))
}

/// A name that is the URL of a service; plain HTTP for those who try it out.
fn url(name: &str) -> Option<Uri> {
    let uri: Uri = name.parse().ok()?;
    let is_http = [&Scheme::HTTPS, &Scheme::HTTP].contains(&uri.scheme()?);
    (is_http && uri.authority().is_some() && !name.contains('#')).then_some(uri)
}

fn same_path(resource: &Uri, asked: &str) -> bool {
    resource.path().trim_end_matches('/') == asked.trim_end_matches('/')
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_a_url() {
        for name in [
            "tower-jwt-session",
            "",
            "ftp://a.example",
            "/a",
            "https://a/#b",
        ] {
            assert_eq!(Metadata::of(name, name, true), None, "{name}");
        }
        let metadata = Metadata::of("https://a.example/api", "me", false).unwrap();
        assert_eq!(metadata.authorization_servers, None);
        assert_eq!(metadata.jwks_uri, None);
    }

    #[test]
    fn the_keys_are_where_the_resource_is() {
        let name = "https://a.example:8443/api";
        let metadata = Metadata::of(name, "https://b.example", true).unwrap();
        assert_eq!(metadata.resource, name);
        assert_eq!(metadata.authorization_servers, Some(["https://b.example"]));
        let keys = metadata.jwks_uri.unwrap();
        assert_eq!(keys, "https://a.example:8443/.well-known/jwks.json");
    }

    #[test]
    fn only_the_path_of_the_resource_is_answered() {
        let root = url("https://a.example").unwrap();
        assert!(same_path(&root, ""));
        assert!(same_path(&root, "/"));
        assert!(!same_path(&root, "/api"));
        let below = url("https://a.example/api").unwrap();
        assert!(same_path(&below, "/api"));
        assert!(!same_path(&below, ""));
    }
}
