//! Mail of new devices: written, queued, sent, and tried again a few times.

use std::net::SocketAddr;
use std::time::Duration;

use lettre::address::AddressError;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error as SmtpError;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tower_jwt_session::BoxError;
use tower_jwt_session::session::risk::NewDevice;

/// How many wait while the mail server is away; more are dropped, so that they fill no memory.
const QUEUE: usize = 1_000;
/// How often one is tried: for half a minute, where the first pause is a second.
const ATTEMPTS: u32 = 6;
const TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_NAME: usize = 100;

pub fn queue() -> (Sender<NewDevice>, Receiver<NewDevice>) {
    mpsc::channel(QUEUE)
}

/// Never waits: it is called in the middle of a sign-in.
pub fn put(queue: &Sender<NewDevice>, device: NewDevice) {
    if queue.try_send(device).is_err() {
        tracing::error!("too many mails wait: this one is dropped");
    }
}

pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    retry: Duration,
}

impl Mailer {
    /// Sends through a relay on this machine or in its network. One on the internet wants TLS and a
    /// password: `AsyncSmtpTransport::relay`, with a feature of lettre's for TLS.
    pub fn new(relay: SocketAddr, from: Mailbox, retry: Duration) -> Self {
        let transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(relay.ip().to_string())
                .port(relay.port())
                .timeout(Some(TIMEOUT))
                .build();
        Self {
            transport,
            from,
            retry,
        }
    }

    /// Sends what is queued, one after the other.
    pub async fn run(self, mut notices: Receiver<NewDevice>) {
        while let Some(notice) = notices.recv().await {
            match compose(&notice, self.from.clone()) {
                Ok(mail) => self.deliver(mail).await,
                Err(error) => tracing::error!(%error, user = %notice.user, "no mail can be sent"),
            }
        }
    }

    /// Tries again where the server is away or asks for it, and not where it refuses the mail.
    async fn deliver(&self, mail: Message) {
        let mut pause = self.retry;
        for attempt in 1..=ATTEMPTS {
            let Err(error) = self.transport.send(mail.clone()).await else {
                return;
            };
            if error.is_permanent() || attempt == ATTEMPTS {
                return tracing::error!(error = cause(&error), attempt, "a mail is given up");
            }
            if attempt == 1 {
                tracing::warn!(
                    error = cause(&error),
                    "the mail server does not take mail; it is tried again"
                );
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

/// The mail to a user whose id is their address. What a client said of itself stands in the text
/// alone, on a line of its own, never in a header.
pub fn compose(notice: &NewDevice, from: Mailbox) -> Result<Message, BoxError> {
    let to: Result<Address, AddressError> = notice.user.as_str().parse();
    let address = notice.address.map(|address| address.to_string());
    let text = format!(
        "Somebody signed in to your account.\n\n\
         Device: {}\nPlace: {}\nAddress: {}\nTime: {}\n\n\
         If this was you, there is nothing to do. If not, sign this device out and change your \
         password:\nhttps://app.example/devices#{}\n",
        shown(&notice.device),
        shown(&notice.place().unwrap_or_else(|| "unknown".to_owned())),
        address.as_deref().unwrap_or("unknown"),
        notice.at,
        notice.session,
    );
    let mail = Message::builder()
        .from(from)
        .to(to?.into())
        .subject("A sign-in on a new device")
        .header(ContentType::TEXT_PLAIN);
    Ok(mail.body(text)?)
}

/// One line of bounded length, without what would end it or turn its direction.
fn shown(name: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let name = name.chars().map(|c| if hidden(c) { ' ' } else { c });
    name.take(LONGEST_NAME).collect()
}

fn cause(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text.replace(['\r', '\n'], " ")
}
