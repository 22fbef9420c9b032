//! What there is before the first case, and the tokens that the cases put into each place.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tower_jwt_session::revocation::RevocationSettings;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::verify::{Algorithm, Key, KeyState, Origin, TokenPolicy};
use tower_jwt_session::{
    Clock, Device, IntrospectionClient, JwtSession, JwtSessionBuilder, MemoryStore, NoClaims,
    Running, SessionLimit, SqliteStore, Tokens, UserId,
};

use crate::accounts::{Accounts, Directory};
use crate::case::Values;
use crate::folder::Folder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Memory,
    Sqlite,
}

pub struct World {
    pub accounts: Accounts,
    pub values: Values,
    pub running: Running,
    clock: ManualClock,
    _folder: Folder,
}

pub const AUDIENCE: &str = "https://api.example/v1";
const SECRET: &[u8] = b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e";
const THEIRS: &[u8] = b"4f1c9d7e2b8a6053fe1d9c7b5a3f8e6d4c2b";
const FORGER: &[u8] = b"0b2d4f6a8c1e3f5a7b9d0c2e4f6a8b1d3c5e";
const CLIENT_SECRET: &str = "6f1d0c9ab27e4853f0e19d7c5a3b8264";

impl World {
    pub async fn new(store: Store) -> Self {
        Self::with(store, |builder| builder).await
    }

    pub async fn with(
        store: Store,
        change: impl FnOnce(JwtSessionBuilder<NoClaims>) -> JwtSessionBuilder<NoClaims>,
    ) -> Self {
        let folder = Folder::new();
        let clock = ManualClock::new();
        let held: Arc<dyn Clock> = Arc::new(clock.clone());
        let directory = Directory::default();
        for name in [
            "ada@example.com",
            "cleo@example.com",
            "dan@example.com",
            "eve@example.com",
            "old@example.com",
            "moved@example.com",
        ] {
            directory.set(name, "a good password", "user");
        }
        directory.set("root@example.com", "a good password", "admin");
        let key = |id, secret| Key::hmac(Some(id), Algorithm::Hs256, secret).unwrap();
        let issuer = Some("them".into());
        let theirs = key("theirs", THEIRS).with_origin(Origin::Foreign { issuer });
        let builder = JwtSession::builder()
            .key(key("ours", SECRET), KeyState::Sign)
            .key(theirs, KeyState::VerifyOnly)
            .refresh_secret(SECRET)
            .token_policy(TokenPolicy::new("https://id.example", AUDIENCE).add_issuer("them"))
            .limit(SessionLimit::UNLIMITED)
            // However busy the machine is: an answer late is no other answer.
            .revocation(RevocationSettings::default().with_store_timeout(Duration::from_secs(20)))
            .claims_source(directory.clone())
            .introspection_client(IntrospectionClient::new("gateway", CLIENT_SECRET).unwrap())
            .clock(held.clone());
        let builder = match store {
            Store::Memory => builder.store(MemoryStore::with_clock(held)),
            Store::Sqlite => {
                builder.store(SqliteStore::new(folder.file("sessions.db")).with_clock(held))
            }
        };
        let auth = change(builder).build().unwrap();
        let mut world = Self {
            running: auth.start().await.unwrap(),
            accounts: Accounts { auth, directory },
            values: Values::new(),
            clock,
            _folder: folder,
        };
        world.prepare().await;
        world
    }

    /// Users who are signed in, and tokens that are worth nothing for every reason there is.
    async fn prepare(&mut self) {
        let expired = self.sign_in("old").await;
        self.put("expired", &expired);
        self.clock.advance(Duration::from_secs(3 * 3600));
        let sessions = self.accounts.auth.sessions().clone();
        for name in ["ada", "dan", "eve", "root"] {
            let tokens = self.sign_in(name).await;
            self.put(name, &tokens);
        }
        let revoked = self.sign_in("ada").await;
        self.put("revoked", &revoked);
        let ada = UserId::new("ada@example.com").unwrap();
        let reason = tower_jwt_session::revocation::EndReason::UserRevoked;
        let _done = sessions
            .end_own(&ada, revoked.session_id, reason)
            .await
            .unwrap();
        let stale = self.sign_in("moved").await;
        self.put("stale", &stale);
        let moved = UserId::new("moved@example.com").unwrap();
        let _done = sessions.roles_changed(&moved).await.unwrap();

        let ada = &self.values["ada.access"];
        let tampered = format!("{}AAAA", &ada[..ada.len() - 4]);
        let session = self.values["ada.session"].clone();
        let foreign = self.signed(THEIRS, "theirs", "them", &session, "HS256");
        let forged = self.signed(FORGER, "ours", "https://id.example", &session, "HS256");
        let none = self.signed(FORGER, "ours", "https://id.example", &session, "none");
        let other_audience = self.signed(THEIRS, "theirs", "somebody", &session, "HS256");
        for (name, token) in [
            ("tampered", tampered),
            ("foreign", foreign),
            ("forged", forged),
            ("none", none),
            ("stranger", other_audience),
            ("garbage", "garbage".to_owned()),
            ("huge", "x".repeat(9_000)),
        ] {
            self.values.insert(format!("{name}.access"), token);
        }
        let unknown = "0197a0d2-5c4e-7000-8000-000000000001".to_owned();
        self.values.insert("unknown".to_owned(), unknown);
        self.values
            .insert("client.secret".to_owned(), CLIENT_SECRET.to_owned());
    }

    async fn sign_in(&self, name: &str) -> Tokens {
        let user = UserId::new(format!("{name}@example.com")).unwrap();
        let sessions = self.accounts.auth.sessions();
        let ticket = sessions.ticket(&user).await.unwrap();
        sessions
            .sign_in(ticket, Device::default())
            .await
            .unwrap()
            .tokens()
    }

    fn put(&mut self, name: &str, tokens: &Tokens) {
        let refresh = tokens.refresh_token.clone().unwrap();
        for (what, value) in [
            ("access", tokens.access_token.clone()),
            ("refresh", refresh),
            ("session", tokens.session_id.to_string()),
        ] {
            self.values.insert(format!("{name}.{what}"), value);
        }
    }

    /// A token that says it is of Ada's session, and of an administrator.
    fn signed(&self, secret: &[u8], kid: &str, issuer: &str, session: &str, alg: &str) -> String {
        let now = self.clock.instants().wall.as_secs();
        let header = json!({ "alg": alg, "kid": kid, "typ": "at+jwt" });
        let claims = json!({
            "iss": issuer, "aud": AUDIENCE, "sub": "ada@example.com", "sid": session,
            "jti": "another", "client_id": AUDIENCE, "roles": ["admin"], "iat": now, "exp": now + 600,
            "gen": 1, "ugen": 1, "rgen": 1,
        });
        let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret),
            signed.as_bytes(),
        );
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }
}
