//! What must not be found anywhere: codes, tokens and addresses in logs and tables.

use serde_json::json;
use tests::client::{LOGOUT, REQUEST};
use tests::deployment::wrong;
use tests::{Asked, Deployment};

/// Long enough not to turn up in some digest by chance.
const ADA: &str = "unmistakable@example.com";

/// S09, V31, C26: after a journey with everything that can go wrong in it.
#[tokio::test]
async fn no_code_token_or_address_is_in_a_log_or_in_the_otp_table() {
    let auth = Deployment::start().await;
    let mut secrets = vec![
        "unmistakable".to_owned(),
        "203.0.113.66".to_owned(),
        "5551234567".to_owned(),
        "7400123456".to_owned(),
        "mallory".to_owned(),
    ];
    let client = auth.client_at("203.0.113.66");

    let asked = client.ask(ADA).await;
    client.answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await;
    client.answer_unbound("mallory@example.com", &asked.code).await;
    client.post(REQUEST, json!({ "identifier": "+15551234567" })).await;
    let texted = client.ask("+447400123456").await;
    client.answer("+447400123456", &Asked { code: wrong(&texted.code), ..texted.clone() }).await;
    client.answer("+447400123456", &texted).await.ok();
    client.post(REQUEST, json!({ "identifier": "mallory at example" })).await;
    auth.faults(json!({ "delivery": "refused" }));
    client.post(REQUEST, json!({ "identifier": ADA })).await.refused(502, "email_send_failed");
    client.post(REQUEST, json!({ "identifier": "+447400123456" })).await.refused(502, "sms_send_failed");
    auth.faults(json!({ "aws": [{ "service": "dynamodb", "error": "AccessDeniedException", "times": 1 }] }));
    client.post(REQUEST, json!({ "identifier": ADA })).await.refused(500, "internal_error");
    auth.faults(json!({}));

    let first = client.answer(ADA, &asked).await.tokens();
    let pending = client.ask("mallory@example.com").await;
    let second = client.refresh(&first.refresh).await.tokens();
    auth.wait(11);
    client.refresh(&first.refresh).await.refused(401, "invalid_token");
    client.post(LOGOUT, json!({ "refresh": second.refresh, "all": true })).await.ok();
    for tokens in [first, second] {
        secrets.extend([tokens.access, tokens.refresh]);
    }
    secrets.extend([asked.challenge, pending.challenge, texted.challenge]);
    let codes = [asked.code, pending.code, texted.code];

    let logs = auth.stack.logs();
    assert!(logs.len() > 10 && logs.iter().any(|line| line.contains("\"outcome\":\"ok\"")), "the log is empty");
    let table = serde_json::to_string(&auth.items_of("OTP_TABLE", "")).unwrap();
    for text in logs.iter().chain([&table]) {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} is in {text}");
        }
        // Six digits by themselves; they may well be part of some longer number or digest.
        for code in &codes {
            let alone = text.split(|char: char| !char.is_ascii_alphanumeric()).any(|word| word == code);
            assert!(!alone, "{code} is in {text}");
        }
    }
    for text in logs {
        serde_json::from_str::<serde_json::Value>(&text).expect("a log line is JSON");
    }
}

/// S87: a second person on the same warm instance gets nothing of the first.
#[tokio::test]
async fn one_log_line_tells_each_request() {
    let auth = Deployment::start().await;
    auth.client().post(REQUEST, json!({ "identifier": ADA })).await.ok();
    auth.client().post(REQUEST, json!({ "identifier": "nobody" })).await.refused(400, "invalid_email");
    let lines: Vec<serde_json::Value> = auth
        .stack
        .logs()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        // The keys were made when the stack started.
        .filter(|line: &serde_json::Value| !line["outcome"].is_null() && line["function"] != "rotate-keys")
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["outcome"], &lines[0]["status"], &lines[0]["cold_start"]),
        (&json!("ok"), &json!(200), &json!(true))
    );
    assert_eq!(
        (&lines[1]["outcome"], &lines[1]["status"], &lines[1]["cold_start"]),
        (&json!("invalid_email"), &json!(400), &json!(false))
    );
    assert!(lines.iter().all(|line| line["request_id"].is_string()
        && line["function"] == "request-otp"
        && line["duration_ms"].is_number()));
}
