//! A client that keeps its connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How a request fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The status, and the code of a problem.
    Answered(u16, String),
    /// The connection was refused or closed before there was an answer.
    Gone,
    /// Nothing came for half a minute.
    Silent,
}

/// A connection to a node, opened when it is needed.
#[derive(Default)]
pub struct Connection {
    open: Option<(SocketAddr, TcpStream)>,
    read: Vec<u8>,
}

impl Connection {
    /// Sends a request with a token to where a node listens now.
    pub async fn ask(&mut self, node: SocketAddr, token: &str) -> Reply {
        match timeout(PATIENCE, self.try_ask(node, token)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => {
                self.open = None;
                Reply::Gone
            }
            Err(_) => {
                self.open = None;
                Reply::Silent
            }
        }
    }

    async fn try_ask(&mut self, node: SocketAddr, token: &str) -> std::io::Result<Reply> {
        let mut stream = match self.open.take() {
            Some((address, stream)) if address == node => stream,
            _ => {
                let stream = TcpStream::connect(node).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        let request =
            format!("GET / HTTP/1.1\r\nhost: soak\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        self.read.clear();
        loop {
            if stream.read_buf(&mut self.read).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(reply) = answered(&self.read) {
                self.open = Some((node, stream));
                return Ok(reply);
            }
        }
    }
}

/// The answer, when head and body are all there.
fn answered(read: &[u8]) -> Option<Reply> {
    let text = std::str::from_utf8(read).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if body.len() < length.parse().ok()? {
        return None;
    }
    let (_, code) = body.split_once("\"code\":\"").unwrap_or_default();
    let code = code.split('"').next().unwrap_or_default();
    Some(Reply::Answered(status, code.to_owned()))
}

const PATIENCE: Duration = Duration::from_secs(30);
