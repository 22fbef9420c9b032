//! A refresh token is stolen: everything that its owner and the thief can do next, in every order, without a grace.

use std::collections::BTreeSet;

use serde_json::json;

use crate::server::{Server, SignedIn, get, post};
use crate::table::Line;
use crate::wire::Wire;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    OwnerRefreshes,
    OwnerUses,
    ThiefRefreshes,
    ThiefUses,
}

const DEEDS: [Deed; 4] = [
    Deed::OwnerRefreshes,
    Deed::OwnerUses,
    Deed::ThiefRefreshes,
    Deed::ThiefUses,
];

/// What the rules say: one line of tokens, and a second use of any ends it.
struct Rules {
    alive: bool,
    current: u32,
}

impl Rules {
    /// Whether a refresh with a token of that generation brings a new one.
    fn refresh(&mut self, generation: u32) -> bool {
        let is_current = generation == self.current;
        self.alive &= is_current;
        self.current += u32::from(self.alive);
        self.alive
    }
}

/// Somebody's newest tokens, and of which generation they are.
#[derive(Clone)]
struct Holder {
    access: String,
    refresh: String,
    generation: u32,
}

pub fn run(server: &Server) -> (BTreeSet<Line>, Vec<String>) {
    let mut wire = server.wire();
    let (mut lines, mut wrong) = (BTreeSet::new(), Vec::new());
    for number in 0..DEEDS.len().pow(4) {
        let mut story: Vec<Deed> = (0..4_u32)
            .map(|place| DEEDS[number / 4_usize.pow(place) % 4])
            .collect();
        // In the end both try what they have.
        story.extend([
            Deed::ThiefRefreshes,
            Deed::OwnerRefreshes,
            Deed::ThiefUses,
            Deed::OwnerUses,
        ]);
        let signed_in = server.sign_in(&mut wire, &format!("user-{number}"));
        let told = play(&mut wire, server.example.me(), &signed_in, &story);
        let name = story[..4]
            .iter()
            .map(|deed| format!("{deed:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        match told {
            Ok(verdict) => {
                lines.insert(Line {
                    suite: "theft".to_owned(),
                    family: "order".to_owned(),
                    case: name,
                    reference: "RFC 9700 4.14.2".to_owned(),
                    verdict,
                });
            }
            Err(what) => wrong.push(format!("{name}: {what}")),
        }
    }
    (lines, wrong)
}

/// Plays a story beside the rules, and tells what each deed came to.
fn play(wire: &mut Wire, me: &str, good: &SignedIn, story: &[Deed]) -> Result<String, String> {
    let mut rules = Rules {
        alive: true,
        current: 1,
    };
    let holder = Holder {
        access: good.access.clone(),
        refresh: good.refresh.clone(),
        generation: 1,
    };
    let (mut owner, mut thief) = (holder.clone(), holder);
    let mut verdict = Vec::new();
    for (step, deed) in story.iter().enumerate() {
        let who = match deed {
            Deed::OwnerRefreshes | Deed::OwnerUses => &mut owner,
            Deed::ThiefRefreshes | Deed::ThiefUses => &mut thief,
        };
        let (admitted, expected) = match deed {
            Deed::OwnerUses | Deed::ThiefUses => {
                (get(wire, me, &who.access).status == 200, rules.alive)
            }
            Deed::OwnerRefreshes | Deed::ThiefRefreshes => {
                let expected = rules.refresh(who.generation);
                (refresh(wire, who, rules.current), expected)
            }
        };
        if admitted != expected {
            return Err(format!(
                "step {step}, {deed:?}: {admitted}, and the rules say {expected}"
            ));
        }
        verdict.push(if admitted { "goes on" } else { "refused" });
    }
    Ok(verdict.join(", "))
}

fn refresh(wire: &mut Wire, who: &mut Holder, generation: u32) -> bool {
    let answer = post(
        wire,
        "/api/token/refresh",
        None,
        &json!({ "refreshToken": who.refresh }),
    );
    let data = &answer.json()["data"];
    let text = |member: &str| data[member].as_str().map(str::to_owned);
    if let (Some(access), Some(refresh)) = (text("accessToken"), text("refreshToken")) {
        *who = Holder {
            access,
            refresh,
            generation,
        };
    }
    answer.status == 200
}
