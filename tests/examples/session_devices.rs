//! Session devices, by the curl lines of its guide and by what the guide promises.

use std::process::Command;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::process::Server;

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const ACCOUNT: &str = r#"{"email": "test@example.com", "password": "password123"}"#;

struct Example {
    server: Server,
    folder: Folder,
}

impl Example {
    fn start(more: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let database = format!("sqlite://{}", folder.file("sessions.db").display());
        let mut variables = vec![("DATABASE_URL", database.as_str())];
        variables.extend_from_slice(more);
        Self {
            server: Server::start("session_devices", &variables),
            folder,
        }
    }

    /// Runs a line of the guide, which names the port that it listens on unless told otherwise.
    fn run(&self, line: &str) -> Value {
        let line = line.replace("http://localhost:8000", &self.server.address);
        let output = Command::new("bash")
            .args(["-c", &format!("{line} --silent --show-error")])
            .output()
            .expect("bash and curl are installed");
        assert!(output.status.success(), "{line}\n{output:?}");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn post(&self, path: &str, agent: &str, body: &str) -> Value {
        let (headers, body) = (
            "-H 'Content-Type: application/json'",
            body.replace('\'', ""),
        );
        self.run(&format!(
            "curl -X POST 'http://localhost:8000{path}' {headers} -H 'User-Agent: {agent}' -d '{body}'"
        ))
    }

    fn with(&self, token: &str, call: &str) -> Value {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let headers =
            format!("-H 'Authorization: Bearer {token}' -H 'Content-Type: application/json'");
        self.run(&format!(
            "curl -X {method} 'http://localhost:8000{path}' {headers}"
        ))
    }

    fn token(&self, path: &str, agent: &str) -> String {
        token(&self.post(path, agent, ACCOUNT))
    }
}

fn token(answer: &Value) -> String {
    assert_eq!(answer["token_type"], "bearer", "{answer}");
    answer["access_token"].as_str().expect("a token").to_owned()
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn the_guides_lines_run_as_they_stand() {
    let example = Example::start(&[]);
    let registered = example.run(
        r#"curl -X POST http://localhost:8000/register \
  -H "Content-Type: application/json" \
  -d '{"email": "test@example.com", "password": "password123"}'"#,
    );
    let token1 = token(&registered);
    let signed_in = example.run(
        r#"curl -X POST http://localhost:8000/login \
  -H "Content-Type: application/json" \
  -H "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)" \
  -d '{"email": "test@example.com", "password": "password123"}'"#,
    );
    let token2 = token(&signed_in);
    let line = |token: &str| {
        format!(
            "TOKEN1={token}; curl -X GET http://localhost:8000/sessions \\\n  -H \"Authorization: Bearer $TOKEN1\""
        )
    };
    let sessions = example.run(&line(&token1));
    assert_eq!(sessions.as_array().unwrap().len(), 2, "{sessions}");
    assert_eq!(sessions[0]["is_current"], true);
    assert_eq!(sessions[0]["id"], claims(&token1)["session_id"]);
    assert_eq!(sessions[1]["device"], "Safari on iOS");
    assert_eq!(sessions[1]["ip_address"], "127.0.0.1");
    assert_eq!(sessions[1]["is_current"], false);

    let id = sessions[1]["id"].as_str().unwrap();
    let _none = example.run(&format!(
        "TOKEN1={token1}; curl -X DELETE http://localhost:8000/sessions/{id} \\\n  -H \"Authorization: Bearer $TOKEN1\""
    ));
    let sessions = example.run(&line(&token1));
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    // The guide lets a revoked session's token live on; here it ends with its session.
    assert_eq!(example.run(&line(&token2))["code"], "token_revoked");

    for agent in [IPHONE, CHROME, "curl/8.1"] {
        example.token("/login", agent);
    }
    let revoked = example.run(&format!(
        "TOKEN1={token1}; curl -X POST \"http://localhost:8000/sessions/revoke-all?keep_current=true\" \\\n  -H \"Authorization: Bearer $TOKEN1\""
    ));
    assert_eq!(revoked, json!({ "revoked": 3 }));
    assert_eq!(example.run(&line(&token1)).as_array().unwrap().len(), 1);
}

#[test]
fn a_sixth_device_ends_the_least_recently_used_one() {
    let example = Example::start(&[]);
    let first = example.token("/register", CHROME);
    let mut last = String::new();
    for _ in 0..5 {
        last = example.token("/login", IPHONE);
    }
    let sessions = example.with(&last, "GET /sessions");
    assert_eq!(sessions.as_array().unwrap().len(), 5);
    assert_eq!(example.with(&first, "GET /me")["code"], "token_revoked");
}

#[test]
fn a_device_is_told_of_once_and_the_first_one_never() {
    let example = Example::start(&[]);
    let token = example.token("/register", CHROME);
    assert_eq!(example.with(&token, "GET /notices"), json!([]));
    for agent in [IPHONE, CHROME, IPHONE] {
        example.token("/login", agent);
    }
    let notices = example.with(&token, "GET /notices");
    assert_eq!(notices.as_array().unwrap().len(), 1, "{notices}");
    let text = notices[0]["text"].as_str().unwrap();
    assert_eq!(text, "new sign-in: Safari on iOS from 127.0.0.1");
}

#[test]
fn a_session_has_a_name_and_remembers_what_was_done_in_it() {
    let example = Example::start(&[]);
    let (mine, theirs) = (
        example.token("/register", CHROME),
        token(&example.post(
            "/register",
            CHROME,
            r#"{"email": "other@example.com", "password": "password123"}"#,
        )),
    );
    let id = claims(&mine)["session_id"].clone();
    let id = id.as_str().unwrap();
    let named = example.with(
        &mine,
        &format!("PATCH /sessions/{id}/name?name=Work%20Laptop"),
    );
    assert_eq!(named["name"], "Work Laptop");
    assert_eq!(example.with(&mine, "GET /me")["email"], "test@example.com");
    let done = example.with(&mine, &format!("GET /sessions/{id}/activity"));
    assert_eq!(done[0]["what"], "GET /me 200", "{done}");
    let hidden = example.with(&theirs, &format!("GET /sessions/{id}/activity"));
    assert_eq!(hidden["code"], "not_found");
}

#[test]
fn only_administrators_see_everybody() {
    let example = Example::start(&[]);
    let admin = example.token("/register", CHROME);
    let account = r#"{"email": "other@example.com", "password": "password123"}"#;
    let user = token(&example.post("/register", CHROME, account));
    let all = example.with(&admin, "GET /api/admin/sessions");
    assert!(
        all.to_string()
            .contains(claims(&user)["sub"].as_str().unwrap()),
        "{all}"
    );
    let refused = example.with(&user, "GET /api/admin/sessions");
    assert_eq!(refused["code"], "insufficient_role");
}

/// The code of an authenticator (RFC 4226, section 5.3, over the step of RFC 6238).
fn code(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn from_base32(text: &str) -> Vec<u8> {
    let bits: String = text
        .bytes()
        .map(|c| {
            if c.is_ascii_digit() {
                c - b'2' + 26
            } else {
                c - b'A'
            }
        })
        .map(|value| format!("{value:05b}"))
        .collect();
    let whole = bits.as_bytes().chunks_exact(8);
    whole
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}

#[test]
fn with_a_second_factor_devices_are_signed_out_by_its_code_and_no_code_works_twice() {
    let example = Example::start(&[]);
    let token1 = example.token("/register", CHROME);
    let offer = example.with(&token1, "POST /2fa/enroll");
    let secret = from_base32(offer["secret"].as_str().unwrap());
    let now = std::time::SystemTime::now();
    let step = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 30;
    let send = |path: &str, step: u64| {
        let body = json!({ "code": code(&secret, step) });
        let line = format!(
            "curl -X POST http://localhost:8000{path} -H 'Authorization: Bearer {token1}' \
             -H 'Content-Type: application/json' -d '{body}'"
        );
        example.run(&line)
    };
    assert_eq!(
        send("/2fa", step)["code"],
        "invalid_input",
        "not confirmed yet"
    );
    assert_eq!(send("/2fa/confirm", step), Value::Null);
    let all = "POST /sessions/revoke-all?keep_current=true";
    let refused = example.with(&token1, all);
    assert_eq!(refused["code"], "insufficient_user_authentication");
    assert_eq!(send("/2fa", step)["code"], "invalid_credentials", "used");
    let proven = token(&send("/2fa", step + 1));
    assert_eq!(claims(&proven)["amr"], json!(["pwd", "otp"]));
    assert_eq!(example.with(&proven, all), json!({ "revoked": 0 }));
    let again = example.with(&token1, "POST /2fa/enroll");
    assert_eq!(again["code"], "second_factor_exists");
}

#[test]
fn an_address_that_must_be_verified_signs_in_only_then() {
    let example = Example::start(&[("REQUIRE_EMAIL_VERIFICATION", "true")]);
    let registered = example.post("/register", CHROME, ACCOUNT);
    assert_eq!(registered["access_token"], Value::Null);
    assert_eq!(
        example.post("/login", CHROME, ACCOUNT)["code"],
        "email_not_verified"
    );
    let wrong = example.run("curl -X POST 'http://localhost:8000/verify?code=guess'");
    assert_eq!(wrong["code"], "invalid_input");
    let mail = example.server.line_that_begins("to test@example.com: ");
    let path = mail.split_once("POST ").expect("what to call").1;
    example.run(&format!("curl -X POST 'http://localhost:8000{path}'"));
    example.token("/login", CHROME);
}

#[test]
fn its_example_of_a_configuration_starts_unedited_and_restarts_with_the_same_secret() {
    let folder = Folder::new();
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/session_devices");
    std::fs::copy(example.join(".env.example"), folder.file(".env")).expect("it is there");
    let start = || Server::start_in("session_devices", folder.path());
    let first = Example {
        server: start(),
        folder: Folder::new(),
    };
    let token = first.token("/register", CHROME);
    drop(first);
    let second = Example {
        server: start(),
        folder: Folder::new(),
    };
    assert_eq!(second.with(&token, "GET /me")["email"], "test@example.com");
    assert!(folder.file("sessions.db").exists());
    assert!(second.folder.path().exists());
}

/// Somebody else's service: what it publishes, and what it says of a user.
struct Provider(Ed25519KeyPair);

impl Provider {
    fn key_set(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "1", "alg": "EdDSA" });
        json!({ "keys": [key] }).to_string()
    }

    fn id_token(&self, client: &str, email: &str, verified: bool) -> String {
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({
            "iss": "https://id.example", "aud": client, "sub": "4711", "iat": now,
            "exp": now + 300, "email": email, "email_verified": verified,
        });
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "typ": "JWT", "alg": "EdDSA", "kid": "1" });
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

#[test]
fn somebody_else_may_vouch_for_a_user_whose_session_is_ours() {
    let provider = Provider(Ed25519KeyPair::generate().expect("a key"));
    let folder = Folder::new();
    let keys = folder.file("jwks.json");
    std::fs::write(&keys, provider.key_set()).expect("written");
    let example = Example::start(&[
        ("SSO_JWKS_FILE", &keys.display().to_string()),
        ("SSO_ISSUER", "https://id.example"),
        ("SSO_CLIENT_ID", "devices"),
    ]);
    let sign_in = |id_token: &str| {
        let body = json!({ "id_token": id_token }).to_string();
        example.post("/login/sso", IPHONE, &body)
    };
    let vouched = provider.id_token("devices", "ada@example.com", true);
    let first = token(&sign_in(&vouched));
    let again = token(&sign_in(&vouched));
    assert_eq!(claims(&first)["session_id"], claims(&again)["session_id"]);
    let sessions = example.with(&first, "GET /sessions");
    assert_eq!(sessions[0]["device"], "Safari on iOS");
    assert_eq!(sessions.as_array().unwrap().len(), 1);

    let elsewhere = provider.id_token("another", "ada@example.com", true);
    let unverified = provider.id_token("devices", "ada@example.com", false);
    let stranger = Provider(Ed25519KeyPair::generate().expect("a key"));
    let forged = stranger.id_token("devices", "ada@example.com", true);
    for refused in [elsewhere, unverified, forged, "garbage".to_owned()] {
        assert_eq!(
            sign_in(&refused)["code"],
            "invalid_credentials",
            "{refused}"
        );
    }
    example.token("/register", CHROME);
    let theirs = provider.id_token("devices", "test@example.com", true);
    assert_eq!(sign_in(&theirs)["code"], "account_exists");
    // What the provider signs for a client is no token of ours.
    assert_eq!(example.with(&vouched, "GET /me")["code"], "invalid_token");
}
