//! tower-sessions: the session of a request is read from the store, and says who it is.

use std::sync::Arc;

use http::header::COOKIE;
use http::{HeaderValue, Request};
use tower::{Layer, Service, service_fn};
use tower_jwt_session_peers::{Counted, Folder, Inner, PARSED, REMOTE, Worker};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, SessionStore};
use tower_sessions_moka_store::MokaStore;
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

fn main() {
    let folder = Folder::of_run();
    let mut worker = Worker::new();
    add(&mut worker, "memory", PARSED, MemoryStore::default());
    add(&mut worker, "moka", PARSED, MokaStore::new(Some(100_000)));
    let config = Config::from_url(&folder.redis()).expect("an address");
    let pool = Pool::new(config, None, None, None, 1).expect("a pool");
    worker.runtime.block_on(async {
        pool.init().await.expect("the server answers");
    });
    add(&mut worker, "Redis", REMOTE, RedisStore::new(pool));
    worker.serve();
}

fn add<S>(worker: &mut Worker, name: &str, batch: (usize, Counted), store: S)
where
    S: SessionStore + Clone,
{
    let cookie = worker.runtime.block_on(async {
        let session = Session::new(None, Arc::new(store.clone()), None);
        session
            .insert("user", "user-00000001@bench.example")
            .await
            .expect("it can be written");
        session.save().await.expect("the store takes it");
        format!("id={}", session.id().expect("it was saved"))
    });
    let inner = service_fn(|request: Request<()>| async move {
        let session = request
            .extensions()
            .get::<Session>()
            .expect("the layer's")
            .clone();
        let user: Option<String> = session.get("user").await.expect("the store answers");
        assert!(user.is_some(), "nobody is signed in");
        Inner.call(request).await
    });
    let service = SessionManagerLayer::new(store).layer(inner);
    worker.case(
        name,
        batch,
        COOKIE,
        vec![HeaderValue::try_from(cookie).expect("ASCII")],
        service,
    );
}
