//! The text on the terminal.

use local::Addresses;
use serde_json::Value;

/// The addresses, and a first command.
pub(crate) fn welcome(addresses: Addresses, is_kept: bool) -> String {
    let api = addresses.api_url();
    let hint = if addresses.api.is_some() { "" } else { "   start `cargo lambda watch` in another terminal" };
    let inbox = addresses.inbox.map_or_else(String::new, |address| {
        format!(
            "  Inbox  http://{address}   every email and SMS, live\n  Events http://{address}/events   what happened to users\n  \
             Report http://{address}/report   sign-ups, active users, costs\n  \
             Docs   http://{address}/api   every route, field and error code\n"
        )
    });
    let page = addresses.page.map(|address| format!("  Page   http://{address}   sign in\n")).unwrap_or_default();
    let memory = if is_kept { "" } else { " This deletes all data, unless you start with --data DIR." };
    format!(
        "Latchkey runs on this machine.\n\n  API    {api}{hint}\n{inbox}{page}  \
         AWS    http://{}   DynamoDB, SES, SNS, Secrets Manager\n\n\
         Request a code, then read it in the inbox:\n\n  \
         curl -s {api}/api/auth/otp/request/ \\\n    -H 'content-type: application/json' \\\n    \
         -d '{{\"identifier\":\"ada@example.com\"}}'\n\nPress Ctrl-C to stop.{memory}\n",
        addresses.aws
    )
}

/// A log line for people: time, function, outcome and duration, or a refused permission. Any other line is returned
/// unchanged.
pub(crate) fn readable(line: &str) -> String {
    short(line).or_else(|| refused(line)).unwrap_or_else(|| line.to_owned())
}

/// A call without permission, with a statement that would allow it.
fn refused(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| line.get(name)?.as_str();
    let (time, caller, action) = (text("timestamp")?.get(11..19)?, text("caller")?, text("action")?);
    let statement = text("statement")?.replace('\n', "\n            ");
    Some(format!(
        "{time} {caller:<12} {action} was denied: no policy statement in template.yaml allows it. Add this one:\n            {statement}"
    ))
}

fn short(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| line.get(name)?.as_str();
    let time = text("timestamp")?.get(11..19)?;
    let (function, outcome) = (text("function")?, text("outcome")?);
    let duration = line.get("duration_ms")?.as_f64()?;
    // Scheduled tasks have no status; their `kind` says which task ran.
    let asked = text("kind").map(str::to_owned).or_else(|| Some(line.get("status")?.as_u64()?.to_string()))?;
    let cause = text("cause").map(|cause| format!("\n         {cause}")).unwrap_or_default();
    Some(format!("{time} {function:<12} {asked} {outcome:<20} {duration:>6.1} ms{cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_is_shortened_or_unchanged() {
        let line = r#"{"timestamp":"2026-03-12T19:03:58Z","function":"refresh","outcome":"ok","status":200,"duration_ms":1.25}"#;
        assert_eq!(readable(line), "19:03:58 refresh      200 ok                      1.2 ms");
        let task = r#"{"timestamp":"2026-03-12T19:03:58Z","function":"rotate-keys","kind":"ensure","outcome":"ok","duration_ms":1.25}"#;
        assert_eq!(readable(task), "19:03:58 rotate-keys  ensure ok                      1.2 ms");
        assert_eq!(readable("a panic"), "a panic");
        let line = r#"{"timestamp":"2026-03-12T19:03:58Z","caller":"Jwks","action":"dynamodb:GetItem","statement":"- Effect: Allow\n  Action: dynamodb:GetItem"}"#;
        let shown = "19:03:58 Jwks         dynamodb:GetItem was denied: no policy statement in template.yaml allows it. Add this one:\n            - Effect: Allow\n              Action: dynamodb:GetItem";
        assert_eq!(readable(line), shown);
    }
}
