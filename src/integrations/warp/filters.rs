//! Filters.

use std::convert::Infallible;

use http::HeaderMap;
use warp::{Filter, Rejection as Reject};

use crate::device::ClientAddress;
use crate::rejection::Rejection;
use crate::session::{Device, Session};
use crate::verify::CustomClaims;

/// The session of the request. Rejects with [`Rejection::MissingToken`] where nobody is signed in,
/// or no layer looked.
pub fn session<C: CustomClaims>()
-> impl Filter<Extract = (Session<C>,), Error = Reject> + Clone + Send + Sync + 'static {
    optional_session::<C>().and_then(|session: Option<Session<C>>| async {
        session.ok_or_else(|| warp::reject::custom(Rejection::MissingToken))
    })
}

/// The session of the request, if somebody is signed in. A token that is there and bad never comes
/// so far: the layer has refused it.
pub fn optional_session<C: CustomClaims>()
-> impl Filter<Extract = (Option<Session<C>>,), Error = Reject> + Clone + Send + Sync + 'static {
    warp::ext::optional::<Session>().and_then(|session: Option<Session>| async {
        let session = session.map(Session::with_claims).transpose();
        session.map_err(warp::reject::custom)
    })
}

/// The device that sent the request, from its headers and the
/// [`ClientAddress`](crate::ClientAddress) that somebody put into its extensions.
pub fn device()
-> impl Filter<Extract = (Device,), Error = Infallible> + Clone + Send + Sync + 'static {
    warp::header::headers_cloned()
        .and(warp::ext::optional::<ClientAddress>())
        .map(|headers: HeaderMap, address: Option<ClientAddress>| {
            Device::from_headers(&headers, address.map(ClientAddress::ip))
        })
}
