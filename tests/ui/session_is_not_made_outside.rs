//! A session comes from an active token alone, behind the layer.
use tower_jwt_session::Session;
use tower_jwt_session::revocation::ActiveToken;

fn skip_the_layer(active: ActiveToken) -> Session {
    Session::from_active(active)
}

fn main() {}
