//! Where the layer goes decides what it answers.

use crate::process::command;

const EXPECTED: &str = "\
Router::layer       nowhere      nobody  401 Unauthorized
Router::route_layer nowhere      nobody  404 Not Found
Router::route_layer report       nobody  401 Unauthorized
Router::route_layer report       ada     200 OK
per route           /front       nobody  200 OK
per route           /front       ada     200 OK
per route           /payments    nobody  401 Unauthorized
per route           /payments    ada     200 OK
per route           /account     nobody  401 Unauthorized
per route           /account     ada     200 OK
per route           /admin       nobody  401 Unauthorized
per route           /admin       ada     403 Forbidden
per route           /scope       nobody  401 Unauthorized
per route           /scope       ada     403 Forbidden
two issuers         /staff       ada     200 OK
two issuers         /partners    ada     401 Unauthorized
two issuers         /staff       bob     401 Unauthorized
two issuers         /partners    bob     200 OK
any tower service   /            ada     200 OK
";

#[test]
fn each_place_and_policy_answers_as_it_says() {
    let output = command("layers").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), EXPECTED);
}
