//! What an SMS pumping attack gets, with the default limits: `cargo bench -p tests --bench pumping`.
//!
//! Ten thousand requests for texts to one prefix from a thousand addresses, none of them answered, against the local
//! stack. It prints figures and fails on none; `tests/api/budget.rs` holds the bar.

use tests::Deployment;
use tests::pumping::{Attack, Damage};

/// What one text costs in the figures, in US dollars: a dear but usual price.
const PRICE: f64 = 0.10;

const HOUR: u64 = 3_600;

/// Seconds that the attack lasts, people who sign in there, and how it is called. A day's attack begins at noon, so that
/// it has two days' budgets.
const ATTACKS: [(&str, u64, u64, usize); 5] = [
    ("all at once", 0, 0, 0),
    ("in 10 minutes", 0, 600, 0),
    ("over 24 hours, past midnight", 12 * HOUR, 24 * HOUR, 0),
    ("in 10 minutes, while people there sign in", 0, 600, 50),
    ("over 24 hours, while people there sign in", 12 * HOUR, 24 * HOUR, 50),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("| attack | texts sent | at $0.10 | people elsewhere signed in | people there |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (breaker, share) in [("", "10"), (", without the breaker", "0")] {
        for (name, start, seconds, there) in ATTACKS {
            let auth = Deployment::with(&[("SMS_BREAKER_SHARE", share)]).await;
            auth.wait(start);
            let attack = Attack { requests: 10_000, addresses: 1_000, seconds, elsewhere: 50, there };
            let Damage { sent, elsewhere, there: signed_in } = attack.on(&auth).await;
            let cost = sent as f64 * PRICE;
            println!("| {name}{breaker} | {sent} | ${cost:.2} | {elsewhere} of 50 | {signed_in} of {there} |");
        }
    }
}
