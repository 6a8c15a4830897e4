//! SQS: `SendMessage`.

use super::*;

const ARN: &str = "arn:aws:sqs:us-east-1:000000000000:latchkey-Dead";
const URL: &str = "https://sqs.us-east-1.amazonaws.com/000000000000/latchkey-Dead";

async fn send(stand: &Stand, message: Value) -> Answered {
    stand.send(request("sqs", "AmazonSQS.SendMessage", &message)).await
}

#[tokio::test]
async fn a_message_arrives_in_its_queue() {
    let stand = stand(None);
    stand.services.create_queue(ARN);
    for text in ["first", "second"] {
        let answered = send(&stand, json!({ "QueueUrl": URL, "MessageBody": text })).await;
        assert_eq!(answered.status, 200, "{}", answered.body);
        assert!(answered.body["MessageId"].is_string());
    }
    let answered = send(&stand, json!({ "QueueUrl": URL, "MessageBody": "a" })).await;
    assert_eq!(answered.body["MD5OfMessageBody"], "0cc175b9c0f1b6a831c399e269772661");
    assert_eq!(stand.services.messages(ARN), ["first", "second", "a"]);
}

#[tokio::test]
async fn an_unusable_message_is_refused() {
    let stand = stand(None);
    stand.services.create_queue(ARN);
    for (message, error) in [
        (json!({ "QueueUrl": URL, "MessageBody": "" }), "InvalidMessageContents"),
        (json!({ "QueueUrl": format!("{URL}2"), "MessageBody": "a" }), "QueueDoesNotExist"),
        (json!({ "QueueUrl": ARN, "MessageBody": "a" }), "QueueDoesNotExist"),
        (json!({ "MessageBody": "a" }), "ValidationException"),
    ] {
        assert_eq!(send(&stand, message).await.error(), (400, error));
    }
    assert!(stand.services.messages(ARN).is_empty());
}

#[tokio::test]
async fn a_message_needs_the_permission_on_its_queue() {
    let allowed = json!({ "Statement": { "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": ARN } });
    let stand = stand_for(None, &allowed);
    stand.services.create_queue(ARN);
    stand.services.create_queue(&format!("{ARN}2"));
    assert_eq!(send(&stand, json!({ "QueueUrl": URL, "MessageBody": "a" })).await.status, 200);
    let other = send(&stand, json!({ "QueueUrl": format!("{URL}2"), "MessageBody": "a" })).await;
    assert_eq!(other.error(), (400, "AccessDeniedException"));
}
