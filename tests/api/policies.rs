//! Rules for the template's policies: exact actions and resources, and one permission per statement, so that each can be tested
//! by itself.

use local_aws::template::{Template, find_root};
use serde_json::{Value, json};

/// Production with second factors, so that all functions are there.
pub(crate) fn template() -> Template {
    let settings = [("SECOND_FACTOR".to_owned(), "optional".to_owned())];
    Template::read_with(&find_root().unwrap(), "production", &settings).unwrap()
}

/// The statements of a function's policies.
pub(crate) fn statements(policies: &Value) -> Vec<Value> {
    let documents = policies.as_array().into_iter().flatten();
    documents.flat_map(|document| document["Statement"].as_array().unwrap().clone()).collect()
}

/// Reads a string or a list of strings. A missing value is an empty list.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    let one = || value.as_str().into_iter().collect();
    value.as_array().map_or_else(one, |list| list.iter().filter_map(Value::as_str).collect())
}

/// The item keys in a statement's conditions.
fn keys(statement: &Value) -> Vec<&str> {
    let of = |operator: &str| texts(&statement["Condition"][operator]["dynamodb:LeadingKeys"]);
    [of("ForAllValues:StringLike"), of("ForAllValues:StringEquals")].concat()
}

/// Reads and writes of named items. A scan names no key, so a condition on keys would be useless.
const BY_KEY: [&str; 7] = [
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
];

/// Lambda reads a stream for its function.
const STREAM: [&str; 4] =
    ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];

/// IAM knows no resource for these. A batch of secrets contains only those that the function may read.
const WITHOUT_RESOURCES: [&str; 2] = ["secretsmanager:BatchGetSecretValue", "sns:Publish"];

#[test]
fn every_permission_is_for_exact_actions_on_named_resources() {
    for (name, function) in template().functions {
        for statement in statements(&function.policies) {
            let (actions, resources, keys) =
                (texts(&statement["Action"]), texts(&statement["Resource"]), keys(&statement));
            for action in &actions {
                assert!(!action.contains(['*', '?']), "{name} has actions outside the list: {statement}");
                let is_stream = resources.iter().all(|resource| resource.contains("/stream/"));
                let is_exact = BY_KEY.contains(action) && !keys.is_empty() || STREAM.contains(action) && is_stream;
                assert!(is_exact || !action.starts_with("dynamodb:"), "{name} may access every item: {statement}");
            }
            assert!(keys.iter().all(|key| !key.starts_with(['*', '?'])), "{name} may access every item: {statement}");
            let is_anything = resources.contains(&"*") && !WITHOUT_RESOURCES.contains(&actions.join(" ").as_str());
            assert!(!is_anything, "{name} may access every resource: {statement}");
            // With two actions for two kinds of items, removing one entry would test two permissions at once.
            let lists = [actions.len(), resources.len(), keys.len()].into_iter().filter(|length| *length > 1);
            assert!(lists.count() <= 1, "write one statement for each action: {statement}");
        }
    }
}

/// `jwks` has only the public keys, and `fallback` makes no calls.
#[test]
fn jwks_has_one_item_and_fallback_has_none() {
    let template = template();
    let statements = statements(&template.functions["Jwks"].policies);
    let condition = json!({ "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["JWKS"] } });
    assert_eq!((statements.len(), &statements[0]["Condition"]), (1, &condition));
    assert!(template.functions["Fallback"].policies.is_null());
}
