//! Headers that tell browsers what they must not do with an answer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::device::SecureTransport;

/// Adds security headers to the answers of a whole application, where they are not set already.
///
/// | header | value | why |
/// |---|---|---|
/// | `X-Content-Type-Options` | `nosniff` | what is said to be JSON is never run as a script |
/// | `Referrer-Policy` | `no-referrer` | paths name sessions and users |
/// | `X-Frame-Options` | `DENY` | older browsers; the policy below says it to the others |
/// | `Content-Security-Policy` | [`Self::PAGES`], or what is given | own scripts, styles and images, no frames, no foreign forms |
/// | `Cross-Origin-Opener-Policy` | `same-origin` | a page that opened ours has no hold on it |
/// | `Strict-Transport-Security` | a year, where the request came over TLS | never on plain HTTP, where a browser must ignore it and a developer's machine must not learn it |
///
/// Over TLS means: the URI says so, or a [`SecureTransport`] is in the extensions, as a
/// [`ClientAddressLayer`](crate::ClientAddressLayer) around this one puts it there.
///
/// The answers of the endpoints carry the first three and a policy that allows nothing by
/// themselves; `Cache-Control: no-store` stands on each that holds tokens or names of devices.
///
/// # Examples
///
/// ```
/// use http::{Request, Response};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_jwt_session::endpoints::SecurityHeaders;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = SecurityHeaders::new().layer(service_fn(|_: Request<()>| async {
///     Ok::<_, std::convert::Infallible>(Response::new(()))
/// }));
/// let response = service.oneshot(Request::new(())).await?;
/// assert_eq!(response.headers()["x-content-type-options"], "nosniff");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct SecurityHeaders {
    policy: HeaderValue,
    hsts: Option<HeaderValue>,
}

impl SecurityHeaders {
    /// The policy for pages: what they need comes from their own origin.
    pub const PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src \
                             'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                             frame-ancestors 'none'";

    /// The headers above.
    pub fn new() -> Self {
        Self {
            policy: HeaderValue::from_static(Self::PAGES),
            hsts: Some(HeaderValue::from_static("max-age=31536000")),
        }
    }

    /// Sets another content security policy for what brings none of its own.
    pub fn with_policy(mut self, policy: HeaderValue) -> Self {
        self.policy = policy;
        self
    }

    /// Sets for how long browsers come back over TLS alone; zero leaves the header out.
    pub fn with_hsts(mut self, max_age: Duration) -> Self {
        let secs = max_age.as_secs();
        let value = HeaderValue::try_from(format!("max-age={secs}")).ok();
        self.hsts = value.filter(|_| secs > 0);
        self
    }

    fn complete(&self, headers: &mut HeaderMap, secure: bool) {
        complete(headers, &self.policy);
        or_insert(
            headers,
            OPENER_POLICY,
            &HeaderValue::from_static("same-origin"),
        );
        if let Some(hsts) = self.hsts.as_ref().filter(|_| secure) {
            or_insert(headers, STRICT_TRANSPORT_SECURITY, hsts);
        }
    }
}

impl Default for SecurityHeaders {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SecurityHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityHeaders")
            .field("policy", &self.policy)
            .field("hsts", &self.hsts)
            .finish()
    }
}

/// On an answer for programs: it shows nothing, so it may load nothing.
pub(super) fn of_data(headers: &mut HeaderMap) {
    complete(headers, &HeaderValue::from_static(DATA));
}

fn complete(headers: &mut HeaderMap, policy: &HeaderValue) {
    let fixed = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        or_insert(headers, name, &HeaderValue::from_static(value));
    }
    or_insert(headers, CONTENT_SECURITY_POLICY, policy);
}

fn or_insert(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    headers.entry(name).or_insert_with(|| value.clone());
}

impl<S> Layer<S> for SecurityHeaders {
    type Service = SecurityHeadersService<S>;

    fn layer(&self, inner: S) -> SecurityHeadersService<S> {
        SecurityHeadersService {
            inner,
            layer: self.clone(),
        }
    }
}

/// Completes the answers of the inner service.
///
/// See [`SecurityHeaders`] for an example.
#[derive(Clone, Debug)]
#[must_use = "services do nothing unless called"]
pub struct SecurityHeadersService<S> {
    inner: S,
    layer: SecurityHeaders,
}

impl<S, B, R> Service<Request<B>> for SecurityHeadersService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = SecurityHeadersFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let secure = request.uri().scheme() == Some(&Scheme::HTTPS)
            || request.extensions().get::<SecureTransport>().is_some();
        SecurityHeadersFuture {
            answer: self.inner.call(request),
            layer: self.layer.clone(),
            secure,
        }
    }
}

pin_project! {
    /// What [`SecurityHeadersService`] answers.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct SecurityHeadersFuture<F> {
        #[pin]
        answer: F,
        layer: SecurityHeaders,
        secure: bool,
    }
}

impl<F, R, E> Future for SecurityHeadersFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.answer.poll(cx))?;
        this.layer.complete(response.headers_mut(), *this.secure);
        Poll::Ready(Ok(response))
    }
}

const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_says_itself_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        of_data(&mut headers);
        SecurityHeaders::new().complete(&mut headers, false);
        assert_eq!(headers[REFERRER_POLICY], "same-origin");
        assert_eq!(headers[CONTENT_SECURITY_POLICY], DATA);
        assert_eq!(headers[X_FRAME_OPTIONS], "DENY");
    }

    #[test]
    fn browsers_are_bound_to_tls_only_by_what_came_over_tls() {
        let bound = |layer: SecurityHeaders, secure| {
            let mut headers = HeaderMap::new();
            layer.complete(&mut headers, secure);
            headers.get(STRICT_TRANSPORT_SECURITY).cloned()
        };
        assert_eq!(bound(SecurityHeaders::new(), false), None);
        assert_eq!(
            bound(SecurityHeaders::new(), true).unwrap(),
            "max-age=31536000"
        );
        let off = SecurityHeaders::new().with_hsts(Duration::ZERO);
        assert_eq!(bound(off, true), None);
    }
}
