//! User token tracking prints what its guide expects, lengths and ids aside.

use crate::process::command;

const EXPECTED: &str = "\
=== JWT User Token Tracking Demo ===

Generating tokens for user 'user123'...
  Token 1: SUCCESS (length: 351)
    Current sessions: 1
  Token 2: SUCCESS (length: 351)
    Current sessions: 2
  Token 3: SUCCESS (length: 351)
    Current sessions: 3
  Token 4: FAILED - maximum concurrent sessions exceeded

Active tokens for user 'user123': 3
  1. QJtiI50aflavEil5hIRf3gwcTTuUBgx2O8SS4kVkSjA
  2. CvXeyYTewWIWqD2CLXffDj2OxDaLeGHdYR3SSP0ZcKY
  3. VPbjvG-W6EPKvqYyskrmx1SUhAO4sTB_5yQvG3VYC44

Revoking one token manually...
Sessions after revocation: 2

Revoking all tokens for user 'user123'...
Sessions after revoking all: 0

Testing token parsing after revocation...
  Token 1: REVOKED (token is already revoked)
  Token 2: REVOKED (token is already revoked)
  Token 3: REVOKED (token is already revoked)

=== Demo Complete ===
";

#[test]
fn it_prints_what_its_guide_expects() {
    let output = command("user_token_tracking").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(normalised(&printed), normalised(EXPECTED));
    assert_eq!(ids(&printed).len(), 3);
}

#[test]
fn without_tracking_nothing_is_counted_or_limited_and_every_token_can_be_ended() {
    let mut command = command("user_token_tracking");
    let output = command.arg("--untracked").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let times = |what: &str| printed.matches(what).count();
    assert_eq!(times("SUCCESS"), 4, "{printed}");
    assert_eq!(times("Current sessions: 0"), 4, "{printed}");
    assert_eq!(times("Active tokens for user 'user123': 0"), 1, "{printed}");
    assert_eq!(times("REVOKED (token is already revoked)"), 4, "{printed}");
}

#[test]
fn what_is_normalised_is_lengths_and_ids_alone() {
    assert_eq!(
        line("  Token 1: SUCCESS (length: 351)"),
        line("  Token 1: SUCCESS (length: 7)")
    );
    assert_ne!(
        line("  Token 1: SUCCESS (length: 351)"),
        line("  Token 2: SUCCESS (length: 351)")
    );
    assert_ne!(
        line("  Token 1: SUCCESS (length: x)"),
        line("  Token 1: SUCCESS (length: 3)")
    );
    assert_eq!(ids(EXPECTED).len(), 3);
    assert_ne!(
        line("  1. short"),
        line("  1. QJtiI50aflavEil5hIRf3gwcTTuUBgx2O8SS4kVkSjA")
    );
}

fn normalised(text: &str) -> Vec<String> {
    text.lines().map(line).collect()
}

fn line(line: &str) -> String {
    if let Some((before, after)) = line.split_once("(length: ")
        && after.strip_suffix(')').is_some_and(is_number)
    {
        return format!("{before}(length: _)");
    }
    match id(line) {
        Some(id) => line.replace(id, "_"),
        None => line.to_owned(),
    }
}

/// Different ones, in the form of the guide's: 43 characters of base64url.
fn ids(text: &str) -> std::collections::HashSet<&str> {
    text.lines().filter_map(id).collect()
}

fn id(line: &str) -> Option<&str> {
    let (number, id) = line.strip_prefix("  ")?.split_once(". ")?;
    let of_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (is_number(number) && id.len() == 43 && id.bytes().all(of_id)).then_some(id)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
