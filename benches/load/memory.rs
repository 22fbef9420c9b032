//! What a node keeps in memory, by piece.

use tower::Service as _;
use tower_jwt_session::revocation::{Confirm, RevocationStore, Terms};
use tower_jwt_session::verify::Algorithm;
use tower_jwt_session::{MemoryStore, SessionStore as _};

use crate::churn::entries;
use crate::forge::Forge;
use crate::node::{Settings, bearer, layered, node, request};
use crate::rate::new_session;
use crate::results::{Results, Wanted as Figure};
use crate::{Wanted, in_a_process, resident, runtime};

pub fn measure(wanted: &Wanted, results: &mut Results) {
    results.say(
        "Each by a process of its own: what it has in memory before and after, by the number of what was added between; without the pages \
         of the program itself, which come to memory as they are first run (`RssAnon` of the kernel, not `VmRSS`). What the store itself keeps of a \
         session is in the part *growth*, where it is filled.",
    );
    let most = if wanted.quick { 100_000 } else { wanted.most };
    let counts = [100_000, 1_000_000, 10_000_000];
    let up_to = |most: u64| counts.into_iter().filter(move |count| *count <= most);
    for count in up_to(most) {
        let gated = Figure::AtMost {
            goal: 700.0,
            gate: 1_050.0,
        };
        let [each, length] = in_a_process(&format!("token {count}"))[..] else {
            unreachable!("it prints two numbers");
        };
        results.judge(format!("a warm token, of {count}"), each, "bytes", gated);
        results.add(
            format!("the text of such a token, of {count}"),
            length,
            "bytes",
        );
    }
    for count in up_to(most) {
        let gated = Figure::AtMost {
            goal: 80.0,
            gate: 120.0,
        };
        let each = in_a_process(&format!("view {count}"))[0];
        results.judge(
            format!("a revocation in the view, of {count}"),
            each,
            "bytes",
            gated,
        );
    }
    // Ten million take 23 GB where each is of another user; where each user has ten, they are in `growth`.
    for count in up_to(most.min(1_000_000)) {
        let each = in_a_process(&format!("records {count}"))[0];
        results.add(
            format!("a session in the memory store, of {count}"),
            each,
            "bytes",
        );
    }
}

/// Prints what a token takes that a node has seen, and how long its text is.
pub fn tokens(count: &str) {
    let count: u64 = count.parse().expect("a number");
    runtime(1).block_on(async {
        let forge = Forge::new(Algorithm::Hs256);
        let settings = |cache| Settings {
            cache,
            terms: Terms::new(Confirm::Never),
            ..Settings::default()
        };
        let before = resident();
        let auth = node(forge.key(), MemoryStore::new(), settings(count * 2_000)).await;
        let (mut service, mut length) = (layered(&auth), 0);
        for _ in 0..count {
            let token = forge.genuine(LIVES);
            length += token.len();
            let answer = service.call(request(&bearer(&token))).await;
            let answer = answer.expect("it never fails");
            assert_eq!(answer.status(), 200);
        }
        let kept = (resident() - before) / count as f64;
        println!("{kept} {}", length as f64 / count as f64);
    });
}

/// Prints what a revocation takes in the view of a node.
pub fn view(count: &str) {
    let count: u64 = count.parse().expect("a number");
    runtime(1).block_on(async {
        let store = MemoryStore::new();
        for first in (0..count).step_by(AT_ONCE) {
            let written = store
                .append(entries((count - first).min(AT_ONCE as u64)))
                .await;
            written.expect("memory takes it");
        }
        let before = resident();
        let auth = node(
            Forge::new(Algorithm::Hs256).key(),
            store,
            Settings::default(),
        )
        .await;
        assert_eq!(
            auth.view().entries as u64,
            count,
            "the view holds all of them"
        );
        println!("{}", (resident() - before) / count as f64);
    });
}

/// Prints what a session takes in the memory store.
pub fn records(count: &str) {
    let count: u64 = count.parse().expect("a number");
    runtime(1).block_on(async {
        let store = MemoryStore::new();
        let before = resident();
        for _ in 0..count {
            let made = store.sign_in(new_session()).await;
            made.expect("memory takes it");
        }
        println!("{}", (resident() - before) / count as f64);
    });
}

const AT_ONCE: usize = 10_000;
/// Seconds that a token has to go.
const LIVES: i64 = 600;
