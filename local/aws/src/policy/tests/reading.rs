//! Policies that the stand-in cannot read are rejected.

use super::*;

fn refuses(policies: &Value, problem: &str) {
    let found = statements("Worker", policies).map(|_| ());
    assert_eq!(found, Err(problem.to_owned()), "{policies}");
}

#[test]
fn a_function_has_inline_statements_and_nothing_else() {
    let only = |what: &str| format!("Worker: {what}: a function has inline statements here and nothing else");
    refuses(&json!("AmazonDynamoDBFullAccess"), &only("the policy \"AmazonDynamoDBFullAccess\" is not understood"));
    let managed = "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess";
    refuses(&json!([managed]), &only(&format!("the policy {:?} is not understood", managed)));
    let crud = json!([{ "DynamoDBCrudPolicy": { "TableName": "codes" } }]);
    refuses(&crud, &only("`DynamoDBCrudPolicy` is not understood"));
    refuses(&json!({ "Version": "2012-10-17" }), &only("a policy has no Statement"));
    for policies in [json!(null), json!([]), json!({ "Statement": reading(|_| {}) })] {
        assert!(statements("Worker", &policies).is_ok(), "{policies}");
    }
    let two = json!([{ "Version": "2012-10-17", "Statement": [reading(|_| {})] }, { "Statement": reading(|_| {}) }]);
    assert_eq!(statements("Worker", &two).unwrap()[1].place, "Worker, statement 2");
}

#[test]
fn what_a_statement_says_is_understood_or_keeps_the_stack_from_starting() {
    let refuses = |member: &str, value: Value, problem: &str| {
        let statement = reading(|statement| statement[member] = value);
        refuses(&json!([{ "Statement": [statement] }]), &format!("Worker, statement 1: {problem}"));
    };
    let no_action = |name: &str| format!("there is no action `{name}` that a function here could call");
    refuses("Action", json!("dynamodb:UpdateItems"), &no_action("dynamodb:UpdateItems"));
    let transaction = json!(["dynamodb:GetItem", "dynamodb:TransactWriteItems"]);
    refuses("Action", transaction, &no_action("dynamodb:TransactWriteItems"));
    refuses("Action", json!("kinesis:*"), &no_action("kinesis:*"));
    refuses("Action", json!([]), "Action is missing");
    refuses("Action", json!([1]), "Action is a text or a list of texts");
    refuses(
        "Resource",
        json!("latchkey-OtpTable"),
        "`latchkey-OtpTable` is no ARN: IAM would not take it for a resource",
    );
    refuses("Resource", json!("arn:aws:sns:::${x}"), "the variable in `arn:aws:sns:::${x}` is not understood");
    refuses("Resource", json!(null), "Resource is missing");
    refuses("Effect", json!("allow"), "Effect is Allow or Deny");
    for member in ["NotAction", "NotResource", "Principal", "NotPrincipal"] {
        refuses(member, json!("*"), &format!("`{member}` is not understood"));
    }
    let refuses = |condition: Value, problem: &str| refuses("Condition", condition, problem);
    refuses(json!([]), "Condition is a map");
    for operator in ["NumericEquals", "ForAllValues:Null", "NullIfExists", "ForNoValues:StringLike", "ArnLike"] {
        let condition = json!({ operator: { "dynamodb:LeadingKeys": "a" } });
        refuses(condition, &format!("the condition operator `{operator}` is not understood"));
    }
    let unknown = json!({ "StringEquals": { "aws:SourceIp": "192.0.2.1" } });
    refuses(unknown, "the condition key `aws:SourceIp` is not understood");
    let many = "`dynamodb:LeadingKeys` has many values: it needs ForAllValues or ForAnyValue";
    refuses(json!({ "StringLike": { "dynamodb:LeadingKeys": "S#*" } }), many);
    refuses(json!({ "StringLike": { "ses:FromAddress": [] } }), "`ses:FromAddress` expects a value");
    refuses(json!({ "StringLike": { "ses:FromAddress": [{}] } }), "a value of `ses:FromAddress` is not a text");
    refuses(json!({ "Null": { "ses:FromAddress": "no" } }), "`ses:FromAddress` expects true or false");
    let variable = json!({ "StringLike": { "ses:FromAddress": "${aws:username}@example.com" } });
    refuses(variable, "the variable in `${aws:username}@example.com` is not understood");
}
