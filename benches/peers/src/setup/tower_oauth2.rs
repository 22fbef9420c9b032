//! tower-oauth2-resource-server over public keys that it is given. It takes no secrets.

use tower_jwt_session_peers::{AUDIENCE, Claims, ISSUER};
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

pub async fn server(jwks: String) -> OAuth2ResourceServer<Claims> {
    // Where it looks at `nbf` it requires one, which the tokens do not have.
    let spec = ClaimsValidationSpec::new()
        .exp(true)
        .iss(ISSUER)
        .aud(&vec![AUDIENCE.to_owned()]);
    let tenant = TenantConfiguration::static_builder(jwks)
        .claims_validation(spec)
        .build()
        .expect("a sound configuration");
    OAuth2ResourceServer::<Claims>::builder()
        .add_tenant(tenant)
        .build()
        .await
        .expect("a sound configuration")
}
