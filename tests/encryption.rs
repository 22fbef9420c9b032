//! What a store holds when session data is encrypted, and what becomes of it without the key.

mod folder;

use std::path::Path;

use folder::Folder;
use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::{Device, Environment, JwtSession, SqliteStore, Tokens, UserId};

const OLD: &str = "an old example; 32 random bytes in earnest";
const NEW: &str = "a new example; 32 random bytes in earnest";

fn session(folder: &Folder, keys: &[(&str, &str)]) -> JwtSession {
    let secret = ("JWT_SECRET", "an example; 32 random bytes in earnest");
    // The file is opened by the first call, on a machine that may be busy with other tests.
    let patience = ("STORE_TIMEOUT", "20s");
    let env = Environment::from_pairs(keys.iter().copied().chain([secret, patience]));
    let store = SqliteStore::new(folder.file("sessions.db"));
    let builder = JwtSession::builder().store(store).with_env(&env);
    builder.build().expect("a good configuration")
}

fn device() -> Device {
    let mut device = Device::default();
    device.label = "Lighthouse on Windows".to_owned();
    device.user_agent = Some("Lighthouse/7".to_owned());
    device.city = Some("Uqbar".to_owned());
    device.address = Some([198, 51, 100, 217].into());
    device
}

/// All that a thief of the disk has.
fn bytes_in(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("the folder");
    files
        .flat_map(|file| std::fs::read(file.expect("a file").path()).expect("readable"))
        .collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// Signs in on that device, under a name; what the client holds.
async fn sign_in(auth: &JwtSession, user: &UserId) -> Tokens {
    let ticket = auth.sessions().ticket(user).await.unwrap();
    let signed_in = auth.sessions().sign_in(ticket, device()).await.unwrap();
    let tokens = signed_in.tokens();
    let named = auth
        .sessions()
        .rename(user, tokens.session_id, Some("Kitchen"));
    named.await.unwrap();
    tokens
}

#[tokio::test]
async fn a_stolen_file_tells_no_device_no_place_and_no_name() {
    let secrets = ["Lighthouse", "Uqbar", "198.51.100.217", "Kitchen"];
    for (keys, readable) in [(&[][..], true), (&[("SESSION_ENCRYPTION_KEY", NEW)], false)] {
        let folder = Folder::new();
        let auth = session(&folder, keys);
        let user = UserId::new("ada").unwrap();
        sign_in(&auth, &user).await;
        let bytes = bytes_in(folder.path());
        for secret in secrets {
            assert_eq!(holds(&bytes, secret), readable, "{secret}");
        }
        let listed = auth.sessions().list(&user).await.unwrap();
        assert_eq!(listed[0].device, device().label);
        assert_eq!(listed[0].ip_address, device().address);
        assert_eq!(listed[0].city, device().city);
        assert_eq!(listed[0].name.as_deref(), Some("Kitchen"));
    }
}

#[tokio::test]
async fn sessions_outlive_a_change_of_the_key_and_a_first_one() {
    let folder = Folder::new();
    let user = UserId::new("ada").unwrap();
    let before = sign_in(&session(&folder, &[]), &user).await;
    let old = session(&folder, &[("SESSION_ENCRYPTION_KEY", OLD)]);
    let sealed = sign_in(&old, &user).await;
    let keys = [
        ("SESSION_ENCRYPTION_KEY", NEW),
        ("SESSION_ENCRYPTION_KEY_PREVIOUS", OLD),
    ];
    let new = session(&folder, &keys);
    for tokens in [before, sealed] {
        let refreshed = new.sessions().refresh(&tokens.refresh_token.unwrap()).await;
        refreshed.expect("signed in");
    }
    let listed = new.sessions().list(&user).await.unwrap();
    assert!(
        listed
            .iter()
            .all(|session| session.device == device().label)
    );
}

#[tokio::test]
async fn without_its_key_a_session_is_listed_and_ended_but_hands_nothing_out() {
    let folder = Folder::new();
    let user = UserId::new("ada").unwrap();
    let tokens = sign_in(&session(&folder, &[("SESSION_ENCRYPTION_KEY", OLD)]), &user).await;
    let other = session(&folder, &[("SESSION_ENCRYPTION_KEY", NEW)]);

    let refused = other
        .sessions()
        .refresh(&tokens.refresh_token.unwrap())
        .await;
    let refused = refused.expect_err("its data cannot be read");
    assert!(
        format!("{refused:?}").contains("Configuration"),
        "{refused:?}"
    );

    let listed = other.sessions().list(&user).await.unwrap();
    assert_eq!(listed[0].device, "Unknown Device");
    assert_eq!(listed[0].name, None);
    let reason = EndReason::SignedOut;
    other
        .sessions()
        .end(tokens.session_id, reason)
        .await
        .unwrap();
    assert_eq!(other.sessions().count(&user).await.unwrap(), 0);
}

#[tokio::test]
async fn an_earlier_key_without_a_present_one_is_refused_with_the_fix() {
    let env = Environment::from_pairs([("SESSION_ENCRYPTION_KEY_PREVIOUS", OLD)]);
    let error = JwtSession::builder().with_env(&env).build().unwrap_err();
    let message = error.to_string();
    assert!(message.contains("openssl rand -hex 32"), "{message}");
    assert!(!message.contains("an old example"), "{message}");
}
