//! Extractors.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::Extensions;
use http::request::Parts;

use crate::device::{ClientAddress, Peer};
use crate::rejection::Rejection;
use crate::session::{Device, Session};
use crate::verify::CustomClaims;

/// Refuses with [`Rejection::MissingToken`] where nobody is signed in, or no layer looked.
impl<S, C> FromRequestParts<S> for Session<C>
where
    S: Send + Sync,
    C: CustomClaims,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        session(parts)?.ok_or(Rejection::MissingToken)
    }
}

/// `None` where nobody is signed in. A token that is there and bad never comes so far: the layer
/// has refused it.
impl<S, C> OptionalFromRequestParts<S> for Session<C>
where
    S: Send + Sync,
    C: CustomClaims,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Rejection> {
        session(parts)
    }
}

/// Reads the client hints, the user agent, and the address: a [`ClientAddress`] where somebody
/// put one in, else that of the socket.
///
/// axum knows the socket's address when it serves
/// [`into_make_service_with_connect_info::<SocketAddr>`](axum::Router::into_make_service_with_connect_info).
impl<S: Send + Sync> FromRequestParts<S> for Device {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::from_headers(&parts.headers, address(parts)))
    }
}

fn session<C: CustomClaims>(parts: &Parts) -> Result<Option<Session<C>>, Rejection> {
    let session = parts.extensions.get::<Session>().cloned();
    session.map(Session::with_claims).transpose()
}

/// Who is at the other end of the connection: a [`Peer`] where somebody put one in, else what axum
/// knows of the socket; for [`ClientAddressLayer::with_peer`](crate::ClientAddressLayer::with_peer).
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_jwt_session::integrations::axum::peer;
/// use tower_jwt_session::{Device, JwtSession};
///
/// fn app(auth: &JwtSession) -> Router {
///     Router::new()
///         .route("/device", get(|device: Device| async move { format!("{:?}", device.address) }))
///         .layer(auth.client_addresses().with_peer(peer))
/// }
/// # let _ = app;
/// ```
#[must_use]
pub fn peer(extensions: &Extensions) -> Option<Peer> {
    let socket = || {
        let ConnectInfo(socket) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(Peer::Address(socket.ip()))
    };
    extensions.get().copied().or_else(socket)
}

fn address(parts: &Parts) -> Option<IpAddr> {
    let known = parts.extensions.get::<ClientAddress>().copied();
    let socket = || match peer(&parts.extensions)? {
        Peer::Address(address) => Some(ClientAddress::from(address)),
        Peer::Unix => None,
    };
    known.or_else(socket).map(ClientAddress::ip)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts() -> Parts {
        let request = Request::builder().header("user-agent", "curl/8.5.0");
        request.body(()).unwrap().into_parts().0
    }

    async fn device(parts: &mut Parts) -> Device {
        let Ok(device) = <Device as FromRequestParts<()>>::from_request_parts(parts, &()).await;
        device
    }

    #[tokio::test]
    async fn nobody_signed_in_is_a_missing_token_or_none() {
        let mut parts = parts();
        let required = <Session as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
        assert_eq!(required.unwrap_err(), Rejection::MissingToken);
        let optional =
            <Session as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
        assert!(optional.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_address_of_a_device_is_that_of_the_socket() {
        let mut parts = parts();
        assert_eq!(device(&mut parts).await.address, None);
        let socket: SocketAddr = "[::ffff:192.0.2.7]:4711".parse().unwrap();
        parts.extensions.insert(ConnectInfo(socket));
        let device = device(&mut parts).await;
        assert_eq!(device.address.unwrap().to_string(), "192.0.2.7");
        assert_eq!(device.label, "curl");
    }

    #[tokio::test]
    async fn an_address_that_was_put_in_is_preferred_to_the_socket_and_headers_count_for_nothing() {
        let mut parts = parts();
        let forged = http::HeaderValue::from_static("203.0.113.9");
        parts.headers.insert("x-forwarded-for", forged);
        let socket: SocketAddr = "192.0.2.7:4711".parse().unwrap();
        parts.extensions.insert(ConnectInfo(socket));
        let known: IpAddr = "198.51.100.3".parse().unwrap();
        parts.extensions.insert(ClientAddress::from(known));
        assert_eq!(device(&mut parts).await.address, Some(known));
    }
}
