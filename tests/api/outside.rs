//! Services outside AWS: sign-in by their messages, what they tell about them, and what they may not do.

use axum::body::Bytes;
use axum::http::Request;
use local::Settings;
use local_aws::{Accounts, MailEvent, OutsideMessage, Service};
use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::{Answer, Asked, Deployment};

const ADA: &str = "ada@example.com";
const BOB: &str = "+447400123456";
const NUMBER: (&str, &str) = ("SMS_ORIGINATION_NUMBER", "+12065550100");
const TWILIO: [(&str, &str); 2] = [("SMS_PROVIDER", "twilio"), NUMBER];
const SENDGRID: [(&str, &str); 1] = [("MAIL_PROVIDER", "sendgrid")];
const API: &str = "https://latchkey.execute-api.us-east-1.amazonaws.com";
const SENDGRID_WEBHOOK: &str = "/api/webhooks/sendgrid/";

async fn by_twilio() -> Deployment {
    Deployment::with(&TWILIO).await
}

fn newest(auth: &Deployment) -> OutsideMessage {
    auth.stack.services().outside_messages().pop().expect("no service outside AWS took a message")
}

fn accounts(auth: &Deployment) -> std::sync::Arc<Accounts> {
    auth.stack.services().accounts().unwrap()
}

/// Twilio calls the webhook of a message with this status.
fn twilio(auth: &Deployment, message: &OutsideMessage, status: &str) -> Request<Bytes> {
    let url = message.webhook.clone().unwrap();
    accounts(auth).twilio_webhook(&url, &message.fields("AC0", status))
}

fn sendgrid(auth: &Deployment, events: &Value) -> Request<Bytes> {
    accounts(auth).sendgrid_webhook(SENDGRID_WEBHOOK, events, auth.stack.clock().now()).unwrap()
}

async fn taken(auth: &Deployment, request: Request<Bytes>) {
    assert_eq!(auth.client_at("203.0.113.9").send(request).await.status, 204);
}

async fn state(auth: &Deployment, who: &str, challenge: &str) -> Value {
    auth.client().status(who, challenge).await.ok()["state"].clone()
}

/// The services that were called, with their operations.
fn calls(auth: &Deployment) -> Vec<(Service, String)> {
    let calls = auth.stack.services().calls().take().into_iter();
    let is_message = |service| matches!(service, Service::Ses | Service::Twilio | Service::SendGrid | Service::Sns);
    calls.filter(|call| is_message(call.service)).map(|call| (call.service, call.operation)).collect()
}

fn is_forged(answer: &Answer) {
    answer.refused(403, "forbidden");
}

/// Sends `request` and checks that nobody has touched a table.
async fn refused_without_a_table(auth: &Deployment, request: Request<Bytes>) {
    auth.stack.services().calls().take();
    is_forged(&auth.client_at("203.0.113.9").send(request).await);
    let calls = auth.stack.services().calls().take();
    assert!(calls.iter().all(|call| call.service == Service::SecretsManager), "{calls:?}");
}

/// Each kind of sender: a text comes from it, ends with its code, and its code opens a session. The log names the provider.
#[tokio::test]
async fn a_user_signs_in_by_twilio() {
    let service = "MG0123456789abcdef0123456789abcdef";
    for sender in [NUMBER, ("SMS_SENDER_ID", "Latchkey"), ("SMS_POOL", service)] {
        let auth = Deployment::with(&[TWILIO[0], sender, ("SMS_MAX_PRICE", "0.25")]).await;
        calls(&auth);
        let answer = auth.client().post(REQUEST, json!({ "identifier": BOB })).await;
        assert_eq!(calls(&auth), [(Service::Twilio, "Messages".to_owned())]);
        let message = auth.stack.inbox().messages(Some(BOB)).remove(0);
        let sms = serde_json::to_value(&message).unwrap()["sms"].clone();
        assert_eq!((&sms["service"], &sms["from"], &sms["life"]), (&json!("twilio"), &json!(sender.1), &json!(300)));
        assert_eq!(sms["max_price"], "0.25");
        let challenge = answer.body["challenge_id"].as_str().unwrap().to_owned();
        let told = local::explain(&auth.stack.logs().join("\n"), answer.headers["x-request-id"].to_str().unwrap());
        assert!(told.unwrap().contains(&format!("accepted as {} (twilio)", newest(&auth).id)));
        auth.client().answer(BOB, &Asked { challenge, code: auth.newest_code(BOB) }).await.tokens();
    }
}

#[tokio::test]
async fn a_user_signs_in_by_sendgrid() {
    let auth = Deployment::with(&SENDGRID).await;
    calls(&auth);
    let answer = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    assert_eq!(calls(&auth), [(Service::SendGrid, "SendMail".to_owned())]);
    let mail = auth.stack.inbox().messages(Some(ADA)).remove(0);
    assert_eq!((mail.service, &*mail.headers["Auto-Submitted"]), (Some(Service::SendGrid), "auto-generated"));
    assert!(mail.subject.unwrap().starts_with(&auth.newest_code(ADA)) && mail.html.is_some());
    let told = local::explain(&auth.stack.logs().join("\n"), answer.headers["x-request-id"].to_str().unwrap());
    assert!(told.unwrap().contains(&format!("accepted as {} (sendgrid)", newest(&auth).id)));
    let challenge = answer.body["challenge_id"].as_str().unwrap().to_owned();
    auth.client().answer(ADA, &Asked { challenge, code: auth.newest_code(ADA) }).await.tokens();
}

/// S240: a mail that its service has surely refused goes by the next one, with the same code and as one mail. Another outcome ends there.
#[tokio::test]
async fn the_next_service_sends_what_the_first_has_surely_refused() {
    for (order, first, second) in [
        ("ses,sendgrid", (Service::Ses, "SendEmail"), (Service::SendGrid, "SendMail")),
        ("sendgrid,ses", (Service::SendGrid, "SendMail"), (Service::Ses, "SendEmail")),
    ] {
        let named = |(service, operation): (Service, &str)| (service, operation.to_owned());
        for (error, when, expected) in [
            ("AccessDeniedException", "before", vec![named(first), named(second)]),
            ("InternalServerError", "after", vec![named(first)]),
            ("timeout", "after", vec![named(first)]),
        ] {
            let timeouts = [("AWS_ATTEMPT_TIMEOUT_MS", "1500"), ("AWS_OPERATION_TIMEOUT_MS", "3000")];
            let more = if error == "timeout" { &timeouts[..] } else { &[] };
            let auth = Deployment::with(&[&[("MAIL_PROVIDER", order)], more].concat()).await;
            calls(&auth);
            let fault = json!({ "service": first.0.name(), "error": error, "when": when });
            auth.faults(json!({ "aws": [fault] }));
            let asked = auth.client().ask(ADA).await;
            assert_eq!(calls(&auth), expected, "{order} {error}");
            assert_eq!(auth.messages_to(ADA), 1, "{order} {error}");
            auth.client().answer(ADA, &asked).await.tokens();
        }
    }
}

/// A mail that no service takes is one failed send, and costs nothing.
#[tokio::test]
async fn a_mail_that_nobody_takes_is_not_sent() {
    let auth = Deployment::with(&[("MAIL_PROVIDER", "ses,sendgrid")]).await;
    auth.faults(json!({ "delivery": "refused" }));
    for _ in 0..2 {
        auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(502, "email_send_failed");
    }
    auth.faults(json!({}));
    for _ in 0..5 {
        auth.client().ask(ADA).await;
        auth.wait(30);
    }
}

/// A broken connection loses no mail, and a text that may be lost is answered so.
#[tokio::test]
async fn a_broken_connection_loses_nothing_in_silence() {
    let auth = Deployment::with(&[&TWILIO[..], &SENDGRID].concat()).await;
    let broken = |service: &str| json!({ "aws": [{ "service": service, "error": "connection_reset" }] });
    auth.faults(broken("sendgrid"));
    let asked = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &asked).await.tokens();
    auth.faults(broken("twilio"));
    auth.client().post(REQUEST, json!({ "identifier": BOB })).await.refused(502, "sms_send_failed");
    assert_eq!(auth.messages_to(BOB), 0);
}

#[tokio::test]
async fn a_throttled_message_is_sent_again() {
    let auth = Deployment::with(&[&TWILIO[..], &SENDGRID].concat()).await;
    for (service, who) in [("sendgrid", ADA), ("twilio", BOB)] {
        auth.faults(json!({ "aws": [{ "service": service, "error": "ThrottlingException", "times": 2 }] }));
        let asked = auth.client().ask(who).await;
        auth.client().answer(who, &asked).await.tokens();
    }
}

/// Nobody calls a number that has opted out.
#[tokio::test]
async fn a_number_that_has_opted_out_gets_nothing() {
    let voice = [("VOICE_PROVIDER", "twilio"), ("VOICE_NUMBER", "+12065550100"), ("SMS_CHANNELS", "sms,voice")];
    let auth = Deployment::with(&[&TWILIO[..], &voice].concat()).await;
    for (number, follows) in [("+12065550004", false), ("+12065550001", true)] {
        calls(&auth);
        let answer = auth.client().post(REQUEST, json!({ "identifier": number })).await;
        answer.refused(502, "sms_send_failed");
        let made = calls(&auth).iter().any(|(_, operation)| operation == "Calls");
        assert_eq!((made, auth.messages_to(number)), (follows, 0), "{number}");
        auth.wait(600);
    }
}

/// A call and a WhatsApp message follow a text, and their codes open sessions.
#[tokio::test]
async fn calls_and_whatsapp_follow_a_text() {
    let settings = [
        TWILIO[0],
        NUMBER,
        ("VOICE_PROVIDER", "twilio"),
        ("VOICE_NUMBER", "+12065550101"),
        ("WHATSAPP_PROVIDER", "twilio"),
        ("WHATSAPP_NUMBER", "+12065550102"),
    ];
    for (channel, locale, expected) in
        [("voice", "en", "Hello."), ("whatsapp", "de", "is your verification code"), ("whatsapp", "ja", "is your")]
    {
        let auth = Deployment::with(&settings).await;
        let asked = auth.client().ask(BOB).await;
        auth.wait(30);
        let body = json!({ "identifier": BOB, "channel": channel, "challenge_id": asked.challenge, "locale": locale });
        let answer = auth.client().post(REQUEST, body).await.ok();
        assert_eq!(answer["channel"], channel);
        let message = auth.stack.inbox().messages(Some(BOB)).remove(0);
        assert_eq!((message.channel, message.service), (channel, Some(Service::Twilio)));
        assert!(message.text.contains(expected), "{}", message.text);
        let challenge = answer["challenge_id"].as_str().unwrap();
        auth.stack.deliver().await;
        assert_eq!(state(&auth, BOB, challenge).await, "delivered");
        let body = json!({ "identifier": BOB, "otp_code": auth.newest_code(BOB), "challenge_id": challenge });
        auth.client().post(VERIFY, body).await.ok();
    }
}

/// S265: a messaging service takes a text for a number that has opted out, and tells it only later.
#[tokio::test]
async fn a_late_opt_out_ends_every_channel() {
    const OPTED_OUT: &str = "+447405550004";
    let pool = ("SMS_POOL", "MG0123456789abcdef0123456789abcdef");
    let auth =
        Deployment::with(&[TWILIO[0], pool, ("VOICE_PROVIDER", "twilio"), ("VOICE_NUMBER", "+12065550101")]).await;
    let asked = auth.client().ask(OPTED_OUT).await;
    auth.stack.deliver().await;
    assert_eq!(state(&auth, OPTED_OUT, &asked.challenge).await, "failed");
    auth.wait(30);
    let body = json!({ "identifier": OPTED_OUT, "channel": "voice", "challenge_id": asked.challenge });
    auth.client().post(REQUEST, body).await.refused(502, "sms_send_failed");
    assert_eq!(auth.messages_to(OPTED_OUT), 1);
}

/// Twilio's statuses lead to the states of a message.
#[tokio::test]
async fn twilio_tells_what_became_of_a_text() {
    let auth = Deployment::with(&[TWILIO[0], NUMBER, ("SMS_BREAKER_SHARE", "0")]).await;
    for (number, (statuses, expected)) in [
        (&["queued"][..], "sent"),
        (&["sending", "sent"], "sent"),
        (&["sent", "delivered"], "delivered"),
        (&["delivered", "sent"], "delivered"),
        (&["read"], "delivered"),
        (&["sent", "undelivered"], "failed"),
        (&["failed"], "failed"),
        (&["canceled"], "failed"),
        (&["unheard-of"], "sent"),
    ]
    .into_iter()
    .enumerate()
    {
        let who = format!("+4474001234{number:02}");
        let asked = auth.client_at(&format!("192.0.2.{}", 10 + number)).ask(&who).await;
        let message = newest(&auth);
        auth.wait(5);
        for status in statuses {
            taken(&auth, twilio(&auth, &message, status)).await;
        }
        assert_eq!(state(&auth, &who, &asked.challenge).await, expected, "{statuses:?}");
    }
}

/// SendGrid's events lead to the states of a mail, and to the holds of its address.
#[tokio::test]
async fn sendgrid_tells_what_became_of_a_mail() {
    let auth = Deployment::with(&SENDGRID).await;
    for (number, (what, expected, is_held)) in [
        (MailEvent::Delivery, "delivered", false),
        (MailEvent::Delay, "delayed", false),
        (MailEvent::PermanentBounce, "failed", true),
        (MailEvent::TransientBounce, "failed", false),
        (MailEvent::Reject, "failed", false),
        (MailEvent::Complaint, "sent", true),
    ]
    .into_iter()
    .enumerate()
    {
        let who = format!("p{number}@example.com");
        let asked = auth.client().ask(&who).await;
        let message = newest(&auth);
        auth.wait(5);
        taken(&auth, sendgrid(&auth, &json!([message.event(what, auth.stack.clock().now())]))).await;
        assert_eq!(state(&auth, &who, &asked.challenge).await, expected, "{what:?}");
        auth.wait(60);
        let answer = auth.client().post(REQUEST, json!({ "identifier": who })).await;
        match (is_held, what) {
            // After a complaint, an address gets few mails.
            (true, MailEvent::Complaint) => answer.refused(429, "rate_limited"),
            (true, _) => answer.refused(502, "email_send_failed"),
            (false, _) => drop(answer.ok()),
        };
        assert_eq!(auth.messages_to(&who), 2 - usize::from(is_held), "{what:?}");
    }
}

/// Only a server that refuses the address itself holds it.
#[tokio::test]
async fn a_bounce_holds_only_an_address_that_is_wrong() {
    let auth = Deployment::with(&SENDGRID).await;
    for (number, (status, is_held)) in
        [("5.1.1", true), ("5.1.10", true), ("5.2.1", true), ("5.2.2", false), ("5.7.1", false), ("", false)]
            .into_iter()
            .enumerate()
    {
        let who = format!("p{number}@example.com");
        auth.client().ask(&who).await;
        let mut event = newest(&auth).event(MailEvent::PermanentBounce, auth.stack.clock().now());
        event["status"] = json!(status);
        taken(&auth, sendgrid(&auth, &json!([event]))).await;
        auth.wait(60);
        let answer = auth.client().post(REQUEST, json!({ "identifier": who })).await;
        assert_eq!(answer.status == 502, is_held, "{status}");
    }
}

/// S243: the same call again changes nothing, and neither does one about an earlier send.
#[tokio::test]
async fn a_repeated_callback_changes_nothing() {
    let auth = Deployment::with(&[&TWILIO[..], &SENDGRID].concat()).await;
    let first = auth.client().ask(BOB).await;
    let message = newest(&auth);
    let delivered = twilio(&auth, &message, "delivered");
    taken(&auth, delivered.clone()).await;
    let before = auth.identifier(BOB);
    auth.wait(10);
    taken(&auth, delivered.clone()).await;
    assert_eq!(auth.identifier(BOB), before);
    auth.wait(20);
    let body = json!({ "identifier": BOB, "challenge_id": first.challenge });
    let second = auth.client().post(REQUEST, body).await.ok()["challenge_id"].as_str().unwrap().to_owned();
    taken(&auth, delivered).await;
    taken(&auth, twilio(&auth, &message, "failed")).await;
    assert_eq!(state(&auth, BOB, &second).await, "sent");

    let asked = auth.client().ask(ADA).await;
    let event = newest(&auth).event(MailEvent::PermanentBounce, auth.stack.clock().now());
    let batch = sendgrid(&auth, &json!([event, event]));
    taken(&auth, batch.clone()).await;
    let before = auth.identifier(ADA);
    taken(&auth, batch).await;
    assert_eq!(auth.identifier(ADA), before);
    assert_eq!(state(&auth, ADA, &asked.challenge).await, "failed");
}

/// S241: a call that Twilio did not sign for this URL and this form touches no table.
#[tokio::test]
async fn a_forged_callback_of_twilio_is_refused() {
    let auth = by_twilio().await;
    auth.client().ask(BOB).await;
    let message = newest(&auth);
    let url = message.webhook.clone().unwrap();
    assert!(url.starts_with(&format!("{API}/api/webhooks/twilio/?i=")), "{url}");
    let right = twilio(&auth, &message, "failed");
    let with = |change: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = right.clone();
        change(&mut request);
        request
    };
    let fields = message.fields("AC0", "failed");
    let other = Accounts::open().unwrap();
    // For the same path at another host, as a stranger with an account of their own may be called.
    let foreign = accounts(&auth).twilio_webhook(&url.replace(API, "https://evil.example"), &fields);
    let named = url.replace(API, "https://evil.example");
    let by_host = accounts(&auth).twilio_webhook(&named, &fields);
    let mut by_host = by_host;
    by_host.headers_mut().insert("host", "evil.example".parse().unwrap());
    let later = url.replace("&t=", "&t=1");
    for request in [
        with(&|request| drop(request.headers_mut().remove("x-twilio-signature"))),
        with(&|request| drop(request.headers_mut().insert("x-twilio-signature", "AAAA".parse().unwrap()))),
        with(&|request| assert!(request.headers_mut().append("x-twilio-signature", "AAAA".parse().unwrap()))),
        with(&|request| *request.body_mut() = Bytes::from_static(b"MessageStatus=delivered")),
        with(&|request| *request.uri_mut() = "/api/webhooks/twilio/".parse().unwrap()),
        with(&|request| *request.uri_mut() = later.strip_prefix(API).unwrap().parse().unwrap()),
        other.twilio_webhook(&url, &fields),
        foreign,
        by_host,
    ] {
        refused_without_a_table(&auth, request).await;
    }
    taken(&auth, right).await;
    let domain = Deployment::with(&[TWILIO[0], NUMBER, ("DOMAIN_NAME", "auth.example.com")]).await;
    domain.client().ask(BOB).await;
    let message = newest(&domain);
    assert!(message.webhook.as_ref().unwrap().starts_with("https://auth.example.com/api/webhooks/twilio/?"));
    taken(&domain, twilio(&domain, &message, "delivered")).await;
}

/// S242: a batch that SendGrid did not sign, or signed more than five minutes ago, touches no table.
#[tokio::test]
async fn a_forged_or_old_batch_of_sendgrid_is_refused() {
    let auth = Deployment::with(&SENDGRID).await;
    auth.client().ask(ADA).await;
    let events = json!([newest(&auth).event(MailEvent::PermanentBounce, auth.stack.clock().now())]);
    let right = sendgrid(&auth, &events);
    let with = |change: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = right.clone();
        change(&mut request);
        request
    };
    let (signature, time) = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp");
    let now = auth.stack.clock().now();
    for request in [
        with(&|request| drop(request.headers_mut().remove(signature))),
        with(&|request| drop(request.headers_mut().remove(time))),
        with(&|request| drop(request.headers_mut().insert(time, (now.unix() + 1).to_string().parse().unwrap()))),
        with(&|request| drop(request.headers_mut().insert(signature, "MEUCIQ==".parse().unwrap()))),
        with(&|request| *request.body_mut() = Bytes::from(events.to_string())),
        Accounts::open().unwrap().sendgrid_webhook(SENDGRID_WEBHOOK, &events, now).unwrap(),
    ] {
        refused_without_a_table(&auth, request).await;
    }
    auth.wait(301);
    refused_without_a_table(&auth, right.clone()).await;
    auth.client().ask(ADA).await;
    let recent = accounts(&auth).sendgrid_webhook(SENDGRID_WEBHOOK, &events, now).unwrap();
    refused_without_a_table(&auth, recent).await;
}

/// A signed call with an unreadable body changes nothing, and an unreadable event takes no other with it.
#[tokio::test]
async fn an_unreadable_event_stands_alone() {
    let auth = Deployment::with(&SENDGRID).await;
    let asked = auth.client().ask(ADA).await;
    let event = newest(&auth).event(MailEvent::Delivery, auth.stack.clock().now());
    let mut broken = event.clone();
    broken["timestamp"] = json!("soon");
    auth.client().send(sendgrid(&auth, &json!({}))).await.refused(400, "invalid_request");
    taken(&auth, sendgrid(&auth, &json!([null, 7, {}, broken, { "event": "open", "i": "A" }, event]))).await;
    assert_eq!(state(&auth, ADA, &asked.challenge).await, "delivered");
}

/// Webhooks of services that are off do not exist, with and without a final slash.
#[tokio::test]
async fn webhooks_exist_only_with_their_services() {
    let auth = Deployment::start().await;
    for path in ["/api/webhooks/twilio/", "/api/webhooks/sendgrid/", "/api/webhooks/twilio", "/api/webhooks/sendgrid"] {
        auth.client().post(path, json!([])).await.refused(404, "not_found");
    }
    let auth = by_twilio().await;
    auth.client().ask(BOB).await;
    let mut request = twilio(&auth, &newest(&auth), "delivered");
    let uri = request.uri().to_string().replace("twilio/?", "twilio?");
    *request.uri_mut() = uri.parse().unwrap();
    taken(&auth, request).await;
}

/// Without keys nothing is sent, each send is answered, and the log names the command.
#[tokio::test]
async fn a_send_without_keys_fails_and_names_the_command() {
    let auth = Deployment::with(&[&TWILIO[..], &SENDGRID].concat()).await;
    auth.client().ask(BOB).await;
    let message = newest(&auth);
    let arn = auth.stack.environment("RequestOtp").into_iter().find(|(name, _)| name == "PROVIDERS_SECRET_ARN");
    let (arn, services) = (arn.unwrap().1, auth.stack.services());
    let complete = services.secret(&arn).unwrap();
    let put = |text: Option<&str>| {
        services.empty_secret(&arn);
        text.into_iter().for_each(|text| services.put_secret(&arn, text.to_owned()).unwrap());
        // No instance uses keys for longer.
        auth.wait(15 * 60);
    };
    for text in [None, Some("{}"), Some("[]"), Some("{\"twilio\":{\"account\":\"AC1\"}}")] {
        put(text);
        auth.client().post(REQUEST, json!({ "identifier": BOB })).await.refused(502, "sms_send_failed");
        auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(502, "email_send_failed");
        is_forged(&auth.client().send(twilio(&auth, &message, "delivered")).await);
        is_forged(&auth.client().send(sendgrid(&auth, &json!([]))).await);
        let logs = auth.stack.logs().join("\n");
        let command = format!("aws secretsmanager put-secret-value --secret-id {arn} --secret-string file://");
        assert!(logs.contains(&command), "{logs}");
    }
    put(Some(&complete));
    auth.client().ask(BOB).await;
    auth.client().ask(ADA).await;
}

/// A provider that lacks a setting keeps the function from starting, with the reason.
#[tokio::test]
async fn a_provider_without_its_settings_does_not_start() {
    let service = "MG0123456789abcdef0123456789abcdef";
    for (settings, reason) in [
        (vec![TWILIO[0]], "needs a sender"),
        (vec![TWILIO[0], NUMBER, ("SMS_SENDER_ID", "Latchkey")], "Set only one"),
        (vec![TWILIO[0], ("SMS_POOL", "pool-0123")], "the id of a messaging service"),
        (vec![TWILIO[0], NUMBER, ("SMS_CONFIGURATION_SET", "codes")], "only SMS_PROVIDER=eum uses it"),
        (vec![TWILIO[0], NUMBER, ("SMS_MAX_PRICE", "0.00001")], "at most four decimals"),
        (vec![TWILIO[0], NUMBER, ("PROVIDERS_SECRET_ARN", "")], "PROVIDERS_SECRET_ARN is not set: SMS_PROVIDER=twilio"),
        (vec![SENDGRID[0], ("PROVIDERS_SECRET_ARN", "")], "PROVIDERS_SECRET_ARN is not set: MAIL_PROVIDER=sendgrid"),
        (vec![("MAIL_PROVIDER", "sendmail")], "MAIL_PROVIDER: expected one of ses, sendgrid"),
        (vec![("SMS_POOL", service)], "only SMS_PROVIDER=eum and SMS_PROVIDER=twilio use it"),
        (vec![TWILIO[0], NUMBER, ("WHATSAPP_PROVIDER", "twilio")], "WHATSAPP_PROVIDER needs it"),
        (vec![("WHATSAPP_NUMBER", "+12065550102")], "WhatsApp is off"),
        (
            vec![TWILIO[0], NUMBER, ("VOICE_PROVIDER", "eum"), ("VOICE_NUMBER", "+12065550101")],
            "does not know who has opted out",
        ),
    ] {
        let env = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let options = local::Options { env, ..local::Options::default() };
        let problem = Settings::read(&options).err().map(|failure| failure.to_string()).unwrap_or_default();
        let parameter = reason.replace("SMS_PROVIDER", "SmsProvider");
        assert!(problem.contains(reason) || problem.contains(&parameter), "{settings:?}: {problem}");
    }
}
