//! The cookie by which a device is recognised.

use http::HeaderMap;

use crate::session::DeviceCookie;
use crate::token::TokenSource;

/// The device cookie of a request. One that stands twice, or holds something else, is none.
pub(super) fn read(headers: &HeaderMap) -> Option<DeviceCookie> {
    let found = TokenSource::cookie(DeviceCookie::NAME)
        .find(headers)
        .ok()??;
    DeviceCookie::parse(found.text().ok()?)
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    #[test]
    fn a_device_cookie_counts_once_and_under_its_own_name() {
        let value = "AAECAwQFBgcICQoLDA0ODw";
        let read = |cookie: String| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, cookie.parse().unwrap());
            read(&headers).map(|cookie| cookie.encode())
        };
        assert_eq!(
            read(format!("a=b; __Host-device={value}")).as_deref(),
            Some(value)
        );
        assert_eq!(read(format!("device={value}")), None);
        assert_eq!(
            read(format!("__Host-device={value}; __Host-device={value}")),
            None
        );
        assert_eq!(read("__Host-device=".to_owned()), None);
        assert_eq!(read("__Host-device=x".to_owned()), None);
    }
}
