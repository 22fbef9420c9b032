//! Signing in.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use super::error::{SessionError, outcome};
use super::info::SessionInfo;
use super::tokens::Tokens;
use super::{Sessions, check_data, checked_name};
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::crypto::digest::{Context, SHA256};
use crate::crypto::rand;
use crate::error::{StoreError, StoreErrorKind};
use crate::session::core::Core;
use crate::session::refresh::{RefreshKeys, RefreshToken};
use crate::session::store::NewSession;
use crate::session::{Authentication, Counters, Device, DeviceCookie, SessionRecord, Transport};
use crate::telemetry::{Verb, verb};
use crate::token::{SessionId, UserId};
use crate::verify::CustomClaims;

/// What a sign-in is held against: the user's counters as they were before the password was checked.
///
/// Lasts for five minutes. When everything of the user is ended meanwhile, as by a change of the
/// password, the sign-in is refused.
#[derive(Clone, Debug)]
#[must_use = "a ticket is redeemed by `Sessions::sign_in`"]
pub struct SignInTicket {
    pub(super) user: UserId,
    pub(super) counters: Counters,
    pub(super) taken_at: UnixTime,
}

impl SignInTicket {
    /// Who is about to sign in.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    pub(super) fn check(&self, now: UnixTime) -> Result<(), SessionError> {
        if now > self.taken_at + TICKET_LIFETIME {
            return Err(SessionError::TicketOutdated);
        }
        Ok(())
    }
}

impl<C: CustomClaims> Sessions<C> {
    /// Reads what a sign-in will be held against. Call it **before** the password is checked: else
    /// the old password can pass, the password change can end everything, and the session of the
    /// old password comes to life after it.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn ticket(&self, user: &UserId) -> Result<SignInTicket, SessionError> {
        let taken_at = self.core.clock.now();
        let counters = self.core.within(self.core.store.counters(user)).await?;
        Ok(SignInTicket {
            user: user.clone(),
            counters,
            taken_at,
        })
    }

    /// Makes a session on a device. Takes options before it is awaited, see [`SignIn`].
    pub fn sign_in(&self, ticket: SignInTicket, device: Device) -> SignIn<C> {
        SignIn {
            core: self.core.clone(),
            ticket,
            device,
            name: None,
            transport: Transport::default(),
            authentication: Authentication::default(),
            operation: None,
            data: None,
        }
    }
}

/// A sign-in with its options; nothing happens until it is awaited.
///
/// Awaiting it fails with [`SessionError::LimitReached`] when the user has as many sessions as
/// allowed and nothing gives way, [`SessionError::TicketOutdated`] when the ticket does not hold
/// any more, [`SessionError::SignInSuperseded`] when it repeats a sign-in whose session has ended,
/// and [`SessionError::UnknownUser`] when the application knows no such user.
#[must_use = "nothing happens until it is awaited"]
pub struct SignIn<C> {
    core: Arc<Core<C>>,
    ticket: SignInTicket,
    device: Device,
    name: Option<String>,
    transport: Transport,
    authentication: Authentication,
    operation: Option<Vec<u8>>,
    data: Option<String>,
}

impl<C> SignIn<C> {
    /// Names the session.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Makes the sign-in repeatable: another of the same user with the same key finds the session
    /// of the first and answers its tokens. At most 255 bytes, better random ones.
    pub fn idempotency_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.operation = Some(key.into());
        self
    }

    /// Says how the tokens travel, so that a refresh answers in the same way.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Says how the user proved who they are.
    pub fn authenticated_by(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Puts the application's own data beside the session: JSON text of at most
    /// [`SessionRecord::MAX_DATA`] bytes.
    pub fn data(mut self, json: impl Into<String>) -> Self {
        self.data = Some(json.into());
        self
    }
}

/// What a sign-in made.
#[derive(Debug)]
#[non_exhaustive]
pub struct SignedIn {
    tokens: Tokens,
    /// The session.
    pub session: SessionInfo,
    /// The sessions that gave way to it.
    pub ended: Vec<SessionInfo>,
    /// Whether this is the first session of the user that is remembered.
    pub first: bool,
}

impl SignedIn {
    /// The tokens for the client.
    #[must_use]
    pub fn tokens(self) -> Tokens {
        self.tokens
    }
}

impl<C: CustomClaims> IntoFuture for SignIn<C> {
    type Output = Result<SignedIn, SessionError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(verb(Verb::SignIn, self.run(), outcome))
    }
}

impl<C: CustomClaims> SignIn<C> {
    async fn run(mut self) -> Result<SignedIn, SessionError> {
        let core = self.core.clone();
        self.ticket.check(core.clock.now())?;
        self.name = self.name.as_deref().map(checked_name).transpose()?;
        self.data.as_deref().map(check_data).transpose()?;
        core.placing.apply(&mut self.device);
        let cookie = self.mark_device()?;
        let device = self.device.clone();
        let secret = self.operation_secret()?;
        let user = self.ticket.user.clone();
        let roles_gen = self.ticket.counters.roles_gen;
        let Some(grants) = core.grants(&user).await? else {
            core.forget_user(&user).await?;
            return Err(SessionError::UnknownUser);
        };
        let begun = core.clock.now();
        let keys = core.refresh_keys.load_full();
        let made = RefreshToken::first(keys.active(), &user, SessionId::random(), &secret);
        let session = self.into_session(&made, &secret);
        core.check_claims(&session, &grants)?;
        let this = core.clone();
        let step = async move {
            let write = || this.store.sign_in(session.clone());
            let outcome = this.outcome(begun, write).await?;
            let told = this.signed_in(&session, outcome).await?;
            let record = this
                .watch_sign_in(told.record, told.made, told.first)
                .await?;
            Ok((record, told.ended, told.first))
        };
        let (record, ended, first) = core.to_the_end(step).await?;
        core.in_time(begun)?;
        let token = same_seed(&keys, &made, &secret, &record)?;
        let mut tokens = if record.refresh.access_expires_at > core.clock.now() {
            core.pair(&record, roles_gen, grants, token, &keys)?
        } else {
            // A repetition that comes late: the pair is there, but its access token is over.
            let current = token.at_generation(record.refresh.generation);
            let sessions = Sessions { core };
            sessions
                .refresh_once(&current.encode(&keys), device)
                .await?
        };
        tokens.device_cookie = cookie;
        Ok(SignedIn {
            tokens,
            session: record.into(),
            ended,
            first,
        })
    }

    /// Notes what the device will be recognised by, and says which cookie it is to keep.
    fn mark_device(&mut self) -> Result<Option<DeviceCookie>, SessionError> {
        // In memory alone: no record has it, and no event.
        let brought = self.device.cookie.take();
        let core = &self.core;
        let told_of = core.notices.is_some() || core.watch.is_some();
        if !core.device_cookies.are_for(self.transport, told_of) {
            return Ok(None);
        }
        let cookie = match brought {
            Some(cookie) => cookie,
            None => DeviceCookie::random()?,
        };
        self.device.mark = Some(cookie.mark(&self.ticket.user));
        Ok(Some(cookie))
    }

    fn operation_secret(&mut self) -> Result<Vec<u8>, SessionError> {
        if let Some(key) = self.operation.take() {
            if key.is_empty() || key.len() > MAX_OPERATION {
                return Err(SessionError::InvalidInput {
                    what: "an idempotency key has 1 to 255 bytes",
                });
            }
            return Ok(key);
        }
        let mut random = vec![0; 32];
        rand::fill(&mut random)
            .map_err(|_| StoreError::new(StoreErrorKind::Unavailable, "random number generator"))?;
        Ok(random)
    }

    fn into_session(self, token: &RefreshToken, secret: &[u8]) -> NewSession {
        let SignInTicket {
            user,
            counters,
            taken_at,
        } = self.ticket;
        let lifetimes = self.core.lifetimes;
        NewSession {
            id: token.session(),
            revoked_gen: counters.revoked_gen,
            seed: token.seed_hash(),
            operation: operation_hash(&user, secret),
            issued_at: taken_at.floor_to_secs(),
            access_expires_at: expiry(taken_at, lifetimes.access()),
            refresh_lifetime: lifetimes.refresh(),
            absolute_lifetime: lifetimes.session(),
            idle_lifetime: lifetimes.idle(),
            limit: self.core.limit,
            device: self.device,
            name: self.name,
            transport: self.transport,
            authentication: self.authentication,
            data: self.data,
            user,
        }
    }
}

impl<C> fmt::Debug for SignIn<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("user", &self.ticket.user)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// The token of the session as the store has it: a repeated sign-in finds the one that the first
/// made, perhaps under a key that has been exchanged since.
fn same_seed(
    keys: &RefreshKeys,
    made: &RefreshToken,
    secret: &[u8],
    record: &SessionRecord,
) -> Result<RefreshToken, SessionError> {
    if record.id == made.session() {
        return Ok(made.clone());
    }
    keys.all()
        .map(|key| RefreshToken::first(key, &record.user, record.id, secret))
        .find(|token| token.seed_hash() == record.refresh.seed)
        .ok_or(SessionError::SignInSuperseded)
}

fn operation_hash(user: &UserId, secret: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    let user = user.as_str().as_bytes();
    context.update(&(user.len() as u64).to_be_bytes());
    context.update(user);
    context.update(secret);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// The whole second at or after the end of a lifetime, so that a client which is told
/// `expires_in` seconds gets them.
pub(super) fn expiry(from: UnixTime, lifetime: Duration) -> UnixTime {
    let end = from + lifetime;
    let floor = end.floor_to_secs();
    if floor == end {
        end
    } else {
        floor + Duration::from_secs(1)
    }
}

const TICKET_LIFETIME: Duration = Duration::from_secs(300);
const MAX_OPERATION: usize = 255;
