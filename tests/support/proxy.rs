//! A link to a server that can be cut, stalled and slowed down.
#![allow(dead_code)]

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// How a link behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Passes everything on.
    Forward,
    /// Closes what is open, and every new connection at once.
    Cut,
    /// Lets everybody connect and nothing through.
    Stall,
    /// Passes each piece on after a while.
    Delay(Duration),
    /// Lets nothing through that the server says; what the client says arrives.
    Mute,
    /// Lets nothing through that the client says; what the server says arrives.
    Deaf,
}

/// A way to a server, closed when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepting: AbortHandle,
}

#[derive(Clone, Copy, Debug)]
struct State {
    server: SocketAddr,
    link: Link,
    /// Counted, so that a cut is noticed even when it is mended before anybody looks.
    cuts: u64,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Up,
    Down,
}

impl Proxy {
    /// A way to `server`, on a port of its own.
    pub async fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let link = Link::Forward;
        let (state, watched) = watch::channel(State {
            server,
            link,
            cuts: 0,
        });
        let accepting = tokio::spawn(accept(listener, watched)).abort_handle();
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads whoever connects from now on to another server; what is open stays where it is.
    pub fn lead_to(&self, server: SocketAddr) {
        self.state.send_modify(|state| state.server = server);
    }

    /// From now on the link behaves like this, for the connections that are open, too.
    pub fn set(&self, link: Link) {
        self.state.send_modify(|state| {
            state.link = link;
            state.cuts += u64::from(link == Link::Cut);
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Link::Cut);
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: watch::Receiver<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let mut state = state.clone();
        let State { server, link, cuts } = *state.borrow_and_update();
        if link != Link::Cut {
            tokio::spawn(connect(client, server, Way { state, cuts }));
        }
    }
}

/// A connection's view of the link: how it behaves, until it was cut once.
#[derive(Clone)]
struct Way {
    state: watch::Receiver<State>,
    cuts: u64,
}

async fn connect(client: TcpStream, server: SocketAddr, mut way: Way) {
    // A stalled link reaches nobody.
    if way.open(Direction::Up).await.is_none() {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    // Neither end gathers small pieces.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(from_client, to_server, way.clone(), Direction::Up);
    let down = pump(from_server, to_client, way, Direction::Down);
    tokio::join!(up, down);
}

/// Passes one direction on until its end, or a cut.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: Way, direction: Direction) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            () = way.clone().cut() => return,
        };
        let Ok(read) = read else { return };
        let Some(delay) = way.open(direction).await else {
            return;
        };
        tokio::time::sleep(delay).await;
        if read == 0 {
            // One end has said all it had to say; the other may still be talking.
            let _ = to.shutdown().await;
            return;
        }
        let written = tokio::select! {
            written = to.write_all(&buffer[..read]) => written,
            () = way.clone().cut() => return,
        };
        if written.is_err() {
            return;
        }
    }
}

impl Way {
    /// Waits until a direction lets something through, and says how late; `None` after a cut.
    async fn open(&mut self, direction: Direction) -> Option<Duration> {
        loop {
            let State { link, cuts, .. } = *self.state.borrow_and_update();
            if cuts != self.cuts {
                return None;
            }
            match (link, direction) {
                (Link::Forward, _)
                | (Link::Mute, Direction::Up)
                | (Link::Deaf, Direction::Down) => return Some(Duration::ZERO),
                (Link::Delay(delay), _) => return Some(delay),
                (Link::Cut, _) => return None,
                (Link::Stall | Link::Mute | Link::Deaf, _) => {}
            }
            self.state.changed().await.ok()?;
        }
    }

    /// Waits until the link is cut.
    async fn cut(mut self) {
        let cuts = self.cuts;
        // Fails when the proxy has gone, which is a cut.
        let _ = self.state.wait_for(|state| state.cuts != cuts).await;
    }
}
