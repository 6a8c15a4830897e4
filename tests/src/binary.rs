//! Finds out which AWS clients are linked into a binary.

/// Text that every client of a service sends. No other code contains it.
const CLIENTS: [(&str, &str); 7] = [
    ("dynamodb", "DynamoDB_20120810."),
    ("eventbridge", "AWSEvents.PutEvents"),
    ("pinpointsmsvoicev2", "PinpointSMSVoiceV2.SendTextMessage"),
    ("secretsmanager", "secretsmanager.GetSecretValue"),
    ("sesv2", "/v2/email/outbound-emails"),
    ("sns", "2010-03-31"),
    ("sqs", "AmazonSQS.SendMessage"),
];

/// The AWS clients in the binary at `path`.
pub fn clients(path: &str) -> Vec<&'static str> {
    let binary = std::fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&binary);
    CLIENTS.into_iter().filter(|(_, word)| text.contains(word)).map(|(client, _)| client).collect()
}
