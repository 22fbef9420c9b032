//! The link of the tests does what it is told.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::proxy::{Link, Proxy};

/// Short enough to wait for what must not come.
const A_WHILE: Duration = Duration::from_millis(300);
/// Whatever comes, comes by then.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that says back what it hears.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    address
}

async fn connected(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// What comes back of a byte: itself, nothing at all in a while, or an end.
#[derive(Debug, PartialEq, Eq)]
enum Back {
    Came,
    Closed,
    Nothing,
}

/// Says a byte, and waits for what comes back of it.
async fn say(stream: &mut TcpStream) -> Back {
    say_for(stream, PATIENCE).await
}

async fn say_for(stream: &mut TcpStream, patience: Duration) -> Back {
    if stream.write_all(b"x").await.is_err() {
        return Back::Closed;
    }
    hear_for(stream, patience).await
}

async fn hear(stream: &mut TcpStream) -> Back {
    hear_for(stream, PATIENCE).await
}

async fn hear_for(stream: &mut TcpStream, patience: Duration) -> Back {
    let mut byte = [0];
    match timeout(patience, stream.read(&mut byte)).await {
        Ok(Ok(1)) => Back::Came,
        Ok(_) => Back::Closed,
        Err(_) => Back::Nothing,
    }
}

#[tokio::test]
async fn a_link_forwards_and_ends_with_either_end() {
    let proxy = Proxy::to(echo().await).await.unwrap();
    let mut stream = connected(&proxy).await;
    stream.write_all(&[7; 200_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut back = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut back)).await;
    assert_eq!(read.unwrap().unwrap(), 200_000);
}

#[tokio::test]
async fn a_cut_closes_what_is_open_and_lets_nobody_connect_until_it_is_mended() {
    let proxy = Proxy::to(echo().await).await.unwrap();
    let mut before = connected(&proxy).await;
    assert_eq!(say(&mut before).await, Back::Came);
    proxy.set(Link::Cut);
    assert_eq!(hear(&mut before).await, Back::Closed);
    if let Ok(mut meanwhile) = TcpStream::connect(proxy.address()).await {
        assert_eq!(say(&mut meanwhile).await, Back::Closed);
    }
    proxy.set(Link::Forward);
    assert_eq!(say(&mut connected(&proxy).await).await, Back::Came);
    assert_eq!(say(&mut before).await, Back::Closed);
}

#[tokio::test]
async fn a_cut_that_is_mended_at_once_is_one() {
    let proxy = Proxy::to(echo().await).await.unwrap();
    let mut stream = connected(&proxy).await;
    assert_eq!(say(&mut stream).await, Back::Came);
    proxy.set(Link::Cut);
    proxy.set(Link::Forward);
    assert_eq!(hear(&mut stream).await, Back::Closed);
}

#[tokio::test]
async fn a_stalled_link_accepts_and_never_answers_until_it_is_mended() {
    let proxy = Proxy::to(echo().await).await.unwrap();
    let mut before = connected(&proxy).await;
    assert_eq!(say(&mut before).await, Back::Came);
    proxy.set(Link::Stall);
    let mut meanwhile = connected(&proxy).await;
    assert_eq!(say_for(&mut before, A_WHILE).await, Back::Nothing);
    assert_eq!(say_for(&mut meanwhile, A_WHILE).await, Back::Nothing);
    proxy.set(Link::Forward);
    assert_eq!(hear(&mut before).await, Back::Came);
    assert_eq!(hear(&mut meanwhile).await, Back::Came);
}

#[tokio::test]
async fn a_delayed_link_is_late_by_that_in_each_direction() {
    let proxy = Proxy::to(echo().await).await.unwrap();
    let delay = Duration::from_millis(60);
    proxy.set(Link::Delay(delay));
    let mut stream = connected(&proxy).await;
    let began = Instant::now();
    assert_eq!(say(&mut stream).await, Back::Came);
    assert!(began.elapsed() >= 2 * delay);
}

#[tokio::test]
async fn a_link_that_loses_one_direction_carries_the_other() {
    for lost in [Link::Mute, Link::Deaf] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::to(listener.local_addr().unwrap()).await.unwrap();
        let mut client = connected(&proxy).await;
        client.write_all(b"x").await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        assert_eq!(hear(&mut server).await, Back::Came);
        proxy.set(lost);
        client.write_all(b"x").await.unwrap();
        server.write_all(b"x").await.unwrap();
        let (arrives, lost) = match lost {
            Link::Mute => (&mut server, &mut client),
            _ => (&mut client, &mut server),
        };
        let (arrives, lost) = tokio::join!(hear(arrives), hear_for(lost, A_WHILE));
        assert_eq!((arrives, lost), (Back::Came, Back::Nothing));
    }
}
