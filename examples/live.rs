//! Connections that live no longer than their session: a WebSocket and an event stream, each cut
//! the moment the session is revoked, on whichever of two nodes that happens.
//! `cargo run --example live --features axum`

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::FutureExt;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::net::TcpListener;
use tower_jwt_session::{Device, JwtSession, MemoryStore, Session, Tokens, UserId};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // What the nodes share; a database where they are processes of their own.
    let store = MemoryStore::new();
    let (first, second) = (node(&store)?, node(&store)?);
    let running = (first.start().await?, second.start().await?);
    let (laptop, phone) = (sign_in(&first).await?, sign_in(&first).await?);

    let here = TcpListener::bind("127.0.0.1:0").await?;
    let there = TcpListener::bind("127.0.0.1:0").await?;
    let (one, two) = (here.local_addr()?, there.local_addr()?);
    println!("listening on http://{one}");
    println!("and on http://{two}");
    println!("laptop {}", laptop.access_token);
    println!("phone {} {}", phone.access_token, phone.session_id);
    println!("watch the phone on one node, and end it on the other:");
    println!("  curl -N http://{two}/ticks -H 'authorization: Bearer PHONE'");
    println!("  curl -X DELETE http://{one}/sessions/ID -H 'authorization: Bearer LAPTOP'");

    let serve_here = axum::serve(here, app(&first));
    let serve_there = axum::serve(there, app(&second));
    tokio::select! {
        served = serve_here.into_future() => served?,
        served = serve_there.into_future() => served?,
        _ = tokio::signal::ctrl_c() => {}
    }
    running.0.shutdown().await;
    running.1.shutdown().await;
    Ok(())
}

fn node(store: &MemoryStore) -> Result<JwtSession, Box<dyn Error>> {
    let builder = JwtSession::builder().hmac_secret("of this example; 32 random bytes in earnest");
    Ok(builder.store(store.clone()).build()?)
}

async fn sign_in(auth: &JwtSession) -> Result<Tokens, Box<dyn Error>> {
    let sessions = auth.sessions();
    let ticket = sessions.ticket(&UserId::new("ada")?).await?;
    Ok(sessions.sign_in(ticket, Device::default()).await?.tokens())
}

fn app(auth: &JwtSession) -> Router {
    Router::new()
        .route("/ticks", get(ticks))
        .route("/ws", get(socket))
        .route_layer(auth.layer())
        .merge(auth.session_routes())
}

/// An answer of its own that goes on and on, until the session is over.
async fn ticks(session: Session) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(0_u64, |count| async move {
        tokio::time::sleep(Duration::from_millis(if count == 0 { 0 } else { 500 })).await;
        Some((Event::default().data(count.to_string()), count + 1))
    });
    let ended = session.ended().shared();
    let over = ended.clone();
    let over = over.map(|reason| Event::default().event("over").data(reason.as_str()));
    let until_over = ticks.take_until(ended).chain(stream::once(over)).map(Ok);
    Sse::new(until_over).keep_alive(KeepAlive::default())
}

/// Sends back what it hears.
async fn socket(session: Session, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| echo(session, socket))
}

async fn echo(session: Session, mut socket: WebSocket) {
    let mut ended = std::pin::pin!(session.ended());
    let reason = loop {
        tokio::select! {
            reason = &mut ended => break reason,
            message = socket.recv() => {
                let Some(Ok(Message::Text(text))) = message else { return };
                if socket.send(Message::Text(text)).await.is_err() {
                    return;
                }
            }
        }
    };
    let farewell = CloseFrame {
        code: close_code::POLICY,
        reason: reason.as_str().into(),
    };
    // Whether or not it is heard: the connection ends here.
    let _ = socket.send(Message::Close(Some(farewell))).await;
}
