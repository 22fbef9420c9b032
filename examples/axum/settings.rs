//! What the example itself reads from the environment, and what it prints at the start.

use std::net::{Ipv4Addr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::net::TcpListener;
use tower_jwt_session::diagnosis::Diagnosis;
use tower_jwt_session::{ConfigError, Environment};

use crate::accounts::Accounts;
use crate::away::Away;
use crate::data::Data;
use crate::email::Email;
use crate::passwords;

pub struct Settings {
    pub listen: SocketAddr,
    /// Where figures are scraped; among the other routes, and for administrators, without it.
    metrics: Option<SocketAddr>,
    pub admin: Admin,
}

/// The first administrator.
pub struct Admin {
    email: Email,
    password: String,
    made_for_this_run: bool,
}

impl Settings {
    pub fn read(env: &Environment, problems: &mut ConfigError) -> Self {
        let listen = address("LISTEN_ADDR", env, problems);
        let listen = listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)));
        let metrics = address("METRICS_ADDR", env, problems);
        let admin = Admin::read(env, problems);
        Self {
            listen,
            metrics,
            admin,
        }
    }

    /// Listens where figures are scraped, if that is an address of its own.
    pub async fn scraped(&self) -> Result<Option<TcpListener>, String> {
        let Some(address) = self.metrics else {
            return Ok(None);
        };
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("{address}: {error}; set METRICS_ADDR to another address"))?;
        Ok(Some(listener))
    }

    pub fn print(
        &self,
        bound: SocketAddr,
        figures: Option<SocketAddr>,
        data: &Data,
        configured: &Diagnosis,
    ) {
        let Admin {
            email,
            password,
            made_for_this_run,
        } = &self.admin;
        // A password that somebody chose is not for the screen; the shell puts it in.
        let (shown, typed, origin) = if *made_for_this_run {
            (password.as_str(), password.as_str(), "made for this run")
        } else {
            (
                "$ADMIN_PASSWORD",
                "'\"$ADMIN_PASSWORD\"'",
                "from the environment",
            )
        };
        println!("listening on http://{bound}");
        data.print();
        if let Some(address) = figures {
            println!("  figures at http://{address}/metrics");
        }
        println!("  {email} / {shown} ({origin})");
        for check in configured.checks() {
            match &check.fix {
                None => println!("  {}: {}", check.name, check.seen),
                Some(fix) => println!("  before production: {}: {fix}", check.seen),
            }
        }
        println!();
        println!(
            "try:  curl -s http://{bound}/api/auth/login -H 'content-type: application/json' \
             -d '{{\"email\":\"{email}\",\"password\":\"{typed}\"}}'"
        );
        println!("      or open http://{bound} in two windows, and sign one out from the other");
    }
}

fn address(name: &str, env: &Environment, problems: &mut ConfigError) -> Option<SocketAddr> {
    let text = env.get(name)?;
    let address = text.parse().ok();
    if address.is_none() {
        problems.add(
            format!("{name} {text:?} is not an address"),
            "write it as 127.0.0.1:3000; port 0 takes any free one",
        );
    }
    address
}

impl Admin {
    fn read(env: &Environment, problems: &mut ConfigError) -> Self {
        let email = env.get("ADMIN_EMAIL").unwrap_or("admin@example.com");
        let email = Email::parse(email).unwrap_or_else(|| {
            problems.add(
                format!("ADMIN_EMAIL {email:?} is not an address"),
                "write it as admin@example.com",
            );
            Email::default()
        });
        let chosen = env.get("ADMIN_PASSWORD");
        if chosen.is_some_and(|password| !passwords::acceptable(password)) {
            problems.add("ADMIN_PASSWORD is too short or too long", passwords::RULE);
        }
        Self {
            email,
            password: chosen.map_or_else(random_password, str::to_owned),
            made_for_this_run: chosen.is_none(),
        }
    }

    /// Makes the account, or gives the one of an earlier run the password of this one; what is
    /// signed in stays so across a restart.
    pub async fn create(&self, accounts: &Accounts) -> Result<(), Away> {
        let hash = passwords::hash(self.password.clone()).await;
        let made = accounts
            .create(&self.email, hash.clone(), "admin", None)
            .await?;
        if made.is_none()
            && let Some(user) = accounts.find(&self.email).await?
        {
            accounts.set_password(&user, hash).await?;
        }
        Ok(())
    }
}

fn random_password() -> String {
    let mut bytes = [0; 15];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has a source of randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}
