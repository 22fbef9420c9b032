//! What lies below the protocol.

#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "transport/without_tls.rs"]
mod tls;

use std::time::Duration;

use redis::io::tcp::TcpSettings;

pub(super) use self::tls::check;

/// A connection whose other end has silently gone is given up by the kernel.
#[cfg(target_os = "linux")]
pub(super) fn patient(tcp: TcpSettings) -> TcpSettings {
    tcp.set_user_timeout(UNACKNOWLEDGED)
}

/// The system's own patience.
#[cfg(not(target_os = "linux"))]
pub(super) fn patient(tcp: TcpSettings) -> TcpSettings {
    tcp
}

#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
