//! What the template's policies may say: no more than is named, and each right alone, so that it can be tested alone.

use std::collections::{BTreeMap, BTreeSet};

use local_aws::template::{Template, find_root};
use serde_json::{Value, json};

fn template() -> Template {
    Template::read(&find_root().unwrap(), "production").unwrap()
}

/// The statements of a function's policies.
fn statements(policies: &Value) -> Vec<Value> {
    let documents = policies.as_array().into_iter().flatten();
    documents.flat_map(|document| document["Statement"].as_array().unwrap().clone()).collect()
}

/// One text, or a list of them; nothing is none.
fn texts(value: &Value) -> Vec<&str> {
    let one = || value.as_str().into_iter().collect();
    value.as_array().map_or_else(one, |list| list.iter().filter_map(Value::as_str).collect())
}

/// Which items a statement is about.
fn keys(statement: &Value) -> Vec<&str> {
    let of = |operator: &str| texts(&statement["Condition"][operator]["dynamodb:LeadingKeys"]);
    [of("ForAllValues:StringLike"), of("ForAllValues:StringEquals")].concat()
}

/// Reads and writes of one item. A scan names no key, and would meet every condition for all of its keys.
const BY_KEY: [&str; 5] = [
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
];

#[test]
fn every_permission_is_for_exact_actions_on_named_resources() {
    for (name, function) in template().functions {
        for statement in statements(&function.policies) {
            let (actions, resources, keys) =
                (texts(&statement["Action"]), texts(&statement["Resource"]), keys(&statement));
            for action in &actions {
                assert!(!action.contains(['*', '?']), "{name} may do more than is said: {statement}");
                let is_exact = BY_KEY.contains(action) && !keys.is_empty();
                assert!(is_exact || !action.starts_with("dynamodb:"), "{name} may touch every item: {statement}");
            }
            assert!(keys.iter().all(|key| !key.starts_with(['*', '?'])), "{name} may touch every item: {statement}");
            let is_anything = resources.contains(&"*") && actions != ["sns:Publish"];
            assert!(!is_anything, "{name} may touch everything: {statement}");
            // Two actions for two kinds of items would be four rights, and taking one entry away a test of two.
            let lists = [actions.len(), resources.len(), keys.len()].into_iter().filter(|length| *length > 1);
            assert!(lists.count() <= 1, "write one statement for each action: {statement}");
        }
    }
}

/// Design part 4: no function sees a table or holds a key that it does not need.
#[test]
fn every_function_has_its_own_tables_and_secrets_and_no_others() {
    let (otp, user) = ("table/latchkey-OtpTable", "table/latchkey-UserTable");
    let (codes, tokens) = ("secret:latchkey-CodesSecret-000000", "secret:latchkey-TokensSecret-000000");
    let expected: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::from([
        ("RequestOtp", BTreeSet::from([otp, codes])),
        ("VerifyOtp", BTreeSet::from([otp, user, codes, tokens])),
        ("Refresh", BTreeSet::from([user, tokens])),
        ("Logout", BTreeSet::from([user, tokens])),
        ("Sessions", BTreeSet::from([user])),
        ("Profile", BTreeSet::from([user])),
        ("Jwks", BTreeSet::from([user])),
        ("Fallback", BTreeSet::new()),
        ("RotateKeys", BTreeSet::from([user, codes, tokens])),
    ]);
    let template = template();
    assert_eq!(template.functions.len(), expected.len());
    for (name, function) in &template.functions {
        let statements = statements(&function.policies);
        let resources: Vec<&str> = statements.iter().flat_map(|statement| texts(&statement["Resource"])).collect();
        let stored = resources.iter().filter(|arn| arn.contains(":dynamodb:") || arn.contains(":secretsmanager:"));
        let stored: BTreeSet<_> = stored.map(|arn| arn.splitn(6, ':').nth(5).unwrap()).collect();
        assert_eq!(stored, expected[name.as_str()], "{name}");
        let actions: Vec<&str> = statements.iter().flat_map(|statement| texts(&statement["Action"])).collect();
        let is_sender = actions.contains(&"ses:SendEmail") || actions.contains(&"sns:Publish");
        assert_eq!(is_sender, name == "RequestOtp", "{name}");
    }
}

/// One has the public keys only, the other calls nothing.
#[test]
fn jwks_has_one_item_and_fallback_has_none() {
    let template = template();
    let statements = statements(&template.functions["Jwks"].policies);
    let condition = json!({ "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["JWKS"] } });
    assert_eq!((statements.len(), &statements[0]["Condition"]), (1, &condition));
    assert!(template.functions["Fallback"].policies.is_null());
}
