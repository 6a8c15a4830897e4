//! The function `request-otp`: codes by email, resends and failed sends.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::client::REQUEST;
use tests::deployment::wrong;
use tests::{Asked, Deployment};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_code_is_sent_by_email_and_the_answer_names_its_challenge() {
    let auth = Deployment::start().await;
    let answer = auth.client().post(REQUEST, json!({ "identifier": " Ada@Example.COM " })).await.ok();
    assert_eq!(answer["success"], json!(true));
    assert_eq!(answer["channel"], json!("email"));
    assert_eq!((&answer["expires_in"], &answer["retry_after"]), (&json!(360), &json!(30)));
    assert_eq!(answer["challenge_id"].as_str().unwrap().len(), 72);

    let message = &auth.stack.inbox().messages(Some(ADA))[0];
    let code = auth.newest_code(ADA);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    assert_eq!(message.subject.as_deref(), Some(format!("{code} is your Latchkey code").as_str()));
    for body in [&message.text, message.html.as_ref().unwrap()] {
        assert!(body.contains(&code) && body.contains("10 minutes") && body.contains("ignore this email"), "{body}");
    }
}

/// Older frontends use other names for the same fields.
#[tokio::test]
async fn an_identifier_has_several_names_and_one_value() {
    let auth = Deployment::start().await;
    for body in [
        json!({ "email": ADA }),
        json!({ "identifier": "ADA@example.com", "email": ADA, "channel": "email", "unknown": { "field": [1] } }),
        json!({ "identifier": ADA, "challenge_id": null, "source_url": "https://example.com/?utm_source=x" }),
    ] {
        auth.client().post(REQUEST, body).await.ok();
    }
    for body in [
        json!({ "identifier": ADA, "email": "bob@example.com" }),
        json!({ "identifier": ADA, "channel": "sms" }),
        json!({ "identifier": ADA, "channel": "phone" }),
        json!({ "identifier": ADA, "channel": "pigeon" }),
        json!({ "identifier": "", "phone": null }),
        json!({ "source_url": "https://example.com" }),
        json!({}),
    ] {
        auth.client().post(REQUEST, body).await.refused(400, "invalid_request");
    }
    for (body, message) in [
        (json!({ "identifier": 1 }), "`identifier` must be a string."),
        (json!({ "identifier": ADA, "source_url": ["x"] }), "`source_url` must be a string."),
        (json!({ "identifier": ADA, "channel": 1 }), "`channel` must be a string."),
        (json!({ "identifier": ADA, "token_delivery": "pigeon" }), "`token_delivery` must be `body` or `cookie`."),
    ] {
        let refused = auth.client().post(REQUEST, body).await;
        refused.refused(400, "invalid_request");
        assert_eq!(refused.body["message"], message);
    }
    auth.client().post(REQUEST, json!({ "identifier": "nobody" })).await.refused(400, "invalid_email");
    auth.client().post(REQUEST, json!({ "email": "+15551234567" })).await.refused(400, "invalid_email");
    auth.client().post(REQUEST, json!({ "phone": "12" })).await.refused(400, "invalid_phone");
    assert_eq!(auth.messages_to(ADA), 3);
}

/// S153: an address bar can hold anything, so a strange or long source still gets a code. An empty field is a missing one.
#[tokio::test]
async fn a_strange_source_and_empty_fields_do_not_matter() {
    let auth = Deployment::start().await;
    for (network, body) in [
        json!({ "identifier": ADA, "source_url": format!("https://example.com/?x={}", "x".repeat(7_000)) }),
        json!({ "identifier": ADA, "source_url": "javascript:alert(1)" }),
        json!({ "identifier": ADA, "email": "", "phone": " ", "phone_number": null, "channel": "", "challenge_id": "",
            "source_url": "", "token_delivery": "" }),
        json!({ "identifier": "\u{feff}\u{202a}Ada@example.com\u{202c} ", "email": null }),
    ]
    .into_iter()
    .enumerate()
    {
        auth.client_at(&format!("198.51.100.{network}")).post(REQUEST, body).await.ok();
    }
    assert_eq!(auth.messages_to(ADA), 4);
}

/// V20: two spellings of one address are one identifier, and the code goes to the canonical spelling.
#[tokio::test]
async fn the_code_goes_to_the_canonical_address_only() {
    let auth = Deployment::start().await;
    auth.client().post(REQUEST, json!({ "identifier": "Ada@bücher.EXAMPLE" })).await.ok();
    assert_eq!(auth.messages_to("ada@xn--bcher-kva.example"), 1);
    // A mail server that decodes headers (RFC 2047) would read the second as `bob@evil.example`.
    for other in ["mıke@example.com", "=?utf-8?q?bob=40evil.example=3e?=@example.com"] {
        auth.client().post(REQUEST, json!({ "identifier": other })).await.refused(400, "invalid_email");
    }
    assert_eq!(auth.stack.inbox().messages(None).len(), 1);
}

/// V04, S05: a resend leaves the challenge's attempts and the identifier's failures unchanged.
#[tokio::test]
async fn a_resend_does_not_restore_attempts() {
    let auth = Deployment::start().await;
    let mut asked = auth.client().ask(ADA).await;
    for _ in 0..2 {
        let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
        auth.client().answer(ADA, &guess).await.refused(400, "invalid_otp");
    }
    auth.wait(30);
    auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": asked.challenge })).await.ok();
    asked.code = auth.newest_code(ADA);
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    auth.client().answer(ADA, &guess).await.refused(400, "invalid_otp");
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
}

/// RFC 3834: no mailbox answers a code with a vacation notice.
#[tokio::test]
async fn an_email_asks_for_no_automatic_reply() {
    let auth = Deployment::start().await;
    auth.client().ask(ADA).await;
    let email = auth.stack.inbox().messages(Some(ADA)).remove(0);
    let headers = [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")];
    assert_eq!(email.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

/// A throttled send is retried. A send without an answer may have succeeded, so retrying it could deliver the code twice.
#[tokio::test]
async fn a_send_is_retried_only_when_it_was_certainly_refused() {
    let auth = Deployment::with(&[("AWS_ATTEMPT_TIMEOUT_MS", "1000"), ("AWS_OPERATION_TIMEOUT_MS", "2000")]).await;
    auth.faults(json!({ "aws": [{ "service": "ses", "error": "TooManyRequestsException", "times": 2 }] }));
    auth.client().ask(ADA).await;
    assert_eq!(auth.messages_to(ADA), 1);

    auth.faults(json!({ "delivery": "lost_answer" }));
    let asked = auth.client().ask("bob@example.com").await;
    assert_eq!(auth.messages_to("bob@example.com"), 1);
    auth.faults(json!({}));
    auth.client().answer("bob@example.com", &asked).await.ok();
}

/// A broken connection leaves the send unknown. The email is sent once more with the same code, which is harmless.
#[tokio::test]
async fn an_email_is_sent_once_more_after_a_broken_connection() {
    let auth = Deployment::start().await;
    for (when, arrived) in [("before", 1), ("after", 2)] {
        auth.faults(json!({ "aws": [{ "service": "ses", "error": "connection_reset", "when": when }] }));
        let asked = auth.client().ask(ADA).await;
        let messages = auth.stack.inbox().messages(Some(ADA));
        let codes: BTreeSet<_> = messages.iter().map(|message| &message.subject).collect();
        assert_eq!((messages.len(), codes.len()), (arrived, 1), "{when}");
        auth.client().answer(ADA, &asked).await.ok();
        auth.stack.inbox().clear();
    }
}

/// The answer must not claim that the email was sent. Its code stays valid, because it may have arrived.
#[tokio::test]
async fn an_email_is_sent_twice_at_most_and_its_loss_is_reported() {
    let auth = Deployment::start().await;
    for (when, arrived) in [("before", 0), ("after", 2)] {
        auth.faults(json!({ "aws": [{ "service": "ses", "error": "connection_reset", "when": when, "times": 9 }] }));
        auth.stack.services().calls().take();
        let lost = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
        lost.refused(502, "email_send_failed");
        assert!(lost.body.get("retry_after").is_none());
        let calls = auth.stack.services().calls().take();
        assert_eq!(calls.iter().filter(|call| call.operation == "SendEmail").count(), 2, "{when}");
        assert_eq!(auth.messages_to(ADA), arrived, "{when}");
        let challenge = lost.body["challenge_id"].as_str().unwrap().to_owned();
        auth.faults(json!({}));
        if arrived == 0 {
            auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": challenge })).await.ok();
        }
        let asked = Asked { challenge, code: auth.newest_code(ADA) };
        auth.client().answer(ADA, &asked).await.ok();
        auth.stack.inbox().clear();
    }
}

/// S88: if the check of a limit fails, the request is refused.
#[tokio::test]
async fn nothing_is_sent_when_the_table_is_unreachable() {
    let auth = Deployment::start().await;
    auth.client().ask(ADA).await;
    auth.faults(json!({ "aws": [{ "service": "dynamodb", "error": "ThrottlingException", "times": 100 }] }));
    let refused = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    refused.refused(503, "unavailable");
    auth.faults(json!({ "aws": [{ "service": "dynamodb", "error": "AccessDeniedException", "times": 100 }] }));
    let broken = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    broken.refused(500, "internal_error");
    assert!(!broken.body["message"].as_str().unwrap().contains("Access"), "the answer hides the cause");
    assert_eq!(auth.messages_to(ADA), 1);
}

/// The SDK retries a write with a lost answer and finds its own success. There is one challenge and one email.
#[tokio::test]
async fn a_lost_answer_of_the_table_starts_no_second_challenge() {
    let auth = Deployment::start().await;
    for _ in 0..2 {
        auth.faults(json!({ "aws": [
            { "service": "dynamodb", "operation": "UpdateItem", "key": "I#", "error": "InternalServerError", "when": "after", "times": 1 }
        ] }));
        let asked = auth.client().ask(ADA).await;
        auth.client().answer(ADA, &asked).await.ok();
    }
    assert_eq!(auth.messages_to(ADA), 2);
}

/// The number in an attribute of the only challenge.
fn sends(auth: &Deployment) -> Vec<String> {
    let item = auth.items_of("OTP_TABLE", "I#").pop().unwrap();
    let codes = item["co"]["M"].as_object().unwrap().values();
    codes.map(|code| code["M"]["c"]["N"].as_str().unwrap().to_owned()).collect()
}

/// Asks for one more code of a challenge, and names the challenge as the answer does.
async fn again(auth: &Deployment, challenge: &str) -> Asked {
    let body = json!({ "identifier": ADA, "challenge_id": challenge });
    let answer = auth.client().post(REQUEST, body).await.ok();
    Asked { challenge: answer["challenge_id"].as_str().unwrap().to_owned(), code: auth.newest_code(ADA) }
}

/// S142: within the pause the answer is the same challenge with the seconds left, without a message.
#[tokio::test]
async fn a_resend_replaces_the_code_of_its_challenge() {
    let auth = Deployment::start().await;
    let first = auth.client().ask(ADA).await;
    auth.wait(29);
    let soon = auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": first.challenge })).await.ok();
    assert_eq!(soon["retry_after"], json!(1));
    assert_eq!(auth.messages_to(ADA), 1, "a resend that came too soon sent something");

    auth.wait(1);
    let second = again(&auth, &first.challenge).await;
    assert_eq!(sends(&auth), ["2"]);
    if first.code != second.code {
        auth.client().answer(ADA, &first).await.refused(400, "invalid_otp");
    }
    // The older id names the same challenge.
    auth.client().answer(ADA, &Asked { challenge: first.challenge, ..second }).await.ok();
}

#[tokio::test]
async fn a_challenge_is_resent_three_times_and_then_a_new_one_starts() {
    let auth = Deployment::start().await;
    let mut asked = auth.client().ask(ADA).await;
    for _ in 0..3 {
        // The bucket must not run out.
        auth.wait(200);
        asked = again(&auth, &asked.challenge).await;
    }
    assert_eq!(sends(&auth), ["4"]);
    auth.wait(240);
    again(&auth, &asked.challenge).await;
    assert_eq!(sends(&auth).len(), 2);
}

/// S02: a resend never restores an expired code.
#[tokio::test]
async fn an_expired_challenge_is_not_resent() {
    let auth = Deployment::start().await;
    let expired = auth.client().ask(ADA).await;
    auth.wait(600);
    let fresh = again(&auth, &expired.challenge).await;
    assert_eq!(sends(&auth), ["1"]);
    auth.client().answer(ADA, &Asked { code: fresh.code.clone(), ..expired }).await.refused(400, "invalid_otp");
    auth.client().answer(ADA, &fresh).await.ok();
}

#[tokio::test]
async fn naming_an_ended_challenge_starts_a_new_one() {
    let auth = Deployment::start().await;
    let used = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &used).await.ok();
    let spent = auth.client().ask(ADA).await;
    for _ in 0..3 {
        auth.client().answer(ADA, &Asked { code: wrong(&spent.code), ..spent.clone() }).await;
    }
    let of_bob = auth.client().ask("bob@example.com").await;
    auth.wait(300);
    for (number, ended) in [used, spent, of_bob].iter().enumerate() {
        let (client, named) = (auth.client_at(&format!("198.51.100.{number}")), &ended.challenge);
        client.post(REQUEST, json!({ "identifier": ADA, "challenge_id": named })).await.ok();
        assert_eq!(auth.messages_to(ADA), 3 + number);
    }
}

#[tokio::test]
async fn a_refused_send_may_be_repeated_at_once_twice() {
    let auth = Deployment::start().await;
    auth.faults(json!({ "delivery": "refused" }));
    let mut named = Value::Null;
    for _ in 0..2 {
        let failed = auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": named })).await;
        failed.refused(502, "email_send_failed");
        assert!(failed.body.get("retry_after").is_none());
        named = failed.body["challenge_id"].clone();
    }
    let third = auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": named })).await;
    third.refused(502, "email_send_failed");
    assert_eq!(third.retry_after(), 30);
    let again = json!({ "identifier": ADA, "challenge_id": third.body["challenge_id"] });
    auth.client().post(REQUEST, again.clone()).await.refused(429, "rate_limited");

    auth.faults(json!({ "delivery": "accepted" }));
    auth.wait(30);
    let answer = auth.client().post(REQUEST, again).await.ok();
    let asked = Asked { challenge: answer["challenge_id"].as_str().unwrap().to_owned(), code: auth.newest_code(ADA) };
    auth.client().answer(ADA, &asked).await.ok();
}

/// A refused resend takes nothing away: the challenge keeps its sends.
#[tokio::test]
async fn a_refused_send_does_not_count_as_a_resend() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    auth.wait(30);
    auth.faults(json!({ "delivery": "refused" }));
    let mut named = asked.challenge;
    for _ in 0..2 {
        let failed = auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": named })).await;
        failed.refused(502, "email_send_failed");
        named = failed.body["challenge_id"].as_str().unwrap().to_owned();
        assert_eq!(sends(&auth), ["1"]);
    }
    auth.faults(json!({ "delivery": "accepted" }));
    let asked = again(&auth, &named).await;
    assert_eq!(sends(&auth), ["2"]);
    auth.client().answer(ADA, &asked).await.ok();
}
