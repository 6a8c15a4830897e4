//! The AWS services for functions, on one local endpoint.
//!
//! A call passes [`crate::rounds`] and [`crate::gate`], then the [`Permissions`] of its caller, AWS's own model
//! ([`Violations`]) and the [`Faults`]. Then its service answers, and [`Calls`] records it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use shared::words::Clock;
use tokio::sync::watch;
use tracing::Dispatch;

use super::serve::Parts;
use crate::calls::Calls;
use crate::cloudwatch::Metrics;
use crate::dynamodb::Tables;
use crate::events::Buses;
use crate::faults::{AwsError, Faults};
use crate::gate::Gate;
use crate::models::Models;
use crate::outside::{self, Chat, Outside, OutsideDelivered};
use crate::policy::Permissions;
use crate::rounds::Rounds;
use crate::secrets::Secrets;
use crate::ses::{Mail, Ses};
use crate::sms_voice::{PhoneCall, SmsVoice};
use crate::sns::{Sms, Sns};
use crate::sqs::Queues;
use crate::uploads::Uploads;
use crate::violations::Violations;
use crate::wire::{self, Call, Origin, Refusal, Service, Target};

/// A message for a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// By SES or SendGrid.
    Mail(Mail),
    /// By SNS, AWS End User Messaging or Twilio.
    Sms(Sms),
    /// By AWS End User Messaging.
    Call(PhoneCall),
    /// A WhatsApp message by Twilio.
    Whatsapp(Chat),
}

impl From<OutsideDelivered> for Delivered {
    fn from(delivered: OutsideDelivered) -> Delivered {
        match delivered {
            OutsideDelivered::Mail(mail) => Delivered::Mail(mail),
            OutsideDelivered::Sms(sms) => Delivered::Sms(sms),
            OutsideDelivered::Call(call) => Delivered::Call(call),
            OutsideDelivered::Whatsapp(chat) => Delivered::Whatsapp(chat),
        }
    }
}

/// An extension of an answer that must not reach its caller: the connection breaks first.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionReset;

/// DynamoDB, EventBridge, End User Messaging, SES, SNS, SQS and Secrets Manager, with their tables, buses, identities, queues and secrets.
#[derive(Clone)]
pub struct Services(pub(super) Arc<Parts>);

impl Services {
    /// Opens services for callers with these permissions. Tables, secrets and metrics are stored in the folder `data`, or in memory
    /// without it. `deliver` gets each accepted mail once for each recipient, and each accepted SMS.
    ///
    /// # Errors
    /// A file in `data` is unusable.
    pub fn open(
        clock: Clock,
        data: Option<&Path>,
        permissions: Permissions,
        deliver: impl Fn(Delivered, Origin) + Send + Sync + 'static,
    ) -> Result<Services, String> {
        if let Some(folder) = data {
            private_folder(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let deliver = Arc::new(deliver);
        let (deliver_mail, deliver_text, deliver_call) = (deliver.clone(), deliver.clone(), deliver.clone());
        let deliver_outside = deliver.clone();
        Ok(Services(Arc::new(Parts {
            models: Models::get()?,
            violations: Violations::default(),
            account: Mutex::default(),
            permissions,
            tables: Tables::open(clock.clone(), data)?,
            buses: Buses::new(clock.clone()),
            queues: Queues::default(),
            topics: Queues::default(),
            arrivals: watch::Sender::default(),
            secrets: Secrets::open(clock.clone(), data)?,
            outside: Outside::new(clock.clone(), move |delivered, origin| deliver_outside(delivered.into(), origin)),
            ses: Ses::new(clock.clone(), move |mail, origin| deliver_mail(Delivered::Mail(mail), origin)),
            sms_voice: SmsVoice::new(
                clock,
                move |sms, origin| deliver_text(Delivered::Sms(sms), origin),
                move |call, origin| deliver_call(Delivered::Call(call), origin),
            ),
            sns: Sns::new(move |sms, origin| deliver(Delivered::Sms(sms), origin)),
            faults: Faults::default(),
            gate: Gate::default(),
            calls: Calls::default(),
            metrics: Metrics::open(data)?,
            rounds: Rounds::default(),
            uploads: Uploads::default(),
        })))
    }

    /// Answers one request of an AWS SDK.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        if opens_a_connection(&request) {
            let message = "Request is missing Authentication Token";
            let refusal = Refusal::new(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", message);
            return wire::response(None, &Err(refusal));
        }
        if let Some(answer) = self.0.uploads.receive(&request) {
            return answer;
        }
        if let Some(target) = outside::target(&request) {
            return self.answer_outside(target, request).await;
        }
        let (target, call) = match self.0.read(&request) {
            Ok(read) => read,
            Err((target, refusal)) => return wire::unread(&request, target.as_ref(), refusal),
        };
        self.0.rounds.join(format!("{}.{}", target.service.name(), target.operation)).await;
        let (call, fault) = self.0.gate.pass(call, |call| self.0.named_by(call)).await;
        let parts = self.0.clone();
        let log = tracing::dispatcher::get_default(Dispatch::clone);
        // On a separate thread, so that the call runs to its end even if the caller disconnects.
        let serve = move || tracing::dispatcher::with_default(&log, || parts.serve(&call, fault));
        let served = tokio::task::spawn_blocking(serve).await;
        let (outcome, delay) =
            served.unwrap_or_else(|error| (Err(Refusal::internal(&error.to_string())), Duration::ZERO));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut response = wire::response(Some(&target), &outcome);
        if outcome.is_err_and(|refusal| refusal.name() == AwsError::ConnectionReset.name()) {
            response.extensions_mut().insert(ConnectionReset);
        }
        response
    }

    /// Answers one request to a service outside AWS.
    async fn answer_outside(&self, (service, operation): (Service, &str), request: Request<Bytes>) -> Response<Bytes> {
        self.0.rounds.join(format!("{}.{operation}", service.name())).await;
        let target = Target { service, operation: operation.to_owned() };
        let call = Call::new(target, String::new(), Value::Null, request.headers());
        let outcome = self.0.serve_outside(&call, &request);
        if !outcome.delay.is_zero() {
            tokio::time::sleep(outcome.delay).await;
        }
        let is_reset = outcome.error.as_deref() == Some(AwsError::ConnectionReset.name());
        let mut response = outcome.into_response();
        if is_reset {
            response.extensions_mut().insert(ConnectionReset);
        }
        response
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

    /// The calls and answers that do not match AWS's own models.
    pub fn violations(&self) -> &Violations {
        &self.0.violations
    }

    /// The rounds.
    pub fn rounds(&self) -> &Rounds {
        &self.0.rounds
    }
}

/// Whether a request only opens a connection. It is unsigned and without an operation. It is refused without a record.
fn opens_a_connection(request: &Request<Bytes>) -> bool {
    let has = |name| request.headers().contains_key(name);
    let is_bare = !has("authorization") && !has("x-amz-target") && !has("content-type");
    request.method() == Method::POST && request.uri().path() == "/" && is_bare
}

/// Creates the folder for its owner only, because it contains keys and addresses.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
