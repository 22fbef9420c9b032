//! tower-oauth2-resource-server.

#[path = "../setup/tower_oauth2.rs"]
mod setup;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http_body_util::Full;
use tower::Layer;
use tower_jwt_session_peers::{Folder, Inner, Worker, batch};

fn main() {
    let folder = Folder::of_run();
    let mut worker = Worker::new();
    for name in ["RS256", "ES256", "EdDSA"] {
        let server = worker.runtime.block_on(setup::server(folder.jwks()));
        let service = server.into_layer::<Full<Bytes>>().layer(Inner);
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
