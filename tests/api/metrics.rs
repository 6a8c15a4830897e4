//! Metrics in CloudWatch: made by journeys, and compared with the alarms and the dashboard.

use std::collections::{BTreeMap, BTreeSet};

use local_aws::template::{Template, find_root};
use serde_json::{Value, json};
use shared::words::Channel;
use tests::client::REQUEST;
use tests::deployment::{CALLS, wrong};
use tests::{Asked, Deployment};

const ADA: &str = "ada@example.com";
const BOB: &str = "+447400123456";

/// A metric: its name, and its dimensions sorted by name.
type Metric = (String, Vec<(String, String)>);

/// The metrics in log lines, as CloudWatch reads them.
fn counted(lines: &[String]) -> Vec<(Metric, f64)> {
    let mut all = Vec::new();
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap();
        for group in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
            assert_eq!(group["Namespace"], "Latchkey");
            for dimensions in group["Dimensions"].as_array().unwrap() {
                let names = dimensions.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let value = |name: &str| line[name].as_str().unwrap_or_else(|| panic!("{name} in {line}")).to_owned();
                let mut dimensions: Vec<_> = names.map(|name| (name.to_owned(), value(name))).collect();
                dimensions.sort();
                for metric in group["Metrics"].as_array().unwrap() {
                    let name = metric["Name"].as_str().unwrap().to_owned();
                    let value = line[&name].as_f64().unwrap_or_else(|| panic!("{name} in {line}"));
                    all.push(((name, dimensions.clone()), value));
                }
            }
        }
    }
    all
}

fn sum(counted: &[(Metric, f64)], name: &str, function: &str, dimension: Option<(&str, &str)>) -> f64 {
    let mut dimensions = vec![("FunctionName".to_owned(), format!("latchkey-{function}"))];
    dimensions.extend(dimension.map(|(name, value)| (name.to_owned(), value.to_owned())));
    dimensions.sort();
    let is_it = |metric: &Metric| metric.0 == name && metric.1 == dimensions;
    counted.iter().filter(|(metric, _)| is_it(metric)).map(|(_, value)| value).sum()
}

/// Journeys that cause every metric.
async fn everything() -> Deployment {
    let auth = Deployment::with(&[("SMS_COUNTRIES", "GB"), ("SMS_BREAKER_RANGE_SENDS", "2")]).await;
    let client = auth.client();
    let asked = client.ask(ADA).await;
    client.answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await.refused(400, "invalid_otp");
    let first = client.answer(ADA, &asked).await.tokens();
    for (_, answer) in client.read_all(&first.access).await {
        answer.ok();
    }
    let second = client.refresh(&first.refresh).await.tokens();
    auth.wait(60);
    client.refresh(&first.refresh).await.refused(401, "invalid_token");
    client.logout(&second.refresh).await.ok();
    client.get("/.well-known/jwks.json").await.ok();
    let enrolled = client.enrol("carol@example.com").await;
    let challenge = client.first_step("carol@example.com").await;
    let second_step = |code: String| {
        let challenge = challenge.clone();
        async move { client.second_step(&challenge, "totp", &code).await }
    };
    second_step(enrolled.app.wrong(&auth)).await.refused(400, "invalid_otp");
    second_step(enrolled.app.code(&auth)).await.ok();

    let texted = client.ask(BOB).await;
    client.answer(BOB, &texted).await.tokens();
    for number in 1..=5 {
        auth.client_at(&format!("198.51.100.{number}"))
            .post(REQUEST, json!({ "identifier": format!("+44740012{number:04}") }))
            .await;
    }
    auth.faults(json!({ "delivery": "refused" }));
    auth.client_at("198.51.100.9")
        .post(REQUEST, json!({ "identifier": "eve@example.com" }))
        .await
        .refused(502, "email_send_failed");
    let throttled =
        || auth.faults(json!({ "aws": [{ "service": "dynamodb", "error": "ThrottlingException", "times": 9 }] }));
    throttled();
    client.post(REQUEST, json!({ "identifier": "eve@example.com" })).await.refused(503, "unavailable");
    throttled();
    client.answer_unbound(ADA, "123456").await.refused(503, "unavailable");
    throttled();
    client.refresh(&second.refresh).await.refused(503, "unavailable");
    throttled();
    client.logout(&second.refresh).await.refused(503, "unavailable");
    throttled();
    second_step(enrolled.app.code(&auth)).await.refused(503, "unavailable");
    auth.faults(json!({}));
    auth.stack.rotate_keys().await.unwrap();
    auth
}

#[tokio::test]
async fn every_kind_of_event_is_counted() {
    let auth = everything().await;
    let counted = counted(&auth.stack.logs());
    let sum = |name, function, dimension| sum(&counted, name, function, dimension);
    assert_eq!(sum("Sends", "RequestOtp", Some(("Channel", "email"))), 3.0);
    assert_eq!(sum("RefusedSends", "RequestOtp", Some(("Channel", "email"))), 1.0);
    assert_eq!(sum("CodesUsed", "VerifyOtp", Some(("Channel", "email"))), 3.0);
    assert_eq!(sum("CodesUsed", "VerifyOtp", Some(("Channel", "sms"))), 1.0);
    assert_eq!(sum("SignUps", "VerifyOtp", None), 3.0);
    assert_eq!(sum("Outcomes", "VerifyOtp", Some(("Outcome", "invalid_otp"))), 1.0);
    assert_eq!(sum("RefreshReuse", "Refresh", None), 1.0);
    let texts = sum("Sends", "RequestOtp", Some(("Channel", "sms")));
    assert_eq!(
        texts,
        auth.stack.inbox().messages(None).iter().filter(|message| message.subject.is_none()).count() as f64
    );
    assert_eq!(sum("Texts", "RequestOtp", Some(("Country", "GB"))), texts);
    assert_eq!(sum("BreakerStops", "RequestOtp", None), 6.0 - texts);
    let used = counted.iter().filter(|((name, _), _)| name == "SmsBudgetUsed").map(|(_, value)| *value);
    assert_eq!(used.fold(0.0, f64::max), texts, "of the country's 100");
    for function in ["RequestOtp", "VerifyOtp", "SecondFactorFunction", "Refresh", "Logout"] {
        assert!(sum("Throttles", function, None) >= 1.0, "{function}");
    }
    for function in ["RequestOtp", "VerifyOtp", "SecondFactorFunction", "Refresh"] {
        assert!(sum("Faults", function, None) >= 1.0, "{function}");
        assert_eq!(sum("ColdStarts", function, None), 1.0, "{function}");
        assert!(sum("OwnTime", function, None) > 0.0 && sum("Calls", function, None) > 1.0, "{function}");
    }
    // CloudWatch charges for each metric of each function, and these have no waiting users.
    for function in ["Logout", "Factors", "Sessions", "Profile", "Jwks", "Fallback", "RotateKeys"] {
        let others = counted.iter().filter(|((name, dimensions), _)| {
            name != "Throttles" && dimensions.iter().any(|(_, value)| *value == format!("latchkey-{function}"))
        });
        assert_eq!(others.count(), 0, "{function}");
    }
}

/// The alarms about the budget of SMS follow the money too.
#[tokio::test]
async fn money_counts_as_used_budget() {
    let auth = Deployment::with(&[("SMS_DAILY_BUDGET_USD", "0.11"), ("SMS_RESERVED_SHARE", "0")]).await;
    auth.client().ask(BOB).await;
    let asked = auth.client().post(REQUEST, json!({ "identifier": "+447400123499" })).await;
    auth.client().post(REQUEST, json!({ "identifier": "+447400123498" })).await.refused(429, "rate_limited");
    let counted = counted(&auth.stack.logs());
    let used = counted.iter().filter(|((name, _), _)| name == "SmsBudgetUsed").map(|(_, value)| *value);
    assert_eq!(used.collect::<Vec<_>>(), [50.0, 100.0, 100.0]);
    let told = local::explain(&auth.stack.logs().join("\n"), asked.headers["x-request-id"].to_str().unwrap()).unwrap();
    assert!(told.contains("2 of the day's 200, $0.11 of $0.11, debt"), "{told}");
}

/// A send with an unknown outcome is counted, whatever its client was told. A repeated email that was accepted is an ordinary send.
#[tokio::test]
async fn unknown_sends_are_counted() {
    let auth = Deployment::start().await;
    let faults = |service: &str, error: &str, times: u32| {
        auth.faults(json!({ "aws": [{ "service": service, "error": error, "times": times }] }));
    };
    let ask = |identifier: &'static str| auth.client().post(REQUEST, json!({ "identifier": identifier }));
    faults("ses", "connection_reset", 1);
    ask(ADA).await.ok();
    faults("ses", "connection_reset", 2);
    ask("bob@example.com").await.refused(502, "email_send_failed");
    faults("ses", "InternalServerError", 1);
    ask("eve@example.com").await.ok();
    faults("sns", "connection_reset", 1);
    let lost = ask(BOB).await;
    lost.refused(502, "sms_send_failed");
    let counted = counted(&auth.stack.logs());
    let sum = |name, channel| sum(&counted, name, "RequestOtp", Some(("Channel", channel)));
    assert_eq!([sum("Sends", "email"), sum("UnknownSends", "email"), sum("RefusedSends", "email")], [1.0, 2.0, 0.0]);
    assert_eq!([sum("Sends", "sms"), sum("UnknownSends", "sms"), sum("RefusedSends", "sms")], [0.0, 1.0, 0.0]);
    let told = local::explain(&auth.stack.logs().join("\n"), lost.headers["x-request-id"].to_str().unwrap()).unwrap();
    assert!(told.contains("delivery   by sms to GB: unknown: the connection broke"), "{told}");
}

/// Long codes are counted: they show that somebody's mailbox is under attack.
#[tokio::test]
async fn long_codes_are_counted() {
    let auth = Deployment::start().await;
    for number in 0..6 {
        auth.client_at(&format!("203.0.113.{number}")).ask(ADA).await;
    }
    // One was sent, and one was shared.
    assert_eq!(sum(&counted(&auth.stack.logs()), "LongCodes", "RequestOtp", None), 2.0);
}

/// Every metric in the alarms and the dashboard exists under this name and with these dimensions.
#[tokio::test]
async fn every_metric_of_alarms_and_dashboard_is_counted() {
    let mut counted: BTreeSet<Metric> =
        counted(&everything().await.stack.logs()).into_iter().map(|(metric, _)| metric).collect();
    // These journeys are free of attacks and unknown sends. The tests above cover them.
    counted.insert(("LongCodes".to_owned(), vec![("FunctionName".to_owned(), "latchkey-RequestOtp".to_owned())]));
    counted.insert(("Outcomes".to_owned(), outcome("too_many_attempts")));
    counted.insert(("RefusedSends".to_owned(), channel("sms")));
    counted.extend(["email", "sms"].map(|word| ("UnknownSends".to_owned(), channel(word))));
    // They are counted by the same lines, and off by default.
    for word in ["voice", "whatsapp"] {
        counted.extend(["Sends", "RefusedSends", "UnknownSends"].map(|name| (name.to_owned(), channel(word))));
        counted.insert(("CodesUsed".to_owned(), used(word)));
    }
    let (mut ours, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (namespace, metric) in looked_at() {
        if namespace == "Latchkey" {
            ours.insert(metric)
        } else {
            others.insert((namespace, metric.0))
        };
    }
    let missing: Vec<_> = ours.difference(&counted).collect();
    assert!(missing.is_empty(), "nothing counts {missing:#?}");
    assert!(ours.len() > 25, "{}", ours.len());
    // The names in AWS's documentation.
    let known = [
        ("AWS/ApiGateway", "5xx"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/Lambda", "Duration"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Invocations"),
        ("AWS/Lambda", "IteratorAge"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/SES", "Reputation.BounceRate"),
        ("AWS/SES", "Reputation.ComplaintRate"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ];
    assert_eq!(others, known.map(|(namespace, name)| (namespace.to_owned(), name.to_owned())).into());
}

fn outcome(word: &str) -> Vec<(String, String)> {
    [("FunctionName", "latchkey-VerifyOtp"), ("Outcome", word)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn used(word: &str) -> Vec<(String, String)> {
    [("Channel", word), ("FunctionName", "latchkey-VerifyOtp")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn channel(word: &str) -> Vec<(String, String)> {
    [("Channel", word), ("FunctionName", "latchkey-RequestOtp")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// The alarms and dashboards of two deployments: one with SMS, and one in production, which has the alarms of new versions.
fn watching() -> impl Iterator<Item = (String, Value)> {
    let template = |profile| Template::read(&find_root().unwrap(), profile).unwrap();
    ["default", "production"].into_iter().flat_map(move |profile| template(profile).watching)
}

/// The metrics in the template's alarms and dashboard, with their namespaces.
fn looked_at() -> Vec<(String, Metric)> {
    watching().flat_map(|(name, properties)| looked_at_by(&name, &properties)).collect()
}

/// The metrics in one alarm or dashboard.
fn looked_at_by(name: &str, properties: &Value) -> Vec<(String, Metric)> {
    let mut all = Vec::new();
    let metrics = properties["Metrics"].as_array().cloned().unwrap_or_default();
    let stats = metrics.iter().map(|metric| &metric["MetricStat"]["Metric"]).filter(|metric| !metric.is_null());
    for metric in stats.chain(Some(properties).filter(|alarm| !alarm["MetricName"].is_null())) {
        let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
        let dimensions = dimensions.map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"])));
        all.push((text(&metric["Namespace"]), (text(&metric["MetricName"]), sorted(dimensions))));
    }
    let Some(body) = properties["DashboardBody"].as_str() else { return all };
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{name}: {error}"));
    for widget in body["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            let words: Vec<String> =
                metric.as_array().unwrap().iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect();
            let dimensions = words[2..].chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
            all.push((words[0].clone(), (words[1].clone(), sorted(dimensions))));
        }
    }
    all
}

fn sorted(dimensions: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut dimensions: Vec<_> = dimensions.collect();
    dimensions.sort();
    dimensions
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// S160: an alarm or a graph of one channel has all channels. A new channel is watched from its first message.
#[test]
fn every_channel_is_watched() {
    let mut watched: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let whatsapp = [("WHATSAPP_PROVIDER", "twilio"), ("WHATSAPP_NUMBER", "+12065550102")];
    let settings = CALLS.into_iter().chain(whatsapp).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings: Vec<_> = settings.collect();
    let template = Template::read_with(&find_root().unwrap(), "default", &settings).unwrap();
    for (name, properties) in template.watching {
        for (_, (metric, dimensions)) in looked_at_by(&name, &properties) {
            let channel = dimensions.into_iter().find(|(name, _)| name == "Channel");
            if let Some((_, channel)) = channel {
                watched.entry((name.clone(), metric)).or_default().insert(channel);
            }
        }
    }
    let all: BTreeSet<String> = Channel::ALL.iter().map(|channel| channel.name().to_owned()).collect();
    let places: Vec<_> = watched.keys().map(|(place, metric)| (place.as_str(), metric.as_str())).collect();
    for place in [("Sends", "Sends"), ("UnknownSends", "UnknownSends"), ("Dashboard", "CodesUsed")] {
        assert!(places.contains(&place), "{place:?} is not in {places:?}");
    }
    for (place, channels) in &watched {
        assert_eq!(*channels, all, "{place:?}");
    }
}

/// An operator who gets an alarm must find its meaning.
#[test]
fn every_alarm_is_in_the_runbook() {
    let runbook = std::fs::read_to_string(find_root().unwrap().join("docs/operations.md")).unwrap();
    let told: BTreeSet<&str> = runbook.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let alarms: BTreeSet<String> = watching().map(|(name, _)| name).filter(|name| name != "Dashboard").collect();
    let is_told = |alarm: &String| {
        told.contains(alarm.as_str())
            || ["Faults", "Duration", "Errors"]
                .iter()
                .any(|kind| alarm.ends_with(kind) && told.contains(format!("…{kind}").as_str()))
    };
    let missing: Vec<_> = alarms.iter().filter(|alarm| !is_told(alarm)).collect();
    assert!(missing.is_empty() && alarms.len() >= 20, "docs/operations.md does not mention {missing:?}");
}

/// An operator can look up one request by the id in its answer.
#[tokio::test]
async fn a_request_is_explained_by_its_id() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let wrong = Asked { code: wrong(&asked.code), ..asked.clone() };
    let answer = auth.client().answer(ADA, &wrong).await;
    answer.refused(400, "invalid_otp");
    let id = answer.headers["x-request-id"].to_str().unwrap();
    let told = local::explain(&auth.stack.logs().join("\n"), id).unwrap();
    for words in [
        "verify-otp: invalid_otp (400)",
        "attempt    with its challenge: counted",
        "code       wrong",
        "2 calls in 1 round trip",
    ] {
        assert!(told.contains(words), "{words} is not in\n{told}");
    }
    assert!(!told.contains(ADA) && !told.contains(&asked.challenge));
}

/// Without metrics, log lines are only for reading.
#[tokio::test]
async fn nothing_is_counted_when_metrics_are_off() {
    let auth = Deployment::with(&[("METRICS", "off")]).await;
    auth.client().ask(ADA).await;
    let lines = auth.stack.logs();
    assert!(lines.iter().any(|line| line.contains("\"steps\"")) && lines.iter().all(|line| !line.contains("_aws")));
}

/// A metric exists once it has been written. An expression over a missing one might never raise the alarm.
#[test]
fn without_sms_no_alarm_looks_at_texts() {
    let sends: Vec<_> =
        watching().filter(|(name, _)| name == "Sends").map(|(_, alarm)| alarm["Metrics"].clone()).collect();
    let [with_sms, without] = sends.try_into().unwrap();
    assert!(with_sms.to_string().contains("texts") && !without.to_string().contains("texts"), "{without}");
}

/// Each function without waiting users would otherwise have two alarms more.
#[test]
fn only_functions_of_a_sign_in_have_alarms_of_their_own() {
    for kind in ["Faults", "Duration"] {
        let alarms: BTreeSet<String> = watching().map(|(name, _)| name).filter(|name| name.ends_with(kind)).collect();
        let expected = ["Gateway", "Refresh", "RequestOtp", "SecondFactorFunction", "VerifyOtp"]
            .map(|name| format!("{name}{kind}"));
        assert_eq!(alarms, expected.into());
    }
}
