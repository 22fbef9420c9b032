//! Token blacklisting, by the lines of its guide and by what the guide promises.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{Server, command};
use crate::redis_server::{Server as Redis, free_port};

const GUIDE: &str = include_str!("../../docs/token-blacklisting.md");
const SECRET: &str = "0e1d2c3b4a5968778695a4b3c2d1e0f0";
const PASSWORDS: [(&str, &str); 2] = [
    ("USER_PASSWORD", "correct horse"),
    ("ADMIN_PASSWORD", "battery staple"),
];

struct Example {
    server: Server,
    redis: Redis,
}

struct Device {
    access: String,
    refresh: String,
}

impl Example {
    fn start(more: &[(&str, &str)]) -> Self {
        let redis = Redis::new();
        let address = redis.address();
        let mut variables = vec![("REDIS_URL", address.as_str())];
        variables.extend(PASSWORDS);
        variables.extend_from_slice(more);
        Self {
            server: Server::start("token_blacklisting", &variables),
            redis,
        }
    }

    /// The status and the body of a call.
    fn call(&self, path: &str, token: Option<&str>, body: Option<Value>) -> (u16, Value) {
        let mut curl = Command::new("curl");
        curl.args(["-s", "--max-time", "60", "-w", "\n%{http_code}"]);
        curl.arg(format!("{}{path}", self.server.address));
        if let Some(token) = token {
            curl.args(["-H", &format!("authorization: Bearer {token}")]);
        }
        if let Some(body) = body {
            curl.args(["-H", "content-type: application/json"]);
            curl.args(["-d", &body.to_string()]);
        }
        let said = text(&curl.output().expect("curl is installed"));
        let (body, status) = said.rsplit_once('\n').expect("a body, then the status");
        (
            status.parse().expect("a status"),
            serde_json::from_str(body).unwrap_or_default(),
        )
    }

    fn sign_in(&self) -> Device {
        let account = json!({ "email": "user@example.com", "password": "correct horse" });
        Device::of(self.call("/api/auth/login", None, Some(account)))
    }

    fn refresh(&self, device: &Device) -> (u16, Value) {
        let body = json!({ "refresh_token": device.refresh });
        self.call("/api/auth/refresh", None, Some(body))
    }

    fn sign_out(&self, device: &Device) {
        let call = self.call("/api/auth/logout", Some(&device.access), Some(json!({})));
        assert_eq!(call.0, 204);
    }

    fn status(&self, device: &Device) -> u16 {
        self.call("/api/protected", Some(&device.access), None).0
    }

    fn token_id(&self, device: &Device) -> String {
        let (status, about) = self.call("/api/protected", Some(&device.access), None);
        assert_eq!(status, 200, "{about}");
        about["token_id"].as_str().expect("an id").to_owned()
    }

    fn key_of(&self, device: &Device) -> String {
        format!("blacklist:{}", self.token_id(device))
    }

    fn listed(&self) -> Vec<String> {
        self.redis.run(&["KEYS", "blacklist:*"])
    }

    fn until_refused(&self, device: &Device) {
        let start = Instant::now();
        while self.status(device) == 200 {
            assert!(start.elapsed() < Duration::from_secs(30), "never refused");
        }
        let (status, problem) = self.call("/api/protected", Some(&device.access), None);
        assert_eq!((status, &problem["code"]), (401, &json!("token_revoked")));
    }
}

impl Device {
    fn of((status, tokens): (u16, Value)) -> Self {
        assert_eq!(status, 200, "{tokens}");
        let token = |name: &str| tokens[name].as_str().expect("a token").to_owned();
        Self {
            access: token("access_token"),
            refresh: token("refresh_token"),
        }
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The commands of the guide, and the lines that it shows as their answers.
fn walk_through() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut steps: Vec<(&str, Vec<&str>)> = Vec::new();
    for block in GUIDE.split("```console\n").skip(1) {
        let (block, _) = block.split_once("```").expect("blocks end");
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => steps.push((command, Vec::new())),
                None => steps.last_mut().expect("a command first").1.push(line),
            }
        }
    }
    steps
}

/// What bash says to each command, all of them in one shell. `redis-cli` answers as on a terminal.
fn said_by_bash(steps: &[(&str, Vec<&str>)], api: &str, redis: u16) -> Vec<String> {
    const MARK: &str = "== next ==";
    let mut script = format!("redis-cli() {{ command redis-cli --no-raw -p {redis} \"$@\"; }}\n");
    for (command, _) in steps {
        let command = command.replace("http://127.0.0.1:3000", api);
        script += &format!("echo '{MARK}'\n{command}\n");
    }
    let output = Command::new("timeout")
        .args(["120", "bash", "-c", &script])
        .stderr(Stdio::inherit())
        .output()
        .expect("bash is installed");
    assert!(output.status.success(), "{output:?}");
    let said = text(&output);
    said.split(MARK).skip(1).map(str::to_owned).collect()
}

/// Whether a line is what the guide shows: its id stands for any, and a rest of life may have become
/// shorter by what the steps took.
fn is_as_shown(command: &str, shown: &str, said: &str, took: Duration) -> bool {
    let number = |line: &str| line.strip_prefix("(integer) ")?.parse::<i64>().ok();
    match (number(shown), number(said)) {
        (Some(shown), Some(said)) if command.contains(" TTL ") && shown > 0 => {
            is_rest_of(shown, said, took)
        }
        _ => match shown.split_once("4Vb0…") {
            Some((before, after)) => {
                let id = said
                    .strip_prefix(before)
                    .and_then(|id| id.strip_suffix(after));
                id.is_some_and(|id| id.len() == 43)
            }
            None => shown == said,
        },
    }
}

/// Whether a life is what is left of one that began so long ago; a second goes to the rounding of
/// `exp`, up, and one to that of `TTL`.
fn is_rest_of(life: i64, rest: i64, began: Duration) -> bool {
    let passed = i64::try_from(began.as_secs()).expect("a test is not that long");
    (life - passed - 2..=life + 1).contains(&rest)
}

#[test]
fn the_guides_lines_answer_as_the_guide_shows() {
    let example = Example::start(&[]);
    let steps = walk_through();
    let of_redis = steps.iter().filter(|step| step.0.starts_with("redis-cli"));
    assert_eq!(of_redis.count(), 8);
    let start = Instant::now();
    let said = said_by_bash(&steps, &example.server.address, example.redis.port);
    let took = start.elapsed();
    assert_eq!(said.len(), steps.len());
    for ((command, shown), said) in steps.iter().zip(said) {
        let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), shown.len(), "{command}\n{said}");
        for (shown, said) in shown.iter().zip(lines) {
            assert!(
                is_as_shown(command, shown, said, took),
                "{command}: {said}, not {shown}"
            );
        }
    }
}

#[test]
fn the_device_that_signs_out_is_out_and_the_other_one_goes_on() {
    let example = Example::start(&[]);
    let (iphone, ipad) = (example.sign_in(), example.sign_in());
    let key = example.key_of(&ipad);
    assert_eq!(example.listed(), Vec::<String>::new());
    example.sign_out(&ipad);
    assert_eq!(example.status(&ipad), 401);
    assert_eq!(example.status(&iphone), 200);
    assert_eq!(example.listed(), [key]);
    assert_eq!(example.refresh(&ipad).0, 401);
    let iphone = Device::of(example.refresh(&iphone));
    assert_eq!(example.status(&iphone), 200);
    assert_eq!(example.listed().len(), 1);
}

#[test]
fn each_living_token_of_a_session_is_listed_for_the_rest_of_its_life_and_the_leeway() {
    let lives = [("JWT_ACCESS_TOKEN_EXPIRY", "10m"), ("JWT_LEEWAY", "30s")];
    let example = Example::start(&lives);
    let start = Instant::now();
    let before = example.sign_in();
    let after = Device::of(example.refresh(&before));
    let mut expected = [&before, &after].map(|device| example.key_of(device));
    example.sign_out(&after);
    assert_eq!(
        (example.status(&before), example.status(&after)),
        (401, 401)
    );
    let mut keys = example.listed();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
    for key in keys {
        let rest: i64 = example.redis.run(&["TTL", &key]);
        assert!(is_rest_of(600 + 30, rest, start.elapsed()), "{rest}");
    }
}

#[test]
fn a_key_of_another_service_puts_that_token_out_and_stays_as_it_was_set() {
    let example = Example::start(&[]);
    let (iphone, ipad) = (example.sign_in(), example.sign_in());
    let key = example.key_of(&ipad);
    let _: () = example.redis.run(&["SET", &key, "x", "EX", "60"]);
    example.until_refused(&ipad);
    assert_eq!(example.status(&iphone), 200);
    let value: String = example.redis.run(&["GET", &key]);
    let rest: i64 = example.redis.run(&["TTL", &key]);
    assert!(value == "x" && (1..=60).contains(&rest), "{value} {rest}");
    // It is in the log by now, whatever becomes of the key.
    let _: u64 = example.redis.run(&["DEL", &key]);
    assert_eq!(example.status(&ipad), 401);
}

#[test]
fn a_refresh_that_repeats_a_listed_token_stays_out_and_the_next_generation_is_in() {
    let example = Example::start(&[("JWT_ROTATION_GRACE", "30m")]);
    let first = example.sign_in();
    let _: () = example
        .redis
        .run(&["SET", &example.key_of(&first), "x", "EX", "60"]);
    example.until_refused(&first);
    let second = Device::of(example.refresh(&first));
    assert_eq!(example.status(&second), 200);
    let _: () = example
        .redis
        .run(&["SET", &example.key_of(&second), "x", "EX", "60"]);
    example.until_refused(&second);
    let repeated = Device::of(example.refresh(&second));
    assert_eq!(example.status(&repeated), 401);
}

#[test]
fn no_key_and_no_value_of_a_listed_token_holds_a_token() {
    let example = Example::start(&[]);
    let devices = [example.sign_in(), example.sign_in()];
    example.sign_out(&devices[0]);
    let keys: Vec<String> = example.redis.run(&["KEYS", "*"]);
    assert!(keys.len() > 5, "{keys:?}");
    let listed = example.listed();
    let values: Vec<String> = listed
        .iter()
        .map(|key| example.redis.run(&["GET", key]))
        .collect();
    let everything = [keys, values].concat().join("\n");
    for device in &devices {
        for secret in device.access.split('.').chain([device.refresh.as_str()]) {
            assert!(!everything.contains(secret), "{everything}");
        }
    }
}

#[test]
fn the_dashboard_is_for_the_role_alone() {
    let example = Example::start(&[]);
    let dashboard = |token| example.call("/api/admin/dashboard", token, None);
    let user = example.sign_in();
    let (status, problem) = dashboard(Some(&user.access));
    assert_eq!(
        (status, &problem["code"]),
        (403, &json!("insufficient_role"))
    );
    let account = json!({ "email": "Admin@example.com", "password": "battery staple" });
    let admin = Device::of(example.call("/api/auth/login", None, Some(account)));
    let (status, about) = dashboard(Some(&admin.access));
    assert_eq!((status, &about["roles"]), (200, &json!(["admin"])));
    assert_eq!(dashboard(None).0, 401);
}

#[test]
fn an_unknown_account_and_a_wrong_password_look_the_same() {
    let example = Example::start(&[]);
    let attempt = |email: &str, password: &str| {
        let account = json!({ "email": email, "password": password });
        example.call("/api/auth/login", None, Some(account))
    };
    let wrong = attempt("user@example.com", "battery staple");
    assert_eq!(
        (wrong.0, &wrong.1["code"]),
        (401, &json!("invalid_credentials"))
    );
    for email in ["nobody@example.com", "nobody", "", &"x".repeat(1_000)] {
        assert_eq!(attempt(email, "correct horse"), wrong, "{email}");
    }
}

#[test]
fn passwords_that_nobody_chose_are_printed_and_work() {
    let redis = Redis::new();
    let variables = [("SESSION_STORE", redis.address())];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let server = Server::start("token_blacklisting", &variables);
    let line = server.line_that_begins("  user@example.com / ");
    let password = line.rsplit(' ').next().expect("a password").to_owned();
    let example = Example { server, redis };
    let account = json!({ "email": "user@example.com", "password": password });
    let device = Device::of(example.call("/api/auth/login", None, Some(account)));
    assert_eq!(example.status(&device), 200);
}

/// Runs the service of the example that knows only the convention, as a user of Redis that may do no more.
fn reader(example: &Example, verb: &str, token: &str) -> (bool, String) {
    let port = example.redis.port;
    let reader = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/token_blacklisting/reader.py"
    );
    let mut child = Command::new("python3")
        .args([reader, verb])
        .env("JWT_SECRET", SECRET)
        .env("REDIS_URL", format!("redis://reader:open@127.0.0.1:{port}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed; tests/run.sh does it");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(token.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    (output.status.success(), text(&output).trim().to_owned())
}

#[test]
fn a_service_that_only_knows_the_convention_shares_it_both_ways() {
    let example = Example::start(&[("JWT_SECRET", SECRET)]);
    let rule = GUIDE.split("for that service: `").nth(1).expect("its rule");
    let rule = rule.split('`').next().unwrap_or_default();
    let mut user = vec!["ACL", "SETUSER", "reader", "on", ">open", "-@all"];
    user.extend(rule.split(' '));
    let _: () = example.redis.run(&user);

    let (iphone, ipad) = (example.sign_in(), example.sign_in());
    let accepted = (true, "accepted".to_owned());
    let refused = (false, "refused: revoked".to_owned());
    for device in [&iphone, &ipad] {
        assert_eq!(reader(&example, "check", &device.access), accepted);
    }
    example.sign_out(&ipad);
    assert_eq!(reader(&example, "check", &ipad.access), refused);
    assert_eq!(reader(&example, "check", &iphone.access), accepted);

    assert!(reader(&example, "revoke", &iphone.access).0);
    example.until_refused(&iphone);
    assert_eq!(reader(&example, "check", &iphone.access), refused);
    let forged = format!("{}A", iphone.access);
    assert!(!reader(&example, "check", &forged).0);
    assert!(!reader(&example, "check", "no token").0);
}

#[test]
fn a_reader_whose_redis_is_away_accepts_nothing() {
    let mut example = Example::start(&[("JWT_SECRET", SECRET)]);
    let device = example.sign_in();
    example.redis.kill();
    let (accepted, said) = reader(&example, "check", &device.access);
    assert!(!accepted && said.is_empty(), "{said}");
}

/// What it says to a server that it cannot use, as it ends.
fn refused_start(variable: &str, address: &str) -> String {
    let output = command("token_blacklisting")
        .envs([(variable, address), ("LISTEN_ADDR", "127.0.0.1:0")])
        .output()
        .expect("the example was just built");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn without_a_redis_that_it_can_use_it_ends_with_one_line_that_says_what_to_do() {
    let nobody = refused_start("REDIS_URL", &format!("redis://127.0.0.1:{}", free_port()));
    assert!(nobody.contains("cannot be reached"), "{nobody}");
    assert!(nobody.contains("start one with `redis-server`"), "{nobody}");

    let redis = Redis::with(&["--requirepass", "sesame"]);
    let wrong = format!("redis://:a-wrong-one@127.0.0.1:{}", redis.port);
    let denied = refused_start("SESSION_STORE", &wrong);
    assert!(denied.contains("password is wrong"), "{denied}");
    assert!(!denied.contains("a-wrong-one"), "{denied}");
    for said in [&nobody, &denied] {
        assert!(said.starts_with("error: session store (redis)"), "{said}");
        assert!(said.contains("set REDIS_URL"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_store_that_is_not_redis_is_refused_with_the_address_to_write() {
    for variable in ["REDIS_URL", "SESSION_STORE"] {
        for address in ["memory:", "sqlite:sessions.db", "postgres://u:a-secret@h/d"] {
            let said = refused_start(variable, address);
            assert!(
                said.contains("error: 1 problem in the configuration"),
                "{said}"
            );
            assert!(said.contains(variable), "{said}");
            assert!(said.contains("redis://127.0.0.1:6379"), "{said}");
            assert!(!said.contains("a-secret"), "{said}");
        }
    }
}
