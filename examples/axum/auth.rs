//! How the session layer is put together: from the environment, over the application's accounts.

use tower_jwt_session::events::{LogObserver, Statistics};
use tower_jwt_session::{ConfigError, Environment, JwtSession};

use crate::accounts::Accounts;
use crate::settings::Settings;

/// Reads everything before it complains, so that all mistakes are seen at once.
pub fn build(
    env: &Environment,
    accounts: &Accounts,
    statistics: &Statistics,
) -> Result<(Settings, JwtSession), ConfigError> {
    let mut problems = ConfigError::default();
    let settings = Settings::read(env, &mut problems);
    let auth = JwtSession::builder()
        .claims_source(accounts.clone())
        .observer((LogObserver, statistics.clone()))
        .with_env(env)
        .build();
    match auth {
        Ok(auth) => problems.into_result((settings, auth)),
        Err(more) => {
            problems.append(more);
            Err(problems)
        }
    }
}
