//! The other end: a node as who started it sees it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::IS_NODE;

/// How a program starts itself again as a node.
#[derive(Clone, Debug)]
pub struct Launch {
    /// What stands before the program: a shell that sets limits, or nothing.
    pub wrapper: Vec<String>,
    /// The words by which it knows that it is a node.
    pub arguments: Vec<String>,
}

/// A node. It is killed when this is dropped.
pub struct Node {
    child: Child,
    input: Mutex<ChildStdin>,
    waiting: Waiting,
    next: AtomicU64,
}

/// Who waits for which answer; `None` when the node has gone.
type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<String>>>>>;

/// What a client holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub session: String,
    pub access: String,
    pub refresh: String,
    pub generation: u32,
}

/// How a request fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    pub code: String,
}

/// When an end was asked for, when it held on the node, and when the command was done, in
/// nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct EndedAt {
    pub count: usize,
    pub began: u128,
    pub held: u128,
    pub done: u128,
}

impl Launch {
    /// A test binary, in which a test of that name calls [`play`](super::program::play).
    pub fn test(name: &str) -> Self {
        Self {
            wrapper: Vec::new(),
            arguments: vec![
                "--exact".to_owned(),
                name.to_owned(),
                "--nocapture".to_owned(),
            ],
        }
    }

    /// A program that looks for [`IS_NODE`] by itself.
    pub fn program() -> Self {
        Self {
            wrapper: Vec::new(),
            arguments: Vec::new(),
        }
    }

    /// Behind other words, as `sh -c 'ulimit …; exec "$@"' sh`.
    pub fn behind(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    fn command(&self) -> Command {
        let program = std::env::current_exe().expect("a program knows itself");
        match self.wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        }
    }

    /// Starts a node and waits until it follows the log.
    pub async fn start(&self, address: &str, settings: &[(&str, &str)]) -> Node {
        let started = self.try_start(address, settings).await;
        started.unwrap_or_else(|why| panic!("the node does not start: {why}"))
    }

    /// The same; says why where it does not start.
    pub async fn try_start(
        &self,
        address: &str,
        settings: &[(&str, &str)],
    ) -> Result<Node, String> {
        let mut child = self
            .command()
            .args(&self.arguments)
            .env(IS_NODE, "1")
            .env("SESSION_STORE", address)
            .env("JWT_MAX_CONCURRENT_SESSIONS", "0")
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a program can start itself");
        let input = child.stdin.take().expect("it is piped");
        let output = child.stdout.take().expect("it is piped");
        let (first, started) = oneshot::channel();
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let heard = waiting.clone();
        std::thread::spawn(move || listen(output, first, &heard));
        let node = Node {
            child,
            input: Mutex::new(input),
            waiting,
            next: AtomicU64::default(),
        };
        match timeout(PATIENCE, started).await {
            Ok(Ok(word)) if word == "ready" => Ok(node),
            Ok(Ok(word)) => Err(word),
            Ok(Err(_)) => Err("it ended without a word".to_owned()),
            Err(_) => Err("it says nothing".to_owned()),
        }
    }
}

/// Hands each answer to who waits for it.
fn listen(output: ChildStdout, first: oneshot::Sender<String>, waiting: &Waiting) {
    let mut first = Some(first);
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        // What else stands in the line is of the test harness.
        let Some((_, said)) = line.split_once("@ ") else {
            continue;
        };
        if let Some(first) = first.take() {
            let _ = first.send(said.to_owned());
            continue;
        }
        let (number, answer) = said.split_once(' ').unwrap_or((said, ""));
        let mut waiting = waiting.lock().expect("nobody panicked");
        let sender = number
            .parse()
            .ok()
            .and_then(|number: u64| waiting.as_mut()?.remove(&number));
        if let Some(sender) = sender {
            // Who asked may have given up.
            let _ = sender.send(answer.to_owned());
        }
    }
    waiting.lock().expect("nobody panicked").take();
}

impl Node {
    /// What the node answers; `None` when it has gone, or does not answer at all.
    pub async fn try_ask(&self, command: &str) -> Option<String> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().expect("nobody panicked");
            waiting.as_mut()?.insert(number, sender);
        }
        {
            let mut input = self.input.lock().expect("nobody panicked");
            input
                .write_all(format!("{number} {command}\n").as_bytes())
                .ok()?;
        }
        timeout(PATIENCE, answer).await.ok()?.ok()
    }

    /// The same of a node that is there.
    pub async fn ask(&self, command: &str) -> String {
        let answer = self.try_ask(command).await;
        let verb = command.split(' ').next().unwrap_or_default();
        answer.unwrap_or_else(|| panic!("the node does not answer {verb}"))
    }

    pub async fn sign_in(&self, user: &str) -> Result<Pair, String> {
        pair(&self.ask(&format!("sign-in {user}")).await)
    }

    pub async fn refresh(&self, token: &str) -> Result<Pair, String> {
        pair(&self.ask(&format!("refresh {token}")).await)
    }

    pub async fn ticket(&self, user: &str) -> Result<String, String> {
        let answer = self.ask(&format!("ticket {user}")).await;
        accepted(&answer).map(str::to_owned)
    }

    pub async fn redeem(&self, ticket: &str) -> Result<Pair, String> {
        pair(&self.ask(&format!("redeem {ticket}")).await)
    }

    pub async fn check(&self, access: &str) -> Answered {
        let answer = self.ask(&format!("check {access}")).await;
        let (status, code) = answer.split_once(' ').unwrap_or((&answer, ""));
        Answered {
            status: status.parse().expect("a status is a number"),
            code: code.to_owned(),
        }
    }

    pub async fn end(&self, session: &str) -> Result<EndedAt, String> {
        ended(&self.ask(&format!("end {session}")).await)
    }

    pub async fn end_everywhere(&self, session: &str) -> Result<EndedAt, String> {
        ended(&self.ask(&format!("end-everywhere {session}")).await)
    }

    /// Ends all sessions of a user but one.
    pub async fn end_all(&self, user: &str, except: Option<&str>) -> Result<EndedAt, String> {
        let except = except.unwrap_or("-");
        ended(&self.ask(&format!("end-all {user} {except}")).await)
    }

    pub async fn roles_changed(&self, user: &str) -> Result<(), String> {
        let answer = self.ask(&format!("roles {user}")).await;
        accepted(&answer).map(drop)
    }

    pub async fn list(&self, user: &str) -> Result<Vec<String>, String> {
        let answer = self.ask(&format!("list {user}")).await;
        let listed = accepted(&answer)?;
        Ok(listed.split_whitespace().map(str::to_owned).collect())
    }

    pub async fn count(&self, user: &str) -> Result<u64, String> {
        let answer = self.ask(&format!("count {user}")).await;
        Ok(accepted(&answer)?.parse().expect("a count is a number"))
    }

    /// When this node first refused a token, in nanoseconds since 1970.
    pub async fn await_refusal(&self, access: &str) -> Result<u128, String> {
        let answer = self.ask(&format!("await-refusal {access}")).await;
        Ok(accepted(&answer)?.parse().expect("an instant is a number"))
    }

    /// The words of `following fresh age-in-microseconds entries complete cursor`.
    pub async fn status(&self) -> Vec<String> {
        let answer = self.ask("status").await;
        let words = accepted(&answer).expect("a status never fails");
        words.split_whitespace().map(str::to_owned).collect()
    }

    /// Stops it as `kill -STOP` does.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    pub fn kill(mut self) {
        self.end_process();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([format!("-{signal}"), self.child.id().to_string()])
            .status();
        assert!(sent.expect("there is a kill").success());
    }

    fn end_process(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end_process();
    }
}

fn accepted(answer: &str) -> Result<&str, String> {
    match answer.split_once(' ') {
        Some(("ok", rest)) => Ok(rest),
        None if answer == "ok" => Ok(""),
        Some((_, why)) => Err(why.to_owned()),
        None => Err(answer.to_owned()),
    }
}

fn pair(answer: &str) -> Result<Pair, String> {
    let words: Vec<&str> = accepted(answer)?.split(' ').collect();
    let [session, access, refresh, generation] = words.as_slice() else {
        panic!("a pair has four words");
    };
    Ok(Pair {
        session: (*session).to_owned(),
        access: (*access).to_owned(),
        refresh: (*refresh).to_owned(),
        generation: generation.parse().expect("a generation is a number"),
    })
}

fn ended(answer: &str) -> Result<EndedAt, String> {
    let words = accepted(answer)?.split(' ');
    let numbers: Vec<u128> = words.filter_map(|word| word.parse().ok()).collect();
    let [count, began, held, done] = numbers.as_slice() else {
        panic!("an end has four numbers");
    };
    Ok(EndedAt {
        count: usize::try_from(*count).expect("a count is small"),
        began: *began,
        held: *held,
        done: *done,
    })
}

/// More than anything here takes: only whether an answer comes at all is the matter.
const PATIENCE: Duration = Duration::from_secs(90);
