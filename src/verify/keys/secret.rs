//! Secrets that are no secrets.

use super::{Algorithm, KeyError};

/// Refuses secrets that are known, guessable or too short for `algorithm`.
pub(crate) fn check(algorithm: Algorithm, secret: &[u8]) -> Result<(), KeyError> {
    let least = match algorithm {
        Algorithm::Hs384 => 48,
        Algorithm::Hs512 => 64,
        _ => 32,
    };
    if secret.len() < least {
        let what = format!(
            "the secret has {} bytes, {algorithm} needs at least {least} (RFC 7518, section 3.2)",
            secret.len()
        );
        return Err(KeyError::new(what, FIX));
    }
    check_substance(secret)
}

/// Refuses secrets that are known or guessable, of whatever length.
pub(crate) fn check_substance(secret: &[u8]) -> Result<(), KeyError> {
    if is_placeholder(secret) {
        return Err(KeyError::new("the secret is a known placeholder", FIX));
    }
    if repeats(secret) {
        return Err(KeyError::new("the secret repeats a short pattern", FIX));
    }
    Ok(())
}

/// Whether nothing of substance is left without the words that examples are made of.
fn is_placeholder(secret: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(secret) else {
        return false;
    };
    let mut left: String = text
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || !c.is_ascii())
        .flat_map(char::to_lowercase)
        .collect();
    for word in WORDS {
        if left.contains(word) {
            left = left.replace(word, "");
        }
    }
    left.chars().count() < SUBSTANCE
}

/// Whether the whole is one short pattern over and over, as in `aaaa…` or `abcabc…`.
fn repeats(secret: &[u8]) -> bool {
    (1..=LONGEST_PATTERN.min(secret.len() / 2)).any(|period| {
        secret
            .iter()
            .zip(&secret[period..])
            .all(|(early, late)| early == late)
    })
}

const FIX: &str = "make one: openssl rand -hex 32";

/// Fewer characters than this beside known words are no secret.
const SUBSTANCE: usize = 12;

/// A random secret has no period this short.
const LONGEST_PATTERN: usize = 16;

/// Longest first where one holds another.
const WORDS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789abcdef",
    "supersecret",
    "1234567890",
    "0123456789",
    "characters",
    "production",
    "qwertyuiop",
    "123456789",
    "changethis",
    "generated",
    "password",
    "changeme",
    "insecure",
    "replace",
    "default",
    "example",
    "private",
    "minimum",
    "session",
    "signing",
    "secret",
    "secure",
    "strong",
    "random",
    "please",
    "change",
    "string",
    "access",
    "token",
    "super",
    "about",
    "least",
    "value",
    "using",
    "your",
    "here",
    "this",
    "that",
    "test",
    "must",
    "with",
    "long",
    "very",
    "some",
    "hmac",
    "bits",
    "dev",
    "jwt",
    "key",
    "the",
    "and",
    "bit",
    "for",
    "use",
    "256",
    "384",
    "512",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_refused_also_padded_and_repeated() {
        for secret in [
            "",
            "secret",
            "secretsecretsecretsecretsecretsecret",
            "changeme",
            "changeme-changeme-changeme-changeme-changeme",
            "CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME",
            "your-super-secret-jwt-key-here",
            "your-super-secret-jwt-key-here-0000000000",
            "your-strong-secret-key-here",
            "your-strong-secret-key-here!!!!!!!!!!!!!!!!!!!!!!!",
            "your-256-bit-secret",
            "your_jwt_secret_key_change_in_production",
            "this-is-a-very-long-secret-key-for-testing",
            "01234567890123456789012345678901",
            "0123456789abcdef0123456789abcdef",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabcabcabcabcabcabcabcabcabc",
        ] {
            let error = check(Algorithm::Hs256, secret.as_bytes()).unwrap_err();
            assert!(error.fix().contains("openssl rand"), "{secret}");
            assert!(secret.is_empty() || !error.to_string().contains(secret) || secret == "secret");
        }
        assert!(check(Algorithm::Hs256, &[7; 40]).is_err());
    }

    #[test]
    fn short_secrets_are_refused_by_the_length_of_the_hash() {
        let secret = b"k8Zq1vN3xT5bY7mW0cR2fJ4hL6pD9sGaEuIoHnQeVtXyBzKlMwOrPjSdFgCiUaTn";
        assert_eq!(secret.len(), 64);
        for (algorithm, least) in [
            (Algorithm::Hs256, 32),
            (Algorithm::Hs384, 48),
            (Algorithm::Hs512, 64),
        ] {
            assert!(check(algorithm, &secret[..least - 1]).is_err());
            assert!(check(algorithm, &secret[..least]).is_ok());
        }
    }

    #[test]
    fn random_secrets_pass_as_bytes_and_as_text() {
        use base64::Engine as _;
        for _ in 0..200 {
            let mut secret = [0; 32];
            crate::crypto::rand::fill(&mut secret).unwrap();
            assert!(check(Algorithm::Hs256, &secret).is_ok());
            let text = base64::engine::general_purpose::STANDARD.encode(secret);
            assert!(check(Algorithm::Hs256, text.as_bytes()).is_ok());
            let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(check(Algorithm::Hs256, hex.as_bytes()).is_ok());
        }
    }
}
