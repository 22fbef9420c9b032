//! Several servers on one store: accounts are where the sessions are.

use serde_json::json;

use crate::folder::Folder;
use crate::server::{ADMIN, CHROME, PASSWORD, Server};
use crate::{ADA, postgres, redis_server, two_devices};

const SECRET: (&str, &str) = ("JWT_SECRET", "8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e");
const NEW: &str = "a new and longer password";

/// What one server is told, the other knows, also when both were started anew.
async fn accounts_are_shared(store: &str) {
    let variables = [("SESSION_STORE", store), SECRET];
    let (here, mut there) = (
        Server::start_with(&variables),
        Server::start_with(&variables),
    );
    let said = there.greeting();
    assert!(
        said.contains("accounts and sessions are kept in "),
        "{said}"
    );
    let (mut laptop, mut phone) = two_devices(&here).await;
    laptop.moved_to(&there);
    laptop.get("/api/me").await.accepted(200);
    let taken = there.client(CHROME).register(ADA).await;
    taken.refused(409, "account_exists");

    let wrong = json!({ "current": "not this one", "new": NEW });
    let refused = laptop.post("/api/auth/password", wrong).await;
    refused.refused(401, "invalid_credentials");
    let change = json!({ "current": PASSWORD, "new": NEW });
    laptop
        .post("/api/auth/password", change)
        .await
        .accepted(204);
    let refused = phone.sign_in(ADA, PASSWORD).await;
    refused.refused(401, "invalid_credentials");
    phone.sign_in(ADA, NEW).await.accepted(200);

    let user = phone.get("/api/me").await.text("user_id");
    let mut admin = there.client(CHROME);
    admin.sign_in(ADMIN, PASSWORD).await.accepted(200);
    let path = format!("/api/admin/users/{user}/role");
    let role = admin.with_body("PUT", &path, json!({ "role": "editor" }));
    role.await.accepted(204);
    let nobody = admin.with_body(
        "PUT",
        "/api/admin/users/x/role",
        json!({ "role": "editor" }),
    );
    nobody.await.refused(404, "not_found");

    drop((here, there));
    let again = Server::start_with(&variables);
    let mut tablet = again.client(CHROME);
    tablet.sign_in(ADA, NEW).await.accepted(200);
    let me = tablet.get("/api/me").await;
    assert_eq!(me.body["user_id"], user.as_str());
    assert_eq!(me.body["roles"], json!(["editor"]));
}

#[tokio::test]
async fn servers_on_one_redis_share_accounts() {
    accounts_are_shared(&redis_server::Server::new().address()).await;
}

#[tokio::test]
async fn servers_on_one_postgres_share_accounts() {
    let cluster = postgres::shared();
    let database = cluster.database().await;
    accounts_are_shared(&cluster.admin(&database)).await;
}

#[tokio::test]
async fn accounts_may_have_a_file_of_their_own() {
    let redis = redis_server::Server::new();
    let folder = Folder::new();
    let file = folder.file("accounts.db").display().to_string();
    let mut server = Server::start_with(&[
        ("SESSION_STORE", &redis.address()),
        ("DATABASE_URL", &format!("sqlite:{file}")),
        SECRET,
    ]);
    let said = server.greeting();
    let told = format!("sessions are kept in redis, accounts in {file}");
    assert!(said.contains(&told), "{said}");
    two_devices(&server).await;
    let keys: Vec<String> = redis.run(&["KEYS", "accounts:*"]);
    assert!(keys.is_empty(), "{keys:?}");
}
