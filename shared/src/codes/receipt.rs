//! Receipts: what a provider tells about a message after it took it, and the state that all of them add up to.
//!
//! Receipts may come late, twice and in any order. So the table keeps the time of each kind, and [`Receipts::state`] reads all kinds
//! together.

use std::time::Duration;

/// The kinds of receipts, in the order of what they say: a later kind hides the earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Receipt {
    /// The recipient's server or carrier did not take it yet.
    Delayed,
    /// Another carrier took it.
    HandedOver,
    /// It came back, and the recipient exists. An automatic reply may look like this too, so a delivery hides it.
    Returned,
    /// The recipient's server or phone took it.
    Delivered,
    /// Certainly not delivered.
    Failed,
}

impl Receipt {
    /// All kinds, in their order.
    pub const ALL: [Receipt; 5] =
        [Receipt::Delayed, Receipt::HandedOver, Receipt::Returned, Receipt::Delivered, Receipt::Failed];

    /// Its name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Receipt::Delayed => "delayed",
            Receipt::HandedOver => "handed_over",
            Receipt::Returned => "returned",
            Receipt::Delivered => "delivered",
            Receipt::Failed => "failed",
        }
    }

    /// The state that it puts a message in, as clients know it.
    pub fn state(self) -> &'static str {
        match self {
            Receipt::Returned => Receipt::Failed.name(),
            other => other.name(),
        }
    }
}

/// The state of a message without any receipt.
pub const SENT: &str = "sent";

/// How long after a send the first receipt of each kind came, in the order of [`Receipt::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipts(pub [Option<Duration>; 5]);

impl Receipts {
    /// The state of a message so long after its send.
    pub fn state(&self, after: Duration) -> &'static str {
        let told = Receipt::ALL.into_iter().zip(self.0).rev().find(|(_, came)| came.is_some_and(|came| came <= after));
        told.map_or(SENT, |(receipt, _)| receipt.state())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_kind_that_has_come_is_told() {
        let after = Duration::from_secs;
        let state = |came: [Option<u64>; 5], at| Receipts(came.map(|came| came.map(after))).state(after(at));
        assert_eq!(state([None; 5], 600), "sent");
        assert_eq!(state([Some(5), None, None, Some(9), None], 4), "sent");
        assert_eq!(state([Some(5), None, None, Some(9), None], 5), "delayed");
        assert_eq!(state([Some(5), Some(6), None, None, None], 8), "handed_over");
        assert_eq!(state([Some(5), None, None, Some(9), None], 9), "delivered");
        assert_eq!(state([None, None, Some(1), None, None], 9), "failed");
        // A vacation notice comes back after the delivery.
        assert_eq!(state([None, None, Some(5), Some(1), None], 9), "delivered");
        assert_eq!(state([None, None, None, Some(9), Some(1)], 9), "failed");
    }
}
