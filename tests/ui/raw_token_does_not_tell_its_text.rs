//! What was found in a header can be handed to the verifier and not be read.
use tower_jwt_session::token::RawToken;

fn main() {
    let token = RawToken::from_parameter("a.b.c");
    println!("{:?}", token.as_bytes());
    println!("{:?}", token.text());
    println!("{token}");
}
