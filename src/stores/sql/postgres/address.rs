//! Addresses, as `postgres://user:password@host:5432/database`.

use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::error::{BAD_ADDRESS, misconfigured};
use crate::error::StoreError;

/// How the server of an address is connected to.
pub(super) fn options(address: &str) -> Result<PgConnectOptions, StoreError> {
    let known = ["postgres://", "postgresql://"];
    if !known.iter().any(|scheme| address.starts_with(scheme)) {
        return Err(misconfigured(BAD_ADDRESS));
    }
    // What the parser says could repeat a part of the address, and so of the password.
    let options = PgConnectOptions::from_str(address).map_err(|_| misconfigured(BAD_ADDRESS))?;
    Ok(ours(as_libpq(options, address)))
}

/// Whoever names an authority has it asked, as libpq does; the driver would believe any server.
fn as_libpq(options: PgConnectOptions, address: &str) -> PgConnectOptions {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let names = ["sslrootcert=", "ssl-root-cert=", "ssl-ca="];
    let names_authority = query
        .split('&')
        .any(|pair| names.iter().any(|name| pair.starts_with(name)));
    match options.get_ssl_mode() {
        PgSslMode::Require if names_authority => options.ssl_mode(PgSslMode::VerifyCa),
        _ => options,
    }
}

/// Statements are not logged: they hold what is known of users.
pub(super) fn ours(options: PgConnectOptions) -> PgConnectOptions {
    options.disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn an_address_is_read_by_either_of_its_schemes() {
        for scheme in ["postgres", "postgresql"] {
            let options = options(&format!("{scheme}://ada:secret@db.example:6543/app"));
            let options = options.expect("it is an address");
            assert_eq!(options.get_host(), "db.example");
            assert_eq!(options.get_port(), 6543);
            assert_eq!(options.get_database(), Some("app"));
        }
    }

    #[test]
    fn whoever_names_an_authority_has_the_certificate_checked() {
        let mode = |query: &str| {
            let options = options(&format!("postgres://ada@h/app?{query}"));
            format!("{:?}", options.expect("it is an address").get_ssl_mode())
        };
        for (query, expected) in [
            ("sslmode=require", "Require"),
            ("sslmode=require&sslrootcert=/ca.pem", "VerifyCa"),
            ("ssl-root-cert=/ca.pem&sslmode=require", "VerifyCa"),
            ("sslmode=verify-full&sslrootcert=/ca.pem", "VerifyFull"),
            ("sslmode=disable&sslrootcert=/ca.pem", "Disable"),
        ] {
            assert_eq!(mode(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for address in [
            "",
            "postgres",
            "postgres:secret",
            "mysql://ada:secret@h/app",
            "postgres://ada:secret@h:port/app",
            "postgres://ada:secret@h/app?sslmode=secret",
        ] {
            let error = options(address).expect_err(address);
            let source = error.source().expect("it says what to do").to_string();
            assert!(
                !format!("{error} {source} {error:?}").contains("secret"),
                "{source}"
            );
        }
    }
}
