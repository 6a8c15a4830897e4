//! Runs one target many times.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::mutate::{Random, mutated};
use crate::{Target, Word};

/// The result.
#[derive(Debug, Default)]
pub struct Campaign {
    pub executions: u64,
    pub took: Duration,
    /// How often each word was returned.
    pub words: BTreeMap<Word, u64>,
    /// The longest execution.
    pub slowest: Duration,
}

/// The maximum number of inputs kept for mutation: the seeds, and inputs with new results.
const LARGEST_POOL: usize = 512;

/// Runs `target` on its seeds and then on mutations of them.
///
/// # Panics
/// If the target panics, after printing the input.
pub fn run(target: &Target, executions: u64, seed: u64) -> Campaign {
    let mut random = Random::new(seed);
    let mut pool = (target.seeds)();
    let seeds = pool.len();
    let (mut campaign, mut seen, began) = (Campaign::default(), BTreeMap::new(), Instant::now());
    while campaign.executions < executions {
        let input = match pool.get(campaign.executions as usize) {
            Some(input) if (campaign.executions as usize) < seeds => input.clone(),
            _ => mutated(&pool[random.below(pool.len())], &pool, target.dictionary, &mut random),
        };
        let word = campaign.execute(target, &input, seed);
        // A result is new if the word is new, or new for an input of this size.
        let size = input.len().next_power_of_two();
        let times = seen.entry((word, size)).or_insert(0_u64);
        *times += 1;
        if times.is_power_of_two() && *times <= 8 && pool.len() < LARGEST_POOL {
            pool.push(input);
        }
    }
    campaign.took = began.elapsed();
    campaign
}

impl Campaign {
    fn execute(&mut self, target: &Target, input: &[u8], seed: u64) -> Word {
        let began = Instant::now();
        let word = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).unwrap_or_else(|panic| {
            eprintln!(
                "{} failed with seed {seed} at execution {}: b\"{}\"",
                target.name,
                self.executions,
                input.escape_ascii()
            );
            resume_unwind(panic)
        });
        self.slowest = self.slowest.max(began.elapsed());
        self.executions += 1;
        *self.words.entry(word).or_default() += 1;
        word
    }

    /// Executions per second.
    pub fn rate(&self) -> f64 {
        self.executions as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}
