//! Events of SES, as SNS brings them, and of AWS End User Messaging, as a rule does. Anybody's mail server or carrier writes parts of them.

use std::collections::BTreeMap;

use local_aws::mapping::notification;
use local_aws::{MailEvent, Sending, Texting};
use serde_json::{Value, json};

use crate::stage::on_stage;
use crate::targets::now;
use crate::{Target, Word};

#[rustfmt::skip] // Words side by side.
pub(super) const MAIL: Target = Target {
    name: "mail-event", asks_functions: true,
    run: |input| told(&String::from_utf8_lossy(input)),
    seeds: || {
        let kinds = [
            MailEvent::Delivery, MailEvent::Delay, MailEvent::PermanentBounce, MailEvent::TransientBounce,
            MailEvent::Complaint, MailEvent::Reject,
        ];
        let event = |kind| sending().event(kind, now()).to_string().into_bytes();
        let mut seeds: Vec<_> = kinds.into_iter().map(event).collect();
        seeds.push(b"Successfully validated SNS topic for Amazon SES event publishing.".to_vec());
        seeds
    },
    dictionary: &[
        "{", "}", "[", "]", "\"", ":", ",", "null", "\"eventType\"", "\"Bounce\"", "\"Permanent\"", "\"Transient\"",
        "\"Delivery\"", "\"mail\"", "\"tags\"", "\"i\"", "\"c\"", "\"n\"", "\"0AAAAAAAA\"", "\"2AAAAAAAA\"", "\"4294967296\"",
        "\"-1\"", "\"1969-12-31T23:59:59Z\"", "\"9999-12-31T23:59:59.999Z\"", "\"emailAddress\"", "\"ada@example.com\"",
    ],
    reaches: &["told", "dropped"],
};

#[rustfmt::skip] // Words side by side.
pub(super) const TEXT: Target = Target {
    name: "text-event", asks_functions: true,
    run: |input| match serde_json::from_slice::<Value>(input) {
        Ok(detail) => outcome(&json!({ "source": "aws.sms-voice", "detail": detail })),
        Err(_) => "no JSON",
    },
    seeds: || {
        let kinds = ["TEXT_SUCCESSFUL", "TEXT_DELIVERED", "TEXT_UNREACHABLE", "TEXT_BLOCKED", "VOICE_COMPLETED", "TEXT_UNKNOWN"];
        kinds.map(|kind| texting().event(kind, now())["detail"].to_string().into_bytes()).into()
    },
    dictionary: &[
        "{", "}", "[", "]", "\"", ":", ",", "null", "true", "false", "-1", "1e400", "18446744073709551615", "\"eventType\"",
        "\"TEXT_DELIVERED\"", "\"VOICE_BUSY\"", "\"eventTimestamp\"", "\"messageRequestTimestamp\"", "\"messageId\"",
        "\"context\"", "\"isFinal\"", "\"totalMessagePrice\"", "\"totalCarrierFee\"", "\"i\"", "\"c\"", "\"n\"", "\"2AAAAAAAA\"",
    ],
    reaches: &["told", "dropped", "no JSON"],
};

fn tags() -> BTreeMap<String, String> {
    let tags = [("i", "A".repeat(43)), ("c", "0AAAAAAAA".to_owned()), ("n", "1".to_owned())];
    tags.map(|(name, value)| (name.to_owned(), value)).into()
}

fn texting() -> Texting {
    let [id, to, text] =
        ["00000000-0000-0000-0000-000000000000", "+447400123456", "123456 is your Latchkey code"].map(str::to_owned);
    Texting { id, to, is_call: false, context: tags(), wants_feedback: true, text, at: now() }
}

fn sending() -> Sending {
    Sending {
        id: "0100000000000000-00000000-000000".to_owned(),
        configuration_set: Some("latchkey-ConfigurationSet".to_owned()),
        from: "Latchkey <no-reply@example.com>".to_owned(),
        to: vec!["ada@example.com".to_owned()],
        subject: "123456 is your Latchkey code".to_owned(),
        tags: tags(),
        at: now(),
    }
}

/// The function takes every text, and says whether it was an event about one of our mails.
fn told(text: &str) -> Word {
    let event = notification("arn:aws:sns:us-east-1:000000000000:topic", &Value::from(text), "2026-01-01T00:00:00Z");
    outcome(&event)
}

fn outcome(event: &Value) -> Word {
    let answer = on_stage(|stage| stage.behind("Delivery", event));
    match answer {
        answer if answer == json!({ "events": 1 }) => "told",
        answer if answer == json!({ "events": 0 }) => "dropped",
        answer => panic!("{event}: {answer}"),
    }
}
