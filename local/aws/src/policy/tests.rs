//! The decisions of statements.

mod reading;

use serde_json::{Value, json};

use super::advice;
use super::condition::Context;
use super::need::Need;
use super::read::statements;
use super::statement::{Decision, Statement};
use crate::template::Template;

const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/codes";

/// Whether these statements allow the action.
fn allowed(statements: &Value, action: &str, resource: &str, context: &Context) -> bool {
    let statements = super::read::statements("Worker", &json!([{ "Statement": statements }])).unwrap();
    let need = Need { action: action.to_owned(), resource: resource.to_owned(), context: context.clone() };
    matches!(Decision::of(&statements, &need), Decision::Allowed)
}

/// A statement about reading the table, after `change`.
fn reading(change: impl FnOnce(&mut Value)) -> Value {
    let mut statement = json!({ "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE });
    change(&mut statement);
    statement
}

fn keys(keys: &[&str]) -> Context {
    Context::from([("dynamodb:LeadingKeys", keys.iter().map(|key| (*key).to_owned()).collect())])
}

#[test]
fn only_what_a_statement_allows_is_allowed() {
    let here = |action: Value, resource: Value| {
        let statement = json!([{ "Effect": "Allow", "Action": action, "Resource": resource }]);
        allowed(&statement, "dynamodb:GetItem", TABLE, &Context::new())
    };
    for (action, resource) in [
        (json!("dynamodb:GetItem"), json!(TABLE)),
        (json!(["dynamodb:PutItem", "DynamoDB:getitem"]), json!(["arn:aws:sns:us-east-1:1:x", TABLE])),
        (json!("dynamodb:*"), json!("*")),
        (json!("*"), json!("arn:aws:dynamodb:*:*:table/co?es")),
        (json!("dynamodb:Get*"), json!("arn:aws:dynamodb:us-east-1:*:*")),
    ] {
        assert!(here(action.clone(), resource.clone()), "{action} {resource}");
    }
    for (action, resource) in [
        (json!("dynamodb:PutItem"), json!(TABLE)),
        (json!("dynamodb:BatchGetItem"), json!(TABLE)),
        (json!("sns:*"), json!(TABLE)),
        (json!("dynamodb:GetItem"), json!(format!("{TABLE}/index/*"))),
        (json!("dynamodb:GetItem"), json!("arn:aws:dynamodb:us-east-1:000000000000:table/Codes")),
        (json!("dynamodb:GetItem"), json!("arn:aws:dynamodb:eu-west-1:000000000000:table/codes")),
    ] {
        assert!(!here(action.clone(), resource.clone()), "{action} {resource}");
    }
    assert!(!allowed(&json!([]), "dynamodb:GetItem", TABLE, &Context::new()));
}

#[test]
fn a_denial_wins_wherever_it_stands() {
    let everything = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let topics = json!({ "Effect": "Deny", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:*" });
    for statements in [json!([everything, topics]), json!([topics, everything])] {
        let publish = |resource| allowed(&statements, "sns:Publish", resource, &Context::new());
        assert!(!publish("arn:aws:sns:us-east-1:000000000000:topic"));
        assert!(publish("+447400123456"), "a phone number is no topic");
        assert!(allowed(&statements, "dynamodb:GetItem", TABLE, &Context::new()));
    }
    let unless = reading(|deny| {
        deny["Effect"] = json!("Deny");
        deny["Condition"] = json!({ "StringNotEquals": { "aws:SecureTransport": "true" } });
    });
    let secure = Context::from([("aws:SecureTransport", vec!["true".to_owned()])]);
    assert!(allowed(&json!([everything, unless]), "dynamodb:GetItem", TABLE, &secure));
    assert!(!allowed(&json!([everything, unless]), "dynamodb:GetItem", TABLE, &Context::new()));
}

/// Whether a statement with this condition allows a request with these values.
fn holds(condition: &str, context: &Context) -> bool {
    let condition: Value = serde_json::from_str(condition).unwrap();
    allowed(&json!([reading(|statement| statement["Condition"] = condition)]), "dynamodb:GetItem", TABLE, context)
}

#[test]
fn every_key_of_a_request_is_held_against_the_condition() {
    let like = r#"{ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["S#*", "U#*"] } }"#;
    for (named, may) in [
        (&["S#a"][..], true),
        (&["S#a", "U#b"], true),
        (&["S#a", "ID#b"], false),
        (&["ID#b"], false),
        (&["s#a"], false),
        (&["XS#a"], false),
        (&["S#*"], true),
    ] {
        assert_eq!(holds(like, &keys(named)), may, "{named:?}");
    }
    let equals = r#"{ "ForAllValues:StringEquals": { "DynamoDB:leadingkeys": "JWKS" } }"#;
    assert!(holds(equals, &keys(&["JWKS"])) && !holds(equals, &keys(&["JWKS2"])));
    assert!(!holds(r#"{ "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": "J*" } }"#, &keys(&["JWKS"])));
    let any = r#"{ "ForAnyValue:StringLike": { "dynamodb:LeadingKeys": "S#*" } }"#;
    assert!(holds(any, &keys(&["ID#a", "S#b"])) && !holds(any, &keys(&["ID#a"])));
    let none = r#"{ "ForAllValues:StringNotLike": { "dynamodb:LeadingKeys": ["U#*", "ID#*"] } }"#;
    assert!(holds(none, &keys(&["S#a"])) && !holds(none, &keys(&["S#a", "ID#b"])));
}

/// A pitfall of IAM: an empty set meets every `ForAllValues` condition. `Null` closes the gap.
#[test]
fn a_request_without_keys_meets_every_condition_for_all_of_them() {
    let nothing = Context::new();
    for (condition, holds_for_nothing) in [
        (r#"{ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "S#*" } }"#, true),
        (
            r#"{ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "S#*" },
              "Null": { "dynamodb:LeadingKeys": "false" } }"#,
            false,
        ),
        (r#"{ "Null": { "dynamodb:LeadingKeys": true } }"#, true),
        (r#"{ "ForAnyValue:StringLike": { "dynamodb:LeadingKeys": "*" } }"#, false),
        (r#"{ "StringEquals": { "ses:FromAddress": "a@example.com" } }"#, false),
        (r#"{ "StringEqualsIfExists": { "ses:FromAddress": "a@example.com" } }"#, true),
        (r#"{ "StringNotEquals": { "ses:FromAddress": "a@example.com" } }"#, true),
        (r#"{ "StringNotLike": { "ses:FromAddress": "*" } }"#, true),
        (r#"{ "Bool": { "aws:SecureTransport": "true" } }"#, false),
    ] {
        assert_eq!(holds(condition, &nothing), holds_for_nothing, "{condition}");
    }
    let closed = r#"{ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": "S#*" },
                      "Null": { "dynamodb:LeadingKeys": "false" } }"#;
    assert!(holds(closed, &keys(&["S#a"])));
}

#[test]
fn one_value_is_compared_as_it_is() {
    let from = Context::from([
        ("ses:FromAddress", vec!["no-reply@example.com".to_owned()]),
        ("aws:SecureTransport", vec!["true".to_owned()]),
    ]);
    for (condition, expected) in [
        (r#"{ "StringEquals": { "ses:FromAddress": ["a@example.com", "no-reply@example.com"] } }"#, true),
        (r#"{ "StringEquals": { "ses:FromAddress": "No-Reply@example.com" } }"#, false),
        (r#"{ "StringLike": { "ses:FromAddress": "*@example.com" } }"#, true),
        (r#"{ "StringNotEquals": { "ses:FromAddress": ["a@example.com", "no-reply@example.com"] } }"#, false),
        (r#"{ "StringNotLike": { "ses:FromAddress": "*@example.org" } }"#, true),
        (r#"{ "StringEqualsIfExists": { "ses:FromAddress": "a@example.com" } }"#, false),
        (r#"{ "Bool": { "aws:SecureTransport": true } }"#, true),
        (r#"{ "Bool": { "aws:SecureTransport": "false" } }"#, false),
        (r#"{ "StringLike": { "ses:FromAddress": "*" }, "Bool": { "aws:SecureTransport": "false" } }"#, false),
    ] {
        assert_eq!(holds(condition, &from), expected, "{condition}");
    }
}

/// The statements of a function in a template, from YAML.
fn pasted(statement: &str) -> Vec<Statement> {
    let indented = statement.replace('\n', "\n            ");
    let template = format!(
        "Resources:\n  OtpTable: {{ Type: AWS::DynamoDB::Table }}\n  \
         CodesSecret: {{ Type: AWS::SecretsManager::Secret }}\n  \
         Worker:\n    Type: AWS::Serverless::Function\n    \
         Properties:\n      CodeUri: target/lambda/worker\n      Policies:\n        - Statement:\n            {indented}\n"
    );
    let template = Template::parse(&template, "[default]", "default").unwrap();
    statements("Worker", &template.functions["Worker"].policies).unwrap()
}

#[test]
fn an_advised_statement_allows_what_was_refused_and_little_more() {
    let table = "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-OtpTable";
    let secret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey-CodesSecret-000000";
    let identity = |name: &str| format!("arn:aws:ses:us-east-1:000000000000:identity/{name}");
    let from = |from: &str| Context::from([("ses:FromAddress", vec![from.to_owned()])]);
    let need = |action: &str, resource: &str, context: &Context| Need {
        action: action.to_owned(),
        resource: resource.to_owned(),
        context: context.clone(),
    };
    let (item, other) = (keys(&["R#request#Zm9v#1767225600"]), keys(&["R#failure#Zm9v#1767225600"]));
    let (sender, stranger) = (from("no-reply@example.com"), from("eve@example.com"));
    let (ours, theirs) = (identity("no-reply@example.com"), identity("ada@example.org"));
    let topic = "arn:aws:sns:us-east-1:000000000000:topic";
    let nothing = Context::new();
    let through = |service: &str| Context::from([("aws:CalledViaLast", vec![service.to_owned()])]);
    for (refused, also, not) in [
        (
            need("sms-voice:SendTextMessage", "*", &through("sns.amazonaws.com")),
            need("sms-voice:SendTextMessage", "*", &through("sns.amazonaws.com")),
            need("sms-voice:SendTextMessage", "*", &nothing),
        ),
        (
            need("dynamodb:UpdateItem", table, &item),
            need("dynamodb:UpdateItem", table, &keys(&["R#request#b#1"])),
            need("dynamodb:UpdateItem", table, &other),
        ),
        (
            need("secretsmanager:GetSecretValue", secret, &nothing),
            need("secretsmanager:GetSecretValue", secret, &nothing),
            need("secretsmanager:GetSecretValue", &secret.replace("Codes", "Tokens"), &nothing),
        ),
        (
            need("ses:SendEmail", &ours, &sender),
            need("ses:SendEmail", &theirs, &sender),
            need("ses:SendEmail", &ours, &stranger),
        ),
        (
            need("sns:Publish", "+447400123456", &nothing),
            need("sns:Publish", "+15555550100", &nothing),
            need("ses:SendEmail", &ours, &sender),
        ),
        (
            need("sns:Publish", topic, &nothing),
            need("sns:Publish", topic, &nothing),
            need("sns:Publish", "+1", &nothing),
        ),
    ] {
        let advised = advice::statement(&refused, true);
        let statements = pasted(&advised);
        let allows = |need: &Need| matches!(Decision::of(&statements, need), Decision::Allowed);
        assert!(allows(&refused) && allows(&also) && !allows(&not), "{advised}");
        assert!(!advised.contains("Zm9v") && !advised.contains("+44") && !advised.contains("ada@"), "{advised}");
    }
    let advised = advice::statement(&need("dynamodb:UpdateItem", table, &item), false);
    assert_eq!(advised, "- Effect: Allow\n  Action: dynamodb:UpdateItem\n  Resource: !GetAtt OtpTable.Arn");
}
