//! S11, V08, V09: the answer and the work for it hide secrets from a stranger. The response time is measured separately
//! (`docs/security.md`).

mod history;
mod stranger;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use shared::words::Entropy;
use tests::Deployment;
use tests::operations::SETTINGS;
use tests::orders::Draw;
use tests::pairs::{PAIRS, Side};

use self::history::HISTORIES;
use self::stranger::{STEPS, Step, Stranger, USUAL};

/// The visible answer without its random parts, and the calls made.
async fn seen(auth: &Deployment, side: Side) -> ((u16, BTreeMap<String, String>, String), Vec<String>) {
    // The first request after hours makes the function read its keys again.
    let first = side.request(auth, 0).await;
    auth.client().send(first).await;
    let request = side.request(auth, 1).await;
    auth.stack.services().calls().take();
    let answer = auth.client().send(request).await;
    let calls = auth.stack.services().calls().take();
    let mut body = answer.body;
    if let Some(id) = body.get_mut("challenge_id") {
        *id = id.as_str().unwrap().len().into();
    }
    let mut headers: BTreeMap<_, _> = answer.headers.iter().map(told).collect();
    for drawn in ["x-request-id", "apigw-requestid"] {
        assert!(headers.remove(drawn).is_some(), "{drawn}");
    }
    // Calls of one round may come in any order.
    let mut calls: Vec<_> = calls.iter().map(|call| format!("{} {:?}", call.operation, call.tables)).collect();
    calls.sort();
    ((answer.status.as_u16(), headers, body.to_string()), calls)
}

fn told((name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)) -> (String, String) {
    (name.to_string(), value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn s11_v08_v09_answers_reveal_nothing_to_a_stranger() {
    for pair in PAIRS {
        let auth = Deployment::with(&SETTINGS).await;
        for side in pair.sides {
            side.settle(&auth, 2).await;
        }
        let [left, right] = pair.sides;
        let ((left, left_calls), (right, right_calls)) = (seen(&auth, left).await, seen(&auth, right).await);
        assert_eq!(left, right, "{}", pair.name);
        if pair.is_same_work {
            assert_eq!(left_calls, right_calls, "{}", pair.name);
        }
    }
}

/// Random sequences. `ORACLE_SEQUENCES` sets another number, and `ORACLE_SEED` the seed.
const DRAWN: usize = 6;
const LONGEST: usize = 10;
/// A text to a number is shared for 300 seconds. Later the number has used up its texts, and everybody is told so.
const LONGEST_OF_NUMBER: u64 = 200;

/// The kind of the identifiers.
#[derive(Clone, Copy, Debug)]
enum Of {
    Addresses,
    Numbers,
}

/// One deployment, and the number of sequences so far.
struct Lab {
    auth: Deployment,
    of: Of,
    sequences: usize,
}

impl Lab {
    async fn start(of: Of) -> Lab {
        let auth = Deployment::simulated(&SETTINGS, Arc::new(|_| {}), Arc::new(|_| {})).await;
        auth.wait(11 * 3_600);
        Lab { auth, of, sequences: 0 }
    }

    /// Identifiers of one domain, or of one range.
    fn identifier(&self, history: usize) -> String {
        match self.of {
            Of::Addresses => format!("{}{:04}@example.com", char::from(b'a' + history as u8), self.sequences),
            Of::Numbers => format!("+447400{history}{:05}", self.sequences),
        }
    }

    /// A stranger does the same to identifiers of all histories, from a fresh network for each, at the same time.
    async fn compare(&mut self, steps: &[Step]) {
        self.sequences += 1;
        let to: Vec<_> =
            HISTORIES.into_iter().enumerate().map(|(at, history)| (history, self.identifier(at))).collect();
        history::happen(&self.auth, &to).await;
        let mut strangers: Vec<_> = (0..to.len())
            .map(|at| Stranger::new(&to[at].1, format!("10.{}.{}.{at}", self.sequences / 250, self.sequences % 250)))
            .collect();
        for (number, step) in steps.iter().enumerate() {
            self.auth.wait(step.wait());
            // A second is enough for what became of the earlier mails.
            self.auth.wait(1);
            self.auth.stack.deliver().await;
            let mut first = None;
            for (stranger, (history, to)) in strangers.iter_mut().zip(&to) {
                let seen = stranger.take(&self.auth, *step).await;
                let first = first.get_or_insert_with(|| seen.clone());
                assert_eq!(&seen, first, "{history:?}, step {number} of {steps:?}");
                history.meanwhile(&self.auth, to, number).await;
            }
        }
        self.auth.stack.inbox().clear();
        // The next sequence begins at the same time of another day.
        self.auth.wait(86_400 - steps.iter().map(|step| step.wait() + 1).sum::<u64>() - 3_600);
        self.auth.stack.services().sweep_expired().unwrap();
    }

    /// All short sequences that begin with a request, and random long ones. A search for more takes all pairs of steps.
    async fn search(&mut self) {
        #[expect(clippy::disallowed_methods, reason = "a developer may choose the search of a test run")]
        let set = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
        let seed = set("ORACLE_SEED").unwrap_or_else(|| u32::from_be_bytes(Entropy.bytes().unwrap()).into());
        let line = format!("no oracle, {:?}: ORACLE_SEED={seed}\n", self.of);
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        let sequences = set("ORACLE_SEQUENCES").map(|number| number as usize);
        let (firsts, seconds): (&[_], &[_]) =
            if sequences.is_some() { (&STEPS, &STEPS) } else { (&[Step::Ask, Step::AskByAlias], &USUAL) };
        for first in firsts {
            for second in seconds {
                self.compare(&[*first, *second]).await;
            }
        }
        let mut draw = Draw::of(seed);
        for _ in 0..sequences.unwrap_or(DRAWN) {
            let (mut steps, mut seconds) = (Vec::new(), 0);
            while steps.len() < LONGEST {
                let step = STEPS[draw.below(STEPS.len())];
                let is_late = matches!(self.of, Of::Numbers) && seconds + step.wait() + 1 > LONGEST_OF_NUMBER;
                if !is_late {
                    seconds += step.wait() + 1;
                    steps.push(step);
                }
            }
            self.compare(&steps).await;
        }
    }
}

/// S148, V52: limits are no oracle. Whatever the owner did, a stranger's requests, answers and resends get the same bytes, also
/// while the owner uses the code that the stranger's challenge shares. All short sequences, and random ones.
#[tokio::test(start_paused = true)]
async fn s148_v52_answers_do_not_tell_what_the_owner_of_an_address_did() {
    Lab::start(Of::Addresses).await.search().await;
}

/// S148: the same for numbers of one country.
#[tokio::test(start_paused = true)]
async fn s148_answers_do_not_tell_what_the_owner_of_a_number_did() {
    Lab::start(Of::Numbers).await.search().await;
}
