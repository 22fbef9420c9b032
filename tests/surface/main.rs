//! The HTTP surface, by one client, on every framework, version of HTTP and store: the same cases, and
//! the same answers but for what frameworks add by themselves.

mod accounts;
mod case;
mod cases;
mod client;
mod document;
#[path = "../folder/mod.rs"]
mod folder;
mod servers;
mod streams;
mod world;

use std::collections::HashMap;
use std::time::Duration;

use tower_jwt_session::{RateLimit, TrustedProxies};

use crate::case::{Answer, Case, case};
use crate::client::{Client, Version};
use crate::servers::Framework;
use crate::world::{Store, World};

/// Runs cases in their order, in a world of their own: the answers, and what is wrong.
async fn run(
    framework: Framework,
    mut world: World,
    version: Version,
    cases: &[Case],
) -> (Vec<Answer>, Vec<String>) {
    let address = framework.serve(world.accounts.clone()).await;
    world.values.insert("host".to_owned(), address.to_string());
    let client = Client::new(address, version);
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    let mut same: HashMap<&str, Answer> = HashMap::new();
    for case in cases {
        let raw = client.send(&case.sent(&world.values)).await;
        wrong.extend(case.complaint(&raw, &world.values));
        case.kept(&raw, &mut world.values);
        let answer = Answer::of(&raw);
        if let Some(group) = case.same {
            let first = same.entry(group).or_insert_with(|| answer.clone());
            if *first != answer {
                wrong.push(format!("{}: is told from its like: {answer:?}", case.name));
            }
        }
        answers.push(answer);
        if case.bad {
            wrong.extend(unharmed(case, &client, &world).await);
        }
    }
    world.running.shutdown().await;
    (answers, wrong)
}

/// The session of somebody who did nothing is what it was.
async fn unharmed(after: &Case, client: &Client, world: &World) -> Option<String> {
    let witness = case(format!("after {}", after.name), "GET", "/api/me").bearer("eve.access");
    let raw = client.send(&witness.sent(&world.values)).await;
    witness.complaint(&raw, &world.values)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_framework_gives_the_answers_of_the_contract_and_all_the_same() {
    let cases = cases::all();
    let mut first: Option<Vec<Answer>> = None;
    for framework in Framework::ALL {
        for store in [Store::Memory, Store::Sqlite] {
            for version in [Version::Http1, Version::Http2] {
                let world = World::new(store).await;
                let (answers, mut wrong) = run(framework, world, version, &cases).await;
                let expected = first.get_or_insert_with(|| answers.clone());
                for ((case, expected), answer) in cases.iter().zip(&*expected).zip(&answers) {
                    if expected != answer {
                        let name = &case.name;
                        wrong.push(format!("{name}: {answer:?} and elsewhere {expected:?}"));
                    }
                }
                let run = format!("{framework:?} {store:?} {version:?}");
                assert!(wrong.is_empty(), "{run}:\n{}", wrong.join("\n"));
            }
        }
    }
}

/// The same in a world with a limit on attempts, without the answers being compared.
async fn limited(proxies: &str, cases: &[Case]) {
    let limit = RateLimit::new(cases::limits::LIMIT, Duration::from_secs(900));
    let proxies = TrustedProxies::parse(proxies).unwrap();
    for framework in Framework::ALL {
        for version in [Version::Http1, Version::Http2] {
            let world = World::with(Store::Memory, |builder| {
                builder.rate_limit(limit).trusted_proxies(proxies.clone())
            });
            let (_, wrong) = run(framework, world.await, version, cases).await;
            assert!(
                wrong.is_empty(),
                "{framework:?} {version:?}:\n{}",
                wrong.join("\n")
            );
        }
    }
}

#[tokio::test]
async fn attempts_are_counted_by_the_peer_whatever_it_says_of_itself() {
    limited("", &cases::limits::of_one_peer()).await;
}

#[tokio::test]
async fn attempts_are_counted_by_the_client_that_a_trusted_proxy_names() {
    limited("loopback", &cases::limits::of_clients()).await;
}

#[test]
fn there_are_enough_cases_of_either_kind() {
    let cases = cases::all();
    let bad = cases.iter().filter(|case| case.bad).count();
    println!("{} cases, {bad} of them bad input", cases.len());
    assert!(
        cases.len() >= 350 && bad >= 250,
        "{} and {bad}",
        cases.len()
    );
    let names: std::collections::HashSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "a name stands twice");
}

#[test]
fn every_route_has_a_case() {
    let cases = cases::all();
    for route in tower_jwt_session::endpoints::routes() {
        let begins = route.path.split('{').next().unwrap();
        assert!(
            cases
                .iter()
                .any(|case| case.is_of(route.method.as_str(), begins)),
            "{} {} is not tried",
            route.method,
            route.path
        );
    }
}
