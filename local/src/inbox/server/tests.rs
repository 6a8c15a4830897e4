//! The inbox over HTTP, as its page and curl use it.

use std::net::SocketAddr;

use axum::http::StatusCode;
use local_aws::{Delivered, Mail, Origin, Service, Sms, SmsType};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::options::{FREE, Options};
use crate::stack::Stack;

async fn stack(services_only: bool) -> (Stack, SocketAddr) {
    let env = vec![("JWT_ALGORITHM".to_owned(), "ES256".to_owned())];
    let stack = Stack::start(Options { inbox: Some(FREE), services_only, env, ..Options::default() }).await.unwrap();
    let inbox = stack.addresses().inbox.unwrap();
    (stack, inbox)
}

/// Sends a request and reads until the server closes the connection: the status, and the body.
async fn send(inbox: SocketAddr, line: &str, headers: &str, body: &str) -> (u16, String) {
    let (status, _, body) = exchange(inbox, line, headers, body).await;
    (status, body)
}

/// The status, the headers in lower case, and the body.
async fn exchange(inbox: SocketAddr, line: &str, headers: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(inbox).await.unwrap();
    let length = body.len();
    let host = if headers.contains("host:") { String::new() } else { format!("host: {inbox}\r\n") };
    let head = format!("{line} HTTP/1.1\r\n{host}{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

async fn ask(inbox: SocketAddr, line: &str, body: &str) -> (u16, Value) {
    let (status, body) = send(inbox, line, "", body).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

fn origin() -> Origin {
    Origin { id: "0100".to_owned(), caller: "RequestOtp".to_owned() }
}

fn mail(to: &str) -> Delivered {
    let [from, subject, text] = ["no-reply@example.com", "123456 is your code", "Hello"].map(str::to_owned);
    Delivered::Mail(Mail {
        service: Service::Ses,
        from,
        to: to.to_owned(),
        subject,
        text,
        html: Some("<p>Hello".to_owned()),
        headers: Default::default(),
    })
}

fn sms(to: &str, text: &str) -> Delivered {
    let [to, text, sender] = [to, text, "Latchkey"].map(str::to_owned);
    let service = Service::SmsVoice;
    let life = Some(300);
    Delivered::Sms(Sms {
        service,
        to,
        text,
        sender,
        sms_type: SmsType::Transactional,
        max_price: None,
        india: None,
        life,
    })
}

#[tokio::test]
async fn messages_are_listed_by_address_and_thrown_away() {
    let (stack, inbox) = stack(false).await;
    stack.inbox().receive(mail("ada@example.com"), origin());
    stack.inbox().receive(mail("bob+x@example.com"), origin());

    let (_, all) = ask(inbox, "GET /api/messages", "").await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let (_, bob) = ask(inbox, "GET /api/messages?to=bob%2Bx@example.com", "").await;
    let sent_at = stack.inbox().messages(None)[0].sent_at.clone();
    let expected = json!([{
        "id": "2", "provider_id": "0100", "kind": "code", "channel": "email", "service": "ses", "to": "bob+x@example.com", "direction": "ltr",
        "subject": "123456 is your code", "text": "Hello", "html": "<p>Hello", "headers": {}, "sent_at": sent_at,
        "life": [{ "state": "sent", "at": sent_at }], "sms": null, "call": null,
    }]);
    assert_eq!(bob, expected);
    assert_eq!(ask(inbox, "DELETE /api/messages", "").await.0, 204);
    assert_eq!(ask(inbox, "GET /api/messages", "").await, (200, json!([])));
}

#[tokio::test]
async fn an_sms_is_shown_with_its_facts() {
    let (stack, inbox) = stack(true).await;
    stack.inbox().receive(mail("ada@example.com"), origin());
    stack.inbox().receive(sms("+447700900456", "No code, and 🔑"), origin());
    let publish = "Action=Publish&Version=2010-03-31&PhoneNumber=%2B447400900123\
                   &Message=123456%20is%20your%20code.%0A%0A%40app.example.com%20%23123456\
                   &MessageAttributes.entry.1.Name=AWS.SNS.SMS.SenderID\
                   &MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=Latchkey";
    let headers = "content-type: application/x-www-form-urlencoded\r\nauthorization: AWS4-HMAC-SHA256 \
                   Credential=RequestOtp/20270115/us-east-1/sns/aws4_request, Signature=0\r\n";
    let (status, answer) = send(stack.addresses().aws, "POST /", headers, publish).await;
    assert!(status == 200 && answer.starts_with("<PublishResponse "), "{answer}");

    let (_, all) = ask(inbox, "GET /api/messages", "").await;
    let facts = |encoding: &str, characters: u32| json!({ "from": "Latchkey", "service": "sms-voice", "type": "Transactional", "max_price": null, "life": 300, "price": null, "characters": characters, "encoding": encoding, "parts": 1, "autofill": null });
    assert_eq!(all[1]["sms"], facts("UCS-2", 15));
    assert_eq!(all[2]["sms"], Value::Null);
    let expected = json!([{
        "id": "3", "provider_id": all[0]["provider_id"], "kind": "code", "channel": "sms", "service": "sns", "to": "+447400900123",
        "direction": "ltr", "subject": null, "html": null, "headers": {}, "sent_at": all[0]["sent_at"],
        "life": [{ "state": "sent", "at": all[0]["sent_at"] }], "call": null,
        "text": "123456 is your code.\n\n@app.example.com #123456",
        "sms": { "from": "Latchkey", "service": "sns", "type": "Promotional", "max_price": null, "life": null, "price": "0.055", "characters": 46, "encoding": "GSM-7", "parts": 1,
            "autofill": { "host": "app.example.com", "code": "123456" } },
    }]);
    assert_eq!(json!([all[0]]), expected);
    assert_eq!(all[0]["provider_id"].as_str().unwrap().len(), 36);
    for number in ["%2B447400900123", "+447400900123", "%20447400900123"] {
        assert_eq!(
            ask(inbox, &format!("GET /api/messages?to={number}"), "").await,
            (200, expected.clone()),
            "{number}"
        );
    }
    assert_eq!(ask(inbox, "GET /api/messages?to=447400900123", "").await, (200, json!([])));
}

#[tokio::test]
async fn a_page_gets_events_until_the_stack_stops() {
    let (stack, inbox) = stack(false).await;
    let page = tokio::spawn(async move { send(inbox, "GET /api/stream", "", "").await.1 });
    while stack.inbox().news.receiver_count() == 0 {
        tokio::task::yield_now().await;
    }
    stack.inbox().receive(mail("ada@example.com"), origin());
    stack.inbox().clear();
    stack.stop().await;
    let heard = page.await.unwrap();
    assert!(heard.contains("event: message") && heard.contains("ada@example.com"), "{heard}");
    assert!(heard.contains("event: cleared"), "{heard}");
}

#[tokio::test]
async fn the_clock_moves_only_if_all_functions_follow_it() {
    let (moving, inbox) = stack(false).await;
    let before = moving.clock().now();
    let (status, answer) = ask(inbox, "POST /api/clock", r#"{"advance_seconds": 600}"#).await;
    assert_eq!((status, &answer["now"]), (200, &json!(moving.clock().now().to_string())));
    assert!(before.until(moving.clock().now()).as_secs() >= 600);
    assert_eq!(ask(inbox, "POST /api/clock", r#"{"advance_seconds": -1}"#).await.0, 400);

    let (_standing, inbox) = stack(true).await;
    let (status, answer) = ask(inbox, "POST /api/clock", r#"{"advance_seconds": 600}"#).await;
    assert!(status == 409 && answer["message"].is_string(), "{answer}");
    assert_eq!(ask(inbox, "GET /api/clock", "").await.0, 200);
}

#[tokio::test]
async fn faults_are_set_and_shown() {
    let (stack, inbox) = stack(false).await;
    let faults = r#"{"delivery_failure_rate": 0.05, "gateway_status": 429}"#;
    assert_eq!(ask(inbox, "POST /api/faults", faults).await.0, 200);
    let (_, shown) = ask(inbox, "GET /api/faults", "").await;
    assert_eq!((&shown["delivery_failure_rate"], &shown["gateway_status"]), (&json!(0.05), &json!(429)));
    assert_eq!(stack.api().unwrap().gateway().refusal(), Some(StatusCode::TOO_MANY_REQUESTS));
    for wrong in [r#"{"delivery_failure_rate": "often"}"#, r#"{"gateway_status": 42}"#, r#"{"delivery_rate": 1}"#, "5"]
    {
        assert_eq!(ask(inbox, "POST /api/faults", wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(ask(inbox, "POST /api/faults", "{}").await.0, 200);
    assert_eq!(stack.api().unwrap().gateway().refusal(), None);
}

#[tokio::test]
async fn other_hosts_and_other_origins_are_kept_out() {
    let (_stack, inbox) = stack(true).await;
    for path in ["/api/messages", "/api/events", "/api/events/stream"] {
        assert_eq!(send(inbox, &format!("GET {path}"), "host: evil.example\r\n", "").await.0, 403);
    }
    assert_eq!(send(inbox, "DELETE /api/messages", "origin: https://evil.example\r\n", "").await.0, 403);
    assert_eq!(send(inbox, "DELETE /api/messages", &format!("origin: http://{inbox}\r\n"), "").await.0, 204);
    for path in ["/", "/page.css", "/page.js", "/api", "/reference.css", "/reference.js"] {
        assert_eq!(send(inbox, &format!("GET {path}"), "", "").await.0, 200);
    }
}

/// No page may frame the inbox, and no browser may take its data for a page.
#[tokio::test]
async fn the_inbox_is_framed_by_nobody_and_says_what_it_is() {
    let (_stack, inbox) = stack(true).await;
    let headers = async |line: &str| exchange(inbox, line, "", "").await.1;
    for path in
        ["/", "/api", "/events", "/api/messages", "/api/events", "/api/logs", "/api/clock", "/openapi.json", "/nowhere"]
    {
        assert!(headers(&format!("GET {path}")).await.contains("x-content-type-options: nosniff"), "{path}");
    }
    for path in ["/", "/api", "/events"] {
        assert!(headers(&format!("GET {path}")).await.contains("frame-ancestors 'none'"), "{path}");
    }
}

/// DNS rebinding: a page of another site lets its own name lead to this machine.
#[tokio::test]
async fn the_api_answers_loopback_hosts_only() {
    let env = vec![("JWT_ALGORITHM".to_owned(), "ES256".to_owned())];
    let stack = Stack::start(Options { api: Some(FREE), env, ..Options::default() }).await.unwrap();
    let api = stack.addresses().api.unwrap();
    const KEYS: &str = "GET /.well-known/jwks.json";
    assert_eq!(send(api, KEYS, "host: evil.example\r\n", "").await.0, 403);
    assert_eq!(send(api, KEYS, "host: auth.localhost\r\n", "").await.0, 200);
    assert_eq!(send(api, KEYS, "", "").await.0, 200);
}

/// Besides the page, the inbox serves the API document for code generators and other tools.
#[tokio::test]
async fn the_document_of_the_api_is_served() {
    let (_stack, inbox) = stack(true).await;
    let (status, yaml) = send(inbox, "GET /openapi.yaml", "", "").await;
    assert_eq!((status, yaml.as_str()), (200, crate::document::YAML));
    let (status, document) = ask(inbox, "GET /openapi.json", "").await;
    assert_eq!((status, &document["info"]["title"]), (200, &json!("Latchkey")));
}
