//! A service that watches, on an Earth with four places.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tower_jwt_session::events::Event;
use tower_jwt_session::session::risk::{NewDevice, RiskVerdict, RiskWatch};
use tower_jwt_session::session::{Coordinates, Locator, Place, SessionRecord, Transport};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    Device, JwtSession, JwtSessionBuilder, MemoryStore, Running, SessionError, SessionStore,
    Tokens, UnixTime,
};

use crate::support::{builder, user};

pub const BERLIN: &str = "192.0.2.7";
pub const TOKYO: &str = "203.0.113.9";
pub const NOWHERE: &str = "198.51.100.1";

pub struct Watched {
    pub auth: JwtSession,
    pub clock: ManualClock,
    pub store: MemoryStore,
    events: Arc<Mutex<Vec<Event>>>,
    notices: Arc<Mutex<Vec<NewDevice>>>,
    _running: Running,
}

struct Atlas;

impl Locator for Atlas {
    fn locate(&self, address: IpAddr) -> Option<Place> {
        let (city, country, latitude, longitude) = match address.to_string().as_str() {
            BERLIN => ("Berlin", "Germany", 52.52, 13.40),
            TOKYO => ("Tokyo", "Japan", 35.69, 139.69),
            _ => return None,
        };
        Some(Place {
            country: Some(country.to_owned()),
            city: Some(city.to_owned()),
            coordinates: Coordinates::new(latitude, longitude, 20),
            ..Place::default()
        })
    }
}

pub fn always(verdict: RiskVerdict) -> RiskWatch {
    RiskWatch::deciding(move |_: &_| verdict)
}

impl Watched {
    pub async fn new(watch: RiskWatch) -> Self {
        Self::with(|builder| builder.watch_risk(watch)).await
    }

    pub async fn with(set: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> Self {
        let (builder, clock) = builder();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Self::on(set(builder.store(store.clone())), clock, store).await
    }

    pub async fn on(builder: JwtSessionBuilder, clock: ManualClock, store: MemoryStore) -> Self {
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let notices: Arc<Mutex<Vec<NewDevice>>> = Arc::default();
        let (heard, told) = (events.clone(), notices.clone());
        let auth = builder
            .locator(Atlas)
            .observer(move |_: UnixTime, event: &Event| heard.lock().unwrap().push(event.clone()))
            .on_new_device(move |device| told.lock().unwrap().push(device))
            .build()
            .unwrap();
        let running = auth.start().await.unwrap();
        Self {
            auth,
            clock,
            store,
            events,
            notices,
            _running: running,
        }
    }

    pub async fn sign_in(&self, device: Device) -> Result<Tokens, SessionError> {
        self.sign_in_by(device, Transport::Body).await
    }

    pub async fn sign_in_by(
        &self,
        device: Device,
        transport: Transport,
    ) -> Result<Tokens, SessionError> {
        let sessions = self.auth.sessions();
        let ticket = sessions.ticket(&user("ada")).await?;
        let signed_in = sessions
            .sign_in(ticket, device)
            .transport(transport)
            .await?;
        Ok(signed_in.tokens())
    }

    pub async fn refresh(&self, tokens: &Tokens, device: Device) -> Result<Tokens, SessionError> {
        let token = tokens.refresh_token.as_deref().expect("a refresh token");
        self.auth.sessions().refresh_on(token, device).await
    }

    pub async fn record(&self, tokens: &Tokens) -> SessionRecord {
        let found = self.store.find(tokens.session_id).await.unwrap();
        found.expect("it is remembered")
    }

    /// The signals of the session by name, as its user sees them.
    pub async fn flag(&self, tokens: &Tokens) -> Vec<String> {
        let listed = self.auth.sessions().list(&user("ada")).await.unwrap();
        let own = listed.into_iter().find(|info| info.id == tokens.session_id);
        let flag = own.expect("it is alive").flag;
        flag.map_or_else(Vec::new, |flag| flag.signals)
    }

    /// What was raised since it was asked last.
    pub fn raised(&self) -> Vec<(Vec<&'static str>, RiskVerdict)> {
        let mut events = self.events.lock().unwrap();
        let raised = events.drain(..).filter_map(|event| match event {
            Event::RiskRaised {
                signals, verdict, ..
            } => Some((
                signals.iter().map(|signal| signal.name()).collect(),
                verdict,
            )),
            _ => None,
        });
        raised.collect()
    }

    pub fn notices(&self) -> Vec<NewDevice> {
        std::mem::take(&mut self.notices.lock().unwrap())
    }
}

pub fn at(address: &str) -> Device {
    on("Chrome on Windows", address)
}

pub fn on(label: &str, address: &str) -> Device {
    let mut device = Device::default();
    device.label = label.to_owned();
    device.address = Some(address.parse().expect("an address"));
    device
}
