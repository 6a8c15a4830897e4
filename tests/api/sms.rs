//! Sign-in by SMS: allowed countries, the text and failed sends.

use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::deployment::wrong;
use tests::{Asked, Deployment};

const ADA: &str = "+447400123456";

/// A user with only a phone number signs up and signs in again.
#[tokio::test]
async fn a_user_signs_in_with_only_a_phone() {
    let auth = Deployment::start().await;
    let body = json!({ "phone_number": "+44 7400 123-456", "channel": "phone" });
    let asked = auth.client().post(REQUEST, body).await.ok();
    assert_eq!(asked["message"], "OTP sent to your phone number");
    assert_eq!(
        (&asked["channel"], &asked["expires_in"], &asked["retry_after"]),
        (&json!("sms"), &json!(300), &json!(30))
    );

    let code = auth.newest_code(ADA);
    let body = json!({ "phone": ADA, "otp": code, "challenge_id": asked["challenge_id"], "channel": "sms" });
    let signed_in = auth.client().post(VERIFY, body).await.ok();
    let user = &signed_in["user"];
    assert_eq!((&user["phone"], &user["phone_verified"]), (&json!(ADA), &json!(true)));
    assert_eq!((&user["email"], &user["email_verified"]), (&json!(null), &json!(false)));
    assert_eq!(user["is_new_user"], true);

    let again = auth.client().ask(ADA).await;
    let again = auth.client().answer(ADA, &again).await.ok();
    assert_eq!((&again["user"]["id"], &again["is_new_user"]), (&user["id"], &json!(false)));
}

#[tokio::test]
async fn a_code_by_sms_expires_after_five_minutes() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    auth.wait(299);
    auth.client().answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await.refused(400, "invalid_otp");
    auth.wait(1);
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
}

/// S17: one part with the word "code" and a last line that browsers use to fill in the code.
#[tokio::test]
async fn an_sms_has_one_part_and_supports_autofill() {
    let settings = [("WEBOTP_HOST", "app.example.com"), ("SMS_SENDER_ID", "Latchkey"), ("SMS_MAX_PRICE", "0.25")];
    let auth = Deployment::with(&settings).await;
    let asked = auth.client().ask(ADA).await;
    let message = auth.stack.inbox().messages(Some(ADA)).remove(0);
    let code = &asked.code;
    let expected = format!("{code} is your Latchkey code. It expires in 5 minutes.\n\n@app.example.com #{code}");
    assert_eq!(message.text, expected);
    let sms = serde_json::to_value(&message).unwrap()["sms"].clone();
    assert_eq!((&sms["encoding"], &sms["parts"]), (&json!("GSM-7"), &json!(1)));
    assert_eq!(sms["autofill"], json!({ "host": "app.example.com", "code": code }));
    assert_eq!((&sms["from"], &sms["type"]), (&json!("Latchkey"), &json!("Transactional")));
    assert_eq!(sms["max_price"], "0.25");

    // A user may paste the whole message.
    auth.client().answer(ADA, &Asked { code: message.text, ..asked }).await.ok();
}

/// India's carriers drop an SMS without the ids of its sender and its text. Other countries ignore them.
#[tokio::test]
async fn an_sms_to_india_has_the_ids_of_indias_register() {
    let settings = [("SMS_COUNTRIES", "IN,GB"), ("SMS_ENTITY_ID", "1001"), ("SMS_TEMPLATE_ID", "1007")];
    let auth = Deployment::with(&settings).await;
    for (number, ids) in [("+919876543210", json!(["1001", "1007"])), (ADA, Value::Null)] {
        auth.client().ask(number).await;
        let message = auth.stack.inbox().messages(Some(number)).remove(0);
        assert_eq!(serde_json::to_value(&message).unwrap()["sms"]["india"], ids, "{number}");
    }
}

/// S70: a country missing from the settings is refused before anything is counted, read or sent.
#[tokio::test]
async fn an_unlisted_country_costs_nothing() {
    let auth = Deployment::start().await;
    for (number, status, code) in [
        ("+33612345678", 403, "forbidden"),
        ("+15062345678", 403, "forbidden"),
        ("+882161234567", 403, "forbidden"),
        ("+3312345678", 403, "forbidden"),
        ("+449012345678", 400, "invalid_phone"),
    ] {
        auth.client().post(REQUEST, json!({ "identifier": number })).await.refused(status, code);
        auth.client().answer_unbound(number, "123456").await.refused(status, code);
    }
    assert!(auth.stack.services().calls().take().is_empty(), "a call was made");

    let off = Deployment::with(&[("SMS_COUNTRIES", "")]).await;
    off.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(403, "forbidden");
}

/// S151, V61: a text to another kind of number costs money without a reader. It is refused before anything is counted.
#[tokio::test]
async fn texts_go_to_phones() {
    let auth = Deployment::start().await;
    for other in [
        "+447012345678",
        "+447640123456",
        "+443001234567",
        "+445612345678",
        "+448001234567",
        "+448431234567",
        "+449012345678",
        "+442079460958",
        "+18002345678",
        "+15002345678",
        "+19002345678",
        "+4912345",
    ] {
        auth.client().post(REQUEST, json!({ "identifier": other })).await.refused(400, "invalid_phone");
        auth.client().answer_unbound(other, "123456").await.refused(400, "invalid_phone");
    }
    assert!(auth.stack.services().calls().take().is_empty(), "a call was made");
    for phone in [ADA, "+12125550123", "+4915112345678"] {
        auth.client().ask(phone).await;
    }
}

/// S151: plans change. A number that was right before its country's plan changed reaches nobody, and neither does a national number
/// that looks like one of another country.
#[tokio::test]
async fn a_number_of_an_older_plan_gets_no_text() {
    let auth = Deployment::with(&[("SMS_COUNTRIES", "US,CH,CI,BJ,BR")]).await;
    for dead in ["+22507123456", "+22990011234", "+551161234567", "+4155552671"] {
        auth.client().post(REQUEST, json!({ "identifier": dead })).await.refused(400, "invalid_phone");
    }
    for phone in ["+2250712345678", "+2290190011234", "+5511961234567", "+41781234567"] {
        auth.client().ask(phone).await;
        assert_eq!(auth.messages_to(phone), 1, "{phone}");
    }
}

/// S150, V62: one handset is one user with one set of limits, however its owner types the number.
#[tokio::test]
async fn one_handset_is_one_user() {
    let auth = Deployment::start().await;
    let mut users = Vec::new();
    for typed in ["+44 (0)7400 123456", "\u{202a}tel:+44-07400-123456\u{202c}", "+٤٤ ٧٤٠٠ ١٢٣٤٥٦"] {
        let asked = auth.client().post(REQUEST, json!({ "phone": typed })).await.ok();
        let body =
            json!({ "identifier": typed, "otp_code": auth.newest_code(ADA), "challenge_id": asked["challenge_id"] });
        let signed_in = auth.client().post(VERIFY, body).await.ok();
        assert_eq!(signed_in["user"]["phone"], ADA);
        users.push(signed_in["user"]["id"].clone());
    }
    assert!(users.iter().all(|user| *user == users[0]) && auth.messages_to(ADA) == 3);
    for national in ["07400 123456", "0044 7400 123456", "447400123456"] {
        auth.client().post(REQUEST, json!({ "identifier": national })).await.refused(400, "invalid_phone");
    }
}

#[tokio::test]
async fn a_refused_sms_may_be_repeated_at_once() {
    let auth = Deployment::start().await;
    auth.faults(json!({ "delivery": "refused" }));
    let failed = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    failed.refused(502, "sms_send_failed");
    auth.faults(json!({}));
    let again = json!({ "identifier": ADA, "challenge_id": failed.body["challenge_id"] });
    auth.client().post(REQUEST, again).await.ok();
    assert_eq!(auth.messages_to(ADA), 1);
}

/// A throttled SMS is retried. An SMS without an answer may have been sent, so a retry could deliver the code twice.
#[tokio::test]
async fn an_sms_is_retried_only_when_it_was_certainly_refused() {
    let auth = Deployment::with(&[("AWS_ATTEMPT_TIMEOUT_MS", "1000"), ("AWS_OPERATION_TIMEOUT_MS", "2000")]).await;
    auth.faults(json!({ "aws": [{ "service": "sns", "error": "TooManyRequestsException", "times": 2 }] }));
    auth.client().ask(ADA).await;
    assert_eq!(auth.messages_to(ADA), 1);

    auth.faults(json!({ "delivery": "lost_answer" }));
    let asked = auth.client().ask("+447400123457").await;
    assert_eq!(auth.messages_to("+447400123457"), 1);
    auth.client().answer("+447400123457", &asked).await.ok();

    auth.faults(json!({ "aws": [{ "service": "sns", "error": "InternalServerError", "times": 9 }] }));
    auth.client().post(REQUEST, json!({ "identifier": "+447400123458" })).await.ok();
    assert_eq!(auth.messages_to("+447400123458"), 0, "after a server error the SMS may have been sent");
}

/// A broken connection leaves the send unknown. A second SMS could cost a second time, so only the client decides about it. The
/// code stays valid, because it may have arrived.
#[tokio::test]
async fn a_text_on_a_broken_connection_is_reported_and_never_repeated() {
    let auth = Deployment::start().await;
    for (when, arrived) in [("before", 0), ("after", 1)] {
        auth.faults(json!({ "aws": [{ "service": "sns", "error": "connection_reset", "when": when }] }));
        auth.stack.services().calls().take();
        let lost = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
        lost.refused(502, "sms_send_failed");
        let calls = auth.stack.services().calls().take();
        assert_eq!(calls.iter().filter(|call| call.operation == "Publish").count(), 1, "{when}");
        assert_eq!(auth.messages_to(ADA), arrived, "{when}");
        let challenge = lost.body["challenge_id"].as_str().unwrap().to_owned();
        if arrived == 0 {
            auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": challenge })).await.ok();
        }
        let asked = Asked { challenge, code: auth.newest_code(ADA) };
        auth.client().answer(ADA, &asked).await.ok();
        auth.stack.inbox().clear();
    }
}
