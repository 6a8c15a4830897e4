//! The signals of docs/operations.md for failed attempts and lockouts, on the log lines of a stack.

use std::collections::{BTreeMap, BTreeSet};

use local_aws::events::Pattern;
use local_aws::logs::FilterPattern;
use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::deployment::wrong;
use tests::{Answer, Asked, Deployment};

use crate::workspace::read;

const ADA: &str = "ada@example.com";
const STACK: &str = "latchkey-production";

/// The commands of the runbook that start with `start`, each in one line, with the name of the stack filled in.
fn commands(start: &str) -> Vec<String> {
    let page = read("docs/operations.md").replace("\\\n", " ").replace(r#"'"$STACK"'"#, STACK).replace("$STACK", STACK);
    let lines = page.lines().map(str::trim).filter(|line| line.starts_with(start));
    lines.map(str::to_owned).collect()
}

/// The value of an option, without its quotation marks.
fn option(command: &str, name: &str) -> String {
    let value =
        command.split_once(&format!(" {name} ")).unwrap_or_else(|| panic!("{name} is not in {command}")).1.trim_start();
    let quote = value.chars().next().filter(|char| ['\'', '"'].contains(char));
    let value = match quote {
        Some(quote) => value[1..].split(quote).next(),
        None => value.split(' ').next(),
    };
    value.unwrap().to_owned()
}

/// The metric filters by their names.
fn filters() -> BTreeMap<String, FilterPattern> {
    let commands = commands("aws logs put-metric-filter ");
    let filter = |command: &String| {
        let name = option(command, "--filter-name");
        (
            name.clone(),
            FilterPattern::read(&option(command, "--filter-pattern"))
                .unwrap_or_else(|problem| panic!("{name}: {problem}")),
        )
    };
    commands.iter().map(filter).collect()
}

/// The ids of the requests whose lines match.
fn matched(auth: &Deployment, filter: &FilterPattern) -> BTreeSet<String> {
    let lines = auth.stack.logs();
    let lines = lines.iter().filter(|line| filter.matches(line).unwrap_or_else(|problem| panic!("{line}: {problem}")));
    let id = |line: &String| serde_json::from_str::<Value>(line).unwrap()["request_id"].as_str().unwrap().to_owned();
    lines.map(id).collect()
}

/// The signals that these requests should cause.
#[derive(Default)]
struct Expected {
    failed: BTreeSet<String>,
    lockouts: BTreeSet<String>,
}

impl Expected {
    fn failed(&mut self, answer: &Answer, code: &str) {
        assert_eq!(answer.code(), code);
        self.failed.insert(answer.headers["x-request-id"].to_str().unwrap().to_owned());
    }

    fn locked(&mut self, answer: &Answer) {
        self.failed(answer, "invalid_otp");
        self.lockouts.insert(answer.headers["x-request-id"].to_str().unwrap().to_owned());
    }
}

#[tokio::test]
async fn the_filters_match_exactly_the_failed_attempts_and_the_lockouts() {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "4"), ("SMS_PER_IP_DAY", "1")]).await;
    let (client, mut expected) = (auth.client(), Expected::default());
    // A code has three attempts.
    let asked = client.ask(ADA).await;
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    for _ in 0..2 {
        expected.failed(&client.answer(ADA, &guess).await, "invalid_otp");
    }
    expected.locked(&client.answer(ADA, &guess).await);
    expected.failed(&client.answer(ADA, &asked).await, "invalid_otp");

    // Without the challenge, failures count for the network too.
    let stranger = auth.client_at("198.51.100.7");
    let guess = wrong(&stranger.ask("eve@example.com").await.code);
    for _ in 0..2 {
        expected.failed(&stranger.answer_unbound("eve@example.com", &guess).await, "invalid_otp");
    }
    expected.locked(&stranger.answer_unbound("eve@example.com", &guess).await);
    expected.failed(&stranger.answer_unbound("nobody@example.com", &guess).await, "invalid_otp");
    let asked = stranger.ask("bob@example.com").await;
    expected.locked(&stranger.answer_unbound("bob@example.com", &wrong(&asked.code)).await);
    for _ in 0..2 {
        expected.failed(&stranger.answer_unbound("bob@example.com", &asked.code).await, "too_many_attempts");
    }

    // Everything else is neither.
    let tokens = stranger.answer("bob@example.com", &asked).await.tokens();
    let last = client.ask("carol@example.com").await;
    for _ in 0..2 {
        let guess = Asked { code: wrong(&last.code), ..last.clone() };
        expected.failed(&client.answer("carol@example.com", &guess).await, "invalid_otp");
    }
    client.answer("carol@example.com", &last).await.ok();
    client.refresh(&tokens.access).await.refused(401, "invalid_token");
    client.post(VERIFY, json!({ "identifier": ADA })).await.refused(400, "invalid_request");
    client.post(REQUEST, json!({ "identifier": "+15551234567" })).await;
    client.sign_in("+447400123456").await;
    client.post(REQUEST, json!({ "identifier": "+447400123457" })).await.refused(429, "rate_limited");
    client.read_all(&tokens.access).await;
    let asked = client.ask(ADA).await;
    auth.faults(json!({ "aws": [{ "service": "dynamodb", "error": "AccessDeniedException", "times": 9 }] }));
    client.answer(ADA, &asked).await.refused(500, "internal_error");
    auth.faults(json!({ "delivery": "refused" }));
    client.post(REQUEST, json!({ "identifier": "dan@example.com" })).await.refused(502, "email_send_failed");
    auth.faults(json!({ "stream": [{ "fault": "poison" }] }));
    auth.stack.deliver().await;
    auth.stack.rotate_keys().await.unwrap();

    let filters = filters();
    assert_eq!(filters.keys().collect::<Vec<_>>(), ["FailedAttempts", "Lockouts"]);
    assert_eq!(matched(&auth, &filters["FailedAttempts"]), expected.failed);
    assert_eq!(matched(&auth, &filters["Lockouts"]), expected.lockouts);
    let lockouts =
        |of: &str| auth.stack.logs().iter().filter(|line| line.contains(&format!(r#""lockout":"{of}""#))).count();
    assert_eq!([lockouts("code"), lockouts("network")], [2, 1]);
    let first = expected.lockouts.first().unwrap();
    let told = local::explain(&auth.stack.logs().join("\n"), first).unwrap();
    assert!(told.contains("lockout    of the "), "{told}");
}

/// A code of digits begins one lockout however many guess it at once, and so does a network.
#[tokio::test]
async fn parallel_guesses_begin_one_lockout() {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "3")]).await;
    let asked = auth.client().ask(ADA).await;
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    futures_util::future::join_all((0..8).map(|_| auth.client().answer(ADA, &guess))).await;
    let code = matched(&auth, &filters()["Lockouts"]);
    assert_eq!(code.len(), 1);
    let mut guesses = Vec::new();
    for number in 0..8 {
        let address = format!("user{number}@example.com");
        let code = wrong(&auth.client().ask(&address).await.code);
        guesses.push((address, code));
    }
    let guesses = guesses.iter().map(|(address, code)| auth.client().answer_unbound(address, code));
    futures_util::future::join_all(guesses).await;
    assert_eq!(matched(&auth, &filters()["Lockouts"]).len(), 2);
}

/// A /56 has twice the failures of a /64. Its lockout begins with a failure that is the first of its own /64.
#[tokio::test]
async fn the_lockout_of_an_ipv6_site_is_one() {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "2")]).await;
    for subnet in 1..=4 {
        let (client, address) =
            (auth.client_at(&format!("2001:db8:1:{subnet}::1")), format!("user{subnet}@example.com"));
        let guess = wrong(&client.ask(&address).await.code);
        let answer = client.answer_unbound(&address, &guess).await;
        let is_lockout =
            matched(&auth, &filters()["Lockouts"]).contains(answer.headers["x-request-id"].to_str().unwrap());
        assert_eq!(is_lockout, subnet == 4, "{subnet}");
    }
}

/// The alarms look at the filters' metrics, and the rule at the alarms.
#[test]
fn an_alarm_of_a_signal_reaches_its_rule() {
    let filters = commands("aws logs put-metric-filter ");
    let metric = |command: &String| {
        let transformation = option(command, "--metric-transformations");
        let value = |name: &str| {
            let part =
                transformation.split(',').find_map(|part| part.split_once('=').filter(|(found, _)| *found == name));
            part.unwrap_or_else(|| panic!("{name} is not in {command}")).1.trim_matches('"').to_owned()
        };
        assert_eq!(option(command, "--log-group-name"), "$LOGS");
        (value("metricNamespace"), value("metricName"))
    };
    let counted: BTreeSet<_> = filters.iter().map(metric).collect();
    let alarms = commands("aws cloudwatch put-metric-alarm ");
    let watched: BTreeSet<_> =
        alarms.iter().map(|alarm| (option(alarm, "--namespace"), option(alarm, "--metric-name"))).collect();
    assert!(counted == watched && counted.len() == 2, "{counted:?} {watched:?}");

    let [rule] = &commands("aws events put-rule ")[..] else { panic!("the runbook has one rule") };
    let pattern = Pattern::read(&json!(option(rule, "--event-pattern"))).unwrap();
    let change = |alarm: &str, state: &str| {
        json!({ "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
            "detail": { "alarmName": alarm, "state": { "value": state } } })
    };
    for alarm in alarms.iter().map(|alarm| option(alarm, "--alarm-name")) {
        for (state, is_told) in [("ALARM", true), ("OK", false), ("INSUFFICIENT_DATA", false)] {
            assert_eq!(pattern.matches(&change(&alarm, state)), is_told, "{alarm} {state}");
        }
    }
    assert!(!pattern.matches(&change("another", "ALARM")));
    let [targets] = &commands("aws events put-targets ")[..] else { panic!("the rule has one command for its target") };
    assert_eq!(option(targets, "--rule"), option(rule, "--name"));
}
