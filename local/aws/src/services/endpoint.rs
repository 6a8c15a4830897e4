//! The AWS services that functions call, on one endpoint of this machine.
//!
//! A call passes [`crate::rounds`] and [`crate::gate`], then its caller's [`Permissions`] and the [`Faults`]; then its
//! service answers, and [`Calls`] records it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use shared::words::Clock;
use tracing::Dispatch;

use crate::account::{self, Account, DEPLOYER};
use crate::calls::{CallRecord, Calls, Capacity};
use crate::dynamodb::Tables;
use crate::faults::{Fault, Faults};
use crate::gate::Gate;
use crate::policy::{Permissions, Resources};
use crate::rounds::Rounds;
use crate::secrets::Secrets;
use crate::ses::{Mail, Ses};
use crate::sns::{Sms, Sns};
use crate::wire::{self, Call, Refusal, Service, Target};

/// A message on its way to its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// By SES.
    Mail(Mail),
    /// By SNS.
    Sms(Sms),
}

/// DynamoDB, SES, SNS and Secrets Manager, with their tables, identities and secrets.
#[derive(Clone)]
pub struct Services(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub(super) account: Mutex<Account>,
    permissions: Permissions,
    pub(super) tables: Tables,
    pub(super) secrets: Secrets,
    pub(super) ses: Ses,
    sns: Sns,
    faults: Faults,
    gate: Gate,
    calls: Calls,
    rounds: Rounds,
}

impl Services {
    /// Opens services for callers with these permissions. Tables and secrets lie in the folder `data`, or in memory. `deliver`
    /// is given each accepted mail, once for each recipient, and each accepted SMS.
    ///
    /// # Errors
    /// What in `data` cannot be used.
    pub fn open(
        clock: Clock,
        data: Option<&Path>,
        permissions: Permissions,
        deliver: impl Fn(Delivered) + Send + Sync + 'static,
    ) -> Result<Services, String> {
        if let Some(folder) = data {
            private_folder(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let deliver = Arc::new(deliver);
        let deliver_mail = deliver.clone();
        Ok(Services(Arc::new(Parts {
            account: Mutex::default(),
            permissions,
            tables: Tables::open(clock.clone(), data)?,
            secrets: Secrets::open(clock, data)?,
            ses: Ses::new(move |mail| deliver_mail(Delivered::Mail(mail))),
            sns: Sns::new(move |sms| deliver(Delivered::Sms(sms))),
            faults: Faults::default(),
            gate: Gate::default(),
            calls: Calls::default(),
            rounds: Rounds::default(),
        })))
    }

    /// Answers one request of an AWS SDK.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        if opens_a_connection(&request) {
            let message = "Request is missing Authentication Token";
            let refusal = Refusal::new(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", message);
            return wire::response(None, &Err(refusal));
        }
        let target = match Target::of(&request) {
            Ok(target) => target,
            Err(refusal) => return wire::unread(&request, None, refusal),
        };
        let call = match Call::read(target.clone(), &request) {
            Ok(call) => call,
            Err(refusal) => return wire::unread(&request, Some(&target), refusal),
        };
        self.0.rounds.join(format!("{}.{}", target.service.name(), target.operation)).await;
        let (call, fault) = self.0.gate.pass(call, |call| self.0.named_by(call)).await;
        let parts = self.0.clone();
        let log = tracing::dispatcher::get_default(Dispatch::clone);
        // On a thread of its own, so that the call is carried out whole when its caller hangs up.
        let serve = move || tracing::dispatcher::with_default(&log, || parts.serve(&call, fault));
        let served = tokio::task::spawn_blocking(serve).await;
        let (outcome, delay) =
            served.unwrap_or_else(|error| (Err(Refusal::internal(&error.to_string())), Duration::ZERO));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        wire::response(Some(&target), &outcome)
    }

    /// The faults.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The gate.
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// The record of calls.
    pub fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// The rounds.
    pub fn rounds(&self) -> &Rounds {
        &self.0.rounds
    }
}

impl Parts {
    /// The tables that a call names, and the partition keys or the secret.
    fn named_by(&self, call: &Call) -> (Vec<String>, Vec<String>) {
        match call.service {
            Service::DynamoDb => self.tables.named_by(call),
            Service::SecretsManager => (Vec::new(), call.text("SecretId").map(str::to_owned).into_iter().collect()),
            Service::Ses | Service::Sns => (Vec::new(), Vec::new()),
        }
    }

    /// The outcome of a call, and the delay of its answer. `fault` comes from the gate.
    fn serve(&self, call: &Call, fault: Option<Fault>) -> (Result<Value, Refusal>, Duration) {
        if call.caller == DEPLOYER {
            let outcome = account::answer(call, &self.account, &self.ses);
            return (outcome.map_err(|refusal| refusal.named_by(call.service)), Duration::ZERO);
        }
        let (tables, keys) = self.named_by(call);
        let resources = Resources { tables: &self.tables, secrets: &self.secrets, ses: &self.ses };
        let (refusal, fault) = match self.permissions.check(call, &resources) {
            Ok(()) => (None, fault.or_else(|| self.faults.next(call, &tables, &keys))),
            Err(refusal) => (Some(refusal), None),
        };
        let (mut outcome, capacity, mut delay) = match (refusal, &fault) {
            (Some(refusal), _) => (Err(refusal), Capacity::default(), Duration::ZERO),
            (None, Some(fault)) if fault.comes_before() => (Ok(Value::Null), Capacity::default(), Duration::ZERO),
            (None, _) => self.run(call),
        };
        if let Some(fault) = fault {
            outcome = Err(fault.refusal(call));
            delay = fault.delay();
        }
        outcome = outcome.map_err(|refusal| refusal.named_by(call.service));
        let error = outcome.as_ref().err().map(|refusal| refusal.name().to_owned());
        let (caller, service, operation) = (call.caller.clone(), call.service, call.operation.clone());
        tracing::debug!(caller, service = service.name(), operation, error, "called");
        self.calls.record(CallRecord { caller, service, operation, tables, keys, capacity, error });
        (outcome, delay)
    }

    fn run(&self, call: &Call) -> (Result<Value, Refusal>, Capacity, Duration) {
        let free = Capacity::default();
        match call.service {
            Service::DynamoDb => {
                let (outcome, capacity) = self.tables.answer(call);
                (outcome, capacity, Duration::ZERO)
            }
            Service::Ses => {
                let (outcome, delay) = self.ses.answer(call, || self.faults.delivery());
                (outcome, free, delay)
            }
            Service::SecretsManager => (self.secrets.answer(call), free, Duration::ZERO),
            Service::Sns => {
                let (outcome, delay) = self.sns.answer(call, || self.faults.delivery());
                (outcome, free, delay)
            }
        }
    }
}

/// Whether a request only opens a connection: it is unsigned and names no operation. It is refused and not recorded.
fn opens_a_connection(request: &Request<Bytes>) -> bool {
    let has = |name| request.headers().contains_key(name);
    let is_bare = !has("authorization") && !has("x-amz-target") && !has("content-type");
    request.method() == Method::POST && request.uri().path() == "/" && is_bare
}

/// Makes the folder for its owner only, because it holds keys and addresses.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
