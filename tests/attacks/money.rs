//! The price of an attack, by the list prices of `docs/prices.toml`.

use tests::costs::{Prices, Stack};

use crate::world::World;

/// What the deployment pays for everything that happened in `world`, in dollars: owners and strangers.
pub fn dollars(world: &World, requests: u64) -> f64 {
    let Prices { aws, assumed, .. } = Prices::read();
    let requests = requests as f64;
    let capacity = world.auth.stack.services().calls().totals().capacity;
    let [mails, texts] = [false, true]
        .map(|is_sms| world.books.messages.iter().filter(|message| message.is_sms == is_sms).count() as f64);
    // Each request waits for the table twice, and for a message, or as long as one takes.
    let seconds = (2.0 * assumed.trip_ms + assumed.mail_ms) / 1e3;
    requests * (aws.api_request + aws.lambda_request)
        + requests * seconds * Stack::read().memory_mb() / 1024.0 * aws.lambda_gb_second
        + capacity.write * aws.write_unit
        + capacity.read * aws.read_unit
        + world.log_bytes() as f64 * aws.log_byte
        + mails * aws.mail
        + texts * aws.sms
}
