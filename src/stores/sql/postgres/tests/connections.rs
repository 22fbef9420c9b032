//! Which connections are used, and which are used again.

use std::net::SocketAddr;

use sqlx::Row as _;

use super::super::pools::Class;
use super::proxy::{Link, Proxy};
use super::*;
use crate::revocation::Committed;
use crate::stores::sql::fixtures::lines;

/// The clients of a database, but for those that listen and the one that counts.
async fn clients(server: &Cluster, database: &str) -> i64 {
    let count = "SELECT count(*) AS count FROM pg_stat_activity \
         WHERE datname = current_database() AND backend_type = 'client backend' \
         AND pid <> pg_backend_pid() AND query NOT LIKE 'LISTEN%'";
    server.execute(database, count).await[0].get("count")
}

/// Waits for the one that listens to say so.
async fn only_one_is_there(server: &Cluster, database: &str) {
    eventually("a single connection is used", async || {
        clients(server, database).await == 1
    })
    .await;
}

fn port_of(address: &str) -> u16 {
    let options = address::options(address).expect("a good address");
    options.get_port()
}

fn at(server: &Cluster) -> SocketAddr {
    let port = port_of(&server.admin("postgres"));
    SocketAddr::from(([127, 0, 0, 1], port))
}

async fn write(store: &PostgresStore) -> Result<Committed, StoreError> {
    store.append(lines(1)).await
}

#[tokio::test]
async fn who_comes_one_after_the_other_uses_the_same_connection() {
    let server = server::shared();
    let database = server.database().await;
    let store = store(&server.admin(&database), LAYOUT);
    for number in 0..20 {
        sign_in(&store, number).await;
        store.count(&user()).await.expect("it answers");
        write(&store).await.expect("it answers");
    }
    only_one_is_there(server, &database).await;
}

#[tokio::test]
async fn where_one_is_gone_nobody_tries_those_that_were_made_before_it() {
    let server = server::shared();
    let database = server.database().await;
    let store = store(&server.admin(&database), LAYOUT);
    write(&store).await.expect("it answers");
    let links = join_all((0..8).map(|_| store.shared.acquire(Class::Write))).await;
    assert!(links.iter().all(Result::is_ok), "each gets one");
    drop(links);
    assert!(clients(server, &database).await >= 8, "all of them rest");
    let cut = "SELECT pg_terminate_backend(pid, 10000)::text FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE 'LISTEN%'";
    server.execute(&database, cut).await;
    write(&store).await.expect("on a connection that is new");
    only_one_is_there(server, &database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_is_waited_for() {
    let server = Cluster::start();
    let store = store(&server.admin("postgres"), LAYOUT);
    write(&store).await.expect("it answers");
    server.stop();
    // Begun while nobody listens there.
    let waits = write(&store);
    let server = async {
        let back = tokio::task::spawn_blocking(move || {
            server.resume();
            server
        });
        back.await.expect("it does not panic")
    };
    let (written, _server) = tokio::join!(waits, server);
    written.expect("by then it answers");
}

#[tokio::test]
async fn a_connection_that_leads_to_a_standby_is_not_used_again() {
    let primary = Cluster::start();
    let database = primary.database().await;
    let direct = primary.admin(&database);
    let proxy = Proxy::to(at(&primary)).await.expect("a free port");
    let [from, to] = [port_of(&direct), proxy.address().port()].map(|port| format!(":{port}/"));
    let store = store(&direct.replace(&from, &to), LAYOUT);
    sign_in(&store, 1).await;
    let standby = Cluster::standby_of(&primary);
    proxy.lead_to(at(&standby));
    proxy.set(Link::Cut);
    proxy.set(Link::Forward);
    let told = |error: StoreError| error.source().map(ToString::to_string).unwrap_or_default();
    for refused in join_all((0..8).map(|_| write(&store))).await {
        let told = told(refused.expect_err("a standby takes nothing"));
        assert!(told.contains("standby"), "{told}");
    }
    let asked = store.count(&user()).await;
    let told = told(asked.expect_err("a standby may be late"));
    assert!(told.contains("standby"), "{told}");
    // Whoever reached it stays connected.
    proxy.lead_to(at(&primary));
    write(&store).await.expect("the primary takes it");
    assert_eq!(store.count(&user()).await.expect("it answers"), 1);
    eventually("nobody is left on the standby", async || {
        clients(&standby, &database).await == 0
    })
    .await;
}
