//! A guard that is made and put around nothing guards nothing.
#![deny(unused_must_use)]
use tower_jwt_session::guard::RequireRole;

fn main() {
    RequireRole::new("admin");
}
