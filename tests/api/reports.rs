//! The report: every figure follows from what people did, by the stream and by the metrics of the functions.

use local::{Options, report};
use local_aws::DEPLOYER;
use serde_json::{Value, json};
use shared::history::{ActiveUsers, Report};
use tests::Deployment;
use tests::client::REQUEST;
use tests::deployment::START;

use crate::algorithms::Folder;

const ADA: &str = "ada@example.com";
const BOB: &str = "+447400123456";
const DAY: u64 = 86_400;
const SPRING: &str = "https://example.com/?utm_source=facebook&utm_campaign=spring";

/// Three people in nine days.
async fn nine_days(auth: &Deployment) {
    auth.client().sign_in_from(ADA, SPRING).await;
    auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    auth.wait(8 * DAY);
    auth.client().sign_in_from("cy@example.com", "https://www.example.org/pricing").await;
    auth.client().sign_in(BOB).await;
    auth.faults(json!({ "delivery": "refused" }));
    auth.client().post(REQUEST, json!({ "identifier": "eve@example.com" })).await.refused(502, "email_send_failed");
    auth.faults(json!({}));
    auth.stack.deliver().await;
}

fn json(report: &Report) -> Value {
    serde_json::to_value(report).unwrap()
}

#[tokio::test]
async fn a_report_tells_what_people_did() {
    let auth = Deployment::start().await;
    nine_days(&auth).await;
    let report = auth.stack.report().await.unwrap();
    assert_eq!((report.from.as_str(), report.to.as_str()), ("2025-12-11", "2026-01-09"));
    assert_eq!(report.active_users, ActiveUsers { day: 2, week: 2, month: 3 });
    assert_eq!([report.sign_ups, report.sign_ins], [3, 4]);
    let days: Vec<_> = report.days.iter().filter(|day| day.sign_ins > 0).collect();
    let day =
        |date: &str, sign_ups: u64, sign_ins: u64| json!({ "date": date, "sign_ups": sign_ups, "sign_ins": sign_ins });
    assert_eq!(serde_json::to_value(days).unwrap(), json!([day("2026-01-01", 1, 2), day("2026-01-09", 2, 2)]));
    let report = json(&report);
    let method = |name: &str, sign_ups: u64, sign_ins: u64| json!({ "method": name, "sign_ups": sign_ups, "sign_ins": sign_ins });
    assert_eq!(report["methods"], json!([method("otp_email", 2, 3), method("otp_sms", 1, 1)]));
    let named = |name: &str| json!({ "name": name, "sign_ups": 1 });
    assert_eq!(report["top_sources"], json!([named("Example"), named("Facebook")]));
    let facebook = json!({ "name": "Facebook", "category": "Facebook - Spring Campaign",
        "url": "https://example.com?utm_source=facebook&utm_campaign=spring", "sign_ups": 1 });
    let pricing =
        json!({ "name": "Example", "category": "Pricing Page", "url": "https://example.org/pricing", "sign_ups": 1 });
    let none = json!({ "name": "No source", "category": null, "url": null, "sign_ups": 1 });
    let mut sources = report["sources"].as_array().unwrap().clone();
    sources.sort_by_key(|row| row["name"].to_string());
    assert_eq!(sources, [pricing.clone(), facebook, none]);
    let week: Vec<_> = report["last_week"].as_array().unwrap().iter().map(|row| &row["date"]).collect();
    assert_eq!(week, ["2026-01-09", "2026-01-09"]);
    let channel = |name: &str, sent: u64, refused: u64| json!({ "channel": name, "sent": sent, "refused": refused, "unknown": 0, "used": sent, "success_rate": 1.0 });
    let codes = json!({ "requests": 5, "rate_limited": 0, "verify_requests": 4, "channels": [channel("email", 3, 1), channel("sms", 1, 0)] });
    assert_eq!(report["codes"], codes);
}

/// The bar: two calls at most. On AWS the second one asks CloudWatch for all sums at once.
#[tokio::test]
async fn a_report_is_one_call_to_the_table() {
    let auth = Deployment::start().await;
    nine_days(&auth).await;
    auth.stack.services().calls().take();
    auth.stack.report().await.unwrap();
    let calls = auth.stack.services().calls().take();
    let calls: Vec<_> = calls.iter().map(|call| (call.caller.as_str(), call.operation.as_str())).collect();
    assert_eq!(calls, [(DEPLOYER, "BatchGetItem")]);
    assert!(shared::history::Codes::metrics().len() <= 500, "GetMetricData takes no more");
}

/// A cost without messages would be wrong.
#[tokio::test]
async fn without_metrics_codes_and_cost_are_unknown() {
    let auth = Deployment::with(&[("METRICS", "off")]).await;
    auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    let report = auth.stack.report().await.unwrap();
    assert_eq!((report.sign_ups, &report.codes, report.cost), (1, &None, None));
    assert!(report::text(&report).contains("unknown: the functions wrote no metrics"));
}

/// A report names nobody: no address, no user and no path of a page beyond the words that the sources keep.
#[tokio::test]
async fn a_report_names_nobody() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in_from(ADA, "https://example.org/users/ada?email=ada@example.com").await;
    auth.stack.deliver().await;
    let report = auth.stack.report().await.unwrap();
    let text = json(&report).to_string() + &report::text(&report);
    assert_eq!(report.sign_ups, 1);
    for word in ["ada", "@", tests::deployment::unverified(&tokens.access).1["sub"].as_str().unwrap()] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

/// As with `local report`: the inbox's server answers, and the command prints.
#[tokio::test]
async fn a_running_stack_prints_its_report() {
    let auth = Deployment::run(Options {
        inbox: Some(([127, 0, 0, 1], 0).into()),
        env: vec![("JWT_ALGORITHM".to_owned(), "ES256".to_owned())],
        ..Options::default()
    });
    let auth = auth.await.unwrap();
    auth.client().sign_in_from(ADA, SPRING).await;
    auth.stack.deliver().await;
    let inbox = auth.stack.addresses().inbox.unwrap();
    let text = report::text(&report::ask(inbox).await.unwrap());
    for line in [
        "  today         1",
        "             sign-ups  sign-ins",
        "  otp_email         1         1",
        "  Facebook         1",
        "  requests for a code  1",
        "  email     1        0        0     1    100 %",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in:\n{text}");
    }
    assert!(text.contains("  per sign-in    $0.000120\n"), "{text}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = report::ask(free).await.unwrap_err().to_string();
    assert!(failure.contains("Start one with `cargo run -p local`"), "{failure}");
}

/// Counts and metrics survive the stack alike, so a report after a restart is the same.
#[tokio::test]
async fn a_report_survives_a_restart() {
    let folder = Folder::new("report");
    let options = || Options {
        data: Some(folder.0.clone()),
        env: vec![("JWT_ALGORITHM".to_owned(), "ES256".to_owned())],
        clock: local_aws::StackClock::frozen_at(shared::words::Timestamp::from_unix(START)),
        ..Options::default()
    };
    let auth = Deployment::run(options()).await.unwrap();
    auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    let before = auth.stack.report().await.unwrap();
    assert_eq!(before.codes.as_ref().unwrap().channels[0].codes.used, 1);
    auth.stack.stop().await;
    let again = Deployment::run(options()).await.unwrap();
    assert_eq!(again.stack.report().await.unwrap(), before);
}
