//! The page beside the inbox with the events on the bus, and the records that functions could not handle.

use std::net::SocketAddr;

use local::Options;
use local_aws::events::Pattern;
use local_aws::template::{Rule, Template, find_root};
use serde_json::{Value, json};
use tests::Deployment;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::workspace::{read, row};

const ADA: &str = "ada@example.com";

/// A stack with an inbox, and a rule of its own in the template.
async fn deployment(settings: &[(&str, &str)]) -> (Deployment, SocketAddr) {
    let mut template = Template::read(&find_root().unwrap(), "default").unwrap();
    let pattern = Pattern::read(&json!({ "detail-type": ["user.created"] })).unwrap();
    let bus = template.buses[0].clone();
    template.rules = vec![Rule { name: "SignUps".to_owned(), bus, pattern, targets: Vec::new() }];
    let settings = [&[("JWT_ALGORITHM", "ES256")], settings].concat();
    let env = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let inbox = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let auth = Deployment::run(Options { template: Some(template), env, inbox, ..Options::default() }).await.unwrap();
    let inbox = auth.stack.addresses().inbox.unwrap();
    (auth, inbox)
}

async fn send(inbox: SocketAddr, line: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(inbox).await.unwrap();
    let length = body.len();
    let request =
        format!("{line} HTTP/1.1\r\nhost: {inbox}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The head and the body of an answer.
async fn ask(inbox: SocketAddr, line: &str, body: &str) -> (String, String) {
    let mut answer = String::new();
    send(inbox, line, body).await.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

/// The JSON behind the page.
async fn shown(inbox: SocketAddr) -> Value {
    serde_json::from_str(&ask(inbox, "GET /api/events", "").await.1).unwrap()
}

/// The stream, read as far as its last event.
struct Changes {
    stream: TcpStream,
    heard: String,
}

impl Changes {
    async fn of(inbox: SocketAddr) -> Changes {
        let mut changes = Changes { stream: send(inbox, "GET /api/events/stream", "").await, heard: String::new() };
        // A stream begins with an event.
        changes.next().await;
        changes
    }

    async fn next(&mut self) {
        const EVENT: &str = "event: changed\ndata: {}\n\n";
        let mut part = [0; 1_024];
        while !self.heard.contains(EVENT) {
            let length = self.stream.read(&mut part).await.unwrap();
            assert!(length > 0, "{}", self.heard);
            self.heard.push_str(str::from_utf8(&part[..length]).unwrap());
        }
        self.heard.clear();
    }
}

#[tokio::test]
async fn an_event_is_shown_as_it_happens_with_the_rules_that_it_matches() {
    let (auth, inbox) = deployment(&[("EVENTS", "all")]).await;
    let before = shown(inbox).await;
    assert_eq!((&before["events"], &before["setting"], &before["is_read"]), (&json!([]), &json!("all"), &json!(true)));
    assert_eq!((&before["rules"], &before["count"]), (&json!(["SignUps"]), &json!(0)));

    let mut changes = Changes::of(inbox).await;
    auth.client().sign_in_from(ADA, "https://example.org/?utm_source=news").await;
    auth.stack.deliver().await;
    changes.next().await;
    let now = shown(inbox).await;
    let events = now["events"].as_array().unwrap();
    let event = |kind: &str| {
        let found = events.iter().find(|found| found["event"]["detail-type"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {now}"))
    };
    assert_eq!((events.len(), &now["count"]), (2, &json!(2)));
    assert_eq!((&event("user.created")["rules"], &event("session.opened")["rules"]), (&json!(["SignUps"]), &json!([])));
    let detail = &event("user.created")["event"]["detail"];
    assert_eq!(
        (&detail["method"], &detail["url"]),
        (&json!("otp_email"), &json!("https://example.org?utm_source=news"))
    );
    assert!(!now.to_string().contains(ADA));

    auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    changes.next().await;
    let newest = &shown(inbox).await["events"][0]["event"];
    assert_eq!(newest["detail-type"], "session.opened");
    assert_ne!(newest["id"], event("session.opened")["event"]["id"]);

    let Deployment { stack, .. } = auth;
    stack.stop().await;
    let mut rest = String::new();
    changes.stream.read_to_string(&mut rest).await.unwrap();
}

/// Poison is a fault of the stream, set as a tester sets it.
#[tokio::test]
async fn a_record_that_no_function_can_handle_is_shown_with_a_count() {
    let (auth, inbox) = deployment(&[]).await;
    let queue = async || shown(inbox).await["queues"][1].clone();
    assert_eq!(queue().await, json!({ "name": "latchkey-FailedRecords", "count": 0, "messages": [] }));
    let mut changes = Changes::of(inbox).await;
    let poison = r#"{"stream": [{"fault": "poison", "times": 2}]}"#;
    assert!(ask(inbox, "POST /api/faults", poison).await.0.starts_with("http/1.1 200"));
    auth.stack.deliver().await;
    changes.next().await;
    let queue = queue().await;
    assert_eq!((&queue["count"], queue["messages"].as_array().unwrap().len()), (&json!(2), 2));
    let message = &queue["messages"][0];
    assert_eq!(message["function"], "record", "{message}");
    assert!(message["sequenceNumber"].is_string(), "{message}");
    assert!(!queue.to_string().contains("S#poison"), "a message has no content");
}

#[tokio::test]
async fn every_fault_of_a_stream_can_be_set_and_is_documented() {
    let (_auth, inbox) = deployment(&[]).await;
    let page = read("docs/local.md");
    for fault in ["duplicate", "split", "overlap", "delay", "reorder", "poison"] {
        let wanted = json!([{ "fault": fault, "times": 3 }]);
        ask(inbox, "POST /api/faults", &json!({ "stream": wanted }).to_string()).await;
        let now: Value = serde_json::from_str(&ask(inbox, "GET /api/faults", "").await.1).unwrap();
        assert_eq!(now["stream"], wanted);
        assert!(row(&page, "stream").contains(&format!("`{fault}`")), "docs/local.md lacks {fault}");
    }
}

#[tokio::test]
async fn the_pages_run_only_their_own_scripts_and_link_each_other() {
    let (_auth, inbox) = deployment(&[]).await;
    for path in ["/events", "/events.css", "/events.js", "/report", "/report.css", "/report.js"] {
        let (head, _) = ask(inbox, &format!("GET {path}"), "").await;
        assert!(head.starts_with("http/1.1 200") && head.contains("default-src 'none'; script-src 'self';"), "{head}");
    }
    let pages = ["/", "/events", "/report", "/api"];
    for path in pages {
        let (_, html) = ask(inbox, &format!("GET {path}"), "").await;
        for link in pages.iter().filter(|link| **link != path) {
            assert!(html.contains(&format!("<a href=\"{link}\">")), "{path} lacks a link to {link}");
        }
    }
}
