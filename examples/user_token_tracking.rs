//! User token tracking: every token that is issued belongs to a session, so a user's tokens can be
//! counted, listed, limited and revoked. `cargo run --example user_token_tracking`
//!
//! | to | call |
//! |---|---|
//! | generate a token, tracked | `sessions.sign_in(ticket, device)` |
//! | switch tracking off | `sessions.issue_untracked(ticket)`, where `TokenPolicy::with_untracked` accepts such tokens; `-- --untracked` here |
//! | set the most sessions of a user | `builder.limit(SessionLimit::rejecting(3))`; 0 is unlimited |
//! | count | `sessions.count(&user)` |
//! | list active tokens | `sessions.active_tokens(&user)` |
//! | revoke one | `sessions.revoke_token(&user, &token_id)`; an untracked one by `sessions.revoke_untracked(..)` |
//! | revoke all, as when the password changes | `sessions.end_all(&user)` |
//! | parse, and refuse what was revoked | `auth.parse(&token)` |
//! | keep a trail of issuance and use | `builder.observer(..)` |
//!
//! Tracking is on, and off for a token at a time. Unless the policy accepts untracked tokens, a token of our
//! own keys that no session stands behind is refused, which is what keeps a store that lost its
//! sessions from letting anybody in. An untracked token is neither counted nor listed, and no limit applies; it
//! ends when it expires, by its id, or with everything of its user. `SessionLimit::UNLIMITED` tracks without limiting.

use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::verify::{TokenPolicy, Untracked};
use tower_jwt_session::{
    Device, Environment, JwtSession, SessionError, SessionLimit, TokenId, UserId,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tracked = std::env::args().all(|argument| argument != "--untracked");
    let untracked = if tracked {
        Untracked::Refuse
    } else {
        Untracked::Accept
    };
    let auth = JwtSession::builder()
        .token_policy(TokenPolicy::new("tracking-demo", "tracking-demo").with_untracked(untracked))
        .with_env(&Environment::of_process()) // JWT_SECRET; random for the run where there is none
        .limit(SessionLimit::rejecting(3))
        .build()?;
    let running = auth.start().await?;
    let sessions = auth.sessions();
    let user = UserId::new("user123")?;
    println!("=== JWT User Token Tracking Demo ===\n");

    println!("Generating tokens for user '{user}'...");
    let (mut tokens, mut untracked_ids) = (Vec::new(), Vec::new());
    for number in 1..=4 {
        match generate(&auth, &user, tracked).await {
            Ok((token, id)) => {
                untracked_ids.extend(id);
                println!("  Token {number}: SUCCESS (length: {})", token.len());
                println!("    Current sessions: {}", sessions.count(&user).await?);
                tokens.push(token);
            }
            Err(error) => println!("  Token {number}: FAILED - {error}"),
        }
    }

    let active = sessions.active_tokens(&user).await?;
    println!("\nActive tokens for user '{user}': {}", active.len());
    for (number, id) in (1..).zip(&active) {
        println!("  {number}. {id}");
    }

    println!("\nRevoking one token manually...");
    if let Some(id) = active.first() {
        let _done = sessions.revoke_token(&user, id).await?;
    } else if let Some(id) = untracked_ids.first() {
        let _done = sessions.revoke_untracked(&user, id).await?;
    }
    let left = sessions.count(&user).await?;
    println!("Sessions after revocation: {left}");

    println!("\nRevoking all tokens for user '{user}'...");
    let everything = sessions.end_all(&user);
    let _done = everything.because(EndReason::PasswordChanged).await?;
    let left = sessions.count(&user).await?;
    println!("Sessions after revoking all: {left}");

    println!("\nTesting token parsing after revocation...");
    for (number, token) in (1..).zip(&tokens) {
        match auth.parse(token).await {
            Ok(session) => println!("  Token {number}: VALID ({})", session.subject()),
            Err(error) => println!("  Token {number}: REVOKED ({error})"),
        }
    }
    println!("\n=== Demo Complete ===");
    running.shutdown().await;
    Ok(())
}

/// A token, and its id where nobody else keeps that. A real sign-in looks at the password after the
/// ticket was taken.
async fn generate(
    auth: &JwtSession,
    user: &UserId,
    tracked: bool,
) -> Result<(String, Option<TokenId>), SessionError> {
    let ticket = auth.sessions().ticket(user).await?;
    if !tracked {
        let token = auth.sessions().issue_untracked(ticket).await?;
        return Ok((token.access_token, Some(token.id)));
    }
    let signed_in = auth.sessions().sign_in(ticket, Device::default()).await?;
    Ok((signed_in.tokens().access_token, None))
}
