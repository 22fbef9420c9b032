//! What the sessions of one user cost among few others and among many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_jwt_session::session::{Listing, PageRequest, SignInOutcome};
use tower_jwt_session::{SessionLimit, SessionStore, UserId};

use crate::backend::Backend;
use crate::figures::{Bound, Figure, Figures};
use crate::plot::Curve;
use crate::rate::new_session;

const SESSIONS_OF_A_USER: u32 = 10;
/// More than what a machine varies by, and far less than a thousand times.
const MOST: f64 = 3.0;

pub async fn measure(backend: &dyn Backend, quick: bool, figures: &mut Figures) {
    figures.part("scale", "One user's sessions among others");
    let sizes: &[u64] = if quick {
        &[1_000, 100_000]
    } else {
        &[1_000, 10_000, 100_000, 1_000_000]
    };
    let mut filled = 0;
    let (mut first, mut last) = (Costs::default(), Costs::default());
    let mut curves = ["list", "count", "limit check"].map(|name| Curve {
        name,
        points: Vec::new(),
    });
    for &sessions in sizes {
        let users = sessions / u64::from(SESSIONS_OF_A_USER);
        let began = Instant::now();
        backend.fill("scale", filled..users).await;
        let took = began.elapsed().as_secs();
        eprintln!("  {sessions} sessions are there, after {took} s");
        filled = users;
        let store = backend.store("scale").await;
        last = Costs::of(&store, users).await;
        let add = |what: &str, time| Figure::millis(format!("{what} among {sessions}"), time, None);
        figures.add(add("list", last.list));
        figures.add(add("count", last.count));
        figures.add(add("limit check, and a sign-in by it", last.sign_in));
        figures.add(add("a page of 100", last.page));
        figures.add(add("how many there are, in all", counted(&store).await));
        let costs = [last.list, last.count, last.sign_in];
        for (curve, cost) in curves.iter_mut().zip(costs) {
            let point = (sessions as f64, cost.as_secs_f64() * 1_000.0);
            curve.points.push(point);
        }
        if sessions == sizes[0] {
            first = last;
        }
    }
    for curve in curves {
        figures.draw(curve);
    }
    let pairs = [
        ("list", first.list, last.list),
        ("count", first.count, last.count),
        ("limit check", first.sign_in, last.sign_in),
        ("a page of 100", first.page, last.page),
    ];
    for (what, few, many) in pairs {
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        let name = format!("{what}: most to fewest");
        figures.add(Figure::new(name, ratio, "times", Some(Bound::AtMost(MOST))));
    }
}

/// The name of a user of a number.
pub fn user_name(number: &str) -> String {
    format!("user-{number}@bench.example")
}

/// What an operation takes, in the middle of many.
#[derive(Clone, Copy, Debug, Default)]
struct Costs {
    list: Duration,
    count: Duration,
    sign_in: Duration,
    page: Duration,
}

impl Costs {
    async fn of(store: &Arc<dyn SessionStore>, users: u64) -> Self {
        let (mut list, mut count, mut sign_in) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..TIMES {
            let user = user_name(&format!("{:010}", fastrand::u64(0..users)));
            let user = UserId::new(user).expect("it is a name");
            let began = Instant::now();
            let listed = store.list(&user, Listing::Live).await;
            list.push(began.elapsed());
            let listed = listed.expect("the store answers").len();
            assert_eq!(
                listed, SESSIONS_OF_A_USER as usize,
                "a user has ten sessions"
            );

            let began = Instant::now();
            let counted = store.count(&user).await;
            count.push(began.elapsed());
            assert_eq!(counted.ok(), Some(u64::from(SESSIONS_OF_A_USER)));

            let mut new = new_session();
            new.user = user;
            new.limit = SessionLimit::evicting(SESSIONS_OF_A_USER);
            let began = Instant::now();
            let made = store.sign_in(new).await;
            sign_in.push(began.elapsed());
            let Ok(SignInOutcome::Created { ended, .. }) = made else {
                panic!("the store answers");
            };
            assert_eq!(ended.len(), 1, "one gave way");
        }
        let page = pages(store).await;
        let [list, count, sign_in, page] = [list, count, sign_in, page].map(median);
        Self {
            list,
            count,
            sign_in,
            page,
        }
    }
}

/// What pages take that somebody leafs through, from the first on.
async fn pages(store: &Arc<dyn SessionStore>) -> Vec<Duration> {
    let (mut times, mut after) = (Vec::new(), None);
    for _ in 0..TIMES {
        let mut request = PageRequest::new(100);
        request.after = after;
        let began = Instant::now();
        let page = store.page(request).await;
        let took = began.elapsed();
        let page = page.expect("the store answers");
        after = page.next;
        // The last one, after which the first comes again.
        if page.records.len() < 100 {
            assert!(after.is_none(), "a page that others follow is full");
            continue;
        }
        times.push(took);
    }
    times
}

/// What it takes to count everybody, in the middle of a few.
async fn counted(store: &Arc<dyn SessionStore>) -> Duration {
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let counted = store.population().await;
        times.push(began.elapsed());
        assert!(counted.is_ok_and(|of| of.sessions >= 1_000), "it counts");
    }
    median(times)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

const TIMES: u32 = 300;
