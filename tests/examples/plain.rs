//! Plain hyper and warp, by a real client: the same calls, the same answers.

use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn one_device_ends_another_and_goes_on() {
    for example in EXAMPLES {
        let client = Client::new(example);
        let (laptop, phone) = (client.sign_in().await, client.sign_in().await);
        let laptop = laptop["access_token"].as_str().unwrap();
        let phone_id = phone["session_id"].as_str().unwrap();
        let phone = phone["access_token"].as_str().unwrap();
        assert_eq!(client.get("/me", phone).await.1["user_id"], "ada");
        let (_, sessions) = client.get("/sessions", laptop).await;
        assert_eq!(sessions.as_array().unwrap().len(), 2);

        let path = format!("/sessions/{phone_id}");
        let (status, _) = client
            .send("DELETE", &path, laptop, ("text/plain", ""))
            .await;
        assert_eq!(status, 204);
        let (status, problem) = client.get("/me", phone).await;
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (401, &json!("token_revoked"))
        );
        assert_eq!(client.get("/me", laptop).await.0, 200);
    }
}

#[tokio::test]
async fn a_refresh_and_a_revocation_need_no_access_token() {
    for example in EXAMPLES {
        let client = Client::new(example);
        let tokens = client.sign_in().await;
        let form = json!({ "refresh_token": tokens["refresh_token"] });
        let (status, renewed) = client.post("/api/auth/refresh", form).await;
        assert_eq!((status.as_u16(), &renewed["generation"]), (200, &json!(2)));
        let token = renewed["access_token"].as_str().unwrap();
        let form = format!("token={}", renewed["refresh_token"].as_str().unwrap());
        let body = ("application/x-www-form-urlencoded", form.as_str());
        let (status, _) = client.send("POST", "/oauth/revoke", "", body).await;
        assert_eq!(status, 200);
        assert_eq!(client.get("/me", token).await.0, 401);
    }
}

#[tokio::test]
async fn strangers_are_refused_and_keys_are_public() {
    for example in EXAMPLES {
        let client = Client::new(example);
        let (status, problem) = client.get("/me", "").await;
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (401, &json!("missing_token"))
        );
        assert_eq!(client.get("/.well-known/jwks.json", "").await.0, 200);
        let form = json!({ "user": "ada", "password": "a guess" });
        assert_eq!(client.post("/sign-in", form).await.0, 401);
        let token = client.sign_in().await;
        let token = token["access_token"].as_str().unwrap();
        assert_eq!(client.get("/nowhere", token).await.0, 404);
    }
}

#[tokio::test]
async fn a_filter_of_warp_knows_a_visitor_from_a_bad_token() {
    let client = Client::new("warp");
    assert_eq!(client.get("/hello", "").await.0, 200);
    let token = client.sign_in().await;
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(client.get("/hello", token).await.0, 200);
    assert_eq!(client.get("/hello", "garbage").await.0, 401);
    let (status, problem) = client.get("/admin", token).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (403, &json!("insufficient_role"))
    );
}

const EXAMPLES: [&str; 2] = ["hyper", "warp"];
