//! AWS End User Messaging: `PutMessageFeedback`, `SendTextMessage` and `SendVoiceMessage`.

use super::*;

const ADA: &str = "+447400123456";

fn text() -> Value {
    json!({ "DestinationPhoneNumber": ADA, "MessageBody": "123456 is your code", "OriginationIdentity": "Latchkey",
        "MessageType": "TRANSACTIONAL", "ConfigurationSetName": "codes", "MaxPrice": "0.10", "TimeToLive": 300,
        "DestinationCountryParameters": { "IN_ENTITY_ID": "1001", "IN_TEMPLATE_ID": "1007" } })
}

async fn send(stand: &Stand, body: &Value) -> Answered {
    stand.send(request("sms-voice", "PinpointSMSVoiceV2.SendTextMessage", body)).await
}

#[tokio::test]
async fn a_text_is_delivered_as_it_was_asked_for() {
    let stand = stand(None);
    let sent = send(&stand, &text()).await;
    assert_eq!((sent.status, sent.body["MessageId"].as_str().map(str::len)), (200, Some(36)));
    let [to, text, sender] = [ADA, "123456 is your code", "Latchkey"].map(str::to_owned);
    let (max_price, india) = (Some("0.10".to_owned()), Some(["1001", "1007"].map(str::to_owned)));
    let (service, sms_type) = (Service::SmsVoice, SmsType::Transactional);
    let expected = Sms { service, to, text, sender, sms_type, max_price, india, life: Some(300) };
    assert_eq!(stand.texts.try_recv().unwrap(), expected);
}

/// An event repeats the context and the id, and has neither the text nor the number.
#[tokio::test]
async fn an_event_repeats_the_context_of_its_text() {
    let stand = stand(None);
    let mut body = text();
    body["Context"] = json!({ "in": "box", "i": "x" });
    let id = send(&stand, &body).await.body["MessageId"].clone();
    let texting = stand.services.textings().pop().unwrap();
    stand.services.tell(texting.event("TEXT_DELIVERED", Timestamp::from_unix(1_800_000_002)));
    let event = stand.services.events("default").pop().unwrap().event;
    assert_eq!(
        (&event["source"], &event["detail-type"]),
        (&json!("aws.sms-voice"), &json!("Text Message Delivery Status Updated"))
    );
    let detail = &event["detail"];
    assert_eq!((&detail["messageId"], &detail["context"]), (&id, &json!({ "in": "box", "i": "x" })));
    assert_eq!((&detail["eventTimestamp"], &detail["isFinal"]), (&json!(1_800_000_002_000_u64), &json!(true)));
    assert_eq!((&detail["totalMessageParts"], &detail["totalMessagePrice"]), (&json!(1), &json!(0.055)));
    assert!(!event.to_string().contains("123456 is your code") && !event.to_string().contains(ADA));
    assert_eq!(texting.event("VOICE_RINGING", texting.at)["detail"]["isFinal"], false);
}

/// Only a message whose sender promised feedback has a record of it.
#[tokio::test]
async fn feedback_is_kept_for_messages_that_expect_it() {
    let stand = stand(None);
    let feedback = async |id: &Value, status: &str| {
        let body = json!({ "MessageId": id, "MessageFeedbackStatus": status });
        stand.send(request("sms-voice", "PinpointSMSVoiceV2.PutMessageFeedback", &body)).await
    };
    let without = send(&stand, &text()).await.body["MessageId"].clone();
    let mut body = text();
    body["MessageFeedbackEnabled"] = json!(true);
    let with = send(&stand, &body).await.body["MessageId"].clone();
    for id in [without, json!("00000000-0000-0000-0000-000000000000")] {
        assert_eq!(feedback(&id, "RECEIVED").await.error(), (400, "ResourceNotFoundException"));
    }
    assert_eq!(feedback(&with, "READ").await.error(), (400, "ValidationException"));
    assert_eq!(feedback(&with, "FAILED").await.status, 200);
    assert!(stand.services.received().is_empty());
    assert_eq!(
        feedback(&with, "RECEIVED").await.body,
        json!({ "MessageId": with, "MessageFeedbackStatus": "RECEIVED" })
    );
    assert_eq!(json!(stand.services.received()), json!([with]));
}

#[tokio::test]
async fn an_unusable_text_is_refused() {
    let stand = stand(None);
    let long = "é".repeat(801);
    for (member, value) in [
        ("DestinationPhoneNumber", json!("447400123456")),
        ("DestinationPhoneNumber", json!("+44")),
        ("MessageBody", json!("")),
        ("MessageBody", json!(long)),
        ("MaxPrice", json!("1")),
        ("TimeToLive", json!(4)),
        ("DestinationCountryParameters", json!({ "UK": "1" })),
        ("Nonsense", json!("a")),
    ] {
        let mut body = text();
        body[member] = value;
        let refused = send(&stand, &body).await;
        assert_eq!(refused.error(), (400, "ValidationException"), "{member}: {}", refused.body);
        assert!(refused.body["Reason"].is_string(), "{}", refused.body);
    }
    assert!(stand.texts.try_recv().is_err());
}

#[tokio::test]
async fn a_number_that_has_opted_out_is_refused_with_the_reason() {
    let stand = stand(None);
    stand.services.faults().set(serde_json::from_value(json!({ "delivery": "refused" })).unwrap());
    let refused = send(&stand, &text()).await;
    assert_eq!(refused.error(), (400, "ConflictException"));
    assert_eq!(refused.body["Reason"], "DESTINATION_PHONE_NUMBER_OPTED_OUT");
}

#[tokio::test]
async fn a_text_needs_the_permission_on_its_sender() {
    let arn = |resource: &str| format!("arn:aws:sms-voice:us-east-1:000000000000:{resource}");
    let senders = [
        ("pool-0123", "pool/pool-0123", "pool/pool-4567"),
        ("+12065550100", "phone-number/*", "pool/*"),
        ("12345", "phone-number/*", "sender-id/*"),
        ("Latchkey", "sender-id/Latchkey/*", "sender-id/Other/*"),
    ];
    for (sender, right, wrong) in senders {
        for (resource, status) in [(right, 200), (wrong, 400)] {
            let allowed =
                json!({ "Effect": "Allow", "Action": "sms-voice:SendTextMessage", "Resource": arn(resource) });
            let stand = stand_for(None, &json!({ "Statement": allowed }));
            let mut body = text();
            body["OriginationIdentity"] = json!(sender);
            assert_eq!(send(&stand, &body).await.status, status, "{sender} with {resource}");
        }
    }
}

fn voice() -> Value {
    json!({ "DestinationPhoneNumber": ADA, "MessageBody": "<speak>1<break time=\"600ms\"/>2</speak>",
        "MessageBodyTextType": "SSML", "OriginationIdentity": "+12065550100", "VoiceId": "JOANNA",
        "ConfigurationSetName": "codes", "TimeToLive": 300 })
}

async fn call(stand: &Stand, body: &Value) -> Answered {
    stand.send(request("sms-voice", "PinpointSMSVoiceV2.SendVoiceMessage", body)).await
}

#[tokio::test]
async fn a_call_is_made_as_it_was_asked_for() {
    let stand = stand(None);
    assert_eq!(call(&stand, &voice()).await.status, 200);
    let made = stand.calls.try_recv().unwrap();
    assert_eq!((made.to.as_str(), made.from.as_str(), made.speaker.as_str()), (ADA, "+12065550100", "JOANNA"));
    assert_eq!((made.spoken().as_str(), made.life), ("1 … 2", Some(300)));
    assert!(stand.texts.try_recv().is_err());
}

#[tokio::test]
async fn an_unusable_call_is_refused() {
    let stand = stand(None);
    for (member, value) in [
        ("DestinationPhoneNumber", json!("447400123456")),
        ("MessageBody", json!("1, 2")),
        ("MessageBody", json!("<speak><audio src=\"a\"/></speak>")),
        ("MessageBodyTextType", json!("TEXT")),
        ("VoiceId", json!("NOBODY")),
        ("OriginationIdentity", json!("")),
    ] {
        let mut body = voice();
        body[member] = value;
        assert_eq!(call(&stand, &body).await.error(), (400, "ValidationException"), "{member}");
    }
    assert!(stand.calls.try_recv().is_err());
}
