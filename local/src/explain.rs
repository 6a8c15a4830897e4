//! `local explain`: shows the steps of one request, read from its log lines.

use local_aws::Failure;
use serde::Deserialize;
use serde_json::Value;
use shared::observe::report::{Noted, Step, spans};
use shared::words::Money;

/// The line that a function logs at the end of each request.
#[derive(Deserialize)]
struct RequestLine {
    timestamp: String,
    function: String,
    kind: Option<String>,
    outcome: String,
    status: Option<u16>,
    duration_ms: f64,
    own_ms: f64,
    cold_start: bool,
    cause: Option<String>,
    steps: Vec<Noted>,
}

/// The steps that led to the answer of the request `id`. `log` is the output of a log tool: JSON lines, possibly with a
/// prefix, or the JSON of `filter-log-events`.
///
/// # Errors
/// The log has no line of the request.
pub fn explain(log: &str, id: &str) -> Result<String, Failure> {
    let lines: Vec<Value> = lines(log).into_iter().filter(|line| line["request_id"] == id).collect();
    let mut text = String::new();
    for line in &lines {
        text += &match RequestLine::deserialize(line) {
            Ok(line) => line.report(),
            // Another line of the same request, such as a warning or a line of the gateway.
            Err(_) => format!("{line}\n"),
        };
    }
    if text.is_empty() {
        return Err(Failure::new(format!(
            "no log line belongs to the request {id}. Check that the id is the X-Request-Id of an answer, and that the log is from its function."
        )));
    }
    Ok(text)
}

fn lines(log: &str) -> Vec<Value> {
    if let Ok(Value::Object(answer)) = serde_json::from_str::<Value>(log)
        && let Some(events) = answer.get("events").and_then(Value::as_array)
    {
        let messages = events.iter().filter_map(|event| event["message"].as_str());
        return messages.filter_map(line).collect();
    }
    log.lines().filter_map(line).collect()
}

/// The JSON in a line, after an optional time and stream name.
fn line(text: &str) -> Option<Value> {
    serde_json::from_str(text.get(text.find('{')?..)?).ok()
}

impl RequestLine {
    fn report(&self) -> String {
        let RequestLine { timestamp, function, outcome, duration_ms, own_ms, .. } = self;
        let asked = self.kind.as_ref().map(|kind| format!(" {kind}")).unwrap_or_default();
        let status = self.status.map(|status| format!(" ({status})")).unwrap_or_default();
        let cold = if self.cold_start { ", cold start" } else { "" };
        let mut text = format!("{timestamp}  {function}{asked}: {outcome}{status}{cold}\n");
        for noted in &self.steps {
            text += &format!("{:>9.1} ms  {}\n", noted.at_ms, words(&noted.step));
        }
        if let Some(cause) = &self.cause {
            text += &format!("{:>14}because {cause}\n", "");
        }
        let calls = spans(&self.steps);
        text + &format!(
            "{duration_ms:>9.1} ms  total, {own_ms:.1} ms of it outside calls; {} in {}\n",
            counted(calls.len(), "call"),
            counted(rounds(&calls), "round trip")
        )
    }
}

/// Counts the rounds of calls. Calls that overlap in time form one round.
fn rounds(calls: &[(f64, f64)]) -> usize {
    let (mut rounds, mut first_end) = (0, f64::NEG_INFINITY);
    for &(from, to) in calls {
        if from >= first_end {
            (rounds, first_end) = (rounds + 1, to);
        } else {
            first_end = first_end.min(to);
        }
    }
    rounds
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// A step in words, for operators.
fn words(step: &Step) -> String {
    match step {
        Step::Call { operation, took_ms, status: Some(status) } => {
            format!("call       {operation}, {took_ms:.1} ms, {status}")
        }
        Step::Call { operation, took_ms, status: None } => {
            format!("call       {operation}, no answer in {took_ms:.1} ms")
        }
        Step::Throttled { error } => format!("throttled  {error}"),
        Step::Limit { action, count, allowed, open } => {
            let count = count.map_or_else(|| "all".to_owned(), |count| count.to_string());
            format!("limit      network, {action}: {count} of {allowed}, {}", state(*open))
        }
        Step::Budget { of, total, sent, money, debt, stopped_by } => {
            let total =
                if total[1] == u32::MAX { String::new() } else { format!(", {} of the day's {}", total[0], total[1]) };
            let money = money.map(|money| money.map(Money::micros));
            let money = money.map(|[spent, most]| format!(", ${spent} of ${most}")).unwrap_or_default();
            let stopped = stopped_by.as_ref().map_or_else(|| "open".to_owned(), |by| format!("stopped by the {by}"));
            format!("SMS        {of}: {} sent{total}{money}, debt {} of {}, {stopped}", sent[0], debt[0], debt[1])
        }
        Step::MailBudget { number, daily, is_domain_full, open } => {
            let domain = if *is_domain_full { ", its domain has got the day's mails" } else { "" };
            format!("mail       number {number} of the day's {daily}{domain}, {}", state(*open))
        }
        Step::Challenge { did, lane, purpose, tokens, charged, long } => {
            let code = if *long { ", long code" } else { "" };
            let lane = if lane == "known" { " for a known device" } else { "" };
            let purpose = purpose.as_ref().map(|purpose| format!(", {purpose}")).unwrap_or_default();
            format!(
                "challenge  {}{lane}{purpose}: {tokens} messages left, {charged} attempts since the last right answer{code}",
                did.replace('_', " ")
            )
        }
        Step::Receipt { receipt, price, news, held, .. } => {
            let news = if *news { "" } else { ", nothing new" };
            let held = held.map(|seconds| format!(", holds the address for {seconds} s")).unwrap_or_default();
            let price = price.map(|price| format!(", costs ${price}")).unwrap_or_default();
            format!("receipt    {}{price}{news}{held}", receipt.replace('_', " "))
        }
        Step::Delivery { channel, provider, country, message, refused, unknown } => {
            let to = country.as_ref().map(|country| format!(" to {country}")).unwrap_or_default();
            let outcome = match (refused, unknown) {
                (Some(reason), _) => format!("refused: {reason}"),
                (None, Some(reason)) => format!("unknown: {reason}"),
                (None, None) => {
                    let id = message.as_ref().map(|id| format!(" as {id}")).unwrap_or_default();
                    format!("accepted{id}")
                }
            };
            format!("delivery   by {}{to}: {outcome} ({provider})", channel.name())
        }
        Step::Try { bound, spent } => {
            let kind = if *bound { "with its challenge" } else { "without a challenge" };
            format!("attempt    {kind}: {}", if *spent { "counted" } else { "none left, or no code" })
        }
        Step::Compared { right } => {
            format!("code       {}", if *right { "right" } else { "wrong, or no code to compare with" })
        }
        Step::Lockout { of } => format!("lockout    of the {of}"),
        Step::Used { channel, sign_up } => {
            let person = if *sign_up { "a new user" } else { "a known user" };
            format!("signed in  {person}, by {}", channel.name())
        }
        Step::AnsweredAgain => "signed in  again, to the session of the same answer".to_owned(),
        Step::Refresh { led_to } => format!("refresh    {led_to}"),
        Step::Ended { all, lived } => {
            let which = if *all { "all sessions" } else { "one session" };
            format!("ended      {which}: {}", if *lived { "done" } else { "nothing to end" })
        }
    }
}

fn state(open: bool) -> &'static str {
    if open { "open" } else { "closed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"timestamp":"2026-03-12T19:03:58Z","level":"INFO","message":"answered","request_id":"A1=","function":"request-otp","outcome":"rate_limited","status":429,"duration_ms":5.25,"own_ms":1.25,"cold_start":true,"steps":[{"at_ms":2.0,"step":"call","operation":"UpdateItem","took_ms":2.0,"status":400},{"at_ms":2.1,"step":"limit","action":"request","count":25,"allowed":25,"open":false},{"at_ms":5.0,"step":"call","operation":"GetItem","took_ms":2.0,"status":200}]}"#;

    const TOLD: &str = "\
2026-03-12T19:03:58Z  request-otp: rate_limited (429), cold start
      2.0 ms  call       UpdateItem, 2.0 ms, 400
      2.1 ms  limit      network, request: 25 of 25, closed
      5.0 ms  call       GetItem, 2.0 ms, 200
      5.2 ms  total, 1.2 ms of it outside calls; 2 calls in 2 round trips
";

    #[test]
    fn a_request_is_explained_from_the_output_of_each_log_tool() {
        let other = LINE.replace("A1=", "B2=");
        assert_eq!(explain(&format!("{other}\n{LINE}\n"), "A1=").unwrap(), TOLD);
        assert_eq!(explain(&format!("2026-03-12T19:03:58.1 2026/03/12/live[7] {LINE}"), "A1=").unwrap(), TOLD);
        let events = serde_json::json!({ "events": [{ "message": other }, { "message": LINE }] });
        assert_eq!(explain(&events.to_string(), "A1=").unwrap(), TOLD);
    }

    #[test]
    fn a_request_without_a_log_line_is_reported() {
        assert!(explain(LINE, "C3=").unwrap_err().to_string().contains("no log line belongs to the request C3="));
        assert!(explain("not a log", "A1=").is_err());
    }

    #[test]
    fn other_lines_of_a_request_are_shown_as_they_are() {
        let warning = r#"{"level":"WARN","message":"odd","request_id":"A1="}"#;
        let told = explain(&format!("{warning}\n{LINE}"), "A1=").unwrap();
        assert!(told.ends_with(TOLD) && told.contains("\"odd\""), "{told}");
    }
}
