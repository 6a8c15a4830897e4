//! Valid calls pass each service's model, and the same calls with one change fail.

mod answers;
mod forms;

use serde_json::{Value, json};

use super::*;

fn models() -> &'static Models {
    Models::get().unwrap()
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// The problems of a request.
fn problems(model: &Model, operation: &str, body: &Value) -> Vec<String> {
    told(&model.request(operation, body))
}

fn constraint(at: &str, rule: &str) -> String {
    format!("Value at '{at}' failed to satisfy constraint: Member must {rule}")
}

fn missing(at: &str) -> String {
    format!("Value null at '{at}' failed to satisfy constraint: Member must not be null")
}

/// A valid request.
struct Request {
    model: &'static Model,
    operation: &'static str,
    body: Value,
}

impl Request {
    #[track_caller]
    fn of(model: &'static Model, operation: &'static str, body: Value) -> Request {
        assert_eq!(problems(model, operation, &body), [""; 0], "{operation}");
        Request { model, operation, body }
    }

    /// Changes one value and expects this problem alone.
    #[track_caller]
    fn with(&self, at: &str, value: Value, problem: &str) {
        let mut body = self.body.clone();
        match body.pointer_mut(at) {
            Some(there) => *there = value,
            None => {
                let (parent, name) = at.rsplit_once('/').unwrap();
                body.pointer_mut(parent).unwrap()[name] = value;
            }
        }
        assert_eq!(problems(self.model, self.operation, &body), [problem], "{at}");
    }

    /// Removes one value and expects this problem alone.
    #[track_caller]
    fn without(&self, at: &str, problem: &str) {
        let mut body = self.body.clone();
        let (parent, name) = at.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        assert_eq!(problems(self.model, self.operation, &body), [problem], "{at}");
    }
}

#[test]
fn an_unknown_operation_is_found_in_every_service() {
    let Models { dynamodb, events, secretsmanager, sesv2, sms_voice, sns, sqs, .. } = models();
    for (model, operation) in [
        (dynamodb, "PutItems"),
        (events, "PutEvent"),
        (secretsmanager, "PutItem"),
        (sesv2, "Publish"),
        (sms_voice, "SendText"),
        (sns, "publish"),
        (sqs, "SendMessages"),
    ] {
        assert_eq!(problems(model, operation, &json!({})), ["AWS has no such operation"], "{operation}");
    }
    for (model, not_served) in [(dynamodb, "Scan"), (sesv2, "CreateContact")] {
        assert_eq!(problems(model, not_served, &json!({})), [""; 0]);
        assert!(!model.serves(not_served));
    }
}

#[test]
fn requests_to_dynamodb_have_its_types() {
    let body = json!({ "TableName": "codes", "ReturnValues": "NONE", "Item": {
        "pk": { "S": "a" }, "n": { "N": "1" }, "b": { "B": "AA==" }, "no": { "NULL": true }, "yes": { "BOOL": true },
        "ss": { "SS": ["a"] }, "m": { "M": { "l": { "L": [{ "S": "" }] } } } } });
    let put = Request::of(&models().dynamodb, "PutItem", body);
    put.with("/Nothing", json!(1), "Member at 'nothing' is unknown");
    put.without("/Item", &missing("item"));
    put.with("/Item", json!([]), "Value at 'item' is not a map");
    put.with("/TableName", json!(null), "Value at 'tableName' is not a string");
    put.with("/TableName", json!(""), &constraint("tableName", "have length greater than or equal to 1"));
    let values = "satisfy enum value set: [NONE, ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATED_NEW]";
    put.with("/ReturnValues", json!("ALL"), &constraint("returnValues", values));
    put.with("/Item/pk", json!({}), &constraint("item.value", "have exactly one of its members"));
    put.with("/Item/pk/N", json!("1"), &constraint("item.value", "have exactly one of its members"));
    put.with("/Item/n/N", json!(1), "Value at 'item.value.n' is not a string");
    put.with("/Item/b/B", json!("AA"), "Value at 'item.value.b' is not a blob in base64");
    put.with("/Item/yes/BOOL", json!("true"), "Value at 'item.value.bOOL' is not a boolean");
    put.with("/Item/ss/SS", json!("a"), "Value at 'item.value.sS' is not a list");
    put.with("/Item/m/M/l/L/0/S", json!(2), "Value at 'item.value.m.value.l.1.member.s' is not a string");

    let item = json!({ "Put": { "TableName": "codes", "Item": {} } });
    let body = json!({ "TransactItems": vec![item; 100], "ClientRequestToken": "t" });
    let write = Request::of(&models().dynamodb, "TransactWriteItems", body);
    write.with("/TransactItems", json!([]), &constraint("transactItems", "have length greater than or equal to 1"));
    let items = json!(vec![json!({}); 101]);
    write.with("/TransactItems", items, &constraint("transactItems", "have length less than or equal to 100"));
    write.without("/TransactItems/0/Put/TableName", &missing("transactItems.1.member.put.tableName"));

    let body = json!({ "TableName": "codes", "Limit": 1, "IndexName": "by-time_1.0" });
    let query = Request::of(&models().dynamodb, "Query", body);
    query.with("/Limit", json!(0), &constraint("limit", "have value greater than or equal to 1"));
    for limit in [json!(1.5), json!("1"), json!(2_147_483_648_i64)] {
        query.with("/Limit", limit, "Value at 'limit' is not an integer");
    }
    for name in ["by time", "by-time\n", "zeitpünktlich"] {
        let pattern = constraint("indexName", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
        query.with("/IndexName", json!(name), &pattern);
    }
}

#[test]
fn requests_to_secrets_manager_have_its_types() {
    let body = json!({ "SecretId": "codes", "ClientRequestToken": "0".repeat(32), "SecretString": "x",
        "VersionStages": ["AWSPENDING"] });
    let put = Request::of(&models().secretsmanager, "PutSecretValue", body);
    put.with("/SecretText", json!("x"), "Member at 'secretText' is unknown");
    put.without("/SecretId", &missing("secretId"));
    put.with("/SecretString", json!({}), "Value at 'secretString' is not a string");
    put.with("/SecretBinary", json!("€"), "Value at 'secretBinary' is not a blob in base64");
    let too_short = |at: &str, least: u8| constraint(at, &format!("have length greater than or equal to {least}"));
    put.with("/SecretBinary", json!(""), &too_short("secretBinary", 1));
    put.with("/ClientRequestToken", json!("short"), &too_short("clientRequestToken", 32));
    put.with("/VersionStages/0", json!(""), &too_short("versionStages.1.member", 1));
}

#[test]
fn requests_to_ses_have_its_types() {
    let text = |data: &str| json!({ "Data": data, "Charset": "UTF-8" });
    let body = json!({ "FromEmailAddress": "a@example.com", "Destination": { "ToAddresses": ["b@example.com"] },
        "Content": { "Simple": { "Subject": text("Hello"), "Body": { "Text": text("you") } } } });
    let send = Request::of(&models().sesv2, "SendEmail", body);
    send.with("/Destination/To", json!([]), "Member at 'destination.to' is unknown");
    send.without("/Content", &missing("content"));
    send.without("/Content/Simple/Subject/Data", &missing("content.simple.subject.data"));
    send.with("/Destination/ToAddresses/0", json!(1), "Value at 'destination.toAddresses.1.member' is not a string");
    let pattern =
        constraint("content.simple.headers.1.member.name", "satisfy regular expression pattern: ^[!-9;-@A-~]+$");
    send.with("/Content/Simple/Headers", json!([{ "Name": "X:", "Value": "x" }]), &pattern);
}

#[test]
fn requests_to_ses_name_the_operation_by_path() {
    let ses = &models().sesv2;
    let identities = "/v2/email/identities/";
    assert_eq!(ses.at("POST", "/v2/email/outbound-emails"), Some("SendEmail"));
    assert_eq!(ses.at("GET", &format!("{identities}example.com")), Some("GetEmailIdentity"));
    for (method, path) in [
        ("GET", "/v2/email/outbound-emails"),
        ("POST", "/v2/email/outbound-emails/"),
        ("GET", identities),
        ("GET", "/v2/email/identities/a/b"),
        ("GET", "/"),
    ] {
        assert_eq!(ses.at(method, path), None, "{method} {path}");
    }
    assert_eq!(models().dynamodb.at("POST", "/"), None, "all of its operations have that address");
    let identity = |name: &str, query: &str, body: &str| {
        let body = ses.read("GetEmailIdentity", &format!("{identities}{name}"), query, body.as_bytes()).ok().unwrap();
        let problems = problems(ses, "GetEmailIdentity", &body);
        (body, problems)
    };
    let name = json!({ "EmailIdentity": "a+b@example.com" });
    assert_eq!(identity("a+b%40example.com", "", ""), (name.clone(), vec![]));
    assert_eq!(identity("a+b@example.com", "", "{}"), (name, vec![]));
    assert_eq!(identity("a", "Page=1", "").1, ["Member at '?Page' is unknown"]);
    assert_eq!(identity("a", "", r#"{"Name": "a"}"#).1, ["Member at 'name' is unknown"]);
    assert_eq!(identity("a", "", "[]").1, ["Value at '' is not a structure"]);
    let broken = ses.read("SendEmail", "/v2/email/outbound-emails", "", b"{");
    assert!(matches!(broken, Err(Unreadable::Json(_))));
}
