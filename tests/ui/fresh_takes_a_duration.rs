//! Units live in types: nobody has to know whether these are seconds.
use tower_jwt_session::guard::RequireFresh;

fn main() {
    let _ = RequireFresh::within(300);
}
