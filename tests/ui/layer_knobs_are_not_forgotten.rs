//! A knob answers the changed layer; the old one stays as it was.
#![deny(unused_must_use)]
use tower_jwt_session::JwtSessionLayer;
use tower_jwt_session::revocation::Confirm;

fn strict(layer: JwtSessionLayer) -> JwtSessionLayer {
    layer.clone().with_confirm(Confirm::Always);
    layer
}

fn main() {}
