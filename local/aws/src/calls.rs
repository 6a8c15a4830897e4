//! The record of calls: the caller, the operation and its cost.

use std::collections::VecDeque;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::sync::Mutex;

use crate::lock::locked;
use crate::wire::Service;

/// How many calls are kept. Older calls are dropped, but still count in the totals.
const KEPT: usize = 10_000;

/// One answered call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// The access key id of the caller, which names a function.
    pub caller: String,
    /// The called service.
    pub service: Service,
    /// The operation.
    pub operation: String,
    /// The tables in the request.
    pub tables: Vec<String>,
    /// The partition keys in the request, or the secret.
    pub keys: Vec<String>,
    /// The consumed capacity.
    pub capacity: Capacity,
    /// The name of the error in the answer, `timeout` if the answer came too late, or `connection_reset`.
    pub error: Option<String>,
}

/// DynamoDB capacity units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Capacity {
    /// Read request units.
    pub read: f64,
    /// Write request units.
    pub write: f64,
}

impl Add for Capacity {
    type Output = Capacity;

    fn add(self, other: Capacity) -> Capacity {
        Capacity { read: self.read + other.read, write: self.write + other.write }
    }
}

impl Sub for Capacity {
    type Output = Capacity;

    fn sub(self, other: Capacity) -> Capacity {
        Capacity { read: self.read - other.read, write: self.write - other.write }
    }
}

impl Sum for Capacity {
    fn sum<I: Iterator<Item = Capacity>>(units: I) -> Capacity {
        units.fold(Capacity::default(), Add::add)
    }
}

/// Sums over all calls since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// The number of calls.
    pub calls: u64,
    /// The number of calls with an error.
    pub refused: u64,
    /// The consumed capacity.
    pub capacity: Capacity,
}

/// The calls between two points in time.
impl Sub for Totals {
    type Output = Totals;

    fn sub(self, earlier: Totals) -> Totals {
        Totals {
            calls: self.calls - earlier.calls,
            refused: self.refused - earlier.refused,
            capacity: self.capacity - earlier.capacity,
        }
    }
}

/// The record of calls. A request without a caller or a service is only logged.
#[derive(Default)]
pub struct Calls(Mutex<Record>);

#[derive(Default)]
struct Record {
    recent: VecDeque<CallRecord>,
    totals: Totals,
}

impl Calls {
    /// Returns the calls since the last `take`, oldest first, at most 10,000.
    pub fn take(&self) -> Vec<CallRecord> {
        std::mem::take(&mut locked(&self.0).recent).into()
    }

    /// The sums since the start. [`Calls::take`] leaves them unchanged.
    pub fn totals(&self) -> Totals {
        locked(&self.0).totals
    }

    pub(super) fn record(&self, call: CallRecord) {
        let Record { recent, totals } = &mut *locked(&self.0);
        totals.calls += 1;
        totals.refused += u64::from(call.error.is_some());
        totals.capacity = totals.capacity + call.capacity;
        if recent.len() == KEPT {
            recent.pop_front();
        }
        recent.push_back(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_calls_are_forgotten_and_still_counted() {
        let calls = Calls::default();
        for number in 0..KEPT + 2 {
            calls.record(CallRecord {
                caller: "verify".to_owned(),
                service: Service::DynamoDb,
                operation: number.to_string(),
                tables: Vec::new(),
                keys: Vec::new(),
                capacity: Capacity { read: 0.5, write: 1.0 },
                error: (number == 0).then(|| "ThrottlingException".to_owned()),
            });
        }
        let totals = calls.totals();
        assert_eq!((totals.calls, totals.refused), (10_002, 1));
        assert_eq!(totals.capacity, Capacity { read: 5_001.0, write: 10_002.0 });
        let taken = calls.take();
        assert_eq!((taken.len(), taken[0].operation.as_str()), (KEPT, "2"));
        assert_eq!((calls.take().len(), calls.totals()), (0, totals));
    }
}
