//! One call of a service outside AWS: its account is checked, then its members, and then the message is delivered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use shared::words::Clock;

use super::accounts::Accounts;
use super::messages::{OutsideDelivered, OutsideMessage};
use super::{sendgrid, twilio};
use crate::faults::Delivery;
use crate::lock::locked;
use crate::ses::MailEvent;
use crate::wire::{Origin, Service};

/// The path of SendGrid's webhook at the API.
const SENDGRID_WEBHOOK: &str = "/api/webhooks/sendgrid/";

pub(crate) struct Outside {
    accounts: Mutex<Option<Arc<Accounts>>>,
    messages: Mutex<Vec<OutsideMessage>>,
    /// How many messages have had their webhooks.
    told: Mutex<usize>,
    deliver: Box<dyn Fn(OutsideDelivered, Origin) + Send + Sync>,
    clock: Clock,
}

/// An answer in the form of its service.
pub(crate) struct Outcome {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    /// SendGrid names a mail in a header.
    pub(crate) id: Option<String>,
    /// The error for records.
    pub(crate) error: Option<String>,
    pub(crate) delay: Duration,
}

/// The service and the operation of a request, if it is for a service outside AWS.
pub(crate) fn target(request: &Request<Bytes>) -> Option<(Service, &'static str)> {
    let path = request.uri().path();
    let operation = match path.rsplit('/').next()? {
        _ if path == "/v3/mail/send" => "SendMail",
        "Messages.json" => "Messages",
        "Calls.json" => "Calls",
        _ => return None,
    };
    let service = if operation == "SendMail" { Service::SendGrid } else { Service::Twilio };
    (request.method() == Method::POST).then_some((service, operation))
}

impl Outcome {
    pub(super) fn of(status: StatusCode, body: Value) -> Outcome {
        Outcome { status, body, id: None, error: None, delay: Duration::ZERO }
    }

    /// A refusal with the service's own code.
    pub(crate) fn refused(service: Service, status: StatusCode, code: u32, problem: &str) -> Outcome {
        let body = match service {
            Service::SendGrid => json!({ "errors": [{ "message": problem, "field": null, "help": null }] }),
            _ => json!({ "code": code, "message": problem, "status": status.as_u16(),
                "more_info": format!("https://www.twilio.com/docs/errors/{code}") }),
        };
        let error = if code == 0 { problem.to_owned() } else { code.to_string() };
        Outcome { error: Some(error), ..Outcome::of(status, body) }
    }

    pub(crate) fn into_response(self) -> Response<Bytes> {
        let has_body = self.status != StatusCode::ACCEPTED && self.status != StatusCode::NO_CONTENT;
        let body = if has_body { self.body.to_string() } else { String::new() };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(id) = self.id.and_then(|id| HeaderValue::try_from(id).ok()) {
            response.headers_mut().insert("x-message-id", id);
        }
        response
    }
}

impl Outside {
    pub(crate) fn new(clock: Clock, deliver: impl Fn(OutsideDelivered, Origin) + Send + Sync + 'static) -> Outside {
        Outside {
            accounts: Mutex::default(),
            messages: Mutex::default(),
            told: Mutex::default(),
            deliver: Box::new(deliver),
            clock,
        }
    }

    pub(crate) fn set_accounts(&self, accounts: Accounts) {
        *locked(&self.accounts) = Some(Arc::new(accounts));
    }

    pub(crate) fn accounts(&self) -> Option<Arc<Accounts>> {
        locked(&self.accounts).clone()
    }

    pub(crate) fn messages(&self) -> Vec<OutsideMessage> {
        locked(&self.messages).clone()
    }

    /// The calls of webhooks about messages since the last time.
    pub(crate) fn webhooks(&self) -> Result<Vec<Request<Bytes>>, String> {
        let new = {
            let (messages, mut told) = (locked(&self.messages), locked(&self.told));
            let new = messages.get(*told..).unwrap_or_default().to_vec();
            *told = messages.len();
            new
        };
        let Some(accounts) = self.accounts() else { return Ok(Vec::new()) };
        let mut calls = Vec::new();
        for message in new {
            match &message.webhook {
                Some(url) => {
                    let call = |status: &&str| accounts.twilio_webhook(url, &message.fields(&accounts.account, status));
                    calls.extend(message.statuses().iter().map(call));
                }
                None => {
                    let at = self.clock.now();
                    let events = MailEvent::of(&message.to).iter().map(|what| message.event(*what, at));
                    let events = Value::Array(events.collect());
                    calls.push(accounts.sendgrid_webhook(SENDGRID_WEBHOOK, &events, at)?);
                }
            }
        }
        Ok(calls)
    }

    /// The outcome of a call. `fate` decides about a valid message. `broken` hears of a call that no client of these services should make.
    pub(crate) fn answer(
        &self,
        (service, operation): (Service, &str),
        request: &Request<Bytes>,
        fate: impl Fn() -> Delivery,
        broken: impl Fn(&str),
    ) -> Outcome {
        let refused = |status, code, problem: &str| Outcome::refused(service, status, code, problem);
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(accounts) = self.accounts() else {
            return refused(StatusCode::UNAUTHORIZED, 20_003, "the stack has no account");
        };
        let expected = match service {
            Service::SendGrid => sendgrid::credentials(&accounts),
            _ => twilio::credentials(&accounts),
        };
        if header(AUTHORIZATION.as_str()) != expected {
            return refused(StatusCode::UNAUTHORIZED, 20_003, "Authentication Error");
        }
        let at = self.clock.now();
        let read = match service {
            Service::SendGrid => sendgrid::read(request, header(CONTENT_TYPE.as_str()), at),
            _ => twilio::read(operation, request, (&accounts.account, header(CONTENT_TYPE.as_str())), at),
        };
        let taken = match read {
            Ok(taken) => taken,
            Err((code, problem)) => {
                // A number may be wrong. Anything else is a mistake of the client.
                if code != twilio::INVALID_NUMBER {
                    broken(&problem);
                }
                return refused(StatusCode::BAD_REQUEST, code, &problem);
            }
        };
        if taken.message.is_opted_out() && !taken.message.is_pooled {
            return refused(StatusCode::BAD_REQUEST, twilio::OPTED_OUT, "Attempt to send to unsubscribed recipient");
        }
        let delivery = fate();
        let id = taken.message.id.clone();
        if delivery.arrives() {
            locked(&self.messages).push(taken.message);
            (self.deliver)(taken.delivered, Origin { id: id.clone(), caller: String::new() });
        }
        let accepted = match service {
            Service::SendGrid => Outcome { id: Some(id), ..Outcome::of(StatusCode::ACCEPTED, Value::Null) },
            _ => Outcome::of(StatusCode::CREATED, json!({ "sid": id, "status": "queued" })),
        };
        let problem = "Sending was refused on purpose, by an injected fault.";
        match delivery {
            Delivery::Accepted => accepted,
            Delivery::Slow | Delivery::LostAnswer => Outcome { delay: delivery.delay(), ..accepted },
            Delivery::Refused => refused(StatusCode::BAD_REQUEST, twilio::NOT_DELIVERABLE, problem),
            Delivery::Throttled => refused(StatusCode::TOO_MANY_REQUESTS, twilio::THROTTLED, "Too Many Requests"),
        }
    }
}
