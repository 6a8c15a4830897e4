//! IAM's actions. A policy with an unknown action is rejected, so that a misspelled action is noticed.
//!
//! Most operations are also actions, except transactions.

use super::pattern;

/// The actions of these services, and of the permissions that SAM gives to every function.
const ACTIONS: [(&str, &[&str]); 9] = [
    (
        "dynamodb",
        &[
            "BatchGetItem",
            "BatchWriteItem",
            "ConditionCheckItem",
            "CreateBackup",
            "CreateTable",
            "DeleteItem",
            "DeleteTable",
            "DescribeContinuousBackups",
            "DescribeEndpoints",
            "DescribeLimits",
            "DescribeStream",
            "DescribeTable",
            "DescribeTimeToLive",
            "ExportTableToPointInTime",
            "GetItem",
            "GetRecords",
            "GetShardIterator",
            "ListStreams",
            "ListTables",
            "PutItem",
            "Query",
            "RestoreTableToPointInTime",
            "Scan",
            "UpdateItem",
            "UpdateTable",
            "UpdateTimeToLive",
        ],
    ),
    ("events", &["PutEvents"]),
    ("logs", &["CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams", "PutLogEvents"]),
    (
        "secretsmanager",
        &[
            "BatchGetSecretValue",
            "DescribeSecret",
            "GetRandomPassword",
            "GetSecretValue",
            "PutSecretValue",
            "UpdateSecretVersionStage",
        ],
    ),
    ("ses", &["SendBulkEmail", "SendEmail", "SendRawEmail"]),
    ("sms-voice", &["PutMessageFeedback", "SendTextMessage", "SendVoiceMessage"]),
    ("sns", &["Publish"]),
    ("sqs", &["SendMessage"]),
    ("xray", &["PutTelemetryRecords", "PutTraceSegments"]),
];

/// Whether `pattern` is an action or matches one.
pub(super) fn is_known(pattern: &str) -> bool {
    all().any(|action| matches(pattern, &action))
}

/// Whether this is the exact name of an action.
pub(super) fn is_one(action: &str) -> bool {
    all().any(|known| known == action)
}

fn all() -> impl Iterator<Item = String> {
    ACTIONS.iter().flat_map(|(service, names)| names.iter().map(move |name| format!("{service}:{name}")))
}

/// Whether `pattern` matches `action`, ignoring case.
pub(super) fn matches(pattern: &str, action: &str) -> bool {
    pattern::matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Models;

    #[test]
    fn only_actions_of_iam_are_known() {
        for known in ["dynamodb:GetItem", "DynamoDB:getitem", "dynamodb:Batch*", "ses:Send?mail", "*", "*:GetItem"] {
            assert!(is_known(known), "{known}");
        }
        for unknown in [
            "dynamodb:UpdateItems",
            "dynamodb:TransactWriteItems",
            "dynamodb",
            "GetItem",
            "",
            "dynamo:*",
            "dynamodb:X*",
        ] {
            assert!(!is_known(unknown), "{unknown}");
        }
        assert!(is_one("dynamodb:GetItem") && !is_one("dynamodb:getitem") && !is_one("dynamodb:Get*"));
    }

    #[test]
    fn every_operation_that_is_served_is_an_action_or_made_of_actions() {
        for operation in Models::get().unwrap().dynamodb.served() {
            let is_action = is_one(&format!("dynamodb:{operation}"));
            assert_eq!(is_action, !operation.starts_with("Transact"), "{operation}");
        }
    }
}
