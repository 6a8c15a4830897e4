//! SNS: deliveries and refusals.

mod attributes;

use super::*;

const ADA: &str = "+447700900123";

/// A form in the format of the SDK. An attribute is written as `Name=DataType:value`.
fn form(parameters: &[(&str, &str)], attributes: &[&str]) -> Request<Bytes> {
    let mut form = form_urlencoded::Serializer::new("Action=Publish&Version=2010-03-31".to_owned());
    form.extend_pairs(parameters);
    for (at, attribute) in attributes.iter().enumerate() {
        let (name, value) = attribute.split_once('=').unwrap();
        let (data_type, value) = value.split_once(':').unwrap();
        let entry = format!("MessageAttributes.entry.{}", at + 1);
        let field = if data_type == "Binary" { "Binary" } else { "String" };
        form.append_pair(&format!("{entry}.Name"), name);
        form.append_pair(&format!("{entry}.Value.DataType"), data_type);
        form.append_pair(&format!("{entry}.Value.{field}Value"), value);
    }
    let request = Request::post("/").header("authorization", credential("sns"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(Bytes::from(form.finish())).unwrap()
}

/// The text of the first element with this name.
fn element<'a>(answered: &'a Answered, name: &str) -> &'a str {
    let xml = answered.body.as_str().unwrap();
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0
}

/// The status, the code and the message.
fn refusal(answered: &Answered) -> (u16, &str, &str) {
    assert!(answered.body.as_str().unwrap().starts_with("<ErrorResponse xmlns="), "{}", answered.body);
    assert_eq!(answered.error().1, element(answered, "Code"));
    (answered.status, element(answered, "Code"), element(answered, "Message"))
}

impl Stand {
    async fn sms(&self, attributes: &[&str]) -> Answered {
        self.send(form(&[("PhoneNumber", ADA), ("Message", "123456 is your code")], attributes)).await
    }
}

#[tokio::test]
async fn an_sms_is_delivered_as_it_was_asked_for() {
    let stand = stand(None);
    let text = "123456 is your code & 100% yours: <€>\n\n@app.example.com #123456";
    let sent = stand
        .send(form(
            &[("PhoneNumber", ADA), ("Message", text), ("Subject", "Ignored")],
            &[
                "AWS.SNS.SMS.SMSType=String:Transactional",
                "AWS.SNS.SMS.SenderID=String:Latchkey",
                "AWS.MM.SMS.OriginationNumber=String:+447700900999",
                "AWS.SNS.SMS.MaxPrice=Number:0.05",
                "trace.id-1=String.Array:[]",
                "raw=Binary:AA==",
            ],
        ))
        .await;
    assert_eq!((sent.status, sent.headers["content-type"].to_str().unwrap()), (200, "text/xml"));
    assert_eq!(element(&sent, "MessageId").len(), 36);
    assert_eq!(element(&sent, "RequestId"), sent.headers["x-amzn-requestid"].to_str().unwrap());
    let sms = |sender: &str, text: &str, sms_type, max_price: Option<&str>| {
        let [to, text, sender] = [ADA, text, sender].map(str::to_owned);
        let max_price = max_price.map(str::to_owned);
        Sms { service: Service::Sns, to, text, sender, sms_type, max_price, india: None, life: None }
    };
    assert_eq!(stand.texts.try_recv().unwrap(), sms("Latchkey", text, SmsType::Transactional, Some("0.05")));

    let plain = "123456 is your code";
    stand.sms(&["AWS.MM.SMS.OriginationNumber=String:12345", "AWS.SNS.SMS.SMSType=String:Promotional"]).await;
    assert_eq!(stand.texts.try_recv().unwrap(), sms("12345", plain, SmsType::Promotional, None));
    stand.sms(&["AWS.SNS.SMS.MaxPrice=String:1"]).await;
    assert_eq!(stand.texts.try_recv().unwrap(), sms("NOTICE", plain, SmsType::Promotional, Some("1")));
    assert!(stand.mails.try_recv().is_err());
    let calls = stand.services.calls().take();
    assert_eq!((calls[0].service, calls[0].operation.as_str(), &calls[0].error), (Service::Sns, "Publish", &None));
}

#[tokio::test]
async fn an_sms_that_sns_refuses_is_not_delivered() {
    let stand = stand(None);
    let refuses = async |parameters: &[(&str, &str)], status: u16, name: &str, message: &str| {
        let refused = stand.send(form(parameters, &[])).await;
        assert_eq!(refusal(&refused), (status, name, message), "{parameters:?}");
    };
    let (bad, hello) = ("InvalidParameter", ("Message", "Hello"));
    for number in
        ["447700900123", "+0447700900123", "+44 7700 900123", "+123456", "+1234567890123456", "Ada", "+４４７７００９"]
    {
        let message = format!("Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to");
        refuses(&[("PhoneNumber", number), hello], 400, bad, &message).await;
    }
    let topic = ("TopicArn", "arn:aws:sns:us-east-1:000000000000:codes");
    let app = ("TargetArn", "arn:aws:sns:us-east-1:000000000000:endpoint/APNS/app/0");
    let none = "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter";
    refuses(&[hello], 400, bad, none).await;
    refuses(&[topic, hello], 404, "NotFound", "Topic does not exist").await;
    let no_endpoint = "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified";
    refuses(&[app, hello], 400, bad, no_endpoint).await;
    let several =
        "Invalid parameter: PhoneNumber Reason: only one of PhoneNumber, TopicArn and TargetArn may have a value";
    refuses(&[("PhoneNumber", ADA), topic, hello], 400, bad, several).await;

    let ada = ("PhoneNumber", ADA);
    let null =
        "1 validation error detected: Value null at 'message' failed to satisfy constraint: Member must not be null";
    refuses(&[ada], 400, "ValidationError", null).await;
    refuses(&[ada, ("Message", "")], 400, bad, "Invalid parameter: Empty message").await;
    refuses(&[ada, ("Message", &"a".repeat(1_601))], 400, bad, "Invalid parameter: Message too long").await;
    refuses(&[ada, ("Message", &"ж".repeat(801))], 400, bad, "Invalid parameter: Message too long").await;
    for subject in ["", "two\nlines", &"a".repeat(100)] {
        refuses(&[ada, hello, ("Subject", subject)], 400, bad, "Invalid parameter: Subject").await;
    }
    let structured = stand.send(form(&[ada, hello, ("MessageStructure", "json")], &[])).await;
    assert_eq!(refusal(&structured).1, bad);
    assert!(stand.texts.try_recv().is_err());
    assert_eq!(stand.send(form(&[ada, ("Message", &"a".repeat(1_600))], &[])).await.status, 200);
}

#[tokio::test]
async fn texts_fail_as_the_faults_say() {
    let stand = stand(None);
    let set = |body: Value| stand.services.faults().set(serde_json::from_value(body).unwrap());
    let not_valid =
        (400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: +447700900123 is not valid to publish to");
    set(json!({ "delivery": "refused" }));
    assert_eq!(refusal(&stand.sms(&[]).await), not_valid);
    set(json!({ "delivery": "throttled" }));
    assert_eq!(refusal(&stand.sms(&[]).await), (400, "Throttling", "Rate exceeded"));
    set(json!({ "delivery_failure_rate": 1 }));
    assert_eq!(refusal(&stand.sms(&[]).await), not_valid);
    assert!(stand.texts.try_recv().is_err());
    for delivery in ["lost_answer", "slow"] {
        set(json!({ "delivery": delivery }));
        let answered = tokio::time::timeout(Duration::from_millis(200), stand.sms(&[])).await;
        assert!(answered.is_err(), "{delivery}");
        assert!(stand.texts.try_recv().is_ok(), "{delivery}");
    }
    let errors: Vec<_> = stand.services.calls().take().into_iter().skip(3).map(|call| call.error).collect();
    assert_eq!(errors, [Some("timeout".to_owned()), None]);
}

#[tokio::test]
async fn errors_of_all_services_have_the_names_that_sns_gives_them() {
    let stand = stand(None);
    let faults = ["AccessDeniedException", "ExpiredTokenException", "InternalServerError", "ThrottlingException"];
    let faults: Vec<_> = faults.iter().map(|error| json!({ "service": "sns", "error": error })).collect();
    stand.services.faults().set(serde_json::from_value(json!({ "aws": faults })).unwrap());
    let denied = stand.sms(&[]).await;
    let message = "User: arn:aws:sts::000000000000:assumed-role/verify-otp/verify-otp is not authorized to perform: \
                   SNS:Publish on resource: * because no identity-based policy allows the SNS:Publish action";
    assert_eq!(refusal(&denied), (403, "AuthorizationError", message));
    assert_eq!(stand.services.calls().take()[0].error.as_deref(), Some("AuthorizationError"));
    for (status, name) in [(400, "ExpiredToken"), (500, "InternalError"), (400, "ThrottlingException")] {
        let refused = stand.sms(&[]).await;
        assert_eq!((refusal(&refused).0, refusal(&refused).1), (status, name));
    }
    let altered = |name: &'static str, value: &str| {
        let mut request = form(&[("PhoneNumber", ADA), ("Message", "Hello")], &[]);
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let mut unsigned = altered("x", "");
    unsigned.headers_mut().remove("authorization");
    let elsewhere = credential("sns").replace("us-east-1", "eu-west-1");
    for (request, status, name) in [
        (unsigned, 403, "MissingAuthenticationToken"),
        (altered("authorization", "Basic QQ=="), 403, "IncompleteSignature"),
        (altered("authorization", &elsewhere), 403, "SignatureDoesNotMatch"),
        (altered("authorization", &credential("ses")), 403, "SignatureDoesNotMatch"),
    ] {
        let refused = stand.send(request).await;
        assert_eq!((refusal(&refused).0, refusal(&refused).1), (status, name));
    }
}

#[tokio::test]
async fn sns_can_only_publish() {
    let stand = stand(None);
    for (from, to, message) in [
        ("Action=Publish", "Action=CreateTopic", "the local stack has no operation sns:CreateTopic"),
        ("2010-03-31", "2010-03-30", "Could not find operation Publish for version 2010-03-30"),
        ("&Version=2010-03-31", "", "Could not find operation Publish for version NO_VERSION_SPECIFIED"),
    ] {
        let mut request = form(&[("PhoneNumber", ADA), ("Message", "Hello")], &[]);
        let text = String::from_utf8(request.body().to_vec()).unwrap().replace(from, to);
        *request.body_mut() = Bytes::from(text);
        assert_eq!(refusal(&stand.send(request).await), (400, "InvalidAction", message));
    }
    assert!(stand.texts.try_recv().is_err());
}
