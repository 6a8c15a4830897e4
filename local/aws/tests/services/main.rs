//! Requests in the format of the SDK, and the answers to them.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails by a panic")]

mod dynamodb;
mod events;
mod mails;
mod permissions;
mod queues;
mod secrets;
mod sms_voice;
mod streams;
mod texts;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use local_aws::{
    Capacity, Delivered, Mail, Part, Permissions, PhoneCall, Service, Services, Sms, SmsType, calls, new_id,
};
use serde_json::{Value, json};
use shared::words::{Clock, Timestamp};

/// The services and their deliveries.
struct Stand {
    services: Services,
    mails: Receiver<Mail>,
    texts: Receiver<Sms>,
    calls: Receiver<PhoneCall>,
    now: Arc<AtomicU64>,
}

/// The tests send invalid requests on purpose, but every answer must be valid.
impl Drop for Stand {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = self.services.violations().take();
            let ours: Vec<_> = violations.iter().filter(|violation| violation.part == Part::Answer).collect();
            assert!(ours.is_empty(), "{ours:#?}");
        }
    }
}

struct Answered {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

/// Services for a caller with all permissions.
fn stand(data: Option<&Path>) -> Stand {
    stand_for(data, &json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } }))
}

/// Services for a caller with this policy.
fn stand_for(data: Option<&Path>, policy: &Value) -> Stand {
    let (mail, mails) = channel();
    let (sms, texts) = channel();
    let (call, calls) = channel();
    let deliver = move |delivered, _| match delivered {
        Delivered::Mail(delivered) => mail.send(delivered).unwrap(),
        Delivered::Sms(delivered) => sms.send(delivered).unwrap(),
        Delivered::Call(delivered) => call.send(delivered).unwrap(),
        // No service of AWS sends it.
        Delivered::Whatsapp(_) => {}
    };
    let now = Arc::new(AtomicU64::new(1_800_000_000));
    let hand = now.clone();
    let clock = Clock::new(move || Timestamp::from_unix(hand.load(Ordering::Relaxed)));
    let permissions = Permissions::read([("verify-otp", policy)]).unwrap();
    let services = Services::open(clock, data, permissions, deliver).unwrap();
    let table = json!({ "TableName": "codes", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }] });
    services.create_table(&table, Some("ttl")).unwrap();
    services.allow_sender("Latchkey <no-reply@example.com>");
    Stand { services, mails, texts, calls, now }
}

fn credential(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=verify-otp/20270115/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

fn request(service: &str, target: &str, body: &Value) -> Request<Bytes> {
    let (path, target) = if service == "ses" { ("/v2/email/outbound-emails", None) } else { ("/", Some(target)) };
    let request =
        Request::post(path).header("authorization", credential(service)).header("content-type", "application/json");
    let request = target.into_iter().fold(request, |request, target| request.header("x-amz-target", target));
    request.body(Bytes::from(body.to_string())).unwrap()
}

impl Stand {
    async fn send(&self, request: Request<Bytes>) -> Answered {
        let (parts, body) = self.services.answer(request).await.into_parts();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)));
        Answered { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn db(&self, operation: &str, body: Value) -> Answered {
        self.send(request("dynamodb", &format!("DynamoDB_20120810.{operation}"), &body)).await
    }

    async fn secret(&self, operation: &str, body: Value) -> Answered {
        self.send(request("secretsmanager", &format!("secretsmanager.{operation}"), &body)).await
    }

    async fn mail(&self, change: impl Fn(&mut Value)) -> Answered {
        let utf8 = |data: &str| json!({ "Data": data, "Charset": "UTF-8" });
        let mut body = json!({ "FromEmailAddress": "\"Latchkey\" <no-reply@example.com>",
            "Destination": { "ToAddresses": ["ada@example.org"] },
            "Content": { "Simple": { "Subject": utf8("Your code"), "Body": { "Text": utf8("123456"), "Html": utf8("<b>123456</b>") } } } });
        change(&mut body);
        self.send(request("ses", "", &body)).await
    }
}

impl Answered {
    fn error(&self) -> (u16, &str) {
        (self.status, self.headers["x-amzn-errortype"].to_str().unwrap())
    }

    fn message(&self) -> &str {
        self.body.get("message").or(self.body.get("Message")).and_then(Value::as_str).unwrap()
    }
}

fn put(key: &str) -> Value {
    json!({ "TableName": "codes", "Item": { "pk": { "S": key }, "n": { "N": "1" } } })
}

#[tokio::test]
async fn requests_that_aws_would_not_take_are_refused() {
    let stand = stand(None);
    let altered = |name: &'static str, value: &str| {
        let mut request = request("dynamodb", "DynamoDB_20120810.GetItem", &json!({}));
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let mut unsigned = altered("x", "");
    unsigned.headers_mut().remove("authorization");
    let credential =
        |scope: &str| altered("authorization", &format!("AWS4-HMAC-SHA256 Credential={scope}, Signature=0"));
    let mut broken = altered("x", "");
    *broken.body_mut() = Bytes::from("{");
    for (request, status, name) in [
        (unsigned, 400, "MissingAuthenticationTokenException"),
        (credential("f/20270115/us-east-1/dynamodb"), 400, "IncompleteSignatureException"),
        (credential("f/20270115/eu-west-1/dynamodb/aws4_request"), 400, "InvalidSignatureException"),
        (credential("f/20270115/us-east-1/ses/aws4_request"), 400, "InvalidSignatureException"),
        (altered("x-amz-target", "DynamoDB_20120810.Scan"), 400, "AccessDeniedException"),
        (altered("x-amz-target", "DynamoDB_20120810.CreateTable"), 400, "AccessDeniedException"),
        (altered("x-amz-target", "DynamoDB_20120810.Juggle"), 400, "UnknownOperationException"),
        (altered("x-amz-target", "Kinesis_20131202.PutRecord"), 400, "UnknownOperationException"),
        (Request::new(Bytes::new()), 400, "UnknownOperationException"),
        (broken, 400, "SerializationException"),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(stand.send(request).await.error(), (status, name), "{shown}");
    }
    assert_eq!(stand.db("GetItem", json!({ "TableName": "codes" })).await.error(), (400, "ValidationException"));
    let nowhere = json!({ "TableName": "none", "Key": { "pk": { "S": "a" } } });
    assert_eq!(stand.db("GetItem", nowhere).await.error(), (400, "ResourceNotFoundException"));
}

#[tokio::test]
async fn faults_are_used_up_one_by_one() {
    let stand = stand(None);
    let settings = json!({ "aws": [
        { "service": "dynamodb", "operation": "PutItem", "error": "ThrottlingException", "times": 2 },
        { "operation": "PutItem", "table": "codes", "error": "InternalServerError", "when": "after" },
        { "service": "secretsmanager", "error": "timeout" },
        { "table": "none", "error": "AccessDeniedException" }] });
    stand.services.faults().set(serde_json::from_value(settings).unwrap());
    let get = json!({ "TableName": "codes", "Key": { "pk": { "S": "a" } } });
    assert_eq!(stand.db("PutItem", put("a")).await.error(), (400, "ThrottlingException"));
    assert_eq!(stand.services.faults().get().aws[0].times, 1);
    assert_eq!(stand.db("PutItem", put("a")).await.error(), (400, "ThrottlingException"));
    assert_eq!(stand.db("GetItem", get.clone()).await.body, json!({}));
    assert_eq!(stand.db("PutItem", put("a")).await.error(), (500, "InternalServerError"));
    assert_eq!(stand.db("GetItem", get).await.body["Item"]["n"], json!({ "N": "1" }));
    let asked = stand.secret("GetSecretValue", json!({ "SecretId": "s" }));
    assert!(tokio::time::timeout(Duration::from_millis(100), asked).await.is_err());
    assert_eq!(stand.services.faults().get().aws.len(), 1);
    assert_eq!(stand.services.calls().totals().refused, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_hold_until_all_are_there() {
    let stand = stand(None);
    stand.services.rounds().expect(&[2, 1]);
    let (first, second) = tokio::join!(stand.db("PutItem", put("a")), stand.db("PutItem", put("b")));
    assert_eq!((first.status, second.status), (200, 200));
    stand.db("PutItem", put("c")).await;
    assert_eq!(stand.services.rounds().finish(), Ok(()));
    stand.db("PutItem", put("d")).await;
    stand.services.rounds().expect(&[1]);
    tokio::join!(stand.db("PutItem", put("a")), stand.db("PutItem", put("b")));
    let problem = "round 1 had more than 1 requests; the rounds were [dynamodb.PutItem, dynamodb.PutItem]";
    assert_eq!(stand.services.rounds().finish(), Err(problem.to_owned()));
}

/// A request that only opens a connection is unsigned. It is refused without a record, a cost or a fault.
#[tokio::test]
async fn to_open_a_connection_is_no_call() {
    let stand = stand(None);
    let answer = stand.services.answer(Request::post("/").body(Bytes::from_static(b"{}")).unwrap()).await;
    assert_eq!(answer.status().as_u16(), 403);
    assert_eq!(stand.services.calls().totals(), calls::Totals::default());
}
