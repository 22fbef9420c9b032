//! A verified token comes from the verifier alone.
use tower_jwt_session::verify::VerifiedToken;

fn main() {
    let _ = VerifiedToken {};
}
