//! Servers that speak TLS: connections are encrypted, and only trusted servers are talked to.

#[path = "support/certificates.rs"]
mod certificates;
mod folder;
#[path = "support/postgres.rs"]
mod postgres;
mod redis_cluster;
mod redis_server;
mod support;

use std::error::Error;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use certificates::{Authority, Certificate};
use folder::Folder;
use postgres::eventually;
use sqlx::Row;
use support::{SECRET, admit, patiently, sign_in, started, user};
use tower_jwt_session::revocation::{EndReason, RevocationSettings, RevocationStore};
use tower_jwt_session::{
    JwtSession, PostgresStore, RedisStore, SessionStore, StoreError, StoreErrorKind,
};

/// Signs in on one node and ends that on another.
async fn works(stores: [impl SessionStore; 2]) {
    let mut nodes = Vec::new();
    for store in stores {
        let settings = RevocationSettings::default().with_store_timeout(Duration::from_secs(10));
        let auth = JwtSession::builder()
            .hmac_secret(SECRET)
            .revocation(settings)
            .store(store)
            .build()
            .unwrap();
        let running = started(&auth).await;
        nodes.push((auth, running));
    }
    let [(one, _), (other, _)] = &nodes[..] else {
        panic!("there are two");
    };
    let tokens = patiently(async || sign_in(one, &user("ada")).await).await;
    eventually("it is admitted", async || {
        let admitted = admit(other, &tokens.access_token).await;
        let is_late = matches!(&admitted, Err(refused) if refused.status() == 503);
        assert!(is_late || admitted.is_ok(), "{admitted:?}");
        !is_late
    })
    .await;
    let sessions = one.sessions();
    let end = async || {
        sessions
            .end(tokens.session_id, EndReason::AdminRevoked)
            .await
    };
    patiently(end).await.everywhere().await.unwrap();
    admit(other, &tokens.access_token).await.unwrap_err();
}

/// Everything that an error says.
fn told(error: &StoreError) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}

/// Why a server is not talked to.
async fn refusal(address: &str) -> (StoreErrorKind, String) {
    let error = match PostgresStore::connect(address).await {
        Ok(_) => panic!("it is talked to"),
        Err(error) => error,
    };
    let told = told(&error);
    assert!(!told.contains(postgres::PASSWORD), "{told}");
    (error.kind(), told)
}

/// A server whose certificate is for `localhost` alone, and lets in nobody without TLS.
fn server(certificate: &Certificate, folder: &Path) -> postgres::Cluster {
    // The server takes a key that nobody else can read.
    let key = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&certificate.key, key).unwrap();
    let rules = folder.join("pg_hba.conf");
    std::fs::write(&rules, "hostssl all all 127.0.0.1/32 md5\n").unwrap();
    for file in [&certificate.key, &rules] {
        // Who may not give files away runs the server as themselves.
        let _ = chown(file, Some(65_534), Some(65_534));
    }
    postgres::Cluster::start_with(&format!(
        "fsync = off\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nhba_file = '{}'\n",
        certificate.certificate.display(),
        certificate.key.display(),
        rules.display()
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_is_talked_to_when_its_certificate_is_what_the_address_asks_for() {
    let folder = Folder::new();
    let ours = Authority::new(folder.path(), "ours");
    let theirs = Authority::new(folder.path(), "theirs");
    let (trusted, stranger) = (ours.certificate(), theirs.certificate());
    let (trusted, stranger) = (trusted.display(), stranger.display());
    let server = server(&ours.issue("DNS:localhost"), folder.path());
    let by_address = server.admin("postgres");
    let by_name = by_address.replace("@127.0.0.1:", "@localhost:");

    let full = format!("{by_name}?sslmode=verify-full&sslrootcert={trusted}");
    works([(), ()].map(|()| PostgresStore::new(&full).unwrap())).await;
    let store = PostgresStore::connect(&full).await.unwrap();
    store.leases().await.unwrap();
    let question = "SELECT count(*) FILTER (WHERE s.ssl) AS sealed, count(*) AS all \
         FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.backend_type = 'client backend'";
    let row = &server.execute("postgres", question).await[0];
    let (sealed, all): (i64, i64) = (row.get("sealed"), row.get("all"));
    assert!(sealed == all && all > 1, "{sealed} of {all}");
    // The name is not asked for.
    let authority = format!("{by_address}?sslmode=verify-ca&sslrootcert={trusted}");
    PostgresStore::connect(&authority).await.unwrap();

    for (address, why) in [
        (
            format!("{by_name}?sslmode=verify-full&sslrootcert={stranger}"),
            "UnknownIssuer",
        ),
        (
            format!("{by_name}?sslmode=verify-ca&sslrootcert={stranger}"),
            "UnknownIssuer",
        ),
        (
            format!("{by_name}?sslmode=require&sslrootcert={stranger}"),
            "UnknownIssuer",
        ),
        (format!("{by_name}?sslmode=verify-full"), "UnknownIssuer"),
        (
            format!("{by_address}?sslmode=verify-full&sslrootcert={trusted}"),
            "name",
        ),
    ] {
        let (kind, told) = refusal(&address).await;
        assert_eq!(kind, StoreErrorKind::Configuration, "{told}");
        assert!(told.contains(why), "{why}: {told}");
        assert!(told.contains("certificate"), "{told}");
    }
    let absent = format!("{by_name}?sslmode=verify-full&sslrootcert=/nowhere.pem");
    let (_, told) = refusal(&absent).await;
    assert!(told.contains("sslrootcert"), "{told}");
    let (kind, told) = refusal(&format!("{by_name}?sslmode=disable")).await;
    assert_eq!(kind, StoreErrorKind::Configuration, "{told}");
    assert!(told.contains("sslmode=verify-full"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_without_tls_is_not_talked_to_where_the_address_asks_for_it() {
    let server = postgres::shared();
    let database = server.database().await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let address = format!("{}?sslmode={mode}", server.admin(&database));
        let (kind, told) = refusal(&address).await;
        assert_eq!(kind, StoreErrorKind::Configuration, "{told}");
        assert!(told.contains("does not speak TLS"), "{told}");
    }
    let tables = "SELECT 1 FROM pg_class WHERE relname LIKE 'jwt%'";
    assert!(server.execute(&database, tables).await.is_empty());
}

const CLUSTER: &str = "REDIS_CLUSTER_TLS_ADDRESS";

/// Does nothing unless another test started it, with a trusted authority in its environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_in_another_process() {
    if let Ok(address) = std::env::var(CLUSTER) {
        works([(), ()].map(|()| RedisStore::new(&address).unwrap())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_cluster_is_talked_to_when_its_certificate_is_trusted() {
    let folder = Folder::new();
    let authority = Authority::new(folder.path(), "ours");
    let shown = authority.issue("DNS:localhost,IP:127.0.0.1");
    let ports: Vec<String> = (0..3)
        .map(|_| redis_server::free_port().to_string())
        .collect();
    let trusted = authority.certificate().display().to_string();
    let cluster = redis_cluster::Cluster::with_each(|number| {
        let (certificate, key) = (&shown.certificate, &shown.key);
        [
            ("--tls-port", ports[number].clone()),
            ("--tls-cluster", "yes".to_owned()),
            ("--tls-cert-file", certificate.display().to_string()),
            ("--tls-key-file", key.display().to_string()),
            ("--tls-ca-cert-file", trusted.clone()),
            ("--tls-auth-clients", "no".to_owned()),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
    });
    let address = format!(
        "rediss+cluster://localhost:{},127.0.0.1:{}",
        ports[0], ports[1]
    );
    let stranger = RedisStore::new(&address).unwrap();
    eventually("the certificate is what it fails for", async || {
        let error = stranger.leases().await;
        let error = error.expect_err("nobody vouches for it");
        // A busy machine may take longer over the handshake than is waited for.
        told(&error).to_lowercase().contains("certificate")
    })
    .await;
    let trusting = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_part_in_another_process"])
        .env(CLUSTER, &address)
        .env("SSL_CERT_FILE", &trusted)
        .output()
        .unwrap();
    assert!(trusting.status.success(), "{trusting:?}");
    // None of it went beside TLS. What was closed just now may still be seen.
    eventually("nobody but who asks is connected", async || {
        cluster.masters.iter().all(|master| {
            let clients: String = master.run(&["CLIENT", "LIST", "TYPE", "normal"]);
            clients.lines().count() == 1
        })
    })
    .await;
}
