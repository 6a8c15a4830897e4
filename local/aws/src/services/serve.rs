//! One request: it is read, checked against its caller's policies and AWS's model, and answered.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

use crate::account::{self, Account, DEPLOYER};
use crate::calls::{CallRecord, Calls, Capacity};
use crate::cloudwatch::Metrics;
use crate::dynamodb::{Tables, arn_of};
use crate::events::Buses;
use crate::faults::{Fault, Faults};
use crate::gate::Gate;
use crate::models::Models;
use crate::outside::{Outcome, Outside};
use crate::policy::{Permissions, Resources};
use crate::rounds::Rounds;
use crate::secrets::Secrets;
use crate::ses::Ses;
use crate::sms_voice::SmsVoice;
use crate::sns::Sns;
use crate::sqs::Queues;
use crate::uploads::Uploads;
use crate::violations::{Part, Violations};
use crate::wire::{Call, Refusal, Service, Target};

pub(super) struct Parts {
    pub(super) models: &'static Models,
    pub(super) violations: Violations,
    pub(super) account: Mutex<Account>,
    pub(super) permissions: Permissions,
    pub(super) tables: Tables,
    pub(super) buses: Buses,
    pub(super) queues: Queues,
    pub(super) outside: Outside,
    /// The messages of topics, by ARN.
    pub(super) topics: Queues,
    /// How often something has come to a bus or a queue.
    pub(super) arrivals: watch::Sender<u64>,
    pub(super) secrets: Secrets,
    pub(super) ses: Ses,
    pub(super) sms_voice: SmsVoice,
    pub(super) sns: Sns,
    pub(super) faults: Faults,
    pub(super) gate: Gate,
    pub(super) calls: Calls,
    pub(super) metrics: Metrics,
    pub(super) rounds: Rounds,
    pub(super) uploads: Uploads,
}

impl Parts {
    /// The tables in a call, and its partition keys or secret.
    pub(super) fn named_by(&self, call: &Call) -> (Vec<String>, Vec<String>) {
        match call.service {
            Service::DynamoDb => self.tables.named_by(call),
            Service::SecretsManager => {
                let named = call.text("SecretId").into_iter().chain(call.texts("SecretIdList"));
                (Vec::new(), named.map(str::to_owned).collect())
            }
            Service::Events
            | Service::Ses
            | Service::SmsVoice
            | Service::Sns
            | Service::Sqs
            | Service::Twilio
            | Service::SendGrid => (Vec::new(), Vec::new()),
        }
    }

    /// Reads the call from a request. A refusal comes with the target, if the request names one.
    pub(super) fn read(&self, request: &Request<Bytes>) -> Result<(Target, Call), (Option<Target>, Refusal)> {
        let is_no_call = |refusal: Refusal| {
            self.violations.of_request(format!("{} {}", request.method(), request.uri().path()), refusal.message());
            refusal
        };
        let target = Target::of(self.models, request).map_err(|refusal| (None, is_no_call(refusal)))?;
        let caller = target.caller(request).map_err(|refusal| (Some(target.clone()), refusal))?;
        let body = target.body(self.models, request);
        let body = body.map_err(|refusal| (Some(target.clone()), is_no_call(refusal)))?;
        Ok((target.clone(), Call::new(target, caller, body, request.headers())))
    }

    /// The outcome of a call of a service outside AWS.
    pub(super) fn serve_outside(&self, call: &Call, request: &Request<Bytes>) -> Outcome {
        let what = (call.service, call.operation.as_str());
        let broken = |problem: &str| self.violations.of_request(format!("{}:{}", call.service.name(), what.1), problem);
        let fault = self.faults.next(call, &[], &[]);
        let answer = || self.outside.answer(what, request, || self.faults.delivery(), broken);
        let outcome = match fault {
            None => answer(),
            Some(fault) => {
                if !fault.comes_before() {
                    answer();
                }
                let refusal = fault.refusal(call);
                let is_throttled = ["ThrottlingException", "TooManyRequestsException"].contains(&refusal.name());
                let status = if is_throttled { StatusCode::TOO_MANY_REQUESTS } else { refusal.status };
                let code = if is_throttled { 20_429 } else { 20_500 };
                let refused = Outcome::refused(call.service, status, code, refusal.message());
                Outcome { error: Some(refusal.name().to_owned()), delay: fault.delay(), ..refused }
            }
        };
        let (service, operation, error) = (call.service, call.operation.clone(), outcome.error.clone());
        let (caller, tables, keys, capacity) = (String::new(), Vec::new(), Vec::new(), Capacity::default());
        self.calls.record(CallRecord { caller, service, operation, tables, keys, capacity, error });
        outcome
    }

    /// The outcome of a call, and the delay of its answer. `fault` comes from the gate.
    pub(super) fn serve(&self, call: &Call, fault: Option<Fault>) -> (Result<Value, Refusal>, Duration) {
        let problems = call.service.model(self.models).request(&call.operation, &call.body);
        self.violations.of_call(Part::Request, call, &problems);
        let broken = || Refusal::of_broken(call.service, &problems);
        let (tables, keys) = self.named_by(call);
        if call.caller == DEPLOYER {
            let free = |outcome| (outcome, Capacity::default());
            let answer = || match account::reads(call) {
                true => self.tables.answer(call),
                false => free(account::answer(call, &self.account, &self.ses)),
            };
            let (outcome, capacity) = broken().map_or_else(answer, |refusal| free(Err(refusal)));
            let outcome = self.checked(call, outcome);
            self.record(call, (tables, keys), capacity, &outcome);
            return (outcome, Duration::ZERO);
        }
        let resources = Resources { tables: &self.tables, secrets: &self.secrets, ses: &self.ses };
        let refusal = self.permissions.check(call, &resources).err().or_else(broken);
        let next = || fault.or_else(|| self.faults.next(call, &tables, &keys));
        let fault = if refusal.is_none() { next() } else { None };
        let left_out = fault.as_ref().and_then(|fault| fault.left_out(call));
        let fault = fault.filter(|_| left_out.is_none());
        let (mut outcome, capacity, mut delay) = match (refusal, &fault) {
            (Some(refusal), _) => (self.checked(call, Err(refusal)), Capacity::default(), Duration::ZERO),
            (None, Some(fault)) if fault.comes_before() => (Ok(Value::Null), Capacity::default(), Duration::ZERO),
            (None, _) => {
                let (without, left_out) = left_out.unzip();
                let (mut outcome, capacity, delay) = self.run(without.as_ref().unwrap_or(call));
                if let (Ok(answer), Some(left_out)) = (&mut outcome, left_out) {
                    answer["UnprocessedKeys"] = left_out;
                }
                (self.checked(call, outcome), capacity, delay)
            }
        };
        if let Some(fault) = fault {
            outcome = Err(fault.refusal(call).named_by(call.service));
            delay = fault.delay();
        }
        self.record(call, (tables, keys), capacity, &outcome);
        (outcome, delay)
    }

    fn record(
        &self,
        call: &Call,
        (tables, keys): (Vec<String>, Vec<String>),
        capacity: Capacity,
        outcome: &Result<Value, Refusal>,
    ) {
        let error = outcome.as_ref().err().map(|refusal| refusal.name().to_owned());
        let (caller, service, operation) = (call.caller.clone(), call.service, call.operation.clone());
        tracing::debug!(caller, service = service.name(), operation, error, "called");
        self.calls.record(CallRecord { caller, service, operation, tables, keys, capacity, error });
    }

    /// The outcome with the service's error names, after a check against the model.
    fn checked(&self, call: &Call, outcome: Result<Value, Refusal>) -> Result<Value, Refusal> {
        let outcome = outcome.map_err(|refusal| refusal.named_by(call.service));
        let (model, operation) = (call.service.model(self.models), &call.operation);
        let problems = match &outcome {
            Ok(answer) => model.answer(operation, answer),
            Err(refusal) => model.error(operation, refusal.name(), refusal.status.as_u16(), &refusal.body),
        };
        self.violations.of_call(Part::Answer, call, &problems);
        outcome
    }

    /// Tells that something has come to a bus or a queue.
    fn arriving(&self, outcome: Result<Value, Refusal>) -> Result<Value, Refusal> {
        self.arrivals.send_modify(|arrivals| *arrivals += 1);
        outcome
    }

    fn run(&self, call: &Call) -> (Result<Value, Refusal>, Capacity, Duration) {
        let free = Capacity::default();
        if !call.service.model(self.models).serves(&call.operation) {
            return (Err(not_served(call)), free, Duration::ZERO);
        }
        match call.service {
            Service::DynamoDb => {
                let (outcome, capacity) = self.tables.answer(call);
                (outcome, capacity, Duration::ZERO)
            }
            Service::Events => (self.arriving(self.buses.answer(call)), free, Duration::ZERO),
            Service::Ses => {
                let (outcome, delay) = self.ses.answer(call, || self.faults.delivery());
                (outcome, free, delay)
            }
            Service::SecretsManager => (self.secrets.answer(call), free, Duration::ZERO),
            Service::Sns => {
                let (outcome, delay) = self.sns.answer(call, || self.faults.delivery());
                (outcome, free, delay)
            }
            Service::SmsVoice => {
                let (outcome, delay) = self.sms_voice.answer(call, || self.faults.delivery());
                (outcome, free, delay)
            }
            Service::Sqs => (self.arriving(self.queues.answer(call)), free, Duration::ZERO),
            // They are outside AWS, and have an answer of their own.
            Service::Twilio | Service::SendGrid => (Err(not_served(call)), free, Duration::ZERO),
        }
    }
}

/// The refusal of an AWS operation missing from the stand-in. For DynamoDB it is a denial, because no policy allows a
/// function to scan or change tables.
fn not_served(call: &Call) -> Refusal {
    let action = call.action();
    tracing::warn!(action, "the local stack does not support this operation");
    match call.service {
        Service::DynamoDb => call.denied(&action, &arn_of(call.text("TableName").unwrap_or("*")), false),
        _ => Refusal::unknown(&format!("the local stack has no operation {action}")),
    }
}
