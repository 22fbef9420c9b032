//! The host that a request is sent to.

use http::header::HOST;
use http::{Request, StatusCode, Version};

use super::Problem;

/// Refuses a request that names several hosts, or none in HTTP/1.1 (RFC 9112, section 3.2): what
/// stands in front of the server may have gone by another of them.
///
/// The endpoints refuse several by themselves; a server asks it about every request.
///
/// # Errors
///
/// A [`Problem`] 400.
pub fn check_host<B>(request: &Request<B>) -> Result<(), Problem> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let told = hosts > 0 || request.uri().authority().is_some();
    if hosts > 1 || request.version() == Version::HTTP_11 && !told {
        Err(not_one())
    } else {
        Ok(())
    }
}

/// The same for requests that were made without a server: those need no host.
pub(super) fn check_hosts<B>(request: &Request<B>) -> Result<(), Problem> {
    if request.headers().get_all(HOST).iter().count() > 1 {
        Err(not_one())
    } else {
        Ok(())
    }
}

fn not_one() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_input",
        "a request names one host",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(hosts: &[&str], version: Version, uri: &str) -> Option<u16> {
        let request = Request::builder().version(version).uri(uri);
        let request = hosts
            .iter()
            .fold(request, |request, host| request.header(HOST, *host));
        let problem = check_host(&request.body(()).unwrap()).err();
        problem.map(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_request_names_one_host() {
        let one = Version::HTTP_11;
        assert_eq!(status(&["a.example"], one, "/"), None);
        assert_eq!(status(&[], one, "http://a.example/"), None);
        assert_eq!(status(&[], Version::HTTP_10, "/"), None);
        assert_eq!(status(&[], one, "/"), Some(400));
        for version in [one, Version::HTTP_10, Version::HTTP_2] {
            assert_eq!(status(&["a.example", "b.example"], version, "/"), Some(400));
            assert_eq!(status(&["a.example", "a.example"], version, "/"), Some(400));
        }
    }
}
