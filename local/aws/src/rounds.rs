//! Checks which calls run in parallel, without measuring time.
//!
//! A test gives the number of requests in each round trip. The endpoint holds the requests of a round until all have
//! arrived, and then answers them. If code makes its calls one after the other, a round of two never fills. If code makes
//! too many calls at once, the round has one too many.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;

use crate::lock::locked;

/// How long a round may take to fill before it fails.
const LONGEST: Duration = Duration::from_secs(5);
/// How long a full round is still held, so that an extra request is noticed.
const SETTLES: Duration = Duration::from_millis(20);
/// All rounds are over.
const ALL: usize = usize::MAX;

/// The expected rounds. Without an expectation, all requests pass.
pub struct Rounds {
    plan: Mutex<Option<Plan>>,
    longest: Duration,
}

struct Plan {
    sizes: Vec<usize>,
    arrived: Vec<Vec<String>>,
    /// How many rounds have been answered.
    answered: watch::Sender<usize>,
    problem: Option<String>,
}

/// A request on hold.
struct Arrival<'a> {
    rounds: &'a Rounds,
    /// The number of its round, or [`ALL`] after its release.
    round: usize,
    is_last: bool,
    answered: watch::Sender<usize>,
}

impl Default for Rounds {
    fn default() -> Rounds {
        Rounds { plan: Mutex::default(), longest: LONGEST }
    }
}

impl Rounds {
    /// Expects rounds of these sizes, and then no more requests. Replaces earlier expectations.
    pub fn expect(&self, sizes: &[usize]) {
        let sizes: Vec<usize> = sizes.iter().copied().filter(|size| *size > 0).collect();
        let arrived = vec![Vec::new(); sizes.len()];
        self.begin(Some(Plan { sizes, arrived, answered: watch::Sender::new(0), problem: None }));
    }

    /// Ends the expectation and checks that exactly the expected rounds happened.
    ///
    /// # Errors
    /// Names the first round with a different number of requests, and lists the requests of all rounds.
    pub fn finish(&self) -> Result<(), String> {
        let (plan, answered) = self.begin(None).ok_or("no rounds were expected")?;
        match plan.problem.clone().or_else(|| plan.short(answered)) {
            None => Ok(()),
            Some(problem) => {
                let rounds: Vec<String> = plan.arrived.iter().map(|names| format!("[{}]", names.join(", "))).collect();
                Err(format!("{problem}; the rounds were {}", rounds.join(" ")))
            }
        }
    }

    /// Waits until the request may be answered.
    pub(super) async fn join(&self, name: String) {
        let Some(mut arrival) = self.arrive(name) else {
            return;
        };
        let round = arrival.round;
        if arrival.is_last {
            tokio::time::sleep(SETTLES).await;
            // The plan may have failed meanwhile.
            arrival.answered.send_if_modified(|answered| {
                *answered == round && {
                    *answered += 1;
                    true
                }
            });
        } else {
            let mut answered = arrival.answered.subscribe();
            if tokio::time::timeout(self.longest, answered.wait_for(|answered| *answered > round)).await.is_err() {
                arrival.give_up("");
            }
        }
        arrival.round = ALL;
    }

    /// Adds a request to its round. `None` if it may pass at once.
    fn arrive(&self, name: String) -> Option<Arrival<'_>> {
        let mut plan = locked(&self.plan);
        let plan = plan.as_mut().filter(|plan| plan.problem.is_none())?;
        let round = *plan.answered.borrow();
        let (Some(size), Some(arrived)) = (plan.sizes.get(round), plan.arrived.get_mut(round)) else {
            plan.fail(format!("there was a request after the last round: {name}"));
            return None;
        };
        arrived.push(name);
        if arrived.len() > *size {
            let problem = format!("round {} had more than {size} requests", round + 1);
            plan.fail(problem);
            return None;
        }
        Some(Arrival { rounds: self, round, is_last: arrived.len() == *size, answered: plan.answered.clone() })
    }

    /// Starts the `next` plan. Releases the requests of the previous plan, and returns it with its number of answered
    /// rounds.
    fn begin(&self, next: Option<Plan>) -> Option<(Plan, usize)> {
        let ended = std::mem::replace(&mut *locked(&self.plan), next)?;
        let answered = ended.answered.send_replace(ALL);
        Some((ended, answered))
    }
}

impl Plan {
    /// Records the problem and stops holding requests.
    fn fail(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
        self.answered.send_replace(ALL);
    }

    fn short(&self, round: usize) -> Option<String> {
        let (size, arrived) = (self.sizes.get(round)?, self.arrived.get(round)?);
        Some(format!("round {} had {} of {size} requests", round + 1, arrived.len()))
    }
}

impl Arrival<'_> {
    fn give_up(&self, why: &str) {
        let mut plan = locked(&self.rounds.plan);
        let is_held = *self.answered.borrow() == self.round;
        if let Some(plan) = plan.as_mut().filter(|plan| is_held && plan.answered.same_channel(&self.answered))
            && let Some(short) = plan.short(self.round)
        {
            plan.fail(format!("{short}{why}"));
        }
    }
}

/// A caller that stops waiting will repeat its request, and the repeated one must not fill the round of the first.
impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        if self.round != ALL {
            self.give_up(" when the caller of one of them stopped waiting");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impatient() -> Rounds {
        Rounds { longest: Duration::from_millis(100), ..Rounds::default() }
    }

    /// Makes these numbers of requests at once, one round trip after the other.
    async fn make(rounds: &Rounds, trips: &[usize]) {
        for trip in trips {
            let one = |number: usize| async move { rounds.join(format!("get{number}")).await };
            match trip {
                1 => one(1).await,
                2 => drop(tokio::join!(one(1), one(2))),
                _ => drop(tokio::join!(one(1), one(2), one(3))),
            }
        }
    }

    async fn finds(expected: &[usize], made: &[usize], problem: Option<&str>) {
        let rounds = impatient();
        rounds.expect(expected);
        make(&rounds, made).await;
        let found = rounds.finish().err();
        assert!(
            found.as_deref().map(|found| found.split(';').next()) == problem.map(Some),
            "{expected:?} {made:?} {found:?}"
        );
        make(&rounds, made).await;
    }

    #[tokio::test]
    async fn rounds_are_told_from_one_another() {
        finds(&[3, 2, 2], &[3, 2, 2], None).await;
        finds(&[1], &[1], None).await;
        finds(&[2], &[1, 1], Some("round 1 had 1 of 2 requests")).await;
        finds(&[3, 2], &[3, 1, 1], Some("round 2 had 1 of 2 requests")).await;
        finds(&[1, 1], &[2], Some("round 1 had more than 1 requests")).await;
        finds(&[1, 1], &[1], Some("round 2 had 0 of 1 requests")).await;
        finds(&[1], &[1, 1], Some("there was a request after the last round: get1")).await;
    }

    #[tokio::test]
    async fn a_repeated_request_does_not_fill_its_own_round() {
        let rounds = impatient();
        rounds.expect(&[2]);
        let first = tokio::time::timeout(Duration::from_millis(10), rounds.join("get".to_owned())).await;
        assert!(first.is_err());
        rounds.join("get".to_owned()).await;
        let problem =
            "round 1 had 1 of 2 requests when the caller of one of them stopped waiting; the rounds were [get]";
        assert_eq!(rounds.finish(), Err(problem.to_owned()));
    }
}
