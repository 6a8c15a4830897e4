//! The effect of an SMS pumping attack with the default limits: `cargo bench -p tests --bench pumping`.
//!
//! An attacker requests ten thousand messages to one prefix from a thousand addresses against the local stack, and answers none.
//! The benchmark only prints figures. `tests/api/budget.rs` tests the limit.

use tests::Deployment;
use tests::costs::Prices;
use tests::pumping::{Attack, Damage};

const HOUR: u64 = 3_600;

/// Each attack: its name, its start, its duration in seconds and the number of users who sign in there. A day's attack begins at
/// noon, so it uses the budgets of two days.
const ATTACKS: [(&str, u64, u64, usize); 5] = [
    ("all at once", 0, 0, 0),
    ("in 10 minutes", 0, 600, 0),
    ("over 24 hours, past midnight", 12 * HOUR, 24 * HOUR, 0),
    ("in 10 minutes, while users there sign in", 0, 600, 50),
    ("over 24 hours, while users there sign in", 12 * HOUR, 24 * HOUR, 50),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let price = Prices::read().aws.sms;
    println!("| attack | messages sent | at ${price:.2} | users elsewhere signed in | users there signed in |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (breaker, share) in [("", "10"), (", without the breaker", "0")] {
        for (name, start, seconds, there) in ATTACKS {
            let auth = Deployment::with(&[("SMS_BREAKER_SHARE", share)]).await;
            auth.wait(start);
            let attack = Attack { requests: 10_000, addresses: 1_000, seconds, elsewhere: 50, there };
            let Damage { sent, elsewhere, there: signed_in } = attack.on(&auth).await;
            let cost = sent as f64 * price;
            println!("| {name}{breaker} | {sent} | ${cost:.2} | {elsewhere} of 50 | {signed_in} of {there} |");
        }
    }
}
