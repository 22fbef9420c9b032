//! Bad tokens without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use tower::Service as _;
use tower_jwt_session::JwtSession;
use tower_jwt_session::verify::Algorithm;

use crate::forge::{Forge, KID};
use crate::node::{Layered, bearer, layered, request, signed_in};

/// A kind of bad token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Family {
    pub name: &'static str,
    pub algorithm: Algorithm,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Forged,
    Expired,
    UnknownKid,
    UnknownSession,
    Refresh,
}

/// Whoever sends them.
#[derive(Clone)]
pub struct Flood {
    source: Arc<Source>,
    auth: JwtSession,
    service: Layered,
}

struct Source {
    family: Family,
    forge: Arc<Forge>,
    /// Those that were made beforehand, so that making them takes nothing from anybody.
    made: Vec<HeaderValue>,
    next: AtomicUsize,
    refresh: String,
}

impl Family {
    fn token(self, forge: &Forge) -> HeaderValue {
        bearer(&match self.kind {
            Kind::Expired => forge.genuine(-60),
            Kind::Forged | Kind::Refresh => forge.forged(KID),
            Kind::UnknownKid => forge.forged("of-nobody"),
            Kind::UnknownSession => forge.genuine(600),
        })
    }

    pub fn named(name: &str) -> Option<Self> {
        FAMILIES.into_iter().find(|family| family.name == name)
    }
}

impl Flood {
    /// So many tokens are made beforehand and sent in turn; of none, each is another.
    pub async fn new(
        family: Family,
        forge: Arc<Forge>,
        auth: JwtSession,
        beforehand: usize,
    ) -> Self {
        let made = (0..beforehand).map(|_| family.token(&forge)).collect();
        let refresh = signed_in(&auth, "refresher").await.refresh_token;
        let source = Source {
            family,
            forge: forge.clone(),
            made,
            next: AtomicUsize::new(0),
            refresh: refresh.unwrap_or_default(),
        };
        Self {
            source: Arc::new(source),
            service: layered(&auth),
            auth,
        }
    }

    /// Sends one; says whether it was looked at. None is let in.
    pub async fn send(&mut self) -> bool {
        if self.source.family.kind == Kind::Refresh {
            let refreshed = self.auth.sessions().refresh(&self.source.garbage()).await;
            assert!(refreshed.is_err(), "garbage was taken for a token");
            return true;
        }
        let request = request(&self.source.token());
        let answer = self.service.call(request).await.expect("it never fails");
        assert!(answer.status().as_u16() >= 400, "a bad token was let in");
        answer.status() != 503
    }
}

impl Source {
    fn token(&self) -> HeaderValue {
        if self.made.is_empty() {
            return self.family.token(&self.forge);
        }
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.made[next % self.made.len()].clone()
    }

    /// A refresh token under a MAC that is none.
    fn garbage(&self) -> String {
        let mut mac = [0; 18];
        fastrand::fill(&mut mac);
        let mac = URL_SAFE_NO_PAD.encode(mac);
        format!("{}{mac}", &self.refresh[..self.refresh.len() - mac.len()])
    }
}

const fn family(name: &'static str, algorithm: Algorithm, kind: Kind) -> Family {
    Family {
        name,
        algorithm,
        kind,
    }
}

pub const FAMILIES: [Family; 8] = [
    family("forged-HS256", Algorithm::Hs256, Kind::Forged),
    family("forged-RS256", Algorithm::Rs256, Kind::Forged),
    family("forged-ES256", Algorithm::Es256, Kind::Forged),
    family("forged-EdDSA", Algorithm::EdDsa, Kind::Forged),
    family("expired", Algorithm::Es256, Kind::Expired),
    family("unknown-kid", Algorithm::Es256, Kind::UnknownKid),
    family("unknown-session", Algorithm::Es256, Kind::UnknownSession),
    family("refresh-garbage", Algorithm::Es256, Kind::Refresh),
];
