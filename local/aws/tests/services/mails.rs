//! SES: deliveries and refusals.

use local_aws::MailEvent;

use super::*;

#[tokio::test]
async fn a_mail_is_delivered_to_each_recipient() {
    let stand = stand(None);
    let sent = stand
        .mail(|mail| mail["Destination"]["ToAddresses"] = json!(["ada@example.org", "Bob <bob@example.org>"]))
        .await;
    assert_eq!(sent.status, 200);
    assert!(sent.body["MessageId"].as_str().is_some_and(|id| id.len() == 60));
    let mail = stand.mails.try_recv().unwrap();
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("Latchkey <no-reply@example.com>", "ada@example.org"));
    assert_eq!(
        (mail.subject.as_str(), mail.text.as_str(), mail.html.as_deref()),
        ("Your code", "123456", Some("<b>123456</b>"))
    );
    assert_eq!(stand.mails.try_recv().unwrap().to, "bob@example.org");

    stand.mail(|mail| mail["Content"]["Simple"]["Subject"] = json!({ "Data": "Überraschung" })).await;
    assert_eq!(stand.mails.try_recv().unwrap().subject, "?berraschung");
    stand.services.allow_sender("Example.NET");
    assert_eq!(stand.mail(|mail| mail["FromEmailAddress"] = json!("x@mail.example.net")).await.status, 200);
}

#[tokio::test]
async fn mail_that_ses_refuses_is_not_delivered() {
    let stand = stand(None);
    let refuses = async |at: &str, value: Value, name: &str, message: &str| {
        let refused = stand.mail(|mail| *mail.pointer_mut(at).unwrap() = value.clone()).await;
        assert_eq!((refused.error(), refused.message()), ((400, name), message), "{at} {value}");
    };
    let (bad, to, subject) = ("BadRequestException", "/Destination/ToAddresses", "/Content/Simple/Subject/Data");
    let unverified = "Email address is not verified. The following identities failed the check in region US-EAST-1: ";
    for from in ["Eve <eve@example.com>", "NO-REPLY@example.com", "no-reply@mail.example.com"] {
        refuses("/FromEmailAddress", json!(from), "MessageRejected", &format!("{unverified}{from}")).await;
    }
    refuses("/FromEmailAddress", json!("Latchkey"), bad, "Missing final '@domain'").await;
    refuses(to, json!([]), bad, "Destination must have at least one recipient.").await;
    refuses(to, json!(["ada@localhost"]), bad, "Illegal address").await;
    refuses(to, json!(["äda@example.org"]), bad, "Local address contains control or whitespace").await;
    refuses(to, json!(vec!["ada@example.org"; 51]), bad, "Recipient count exceeds 50.").await;
    refuses(subject, json!("Code\r\nBcc: eve@example.com"), bad, "Subject contains control characters").await;
    refuses("/Content/Simple/Body", json!({}), bad, "Message body is empty").await;
    refuses("/Content", json!({ "Raw": { "Data": "" } }), bad, "The local stack sends simple content only.").await;
    let long = "x".repeat(40 * 1024 * 1024);
    refuses("/Content/Simple/Body/Text/Data", json!(long), bad, "Message length is more than 41943040 bytes long")
        .await;
    assert!(stand.mails.try_recv().is_err());
}

/// Each mail has an id, its tags and its configuration set, as its events repeat them.
#[tokio::test]
async fn a_mail_is_kept_for_its_events() {
    let stand = stand(None);
    let tags = json!([{ "Name": "i", "Value": "a-b_c" }, { "Name": "n", "Value": "1" }]);
    let sent = stand
        .mail(|mail| {
            mail["EmailTags"] = tags.clone();
            mail["ConfigurationSetName"] = json!("set");
        })
        .await;
    let sendings = stand.services.sendings();
    assert_eq!((sendings.len(), &json!(sendings[0].id)), (1, &sent.body["MessageId"]));
    let event = sendings[0].event(MailEvent::PermanentBounce, sendings[0].at);
    assert_eq!((&event["eventType"], &event["bounce"]["bounceType"]), (&json!("Bounce"), &json!("Permanent")));
    assert_eq!(event["bounce"]["bouncedRecipients"][0]["emailAddress"], "ada@example.org");
    let mail = &event["mail"];
    assert_eq!((&mail["destination"], &mail["messageId"]), (&json!(["ada@example.org"]), &sent.body["MessageId"]));
    assert_eq!((&mail["tags"]["i"], &mail["tags"]["ses:configuration-set"]), (&json!(["a-b_c"]), &json!(["set"])));
    assert_eq!(
        (&mail["commonHeaders"]["subject"], &mail["timestamp"]),
        (&json!("Your code"), &json!("2027-01-15T08:00:00.000Z"))
    );
    let refused = stand.mail(|mail| mail["EmailTags"] = json!([{ "Name": "i" }])).await;
    assert_eq!(refused.status, 400);
    assert_eq!(stand.services.sendings().len(), 1);
}

#[tokio::test]
async fn deliveries_fail_as_the_faults_say() {
    let stand = stand(None);
    let set = |body: Value| stand.services.faults().set(serde_json::from_value(body).unwrap());
    set(json!({ "delivery": "refused" }));
    assert_eq!(stand.mail(|_| {}).await.error(), (400, "MessageRejected"));
    set(json!({ "delivery": "throttled" }));
    assert_eq!(stand.mail(|_| {}).await.error(), (429, "TooManyRequestsException"));
    set(json!({ "delivery_failure_rate": 1 }));
    assert_eq!(stand.mail(|_| {}).await.error(), (400, "MessageRejected"));
    assert!(stand.mails.try_recv().is_err());
    for delivery in ["lost_answer", "slow"] {
        set(json!({ "delivery": delivery }));
        let answered = tokio::time::timeout(Duration::from_millis(200), stand.mail(|_| {})).await;
        assert!(answered.is_err(), "{delivery}");
        assert!(stand.mails.try_recv().is_ok(), "{delivery}");
    }
    let errors: Vec<_> = stand.services.calls().take().into_iter().skip(3).map(|call| call.error).collect();
    assert_eq!(errors, [Some("timeout".to_owned()), None]);
}
