//! A mail server, as much of one as it takes (RFC 5321): it keeps what it is given.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// A mail as it came over the wire.
#[derive(Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// Its lines, without the dots that the transport doubles.
    pub lines: Vec<String>,
}

pub struct MailServer {
    pub address: SocketAddr,
    mails: Receiver<Mail>,
}

impl MailServer {
    pub fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    /// Serves until the test ends.
    pub fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("it is bound");
        let (kept, mails) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                // A client that hangs up has said all that it wanted to.
                thread::spawn(move || drop(serve(&stream, &kept)));
            }
        });
        Self { address, mails }
    }

    /// The next mail; waits for it.
    pub fn mail(&self) -> Mail {
        let mail = self.mails.recv_timeout(Duration::from_secs(60));
        mail.expect("a mail comes")
    }

    /// Whether none has come.
    pub fn is_empty(&self) -> bool {
        self.mails.try_recv().is_err()
    }
}

impl Mail {
    /// The headers, as they came.
    pub fn headers(&self) -> Vec<&str> {
        let headers = self.lines.iter().take_while(|line| !line.is_empty());
        headers.map(String::as_str).collect()
    }

    /// The text behind them, as it reads.
    pub fn text(&self) -> String {
        let body: Vec<_> = self
            .lines
            .iter()
            .skip_while(|line| !line.is_empty())
            .collect();
        let body: String = body.iter().map(|line| format!("{line}\n")).collect();
        let quoted = self
            .headers()
            .iter()
            .any(|header| header.contains("quoted-printable"));
        if quoted { unquoted(&body) } else { body }
    }
}

/// Quoted-printable (RFC 2045, section 6.7).
fn unquoted(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let hex = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'=' => {
                bytes.push(byte);
                rest = &more[2..];
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn serve(stream: &TcpStream, kept: &Sender<Mail>) -> io::Result<()> {
    let mut answers = stream;
    let mut lines = BufReader::new(stream).lines();
    let mut mail = empty();
    answers.write_all(b"220 mail.example ready\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let command = line.to_ascii_uppercase();
        let answer = if command.starts_with("EHLO") {
            "250 mail.example"
        } else if command.starts_with("MAIL FROM:") {
            mail = empty();
            mail.from = line["MAIL FROM:".len()..].to_owned();
            "250 ok"
        } else if command.starts_with("RCPT TO:") {
            mail.to.push(line["RCPT TO:".len()..].to_owned());
            "250 ok"
        } else if command == "DATA" {
            answers.write_all(b"354 go on\r\n")?;
            for line in lines.by_ref() {
                let line = line?;
                if line == "." {
                    break;
                }
                mail.lines
                    .push(line.strip_prefix('.').unwrap_or(&line).to_owned());
            }
            // Fails where the test is over, and nobody asks any more.
            let _ = kept.send(std::mem::replace(&mut mail, empty()));
            "250 kept"
        } else if command == "QUIT" {
            answers.write_all(b"221 bye\r\n")?;
            return Ok(());
        } else {
            "502 not here"
        };
        answers.write_all(answer.as_bytes())?;
        answers.write_all(b"\r\n")?;
    }
    Ok(())
}

fn empty() -> Mail {
    Mail {
        from: String::new(),
        to: Vec::new(),
        lines: Vec::new(),
    }
}
