//! HTTP/1.1 as an attacker writes it: bytes on a socket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer, or what was seen of one.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `code` of a problem.
    pub fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// A connection that stays open between requests.
pub struct Wire {
    address: SocketAddr,
    open: Option<TcpStream>,
}

impl Wire {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            open: None,
        }
    }

    /// Sends a request that is complete, and reads its answer.
    pub fn send(&mut self, request: &[u8]) -> Answer {
        // A connection that the server closed after the last answer is no failure.
        let kept = self
            .open
            .take()
            .and_then(|open| exchange(open, request).ok());
        let (answer, open) = kept.unwrap_or_else(|| {
            let sent = exchange(self.connect(), request);
            sent.unwrap_or_else(|error| {
                panic!(
                    "no answer: {error}\n{}",
                    String::from_utf8_lossy(&request[..request.len().min(300)])
                )
            })
        });
        let closes = answer
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.open = (!closes).then_some(open);
        answer
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a socket");
        stream
    }

    /// Writes bytes on a connection of their own and reads until it is closed or quiet.
    pub fn raw(&self, bytes: &[u8], quiet: Duration) -> (Vec<Answer>, bool) {
        let mut stream = self.connect();
        stream.set_read_timeout(Some(quiet)).expect("a socket");
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(bytes);
        let (mut seen, mut closed) = (Vec::new(), false);
        let mut buffer = [0; 8192];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => {
                    closed = true;
                    break;
                }
                Ok(read) => seen.extend_from_slice(&buffer[..read]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    break;
                }
                Err(_) => {
                    closed = true;
                    break;
                }
            }
        }
        (answers(&seen), closed)
    }
}

fn exchange(mut stream: TcpStream, request: &[u8]) -> io::Result<(Answer, TcpStream)> {
    stream.write_all(request)?;
    let mut seen = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        if let Some((answer, _)) = first(&seen, request.starts_with(b"HEAD ")) {
            return Ok((answer, stream));
        }
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => seen.extend_from_slice(&buffer[..read]),
        }
    }
}

/// The first answer that is complete, and how long it is.
fn first(seen: &[u8], is_head: bool) -> Option<(Answer, usize)> {
    let end = seen.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&seen[..end]).into_owned();
    let status = head.get(9..12)?.parse().ok()?;
    let mut answer = Answer {
        status,
        head,
        body: Vec::new(),
    };
    if is_head {
        return Some((answer, end));
    }
    let length = match answer.header("content-length") {
        Some(length) => length.parse().ok()?,
        None if answer.header("transfer-encoding").is_some() => {
            let (body, length) = chunks(&seen[end..])?;
            answer.body = body;
            return Some((answer, end + length));
        }
        None => 0,
    };
    let body = seen.get(end..end + length)?;
    answer.body = body.to_vec();
    Some((answer, end + length))
}

fn chunks(seen: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = seen[at..].windows(2).position(|two| two == b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&seen[at..at + line]).ok()?, 16).ok()?;
        at += line + 2;
        body.extend_from_slice(seen.get(at..at + size)?);
        at += size + 2;
        if size == 0 {
            return Some((body, at));
        }
    }
}

fn answers(mut seen: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some((answer, length)) = first(seen, false) {
        answers.push(answer);
        seen = &seen[length..];
    }
    answers
}
