//! Connections that AWS has closed while an instance slept, over TLS as in AWS.

use std::sync::Arc;

use request_otp::RequestOtp;
use serde_json::{Value, json};
use shared::runtime::Served;
use tests::client::{REQUEST, posting};
use tests::tls::TlsEndpoint;
use tests::{Asked, Deployment};

use crate::start::{settings, unread};

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";

/// An instance of request-otp behind TLS.
struct Instance<'a> {
    auth: &'a Deployment,
    tls: TlsEndpoint,
    served: Arc<Served<RequestOtp>>,
}

impl Instance<'_> {
    async fn start(auth: &Deployment) -> Instance<'_> {
        let tls = TlsEndpoint::start(auth.stack.addresses().aws).await;
        let (settings, _) = settings::<RequestOtp>(auth, &posting(REQUEST, json!({})), tls.settings());
        // On the heap, because the future exceeds a test's stack.
        let served = Box::pin(Served::start(settings, auth.stack.clock().handle(), unread())).await.unwrap();
        Instance { auth, tls, served: Arc::new(served) }
    }

    /// The status and the body of the answer, and the number of connections that the request opened.
    async fn ask(&self, body: Value) -> (u64, Value, usize) {
        let (_, event) = settings::<RequestOtp>(self.auth, &posting(REQUEST, body), self.tls.settings());
        let before = self.tls.handshakes();
        let answer = serde_json::to_value(Box::pin(self.served.clone().invoke(event)).await.unwrap()).unwrap();
        let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        (answer["statusCode"].as_u64().unwrap(), body, self.tls.handshakes() - before)
    }

    /// The same for a request that must succeed.
    async fn opens(&self, identifier: &str) -> usize {
        let (status, body, opened) = self.ask(json!({ "identifier": identifier })).await;
        assert_eq!(status, 200, "{body}");
        opened
    }
}

/// The wall clock counts, because a sleeping instance's monotonic clock may stand still. The table gets two connections,
/// a third one when the brake is read, and SES one; the keyrings are cached.
#[tokio::test]
async fn a_connection_is_idle_for_ten_seconds_at_most() {
    let auth = Deployment::start().await;
    let instance = Instance::start(&auth).await;
    for (slept, opened) in [(0, 0), (9, 0), (10, 0), (11, 4), (9, 0), (3_600, 6)] {
        auth.wait(slept);
        assert_eq!(instance.opens(&format!("after{slept}-{opened}@example.com")).await, opened, "after {slept} s");
    }
}

/// Requests without a message keep only the table's connection in use. The connection to SES gets too old.
#[tokio::test]
async fn each_service_has_its_own_idle_time() {
    let auth = Deployment::start().await;
    let instance = Instance::start(&auth).await;
    let (_, sent, _) = instance.ask(json!({ "identifier": ADA })).await;
    for _ in 0..3 {
        auth.wait(5);
        let too_early = json!({ "identifier": ADA, "challenge_id": sent["challenge_id"] });
        let (status, _, opened) = instance.ask(too_early).await;
        assert_eq!((status, opened), (200, 0));
    }
    assert_eq!(instance.opens("grace@example.com").await, 1);
}

#[tokio::test]
async fn messages_after_a_sleep_arrive_at_the_first_attempt() {
    let auth = Deployment::start().await;
    let instance = Instance::start(&auth).await;
    for identifier in [ADA, PHONE] {
        auth.wait(11);
        instance.tls.break_connections();
        auth.stack.services().calls().take();
        instance.opens(identifier).await;
        let sends = auth.stack.services().calls().take().into_iter();
        let sends = sends.filter(|call| ["SendEmail", "Publish"].contains(&call.operation.as_str())).count();
        assert_eq!((auth.messages_to(identifier), sends), (1, 1));
    }
}

/// The clock has hardly moved, so only the broken connections tell that they are dead. The SDK repeats the calls to the table, each on
/// the next connection.
#[tokio::test]
async fn an_email_on_a_dead_connection_arrives() {
    let auth = Deployment::start().await;
    let instance = Instance::start(&auth).await;
    instance.tls.break_connections();
    assert!(instance.opens(ADA).await >= 2, "one to the table, and one to SES");
    assert_eq!(auth.messages_to(ADA), 1);
}

/// After the four connections to the table have broken, its calls succeed. The SMS is reported as lost, and the client may
/// request the same challenge again at once.
#[tokio::test]
async fn an_sms_on_a_dead_connection_is_reported() {
    let auth = Deployment::start().await;
    let instance = Instance::start(&auth).await;
    instance.tls.break_connections();
    let (status, lost, _) = instance.ask(json!({ "identifier": PHONE })).await;
    assert_eq!((status, lost["error"].as_str(), auth.messages_to(PHONE)), (502, Some("sms_send_failed"), 0));
    let again = json!({ "identifier": PHONE, "challenge_id": lost["challenge_id"] });
    let (status, sent, _) = instance.ask(again).await;
    assert_eq!((status, auth.messages_to(PHONE)), (200, 1));
    let challenge = sent["challenge_id"].as_str().unwrap().to_owned();
    let asked = Asked { challenge, code: auth.newest_code(PHONE) };
    auth.client().answer(PHONE, &asked).await.ok();
}
