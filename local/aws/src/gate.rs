//! A gate in front of the services. While it is closed, each call waits until a test decides about it.
//!
//! With the gate a test controls in which order the calls of parallel requests run. The test also decides whether a call
//! fails, gets lost, or runs without an answer.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::faults::{AwsError, Fault, When};
use crate::lock::locked;
use crate::wire::{Call, Service};

/// Tables and keys.
type Named = (Vec<String>, Vec<String>);

/// The gate and its waiting calls. It is open at first.
#[derive(Default)]
pub struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    is_closed: bool,
    /// How many calls have arrived so far.
    arrived: usize,
    waiting: BTreeMap<usize, (Held, oneshot::Sender<Release>)>,
}

/// A waiting call.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its number, in the order of arrival.
    pub number: usize,
    /// The access key id of the caller, which names a function.
    pub caller: String,
    /// The name of the calling instance ([`crate::INSTANCE`]).
    pub instance: String,
    /// The called service.
    pub service: Service,
    /// The operation.
    pub operation: String,
    /// The tables in the request.
    pub tables: Vec<String>,
    /// The partition keys in the request, or the secret.
    pub keys: Vec<String>,
    /// The members of the request.
    pub body: Value,
}

/// The test's decision about a call.
#[derive(Clone, Debug)]
pub enum Release {
    /// The call runs as usual.
    Answered,
    /// The call runs with these members instead.
    Rewritten(Value),
    /// The call fails.
    Failed(AwsError, When),
}

impl Gate {
    /// Holds each call from now on.
    pub fn close(&self) {
        locked(&self.0).is_closed = true;
    }

    /// Stops holding calls, and answers the waiting ones.
    pub fn open(&self) {
        let mut state = locked(&self.0);
        state.is_closed = false;
        for (_, release) in std::mem::take(&mut state.waiting).into_values() {
            let _ = release.send(Release::Answered);
        }
    }

    /// The waiting calls in the order of arrival.
    pub fn held(&self) -> Vec<Held> {
        locked(&self.0).waiting.values().map(|(held, _)| held.clone()).collect()
    }

    /// Releases the call `number`. Returns false if no such call is waiting.
    pub fn release(&self, number: usize, release: Release) -> bool {
        let waiting = locked(&self.0).waiting.remove(&number);
        waiting.is_some_and(|(_, sender)| sender.send(release).is_ok())
    }

    /// Waits until the call may continue. Returns the call, possibly rewritten, and its fault. `names` finds its tables and
    /// keys.
    pub(super) async fn pass(&self, call: Call, names: impl Fn(&Call) -> Named) -> (Call, Option<Fault>) {
        let Some(released) = self.hold(&call, names) else { return (call, None) };
        match released.await {
            // `Err` means that the gate was dropped.
            Ok(Release::Answered) | Err(_) => (call, None),
            Ok(Release::Rewritten(body)) => (Call { body, ..call }, None),
            Ok(Release::Failed(error, when)) => (call, Some(Fault::new(error, when))),
        }
    }

    fn hold(&self, call: &Call, names: impl Fn(&Call) -> Named) -> Option<oneshot::Receiver<Release>> {
        let mut state = locked(&self.0);
        if !state.is_closed {
            return None;
        }
        let number = state.arrived;
        state.arrived += 1;
        let ((tables, keys), Call { caller, instance, service, operation, body }) = (names(call), call);
        let (caller, instance) = (caller.clone(), instance.clone());
        let (operation, body) = (operation.clone(), body.clone());
        let held = Held { number, caller, instance, service: *service, operation, tables, keys, body };
        let (sender, released) = oneshot::channel();
        state.waiting.insert(number, (held, sender));
        Some(released)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(operation: &str) -> Call {
        let (caller, operation) = ("refresh".to_owned(), operation.to_owned());
        Call {
            caller,
            instance: String::new(),
            service: Service::DynamoDb,
            operation,
            body: json!({ "TableName": "users" }),
        }
    }

    fn named(_: &Call) -> Named {
        (vec!["users".to_owned()], vec!["U#1".to_owned()])
    }

    #[tokio::test]
    async fn a_held_call_waits_for_the_tests_decision() {
        let gate = Gate::default();
        assert!(gate.pass(call("GetItem"), named).await.1.is_none());

        gate.close();
        let last = async {
            while gate.held().len() < 3 {
                tokio::task::yield_now().await;
            }
            let operations: Vec<_> = gate.held().into_iter().map(|held| held.operation).collect();
            assert_eq!(operations, ["One", "Two", "Three"]);
            assert!(gate.release(1, Release::Failed(AwsError::Timeout, When::Before)));
            assert!(gate.release(0, Release::Rewritten(json!({}))));
            assert!(!gate.release(0, Release::Answered), "it has gone");
            gate.open();
        };
        let pass = |operation| gate.pass(call(operation), named);
        let (one, two, three, ()) = tokio::join!(pass("One"), pass("Two"), pass("Three"), last);
        assert!(one.1.is_none() && one.0.body == json!({}));
        assert!(two.1.is_some_and(|fault| fault.comes_before()));
        assert!(three.1.is_none() && three.0.body != json!({}));
        assert!(gate.pass(call("GetItem"), named).await.1.is_none() && gate.held().is_empty());
    }
}
