//! Where a client that was refused may read on (RFC 9728, section 5.1).

use std::sync::Arc;

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response};

use super::{Endpoints, Group, resource};
use crate::rejection::{ProblemResponses, Rejection, ResponseForRejection};
use crate::verify::CustomClaims;

/// [`ProblemResponses`] whose challenges say where the metadata of this service is, for the layers
/// of an application that mounts it: `resource_metadata` (RFC 9728, section 5.1).
///
/// Made by [`Endpoints::responses`].
#[derive(Clone, Debug, Default)]
pub struct ResourceResponses {
    metadata: Option<Arc<str>>,
}

impl<B: From<Bytes>> ResponseForRejection<B> for ResourceResponses {
    fn response_for(&self, rejection: &Rejection) -> Response<B> {
        let mut response = ProblemResponses.response_for(rejection);
        if let Some(url) = &self.metadata {
            add_metadata(&mut response, url);
        }
        response
    }
}

impl<C: CustomClaims> Endpoints<C> {
    /// Refusals as the endpoints answer them, for the application's own layers:
    /// `auth.layer().with_responses(endpoints.responses())`.
    #[must_use]
    pub fn responses(&self) -> ResourceResponses {
        ResourceResponses {
            metadata: self.metadata_url(),
        }
    }

    /// Where the metadata is, if it is mounted and there is any.
    pub(super) fn metadata_url(&self) -> Option<Arc<str>> {
        let mounted = self.groups.contains(&Group::WellKnown);
        let url = mounted.then(|| resource::metadata_url(&self.auth.policy().audience));
        url.flatten().map(Arc::from)
    }
}

/// Adds `resource_metadata` to each bearer challenge.
pub(super) fn add_metadata<B>(response: &mut Response<B>, url: &str) {
    let Some(challenge) = response.headers_mut().get_mut(WWW_AUTHENTICATE) else {
        return;
    };
    let added = match challenge.to_str() {
        Ok(text) if text.contains("resource_metadata=") => return,
        Ok("Bearer") => format!("Bearer resource_metadata=\"{url}\""),
        Ok(text) if text.starts_with("Bearer ") => format!("{text}, resource_metadata=\"{url}\""),
        _ => return,
    };
    if let Ok(added) = HeaderValue::try_from(added) {
        *challenge = added;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adorned(challenge: &'static str) -> String {
        let mut response = Response::new(());
        let value = HeaderValue::from_static(challenge);
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
        add_metadata(&mut response, "https://a/m");
        let adorned = response.headers()[WWW_AUTHENTICATE].to_str();
        adorned.unwrap().to_owned()
    }

    #[test]
    fn a_bearer_challenge_says_where_to_read_on_and_says_it_once() {
        let bare = adorned("Bearer");
        assert_eq!(bare, "Bearer resource_metadata=\"https://a/m\"");
        let told = adorned("Bearer error=\"x\"");
        assert_eq!(
            told,
            "Bearer error=\"x\", resource_metadata=\"https://a/m\""
        );
        assert_eq!(adorned("Basic realm=\"x\""), "Basic realm=\"x\"");
        let already = "Bearer resource_metadata=\"https://b\"";
        assert_eq!(adorned(already), already);
    }
}
