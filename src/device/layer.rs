//! [`ClientAddressLayer`].

use std::fmt;
use std::task::{Context, Poll};

use http::{Extensions, Request};
use tower_layer::Layer;
use tower_service::Service;

use super::address::{ClientAddress, Peer, SecureTransport};
use super::proxies::TrustedProxies;

/// Finds out where requests come from, and puts a [`ClientAddress`] into their extensions; also a
/// [`SecureTransport`] where a trusted proxy says that it was reached over TLS.
///
/// It starts from the [`Peer`] in the extensions, which the server puts there. Frameworks that
/// know the peer in their own manner have a function for
/// [`with_peer`](Self::with_peer). Without a peer nothing is known, and headers are not believed.
/// A `ClientAddress` that is there already stays.
///
/// # Examples
///
/// ```
/// use http::Request;
/// use tower::{Layer, Service, ServiceExt, service_fn};
/// use tower_jwt_session::{ClientAddress, ClientAddressLayer, Peer, TrustedProxies};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = ClientAddressLayer::new(TrustedProxies::parse("unix")?);
/// let service = layer.layer(service_fn(|request: Request<()>| async move {
///     Ok::<_, std::convert::Infallible>(request.extensions().get::<ClientAddress>().copied())
/// }));
///
/// let request = Request::builder().header("x-forwarded-for", "203.0.113.7");
/// let request = request.extension(Peer::Unix).body(())?;
/// let client = service.oneshot(request).await?.unwrap();
/// assert_eq!(client.ip().to_string(), "203.0.113.7");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ClientAddressLayer {
    proxies: TrustedProxies,
    peer: fn(&Extensions) -> Option<Peer>,
}

impl ClientAddressLayer {
    /// Believes these proxies.
    pub fn new(proxies: TrustedProxies) -> Self {
        Self {
            proxies,
            peer: |extensions| extensions.get().copied(),
        }
    }

    /// Finds the peer in another manner.
    pub fn with_peer(mut self, peer: fn(&Extensions) -> Option<Peer>) -> Self {
        self.peer = peer;
        self
    }

    fn note<B>(&self, request: &mut Request<B>) {
        let Some(peer) = (self.peer)(request.extensions()) else {
            return;
        };
        if self.proxies.is_secure(request.headers(), peer) {
            request.extensions_mut().insert(SecureTransport);
        }
        if request.extensions().get::<ClientAddress>().is_some() {
            return;
        }
        if let Some(client) = self.proxies.client(request.headers(), peer) {
            request.extensions_mut().insert(client);
        }
    }
}

impl<S> Layer<S> for ClientAddressLayer {
    type Service = ClientAddressService<S>;

    fn layer(&self, inner: S) -> ClientAddressService<S> {
        ClientAddressService {
            inner,
            layer: self.clone(),
        }
    }
}

impl fmt::Debug for ClientAddressLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAddressLayer")
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}

/// Says where a request comes from before the inner service is called.
///
/// See [`ClientAddressLayer`] for an example.
#[derive(Clone, Debug)]
#[must_use = "services do nothing unless called"]
pub struct ClientAddressService<S> {
    inner: S,
    layer: ClientAddressLayer,
}

impl<S, B> Service<Request<B>> for ClientAddressService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        self.layer.note(&mut request);
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(request: http::request::Builder) -> Request<()> {
        let layer = ClientAddressLayer::new(TrustedProxies::parse("10.0.0.0/8").unwrap());
        let mut request = request.body(()).unwrap();
        layer.note(&mut request);
        request
    }

    fn forwarded() -> http::request::Builder {
        Request::builder()
            .header("x-forwarded-for", "203.0.113.7")
            .header("x-forwarded-proto", "https")
    }

    #[test]
    fn without_a_peer_nothing_is_known_and_headers_are_not_believed() {
        let request = noted(forwarded());
        assert!(request.extensions().get::<ClientAddress>().is_none());
        assert!(request.extensions().get::<SecureTransport>().is_none());
    }

    #[test]
    fn an_address_that_was_put_in_stays() {
        let proxy = Peer::Address("10.0.0.1".parse().unwrap());
        let request = noted(forwarded().extension(proxy));
        let client = request.extensions().get::<ClientAddress>().unwrap();
        assert_eq!(client.ip().to_string(), "203.0.113.7");
        assert!(request.extensions().get::<SecureTransport>().is_some());

        let known = ClientAddress::from(std::net::IpAddr::from([192, 0, 2, 1]));
        let request = noted(forwarded().extension(proxy).extension(known));
        assert_eq!(request.extensions().get(), Some(&known));
    }
}
