//! Writes that several callers wait for, done as one.
//!
//! A few writes run at a time. What is asked for meanwhile waits, and the next takes all of it: one
//! round trip, one transaction and one wait for the disk for many. Who is alone waits for nobody.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Gathers jobs of a kind, `J`, each of which is answered by an `A`.
pub(super) struct Together<J, A> {
    state: Mutex<State<J, A>>,
}

struct State<J, A> {
    waiting: VecDeque<Waiting<J, A>>,
    running: usize,
}

struct Waiting<J, A> {
    key: u128,
    job: J,
    answer: oneshot::Sender<A>,
}

impl<J, A> Together<J, A> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                running: 0,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Send + 'static, A: Send + 'static> Together<J, A> {
    /// Has a job done by `work`, beside others of other keys. `None` when it has to be done alone:
    /// `work` left it out, or came to nothing.
    ///
    /// `work` answers jobs in their order. Who finds nobody else does it in place: two
    /// changes of task take as long as a short round trip. What others wait for runs in
    /// a task, which is given up when none of them waits any more, so that one that hangs keeps
    /// nobody out for longer than that.
    pub(super) async fn run<W, F>(self: &Arc<Self>, key: u128, job: J, work: W) -> Option<A>
    where
        W: Fn(Vec<J>) -> F + Send + 'static,
        F: Future<Output = Vec<Option<A>>> + Send + 'static,
    {
        let runtime = Handle::try_current().ok()?;
        if let Some(place) = self.empty() {
            let alone = Alone {
                rest: Some((place, work)),
                runtime,
            };
            return alone.done(job).await;
        }
        let (answer, answered) = oneshot::channel();
        let begins = {
            let mut state = self.lock();
            state.waiting.push_back(Waiting { key, job, answer });
            let begins = state.running < MOST_RUNNING;
            state.running += usize::from(begins);
            begins
        };
        if begins {
            let place = Place {
                of: self.clone(),
                held: true,
            };
            runtime.spawn(place.fill(work));
        }
        answered.await.ok()
    }
}

impl<J, A> Together<J, A> {
    /// A place for who is the only one. Only the first is given away like that: where its holder
    /// does not go on, the other place serves everybody else.
    fn empty(self: &Arc<Self>) -> Option<Place<J, A>> {
        let mut state = self.lock();
        if state.running > 0 || !state.waiting.is_empty() {
            return None;
        }
        state.running = 1;
        Some(Place {
            of: self.clone(),
            held: true,
        })
    }
}

/// Who does their own job, and leaves what came meanwhile to a task, also where they leave early.
struct Alone<J, A, W, F>
where
    J: Send + 'static,
    A: Send + 'static,
    W: Fn(Vec<J>) -> F + Send + 'static,
    F: Future<Output = Vec<Option<A>>> + Send + 'static,
{
    rest: Option<(Place<J, A>, W)>,
    runtime: Handle,
}

impl<J, A, W, F> Alone<J, A, W, F>
where
    J: Send + 'static,
    A: Send + 'static,
    W: Fn(Vec<J>) -> F + Send + 'static,
    F: Future<Output = Vec<Option<A>>> + Send + 'static,
{
    async fn done(self, job: J) -> Option<A> {
        let (_, work) = self.rest.as_ref()?;
        let done = tokio::time::timeout(PATIENCE, work(vec![job])).await;
        done.unwrap_or_default().pop()?
    }
}

impl<J, A, W, F> Drop for Alone<J, A, W, F>
where
    J: Send + 'static,
    A: Send + 'static,
    W: Fn(Vec<J>) -> F + Send + 'static,
    F: Future<Output = Vec<Option<A>>> + Send + 'static,
{
    fn drop(&mut self) {
        if let Some((place, work)) = self.rest.take()
            && let Some(place) = place.unless_free()
        {
            self.runtime.spawn(place.fill(work));
        }
    }
}

impl<J, A> State<J, A> {
    /// Those that are next, each key once.
    fn take(&mut self) -> Vec<Waiting<J, A>> {
        let (mut taken, mut later) = (Vec::new(), VecDeque::new());
        let mut keys = HashSet::new();
        while taken.len() < MOST_AT_ONCE
            && let Some(next) = self.waiting.pop_front()
        {
            if next.answer.is_closed() {
                continue;
            }
            if keys.insert(next.key) {
                taken.push(next);
            } else {
                later.push_back(next);
            }
        }
        later.append(&mut self.waiting);
        self.waiting = later;
        taken
    }
}

/// One of those that may run at a time.
struct Place<J, A> {
    of: Arc<Together<J, A>>,
    held: bool,
}

impl<J, A> Place<J, A> {
    /// What is done next. The place is free when there is nothing: under the same lock, so that
    /// whoever comes then finds it so.
    fn next(&mut self) -> Vec<Waiting<J, A>> {
        let mut state = self.of.lock();
        let taken = state.take();
        if taken.is_empty() {
            state.running -= 1;
            self.held = false;
        }
        taken
    }

    /// Frees the place where nobody waits for it.
    fn unless_free(mut self) -> Option<Self> {
        let mut state = self.of.lock();
        if !state.waiting.is_empty() {
            drop(state);
            return Some(self);
        }
        state.running -= 1;
        drop(state);
        self.held = false;
        None
    }

    async fn fill<W, F>(mut self, work: W)
    where
        W: Fn(Vec<J>) -> F,
        F: Future<Output = Vec<Option<A>>>,
    {
        loop {
            let taken = self.next();
            if taken.is_empty() {
                return;
            }
            let mut answers: Vec<_> = Vec::with_capacity(taken.len());
            let mut jobs = Vec::with_capacity(taken.len());
            for Waiting { job, answer, .. } in taken {
                jobs.push(job);
                answers.push(answer);
            }
            let done = tokio::select! {
                done = tokio::time::timeout(PATIENCE, work(jobs)) => done.unwrap_or_default(),
                () = gone(&mut answers) => Vec::new(),
            };
            for (answer, done) in answers.into_iter().zip(done) {
                if let Some(done) = done {
                    // Who does not wait any more has been told something else.
                    let _ = answer.send(done);
                }
            }
        }
    }
}

impl<J, A> Drop for Place<J, A> {
    fn drop(&mut self) {
        if self.held {
            // The runtime is over, or the work panicked: whoever waits is not kept waiting.
            let mut state = self.of.lock();
            state.running -= 1;
            state.waiting.clear();
        }
    }
}

impl<J, A> fmt::Debug for Together<J, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

/// Waits until nobody waits for any of the answers.
async fn gone<A>(answers: &mut [oneshot::Sender<A>]) {
    for answer in answers {
        answer.closed().await;
    }
}

/// While one waits for the disk, another can be made ready.
const MOST_RUNNING: usize = 2;
/// Enough to share what a round trip costs, and few enough that the last does not wait for long.
const MOST_AT_ONCE: usize = 32;
/// Callers have shorter deadlines of their own; this one is for those that have none.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::Semaphore;

    use super::*;

    /// Work that needs a permit for each time it is done, and notes what was done together.
    struct Bench {
        together: Arc<Together<u32, u32>>,
        permits: Arc<Semaphore>,
        done: Arc<Mutex<Vec<Vec<u32>>>>,
    }

    impl Bench {
        fn new(permits: usize) -> Self {
            Self {
                together: Arc::new(Together::new()),
                permits: Arc::new(Semaphore::new(permits)),
                done: Arc::default(),
            }
        }

        fn ask(&self, key: u128, job: u32) -> tokio::task::JoinHandle<Option<u32>> {
            let (together, permits, done) = (
                self.together.clone(),
                self.permits.clone(),
                self.done.clone(),
            );
            tokio::spawn(async move {
                let work = move |jobs: Vec<u32>| {
                    let (permits, done) = (permits.clone(), done.clone());
                    async move {
                        done.lock().unwrap().push(jobs.clone());
                        permits.acquire().await.unwrap().forget();
                        jobs.iter()
                            .map(|job| (job % 2 == 0).then_some(job + 1))
                            .collect()
                    }
                };
                together.run(key, job, work).await
            })
        }

        /// As many jobs as may run, each by itself, none of which comes back without a permit.
        async fn occupied(&self) -> Vec<tokio::task::JoinHandle<Option<u32>>> {
            let mut asked = Vec::new();
            for number in 1..=MOST_RUNNING {
                asked.push(self.ask(number as u128, 2 * number as u32));
                self.begun(number).await;
            }
            asked
        }

        async fn begun(&self, times: usize) {
            while self.done.lock().unwrap().len() < times {
                tokio::task::yield_now().await;
            }
        }

        async fn waiting(&self, many: usize) {
            while self.together.lock().waiting.len() < many {
                tokio::task::yield_now().await;
            }
        }

        fn done(&self) -> Vec<Vec<u32>> {
            self.done.lock().unwrap().clone()
        }
    }

    #[tokio::test]
    async fn who_is_alone_waits_for_nobody() {
        let bench = Bench::new(1);
        assert_eq!(bench.ask(1, 2).await.unwrap(), Some(3));
        assert_eq!(bench.done(), [[2]]);
        assert_eq!(bench.together.lock().running, 0);
    }

    #[tokio::test]
    async fn those_who_come_meanwhile_are_served_together() {
        let bench = Bench::new(0);
        let first = bench.occupied().await;
        let later = [bench.ask(3, 6), bench.ask(4, 8), bench.ask(5, 10)];
        bench.waiting(3).await;
        bench.permits.add_permits(3);
        for (asked, answer) in first.into_iter().chain(later).zip([3, 5, 7, 9, 11]) {
            assert_eq!(asked.await.unwrap(), Some(answer));
        }
        assert_eq!(bench.done(), [vec![2], vec![4], vec![6, 8, 10]]);
    }

    #[tokio::test]
    async fn those_of_one_key_are_served_one_after_the_other() {
        let bench = Bench::new(0);
        let _first = bench.occupied().await;
        let later = [bench.ask(3, 6), bench.ask(3, 8), bench.ask(4, 10)];
        bench.waiting(3).await;
        bench.permits.add_permits(4);
        for asked in later {
            asked.await.unwrap();
        }
        assert_eq!(bench.done()[2..], [vec![6, 10], vec![8]]);
    }

    #[tokio::test]
    async fn what_the_work_leaves_out_has_to_be_done_alone() {
        let bench = Bench::new(1);
        assert_eq!(bench.ask(1, 3).await.unwrap(), None);
    }

    #[tokio::test]
    async fn who_leaves_early_passes_on_what_came_meanwhile() {
        let bench = Bench::new(0);
        let mut first = bench.occupied().await;
        let later = bench.ask(3, 6);
        bench.waiting(1).await;
        first.swap_remove(0).abort();
        bench.begun(MOST_RUNNING + 1).await;
        bench.permits.add_permits(2);
        assert_eq!(later.await.unwrap(), Some(7));
        assert_eq!(first.pop().unwrap().await.unwrap(), Some(5));
    }

    #[tokio::test]
    async fn who_does_not_go_on_leaves_a_place_to_everybody_else() {
        let bench = Bench::new(0);
        let (permits, together) = (bench.permits.clone(), bench.together.clone());
        let waits = move |jobs: Vec<u32>| {
            let permits = permits.clone();
            async move {
                permits.acquire().await.unwrap().forget();
                jobs.into_iter().map(|job| Some(job + 1)).collect()
            }
        };
        let mut forgotten = [1, 2].map(|key| Box::pin(together.run(key, 2, waits.clone())));
        for one in &mut forgotten {
            assert!(one.now_or_never().is_none());
        }
        let others = [bench.ask(3, 4), bench.ask(4, 6)];
        bench.waiting(2).await;
        bench.permits.add_permits(10);
        for (asked, answer) in others.into_iter().zip([5, 7]) {
            let asked = tokio::time::timeout(Duration::from_secs(60), asked).await;
            assert_eq!(asked.expect("it is served").unwrap(), Some(answer));
        }
    }

    #[tokio::test]
    async fn work_that_hangs_is_given_up_when_nobody_waits_for_it() {
        let bench = Bench::new(0);
        let hanging = bench.occupied().await;
        let left = bench.ask(3, 6);
        bench.waiting(1).await;
        for asked in [left].into_iter().chain(hanging) {
            asked.abort();
            let _ = asked.await;
        }
        // Neither kept out by those that hang nor served beside one that left.
        let asked = bench.ask(4, 8);
        bench.begun(MOST_RUNNING + 1).await;
        bench.permits.add_permits(1);
        assert_eq!(asked.await.unwrap(), Some(9));
        assert_eq!(bench.done()[MOST_RUNNING..], [[8]]);
    }
}
