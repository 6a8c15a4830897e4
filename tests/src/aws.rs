//! Calls to AWS with a function's credentials, in the format of the AWS SDK.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};

use crate::Deployment;

/// A call before it has a caller.
#[derive(Debug)]
pub struct Call {
    service: &'static str,
    /// The operation's name. JSON protocols send it in a header.
    target: Option<String>,
    path: &'static str,
    content_type: &'static str,
    body: String,
}

impl Call {
    /// An operation of DynamoDB on a table of the template.
    pub fn dynamodb(operation: &str, table: &str, members: Value) -> Call {
        let mut body = members;
        body["TableName"] = json!(format!("latchkey-{table}"));
        Call::json("dynamodb", format!("DynamoDB_20120810.{operation}"), &body)
    }

    /// Reads, writes or deletes the item at `key`.
    pub fn item(operation: &str, table: &str, key: &str) -> Call {
        let name = if operation == "PutItem" { "Item" } else { "Key" };
        let mut members = json!({ name: { "pk": { "S": key } } });
        if operation != "GetItem" {
            // This condition always fails, so the call changes nothing.
            members["ConditionExpression"] = json!("attribute_exists(nothing)");
        }
        Call::dynamodb(operation, table, members)
    }

    /// Reads a secret of the template.
    pub fn secret(name: &str) -> Call {
        let arn = format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey-{name}-000000");
        Call::json("secretsmanager", "secretsmanager.GetSecretValue".to_owned(), &json!({ "SecretId": arn }))
    }

    /// Sends an email.
    pub fn mail(from: &str) -> Call {
        let text = |text: &str| json!({ "Data": text });
        let content = json!({ "Simple": { "Subject": text("Hello"), "Body": { "Text": text("you") } } });
        let to = json!({ "ToAddresses": ["ada@example.com"] });
        let body = json!({ "FromEmailAddress": from, "Destination": to, "Content": content }).to_string();
        let (path, content_type) = ("/v2/email/outbound-emails", "application/json");
        Call { service: "ses", target: None, path, content_type, body }
    }

    /// Publishes to a phone number, or to a topic by its ARN.
    pub fn publish(target: &str) -> Call {
        let member = if target.starts_with('+') { "PhoneNumber" } else { "TopicArn" };
        let target = target.replace('+', "%2B");
        let body = format!("Action=Publish&Version=2010-03-31&Message=Hello&{member}={target}");
        Call { service: "sns", target: None, path: "/", content_type: "application/x-www-form-urlencoded", body }
    }

    /// Sends a text by AWS End User Messaging.
    pub fn text(identity: &str) -> Call {
        let body = json!({ "DestinationPhoneNumber": "+447400123456", "OriginationIdentity": identity, "MessageBody": "Hello" });
        Call::json("sms-voice", "PinpointSMSVoiceV2.SendTextMessage".to_owned(), &body)
    }

    /// Tells AWS End User Messaging that a text was received.
    pub fn feedback() -> Call {
        let body = json!({ "MessageId": "00000000-0000-0000-0000-000000000000", "MessageFeedbackStatus": "RECEIVED" });
        Call::json("sms-voice", "PinpointSMSVoiceV2.PutMessageFeedback".to_owned(), &body)
    }

    fn json(service: &'static str, target: String, body: &Value) -> Call {
        let body = body.to_string();
        Call { service, target: Some(target), path: "/", content_type: "application/x-amz-json-1.1", body }
    }
}

impl Deployment {
    /// Returns the name of the error for `call` made by `function`, or `ok`.
    pub async fn call_as(&self, function: &str, call: Call) -> String {
        let credential = format!("{function}/20260101/us-east-1/{}/aws4_request", call.service);
        let request = Request::post(call.path)
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, Signature=0"))
            .header("content-type", call.content_type);
        let request = call.target.iter().fold(request, |request, target| request.header("x-amz-target", target));
        let answer = self.stack.services().answer(request.body(Bytes::from(call.body)).unwrap()).await;
        // JSON protocols put the error's name into a header, SNS puts it into the XML body.
        let header = answer.headers().get("x-amzn-errortype").map(|name| name.to_str().unwrap().to_owned());
        let body = String::from_utf8_lossy(answer.body());
        let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split('<').next());
        header.or(code.map(str::to_owned)).unwrap_or_else(|| "ok".to_owned())
    }

    /// Returns true if `function` has the permissions for `call`, even if the call fails for another reason.
    pub async fn may(&self, function: &str, call: Call) -> bool {
        !matches!(self.call_as(function, call).await.as_str(), "AccessDeniedException" | "AuthorizationError")
    }
}
