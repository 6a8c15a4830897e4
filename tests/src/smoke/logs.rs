//! Searches the stack's logs for what must not be there: the test's address, and codes.

use std::time::Duration;

use serde_json::{Value, json};
use shared::words::Timestamp;

use super::Finding;
use super::signed::{LOGS, Problem, Signed};
use super::stack::failed;

const NAME: &str = "logs";
/// CloudWatch shows a line after some seconds.
const PAUSE: Duration = Duration::from_secs(5);
const SEARCHES: usize = 6;

pub(super) async fn look(signed: &Signed, groups: &[&str], address: &str, started: Timestamp) -> Finding {
    let mut lines = Vec::new();
    for search in 0..SEARCHES {
        lines = match newest(signed, groups, started).await {
            Ok(lines) => lines,
            Err(problem) => return failed(NAME, problem, "logs:FilterLogEvents"),
        };
        if !lines.is_empty() || search + 1 == SEARCHES {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if lines.is_empty() {
        let fix = "look into the log groups of the stack; functions log each request";
        return Finding::doubtful(NAME, "no function has logged anything since this command began", fix);
    }
    let telling: Vec<&String> = lines.iter().filter(|line| tells(line, address)).collect();
    let seen = format!("{} of {} lines contain the address or what may be a code", telling.len(), lines.len());
    let fix = "report it privately, as SECURITY.md describes; then delete the lines with their log group";
    Finding::if_so(NAME, telling.is_empty(), seen, fix)
}

/// All lines of these groups since `started`.
async fn newest(signed: &Signed, groups: &[&str], started: Timestamp) -> Result<Vec<String>, Problem> {
    let mut lines = Vec::new();
    for group in groups {
        let mut asked = json!({ "logGroupName": group, "startTime": started.unix() * 1000 });
        loop {
            let page = signed.json(LOGS, "Logs_20140328.FilterLogEvents", &asked).await?;
            let events = page["events"].as_array().into_iter().flatten();
            lines.extend(events.filter_map(|event| event["message"].as_str()).map(str::to_owned));
            match page["nextToken"].as_str() {
                Some(token) if asked["nextToken"] != token => asked["nextToken"] = json!(token),
                _ => break,
            }
        }
    }
    Ok(lines)
}

/// Whether a line contains the address, or a text with a word like a code. Numbers in a line of JSON are durations and counts.
fn tells(line: &str, address: &str) -> bool {
    if line.to_lowercase().contains(&address.to_lowercase()) {
        return true;
    }
    match serde_json::from_str::<Value>(line) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => texts(&value).iter().any(|text| has_code(text)),
        _ => has_code(line),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Whether a word consists of 6 to 10 digits. Ids and times have other characters around their digits.
fn has_code(text: &str) -> bool {
    let is_part = |char: char| char.is_ascii_alphanumeric() || "-_.:+/=".contains(char);
    let words = text.split(|char| !is_part(char)).map(|word| word.trim_end_matches(['.', ':']));
    words.into_iter().any(|word| (6..=10).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_code_in_a_line_is_found() {
        for line in [
            r#"{"message":"sent to Ada@example.com"}"#,
            r#"{"code":"123456"}"#,
            r#"{"message":"123456 is your code."}"#,
            r#"{"parts":[{"text":"the code: 1234567890."}]}"#,
            "a code 654321",
        ] {
            assert!(tells(line, "ada@example.com"), "{line}");
        }
        for line in [
            r#"{"timestamp":"2026-01-01T00:00:00.123456Z","request_id":"12345678-1234-1234-1234-123456789012"}"#,
            r#"{"duration_us":123456,"trace":"1-67891233-abcdef012345678912345678"}"#,
            r#"{"group":"table/latchkey-123456","version":"1.123456"}"#,
            "",
        ] {
            assert!(!tells(line, "ada@example.com"), "{line}");
        }
    }
}
