//! Unsupported policies are rejected.

use super::*;

fn refuses(policies: &Value, problem: &str) {
    let found = statements("Worker", policies).map(|_| ());
    assert_eq!(found, Err(problem.to_owned()), "{policies}");
}

#[test]
fn a_function_has_inline_statements_and_nothing_else() {
    let only = |what: &str| format!("Worker: {what}. Only inline statements are supported");
    refuses(&json!("AmazonDynamoDBFullAccess"), &only("the policy \"AmazonDynamoDBFullAccess\" is not supported"));
    let managed = "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess";
    refuses(&json!([managed]), &only(&format!("the policy {:?} is not supported", managed)));
    let crud = json!([{ "DynamoDBCrudPolicy": { "TableName": "codes" } }]);
    refuses(&crud, &only("`DynamoDBCrudPolicy` is not supported"));
    refuses(&json!({ "Version": "2012-10-17" }), &only("a policy has no Statement"));
    for policies in [json!(null), json!([]), json!({ "Statement": reading(|_| {}) })] {
        assert!(statements("Worker", &policies).is_ok(), "{policies}");
    }
    let two = json!([{ "Version": "2012-10-17", "Statement": [reading(|_| {})] }, { "Statement": reading(|_| {}) }]);
    assert_eq!(statements("Worker", &two).unwrap()[1].place, "Worker, statement 2");
}

#[test]
fn an_unsupported_statement_keeps_the_stack_from_starting() {
    let refuses = |member: &str, value: Value, problem: &str| {
        let statement = reading(|statement| statement[member] = value);
        refuses(&json!([{ "Statement": [statement] }]), &format!("Worker, statement 1: {problem}"));
    };
    let no_action = |name: &str| format!("`{name}` is not a known action. Check its spelling");
    refuses("Action", json!("dynamodb:UpdateItems"), &no_action("dynamodb:UpdateItems"));
    let transaction = json!(["dynamodb:GetItem", "dynamodb:TransactWriteItems"]);
    refuses("Action", transaction, &no_action("dynamodb:TransactWriteItems"));
    refuses("Action", json!("kinesis:*"), &no_action("kinesis:*"));
    refuses("Action", json!([]), "Action is missing");
    refuses("Action", json!([1]), "Action must be a string or a list of strings");
    refuses(
        "Resource",
        json!("latchkey-OtpTable"),
        "`latchkey-OtpTable` is not an ARN, so IAM would reject it as a resource",
    );
    refuses("Resource", json!("arn:aws:sns:::${x}"), "the variable in `arn:aws:sns:::${x}` is not supported");
    refuses("Resource", json!(null), "Resource is missing");
    refuses("Effect", json!("allow"), "Effect must be Allow or Deny");
    for member in ["NotAction", "NotResource", "Principal", "NotPrincipal"] {
        refuses(member, json!("*"), &format!("`{member}` is not supported"));
    }
    let refuses = |condition: Value, problem: &str| refuses("Condition", condition, problem);
    refuses(json!([]), "Condition must be a map");
    for operator in ["NumericEquals", "ForAllValues:Null", "NullIfExists", "ForNoValues:StringLike", "ArnLike"] {
        let condition = json!({ operator: { "dynamodb:LeadingKeys": "a" } });
        refuses(condition, &format!("the condition operator `{operator}` is not supported"));
    }
    let unknown = json!({ "StringEquals": { "aws:SourceIp": "192.0.2.1" } });
    refuses(unknown, "the condition key `aws:SourceIp` is not supported");
    let many = "`dynamodb:LeadingKeys` has many values and needs ForAllValues or ForAnyValue";
    refuses(json!({ "StringLike": { "dynamodb:LeadingKeys": "S#*" } }), many);
    refuses(json!({ "StringLike": { "ses:FromAddress": [] } }), "`ses:FromAddress` expects a value");
    refuses(json!({ "StringLike": { "ses:FromAddress": [{}] } }), "a value of `ses:FromAddress` is not a string");
    refuses(json!({ "Null": { "ses:FromAddress": "no" } }), "`ses:FromAddress` expects true or false");
    let variable = json!({ "StringLike": { "ses:FromAddress": "${aws:username}@example.com" } });
    refuses(variable, "the variable in `${aws:username}@example.com` is not supported");
}
