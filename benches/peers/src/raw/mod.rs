//! The crate that the JWT layers are made of, called by hand: the same over either provider.

use http::Request;
use http::header::AUTHORIZATION;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use tower::{Service, service_fn};
use tower_jwt_session_peers::{
    ALGORITHMS, AUDIENCE, Claims, Folder, ISSUER, Inner, SECRET, Worker, batch,
};

pub fn main() {
    let folder = Folder::of_run();
    let mut worker = Worker::new();
    let jwks: JwkSet = serde_json::from_str(&folder.jwks()).expect("a JWK set");
    for name in ALGORITHMS {
        let algorithm: Algorithm = name.parse().expect("it is known");
        let key = match name {
            "HS256" => DecodingKey::from_secret(SECRET.as_bytes()),
            _ => DecodingKey::from_jwk(jwks.find(name).expect("its key")).expect("a good key"),
        };
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_nbf = true;
        let service = service_fn(move |mut request: Request<()>| {
            let value = request.headers()[AUTHORIZATION].to_str().expect("ASCII");
            let token = value.strip_prefix("Bearer ").expect("a bearer token");
            let claims = decode::<Claims>(token, &key, &validation)
                .expect("a good token")
                .claims;
            request.extensions_mut().insert(claims);
            Inner.call(request)
        });
        worker.case(
            name,
            batch(name),
            AUTHORIZATION,
            vec![folder.bearer(name)],
            service,
        );
    }
    worker.serve();
}
