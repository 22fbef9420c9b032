//! Sign-in through somebody else's service (OpenID Connect): it vouches for the user, and the
//! session is ours like any other.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tower_jwt_session::endpoints::{Problem, Response};
use tower_jwt_session::token::RawToken;
use tower_jwt_session::verify::{Key, KeyRing, KeyState, TokenPolicy, Verifier};
use tower_jwt_session::{ConfigError, Device, Environment, UserId};

use crate::app::App;
use crate::email::Email;
use crate::input::Input;
use crate::{database::Database, sign_in};

/// Whose ID tokens count: `SSO_JWKS_FILE`, `SSO_ISSUER` and `SSO_CLIENT_ID`.
pub struct Provider {
    verifier: Verifier,
}

/// What an ID token says beside the registered claims.
#[derive(Clone, Serialize, Deserialize)]
struct IdToken {
    email: String,
    email_verified: bool,
}

#[derive(Deserialize)]
pub struct Vouched {
    id_token: String,
}

impl Provider {
    pub fn read(env: &Environment, problems: &mut ConfigError) -> Option<Self> {
        let file = env.get("SSO_JWKS_FILE")?;
        let (Some(issuer), Some(client)) = (env.get("SSO_ISSUER"), env.get("SSO_CLIENT_ID")) else {
            problems.add(
                "SSO_JWKS_FILE is set without SSO_ISSUER and SSO_CLIENT_ID",
                "set them to the provider's issuer and your client id there",
            );
            return None;
        };
        let set = match std::fs::read_to_string(file) {
            Ok(set) => set,
            Err(error) => {
                problems.add(format!("SSO_JWKS_FILE: {error}"), "check the path");
                return None;
            }
        };
        let keys = Key::from_jwk_set(&set).and_then(|keys| {
            let keys = keys.into_iter().map(|key| key.foreign(issuer));
            KeyRing::new(keys.map(|key| (key, KeyState::VerifyOnly)))
        });
        match keys {
            Ok(keys) => {
                let policy = TokenPolicy::new(issuer, client).with_max_lifetime(LONGEST);
                let verifier = Verifier::new::<IdToken>(Arc::new(keys), policy);
                Some(Self { verifier })
            }
            Err(error) => {
                problems.add(format!("SSO_JWKS_FILE: {}", error.what()), error.fix());
                None
            }
        }
    }
}

/// `POST /login/sso`: the ID token that the provider gave the client. Coming again, it finds the
/// session that it made and makes no second one.
pub async fn login(
    State(app): State<App>,
    device: Device,
    Input(form): Input<Vouched>,
) -> Result<Response, Problem> {
    let provider = app.settings.provider.as_ref();
    let provider = provider.ok_or_else(Problem::not_found)?;
    let now = app.auth.clock().now();
    let token = RawToken::from_parameter(&form.id_token);
    let verified = provider.verifier.verify(token, now);
    let verified = verified.map_err(|_| Problem::invalid_credentials())?;
    let vouched = verified.claims().custom::<IdToken>();
    let email = vouched.filter(|vouched| vouched.email_verified);
    let email = email.and_then(|vouched| Email::parse(&vouched.email));
    let email = email.ok_or_else(Problem::invalid_credentials)?;
    let user = account(&app.database, &email).await?;
    let ticket = app.auth.sessions().ticket(&user).await?;
    let key = digest(&SHA256, form.id_token.as_bytes()).as_ref().to_vec();
    sign_in::begin(&app, StatusCode::OK, ticket, device, "fed", Some(key)).await
}

/// The account of an address that the provider has verified. One that somebody opened here under
/// an address that they never proved to be theirs is not handed to its owner's session.
async fn account(database: &Database, email: &Email) -> Result<UserId, Problem> {
    if let Some(made) = database.create(email, None, None).await? {
        return Ok(made);
    }
    let found = database.find(email).await?;
    let user = found.ok_or_else(Problem::invalid_credentials)?;
    match database.password_of(&user).await? {
        (None, _) => Ok(user),
        (Some(_), _) => Err(Problem::new(
            StatusCode::CONFLICT,
            "account_exists",
            "there is an account of that address; sign in with its password",
        )),
    }
}

/// How long an ID token may live.
const LONGEST: Duration = Duration::from_secs(3_600);
