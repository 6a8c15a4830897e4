//! Sign-in by SMS: allowed countries, the text, failed sends and providers.

use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::deployment::wrong;
use tests::{Asked, Call, Deployment};

const ADA: &str = "+447400123456";
/// The settings for AWS End User Messaging.
pub(crate) const EUM: [(&str, &str); 3] =
    [("SMS_PROVIDER", "eum"), ("SMS_POOL", "pool-0123456789abcdef"), ("SMS_CONFIGURATION_SET", "codes")];

type Settings = Vec<(&'static str, &'static str)>;

/// Each provider: its settings, its service and its operation.
fn providers() -> [(Settings, &'static str, &'static str); 2] {
    [(vec![], "sns", "Publish"), (EUM.to_vec(), "sms-voice", "SendTextMessage")]
}

fn operations(auth: &Deployment) -> Vec<String> {
    let calls = auth.stack.services().calls().take();
    calls
        .into_iter()
        .map(|call| call.operation)
        .filter(|name| ["Publish", "SendTextMessage"].contains(&&**name))
        .collect()
}

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

/// One provider sends, with the same text, and its id of the message is in the log.
#[tokio::test]
async fn either_provider_sends_the_code() {
    for (settings, service, operation) in providers() {
        let auth = Deployment::with(&[settings, vec![("SMS_MAX_PRICE", "1")]].concat()).await;
        auth.stack.services().calls().take();
        let answer = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
        assert_eq!(operations(&auth), [operation]);
        let message = auth.stack.inbox().messages(Some(ADA)).remove(0);
        let asked =
            Asked { challenge: answer.body["challenge_id"].as_str().unwrap().to_owned(), code: auth.newest_code(ADA) };
        assert_eq!(message.text, format!("{} is your Latchkey code. It expires in 5 minutes.", asked.code));
        let sms = serde_json::to_value(&message).unwrap()["sms"].clone();
        assert_eq!(
            (&sms["service"], &sms["type"], &sms["price"]),
            (&json!(service), &json!("Transactional"), &json!("0.055"))
        );
        let told = local::explain(&auth.stack.logs().join("\n"), answer.headers["x-request-id"].to_str().unwrap());
        let told = told.unwrap();
        assert_eq!(
            told.split_once("by sms to GB: accepted as ").unwrap().1.split_whitespace().next().unwrap().len(),
            36
        );
        auth.client().answer(ADA, &asked).await.ok();
    }
}

/// A text by AWS End User Messaging comes from the named sender, costs at most the highest price, and ends with its code.
#[tokio::test]
async fn a_text_by_eum_ends_with_its_code() {
    for (sender, life, shown) in [
        (("SMS_POOL", "pool-0123456789abcdef"), "300", 300),
        (("SMS_ORIGINATION_NUMBER", "+12065550100"), "60", 60),
        (("SMS_SENDER_ID", "Latchkey"), "600", 600),
    ] {
        let settings = [EUM[0], EUM[2], sender, ("SMS_MAX_PRICE", "1"), ("OTP_SMS_EXPIRY_SECONDS", life)];
        let auth = Deployment::with(&settings).await;
        auth.client().ask(ADA).await;
        let sms = serde_json::to_value(auth.stack.inbox().messages(Some(ADA)).remove(0)).unwrap()["sms"].clone();
        assert_eq!((&sms["from"], &sms["life"], &sms["max_price"]), (&json!(sender.1), &json!(shown), &json!("1.00")));
    }
}

/// Only the chosen provider's permission is there, and only for the chosen sender.
#[tokio::test]
async fn the_other_provider_may_not_send() {
    let senders = [
        ("SMS_POOL", "pool-0123456789abcdef", "pool-4567"),
        ("SMS_ORIGINATION_NUMBER", "+12065550100", "pool-4567"),
        ("SMS_SENDER_ID", "Latchkey", "Other"),
    ];
    for (name, sender, other) in senders {
        let auth = Deployment::with(&[EUM[0], EUM[2], (name, sender)]).await;
        assert!(auth.may("RequestOtp", Call::text(sender)).await, "{sender}");
        assert!(!auth.may("RequestOtp", Call::text(other)).await, "{other}");
        assert!(!auth.may("RequestOtp", Call::publish(ADA)).await);
        assert!(!auth.may("VerifyOtp", Call::text(sender)).await);
    }
    let auth = Deployment::start().await;
    assert!(auth.may("RequestOtp", Call::publish(ADA)).await);
    assert!(!auth.may("RequestOtp", Call::text("Latchkey")).await);
}

/// The log names what AWS says about a refusal: here that the number's owner wants no texts.
#[tokio::test]
async fn the_log_names_an_opt_out() {
    let auth = Deployment::with(&EUM).await;
    auth.faults(json!({ "delivery": "refused" }));
    let failed = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    failed.refused(502, "sms_send_failed");
    let told = local::explain(&auth.stack.logs().join("\n"), failed.headers["x-request-id"].to_str().unwrap()).unwrap();
    assert!(told.contains("by sms to GB: refused: ConflictException: DESTINATION_PHONE_NUMBER_OPTED_OUT"), "{told}");
}

/// India's carriers drop an SMS without the ids of its sender and its text. Other countries ignore them.
#[tokio::test]
async fn an_sms_to_india_has_the_ids_of_indias_register() {
    let ids = [("SMS_COUNTRIES", "IN,GB"), ("SMS_ENTITY_ID", "1001"), ("SMS_TEMPLATE_ID", "1007")];
    for (settings, ..) in providers() {
        let auth = Deployment::with(&[&ids[..], &settings].concat()).await;
        for (number, ids) in [("+919876543210", json!(["1001", "1007"])), (ADA, Value::Null)] {
            auth.client().ask(number).await;
            let message = auth.stack.inbox().messages(Some(number)).remove(0);
            assert_eq!(serde_json::to_value(&message).unwrap()["sms"]["india"], ids, "{number}");
        }
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
    for (settings, ..) in providers() {
        let auth = Deployment::with(&settings).await;
        auth.faults(json!({ "delivery": "refused" }));
        let failed = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
        failed.refused(502, "sms_send_failed");
        auth.faults(json!({}));
        let again = json!({ "identifier": ADA, "challenge_id": failed.body["challenge_id"] });
        auth.client().post(REQUEST, again).await.ok();
        assert_eq!(auth.messages_to(ADA), 1);
    }
}

/// A throttled SMS is retried. An SMS without an answer may have been sent, so a retry could deliver the code twice.
#[tokio::test]
async fn an_sms_is_retried_only_when_it_was_certainly_refused() {
    let timeouts = [("AWS_ATTEMPT_TIMEOUT_MS", "1000"), ("AWS_OPERATION_TIMEOUT_MS", "2000")];
    for (settings, service, operation) in providers() {
        let auth = Deployment::with(&[&timeouts[..], &settings].concat()).await;
        let throttled = if service == "sns" { "TooManyRequestsException" } else { "ThrottlingException" };
        auth.faults(json!({ "aws": [{ "service": service, "error": throttled, "times": 2 }] }));
        auth.client().ask(ADA).await;
        assert_eq!((auth.messages_to(ADA), operations(&auth).len()), (1, 3), "{operation}");

        auth.faults(json!({ "delivery": "lost_answer" }));
        let asked = auth.client().ask("+447400123457").await;
        assert_eq!(auth.messages_to("+447400123457"), 1);
        auth.client().answer("+447400123457", &asked).await.ok();

        auth.faults(json!({ "aws": [{ "service": service, "error": "InternalServerError", "times": 9 }] }));
        auth.client().post(REQUEST, json!({ "identifier": "+447400123458" })).await.ok();
        assert_eq!(auth.messages_to("+447400123458"), 0, "after a server error the SMS may have been sent");
        assert_eq!(operations(&auth).len(), 2, "{operation} was repeated");
    }
}

/// A broken connection leaves the send unknown. A second SMS could cost a second time, so only the client decides about it. The
/// code stays valid, because it may have arrived.
#[tokio::test]
async fn a_text_on_a_broken_connection_is_reported_and_never_repeated() {
    let cases = providers().into_iter().flat_map(|provider| [(provider.clone(), "before", 0), (provider, "after", 1)]);
    for ((settings, service, operation), when, arrived) in cases {
        let auth = Deployment::with(&settings).await;
        auth.faults(json!({ "aws": [{ "service": service, "error": "connection_reset", "when": when }] }));
        auth.stack.services().calls().take();
        let lost = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
        lost.refused(502, "sms_send_failed");
        assert_eq!(operations(&auth), [operation], "{when}");
        assert_eq!(auth.messages_to(ADA), arrived, "{when}");
        let challenge = lost.body["challenge_id"].as_str().unwrap().to_owned();
        if arrived == 0 {
            auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": challenge })).await.ok();
        }
        let asked = Asked { challenge, code: auth.newest_code(ADA) };
        auth.client().answer(ADA, &asked).await.ok();
    }
}
