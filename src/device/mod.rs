//! What a request says of the device behind it, and where it came from.
//!
//! User agents and client hints are claims of the client: they help people recognise their own
//! devices in a list, and nothing is ever decided by them. Addresses are believed as far as the
//! hops are that report them.

mod address;
#[cfg(any(feature = "endpoints", feature = "user-agent"))]
mod cookie;
mod forwarded;
mod layer;
mod network;
mod proxies;
#[cfg(any(feature = "endpoints", feature = "user-agent"))]
mod reading;
#[cfg(feature = "endpoints")]
mod seen;

pub use address::{ClientAddress, Peer, SecureTransport};
pub use layer::{ClientAddressLayer, ClientAddressService};
pub use proxies::TrustedProxies;
#[cfg(feature = "endpoints")]
pub(crate) use seen::seen;
