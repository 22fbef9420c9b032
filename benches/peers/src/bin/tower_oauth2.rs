//! tower-oauth2-resource-server. It takes no secrets.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http_body_util::Full;
use tower::Layer;
use tower_jwt_session_peers::{AUDIENCE, Claims, Folder, ISSUER, Inner, Worker, batch};
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

fn main() {
    let folder = Folder::of_run();
    let mut worker = Worker::new();
    for name in ["RS256", "ES256", "EdDSA"] {
        // Where it looks at `nbf` it requires one, which the tokens do not have.
        let spec = ClaimsValidationSpec::new()
            .exp(true)
            .iss(ISSUER)
            .aud(&vec![AUDIENCE.to_owned()]);
        let tenant = TenantConfiguration::static_builder(folder.jwks())
            .claims_validation(spec)
            .build()
            .expect("a sound configuration");
        let server = OAuth2ResourceServer::<Claims>::builder()
            .add_tenant(tenant)
            .build();
        let server = worker
            .runtime
            .block_on(server)
            .expect("a sound configuration");
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
