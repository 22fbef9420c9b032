//! The mail of a new device, over SMTP, to a server that is there, and to one that is not.

#[path = "../../examples/new_device_mail/mail.rs"]
mod mail;

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpSocket;
use tower_jwt_session::session::risk::NewDevice;
use tower_jwt_session::{Device, JwtSession, UserId};

use crate::process::Server;
use crate::smtp::MailServer;

const LAPTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)";
const ACCOUNT: &str =
    r#"{"email": "ada@example.com", "password": "a passphrase for trying it out"}"#;

/// A port that nobody else can take, and that refuses until somebody listens.
struct Port(TcpSocket);

impl Port {
    fn taken() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(any).expect("a free port");
        Self(socket)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("it is bound")
    }

    fn listen(self) -> TcpListener {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().build().expect("a runtime");
        let _entered = runtime.enter();
        let listener = self.0.listen(16).expect("it is bound");
        let listener = listener.into_std().expect("it is ours");
        listener.set_nonblocking(false).expect("it is ours");
        listener
    }
}

/// Signs in, and says as which session.
fn login(server: &Server, agent: &str) -> String {
    let url = format!("{}/login", server.address);
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "-X", "POST", &url])
        .args([
            "-H",
            "Content-Type: application/json",
            "-A",
            agent,
            "-d",
            ACCOUNT,
        ])
        .output()
        .expect("curl is installed");
    assert!(output.status.success(), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    answer["session_id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_new_device_is_told_of_by_mail_and_a_known_one_is_not() {
    let relay = MailServer::start();
    let server = Server::start(
        "new_device_mail",
        &[("SMTP_ADDR", &relay.address.to_string())],
    );
    login(&server, LAPTOP);
    login(&server, LAPTOP);
    let session = login(&server, PHONE);
    let mail = relay.mail();
    assert_eq!(mail.from, "<no-reply@localhost>");
    assert_eq!(mail.to, ["<ada@example.com>"]);
    let headers = mail.headers();
    assert!(headers.contains(&"To: ada@example.com"), "{headers:?}");
    assert!(
        headers.contains(&"Subject: A sign-in on a new device"),
        "{headers:?}"
    );
    let text = mail.text();
    assert!(
        text.contains("\nDevice: Safari on iOS\nPlace: unknown\nAddress: 127.0.0.1\nTime: 2"),
        "{text}"
    );
    assert!(
        text.contains(&format!("https://app.example/devices#{session}\n")),
        "{text}"
    );
    login(&server, PHONE);
    assert!(relay.is_empty());
}

#[test]
fn while_the_mail_server_is_down_people_sign_in_and_the_mail_comes_when_it_is_back() {
    let port = Port::taken();
    let address = port.address();
    let variables = [
        ("SMTP_ADDR", address.to_string()),
        ("MAIL_RETRY", "2s".to_owned()),
    ];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let server = Server::start("new_device_mail", &variables);
    login(&server, LAPTOP);
    login(&server, PHONE);
    let line = server.line_that_begins(" WARN the mail server does not take mail");
    assert!(line.contains("refused"), "{line}");
    login(&server, LAPTOP);
    let relay = MailServer::on(port.listen());
    assert!(relay.mail().text().contains("Device: Safari on iOS"));
}

#[test]
fn a_mail_is_given_up_after_a_few_attempts_and_the_service_goes_on() {
    let port = Port::taken();
    let address = port.address().to_string();
    let variables = [("SMTP_ADDR", address.as_str()), ("MAIL_RETRY", "1ms")];
    let server = Server::start("new_device_mail", &variables);
    login(&server, LAPTOP);
    login(&server, PHONE);
    let line = server.line_that_begins("ERROR a mail is given up");
    assert!(line.contains("attempt=6"), "{line}");
    login(&server, LAPTOP);
}

/// The notice of a device that calls itself so.
async fn notice(name: &str) -> NewDevice {
    let told: Arc<Mutex<Vec<NewDevice>>> = Arc::default();
    let told_to = told.clone();
    let auth = JwtSession::builder()
        .hmac_secret(b"a secret that only this test knows, of 40 bytes and more")
        .on_new_device(move |device| told_to.lock().unwrap().push(device))
        .build()
        .unwrap();
    let ada = UserId::new("ada@example.com").unwrap();
    for label in ["Chrome on Windows", name] {
        let mut device = Device::default();
        device.label = label.to_owned();
        device.city = Some(name.to_owned());
        let ticket = auth.sessions().ticket(&ada).await.unwrap();
        auth.sessions().sign_in(ticket, device).await.unwrap();
    }
    let mut told = told.lock().unwrap();
    told.pop().expect("it is new")
}

#[tokio::test]
async fn a_device_can_call_itself_what_it_likes_and_adds_neither_header_nor_mail() {
    let relay = MailServer::start();
    let from = "Example <no-reply@localhost>";
    let mailer = mail::Mailer::new(relay.address, from.parse().unwrap(), Duration::from_secs(1));
    let (queue, notices) = mail::queue();
    let hostile = [
        "x\r\nBcc: eve@example.org\r\n\r\nBuy now",
        "x\r\n.\r\nMAIL FROM:<eve@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nspam\r\n.\r\n",
        ".",
        "\u{202e}moc.elpmaxe\u{2066} \0 \u{7f} =?utf-8?q?Subject?=",
    ];
    for name in hostile {
        mail::put(&queue, notice(name).await);
    }
    mail::put(&queue, notice(&"long ".repeat(10_000)).await);
    drop(queue);
    mailer.run(notices).await;
    let plain = [
        "Content-Transfer-Encoding",
        "Content-Type",
        "Date",
        "From",
        "Subject",
        "To",
    ];
    for name in hostile.iter().copied().chain(["long"]) {
        let mail = relay.mail();
        assert_eq!(mail.to, ["<ada@example.com>"], "{name:?}");
        let mut names: Vec<_> = mail
            .headers()
            .iter()
            .map(|header| header.split(':').next().unwrap_or_default())
            .collect();
        names.sort_unstable();
        assert_eq!(names, plain, "{name:?}");
        let text = mail.text();
        let lines = text.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(lines, 7, "{name:?}: {text}");
        assert!(text.len() < 1_000, "{}", text.len());
    }
    assert!(relay.is_empty());
}
