//! Passwords: Argon2id, away from the threads that serve requests, and the same time for an
//! account that does not exist as for one that does.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// A password as it may be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(pub String);

pub const RULE: &str = "a password has 8 to 256 characters";

/// Whether a new password is one.
pub fn acceptable(password: &str) -> bool {
    (8..=256).contains(&password.chars().count())
}

pub async fn hash(password: String) -> Hash {
    blocking(move || hashed(&password)).await
}

/// Whether a password is the one behind a hash. Without a hash it is not, after the same time.
pub async fn verify(password: String, hash: Option<Hash>) -> bool {
    blocking(move || {
        let against = hash.as_ref().unwrap_or(&NOBODY);
        let right = PasswordHash::new(&against.0).is_ok_and(|parsed| {
            Argon2::default()
                .verify_password(password.as_bytes(), &parsed)
                .is_ok()
        });
        right && hash.is_some()
    })
    .await
}

/// One hash takes 19 MiB and a core, so there are never more at once than there are cores.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _permit = PERMITS
        .acquire()
        .await
        .expect("the semaphore is never closed");
    spawn_blocking(work).await.expect("hashing does not panic")
}

fn hashed(password: &str) -> Hash {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Hash(hash.expect("the default parameters are sound").to_string())
}

static NOBODY: LazyLock<Hash> = LazyLock::new(|| hashed("nobody"));

static PERMITS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, |cores| cores.get())));
