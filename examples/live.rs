//! Connections that live no longer than their session: a WebSocket and an event stream, each cut
//! the moment the session is revoked, on whichever of two nodes that happens.
//! `cargo run --example live --features axum`
//!
//! Both nodes are in this process, unless they are given a store to share: then each process is
//! one of them. `SESSION_STORE=sqlite:live.db cargo run --example live --features axum,sqlite`

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
use tokio::task::JoinSet;
use tower_jwt_session::{
    Device, Environment, JwtSession, JwtSessionBuilder, MemoryStore, Session, Tokens, UserId,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let nodes = match std::env::var_os("SESSION_STORE") {
        Some(_) => vec![node().with_env(&Environment::of_process()).build()?],
        None => {
            let store = MemoryStore::new();
            let in_memory = || node().store(store.clone()).build();
            vec![in_memory()?, in_memory()?]
        }
    };
    let mut running = Vec::new();
    let mut serving = JoinSet::new();
    for (auth, said) in nodes.iter().zip(["listening on", "and on"]) {
        running.push(auth.start().await?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{said} http://{}", listener.local_addr()?);
        serving.spawn(axum::serve(listener, app(auth)).into_future());
    }
    let (laptop, phone) = (sign_in(&nodes[0]).await?, sign_in(&nodes[0]).await?);
    println!("laptop {}", laptop.access_token);
    println!("phone {} {}", phone.access_token, phone.session_id);
    println!("watch the phone on one node, and end it on the other:");
    println!("  curl -N http://THERE/ticks -H 'authorization: Bearer PHONE'");
    println!("  curl -X DELETE http://HERE/sessions/ID -H 'authorization: Bearer LAPTOP'");

    tokio::select! {
        Some(served) = serving.join_next() => served??,
        _ = tokio::signal::ctrl_c() => {}
    }
    for node in running {
        node.shutdown().await;
    }
    Ok(())
}

fn node() -> JwtSessionBuilder {
    JwtSession::builder().hmac_secret("of this example; 32 random bytes in earnest")
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
