//! Invalid answers of the stand-in are found.

use super::*;

#[test]
fn an_answer_matches_its_operation() {
    let secret = |answer: Value| told(&models().secretsmanager.answer("GetSecretValue", &answer));
    let value = json!({ "VersionId": "0".repeat(32), "SecretString": "x", "CreatedDate": 1_800_000_000.5 });
    assert_eq!(secret(value), [""; 0]);
    assert_eq!(secret(json!({ "CreatedDate": "today" })), ["Value at 'createdDate' is not a timestamp in seconds"]);
    assert_eq!(secret(json!({ "Text": "x" })), ["Member at 'text' is unknown"]);
    assert_eq!(secret(json!({ "VersionStages": "a" })), ["Value at 'versionStages' is not a list"]);
    let sandbox = told(&models().sns.answer("GetSMSSandboxAccountStatus", &json!({})));
    assert_eq!(sandbox, [missing("isInSandbox")]);
    let item = json!({ "Item": { "pk": { "S": "a", "N": "1" } } });
    let several = constraint("item.value", "have exactly one of its members");
    assert_eq!(told(&models().dynamodb.answer("GetItem", &item)), [several]);
    assert_eq!(told(&models().dynamodb.answer("BatchGetItem", &json!({ "UnprocessedKeys": {} }))), [""; 0]);
}

#[test]
fn an_error_belongs_to_its_operation() {
    let put = |name: &str, status, body: Value| told(&models().dynamodb.error("PutItem", name, status, &body));
    let failed = |status, members: Value| put("ConditionalCheckFailedException", status, members);
    let type_name = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    assert_eq!(failed(400, json!({ "__type": type_name, "message": "no", "Item": {} })), [""; 0]);
    assert_eq!(failed(404, json!({})), ["AWS gives this error another status"]);
    assert_eq!(failed(400, json!({ "Message": "no" })), ["Member at 'message' is unknown"]);
    assert_eq!(failed(400, json!({ "Item": { "a": "b" } })), ["Value at 'item.value' is not a structure"]);
    assert_eq!(put("InternalServerError", 500, json!({})), [""; 0]);
    assert_eq!(put("ValidationException", 400, json!({ "message": "…" })), [""; 0]);
    assert_eq!(put("MessageRejected", 400, json!({})), ["AWS documents no such error for this operation"]);

    let send = |name: &str, status| told(&models().sesv2.error("SendEmail", name, status, &json!({ "message": "no" })));
    assert_eq!(send("MessageRejected", 400), [""; 0]);
    assert_eq!(send("TooManyRequestsException", 429), [""; 0]);
    assert_eq!(send("TooManyRequestsException", 400), ["AWS gives this error another status"]);

    // SNS's error codes differ from the names of the shapes in its model.
    let publish = |name: &str, status| told(&models().sns.error("Publish", name, status, &json!({ "message": "no" })));
    assert_eq!(publish("InvalidParameter", 400), [""; 0]);
    assert_eq!(publish("InvalidParameterException", 400), ["AWS documents no such error for this operation"]);
    assert_eq!(publish("NotFound", 400), ["AWS gives this error another status"]);
}
