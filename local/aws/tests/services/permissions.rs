//! The permissions for each request, and the refusal without them.

use super::*;

const CODES: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/codes";
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey/codes-AbCdEf";
const IDENTITY: &str = "arn:aws:ses:us-east-1:000000000000:identity";

/// Services for a caller with these statements.
fn stand_with(statements: Value) -> Stand {
    stand_for(None, &json!([{ "Statement": statements }]))
}

fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

fn allow_keys(action: &str, keys: &str) -> Value {
    let mut statement = allow(action, CODES);
    statement["Condition"] = json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } });
    statement
}

fn key(key: &str) -> Value {
    json!({ "pk": { "S": key } })
}

/// Whether the request is refused because a permission is missing. All other answers come from the service.
fn is_denied(answered: &Answered) -> bool {
    answered.headers.get("x-amzn-errortype").is_some_and(|name| name == "AccessDeniedException")
}

#[tokio::test]
async fn a_request_needs_its_action_on_its_table_for_its_key() {
    let stand = stand_with(json!([allow_keys("dynamodb:PutItem", "a#*"), allow_keys("dynamodb:GetItem", "a#*")]));
    let get = |table: &str, named: &str| json!({ "TableName": table, "Key": key(named) });
    assert_eq!(stand.db("PutItem", put("a#1")).await.status, 200);
    assert_eq!(stand.db("GetItem", get("codes", "a#1")).await.status, 200);
    for (operation, body) in [
        ("PutItem", put("b#1")),
        ("GetItem", get("codes", "b#1")),
        ("GetItem", get("users", "a#1")),
        ("DeleteItem", get("codes", "a#1")),
        ("UpdateItem", get("codes", "a#1")),
        ("DescribeTable", json!({ "TableName": "codes" })),
        ("CreateTable", json!({ "TableName": "codes" })),
        ("Scan", json!({ "TableName": "codes" })),
    ] {
        assert_eq!(
            stand.db(operation, body.clone()).await.error(),
            (400, "AccessDeniedException"),
            "{operation} {body}"
        );
    }
    let refused = stand.db("DeleteItem", get("codes", "a#1")).await;
    let user = "arn:aws:sts::000000000000:assumed-role/verify-otp/verify-otp";
    let message = format!(
        "User: {user} is not authorized to perform: dynamodb:DeleteItem on resource: {CODES} because no \
         identity-based policy allows the dynamodb:DeleteItem action"
    );
    assert_eq!(refused.message(), message);
    let last = stand.services.calls().take().pop().unwrap();
    assert_eq!((last.error.as_deref(), last.capacity), (Some("AccessDeniedException"), Capacity::default()));
}

/// Members of other operations do not change the permissions for this one.
#[tokio::test]
async fn a_request_cannot_hide_what_it_touches() {
    let stand = stand_with(json!([allow_keys("dynamodb:GetItem", "a#*"), allow_keys("dynamodb:BatchGetItem", "a#*")]));
    let mut get = json!({ "TableName": "codes", "Key": key("b#1") });
    for member in ["RequestItems", "TransactItems", "Item", "Keys"] {
        get[member] = json!({});
        assert!(is_denied(&stand.db("GetItem", get.clone()).await), "{member}");
    }
    let batch = json!({ "RequestItems": { "codes": { "Keys": [key("b#1")], "TableName": "none" } } });
    assert!(is_denied(&stand.db("BatchGetItem", batch).await));
}

#[tokio::test]
async fn a_refused_call_uses_up_no_fault() {
    let stand = stand_with(json!([allow_keys("dynamodb:PutItem", "a#*")]));
    let settings = json!({ "aws": [{ "error": "ThrottlingException", "times": 1 }] });
    stand.services.faults().set(serde_json::from_value(settings).unwrap());
    assert!(is_denied(&stand.db("PutItem", put("b#1")).await));
    assert_eq!(stand.db("PutItem", put("a#1")).await.error(), (400, "ThrottlingException"));
}

#[tokio::test]
async fn a_transaction_needs_what_its_items_need() {
    let put = |named: &str| json!({ "Put": put(named) });
    let update = |named: &str| {
        json!({ "Update": { "TableName": "codes", "Key": key(named), "UpdateExpression": "SET n = :n",
        "ExpressionAttributeValues": { ":n": { "N": "1" } } } })
    };
    let delete = |named: &str| json!({ "Delete": { "TableName": "codes", "Key": key(named) } });
    let check = |named: &str| {
        json!({ "ConditionCheck": { "TableName": "codes", "Key": key(named),
        "ConditionExpression": "attribute_not_exists(pk)" } })
    };
    let statements = json!([
        allow_keys("dynamodb:PutItem", "p#*"),
        allow_keys("dynamodb:UpdateItem", "u#*"),
        allow_keys("dynamodb:DeleteItem", "d#*"),
        allow_keys("dynamodb:ConditionCheckItem", "c#*"),
        allow_keys("dynamodb:GetItem", "g#*"),
    ]);
    let stand = stand_with(statements);
    let write = async |items: Value| stand.db("TransactWriteItems", json!({ "TransactItems": items })).await;
    assert_eq!(write(json!([put("p#1"), update("u#1"), delete("d#1"), check("c#1")])).await.status, 200);
    for items in
        [json!([put("p#2"), put("u#2")]), json!([update("p#1")]), json!([delete("c#1")]), json!([check("d#1")])]
    {
        assert!(is_denied(&write(items.clone()).await), "{items}");
    }
    let read = async |named: &str| {
        let items = json!([{ "Get": { "TableName": "codes", "Key": key(named) } }]);
        stand.db("TransactGetItems", json!({ "TransactItems": items })).await
    };
    assert!(read("g#1").await.status == 200 && is_denied(&read("p#1").await));
    let left = stand.services.dynamodb("Scan", json!({ "TableName": "codes" })).unwrap();
    assert_eq!(left["Count"], 2, "a refused transaction wrote something");
}

#[tokio::test]
async fn a_batch_needs_every_key_and_a_query_its_own() {
    let actions = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:Query"];
    let stand = stand_with(json!(actions.map(|action| allow_keys(action, "a#*"))));
    let get = |named: &[&str]| {
        let keys: Vec<Value> = named.iter().map(|named| key(named)).collect();
        json!({ "RequestItems": { "codes": { "Keys": keys } } })
    };
    assert_eq!(stand.db("BatchGetItem", get(&["a#1", "a#2"])).await.status, 200);
    assert!(is_denied(&stand.db("BatchGetItem", get(&["a#1", "b#1"])).await));
    let write = |named: &str| {
        json!({ "RequestItems": { "codes": [
        { "PutRequest": { "Item": key("a#1") } }, { "DeleteRequest": { "Key": key(named) } }] } })
    };
    assert_eq!(stand.db("BatchWriteItem", write("a#2")).await.status, 200);
    assert!(is_denied(&stand.db("BatchWriteItem", write("b#2")).await));
    let query = |expression: &str, named: &str| {
        json!({ "TableName": "codes", "KeyConditionExpression": expression,
        "ExpressionAttributeNames": { "#k": "pk" }, "ExpressionAttributeValues": { ":k": { "S": named } } })
    };
    assert_eq!(stand.db("Query", query("#k=:k", "a#1")).await.body["Count"], 1);
    assert!(is_denied(&stand.db("Query", query("(#k = :k)", "b#1")).await));
    assert_eq!(stand.db("Query", query("#k > :k", "a#1")).await.error(), (400, "UnknownOperationException"));
    let mut by_index = query("#k = :k", "a#1");
    by_index["IndexName"] = json!("by-time");
    assert_eq!(stand.db("Query", by_index).await.error(), (400, "UnknownOperationException"));
}

#[tokio::test]
async fn a_secret_is_allowed_by_its_arn_however_it_is_named() {
    let stand = stand_with(json!([allow("secretsmanager:GetSecretValue", SECRET)]));
    for secret in ["codes", "tokens"] {
        let arn = SECRET.replace("codes", secret);
        stand.services.put_secret(&arn, secret.to_owned()).unwrap();
    }
    for id in [SECRET, "latchkey/codes"] {
        assert_eq!(
            stand.secret("GetSecretValue", json!({ "SecretId": id })).await.body["SecretString"],
            "codes",
            "{id}"
        );
    }
    for id in [&SECRET.replace("codes", "tokens"), "latchkey/tokens", "none"] {
        let refused = stand.secret("GetSecretValue", json!({ "SecretId": id })).await;
        assert_eq!(refused.error(), (400, "AccessDeniedException"), "{id}");
    }
    assert!(is_denied(&stand.secret("DescribeSecret", json!({ "SecretId": SECRET })).await));
    assert_eq!(stand.secret("Juggle", json!({})).await.error(), (400, "UnknownOperationException"));
}

#[tokio::test]
async fn a_mail_needs_its_sender_and_recipients_who_are_identities() {
    let sender = format!("{IDENTITY}/no-reply@example.com");
    let stand = stand_with(json!([allow("ses:SendEmail", &sender)]));
    assert_eq!(stand.mail(|_| {}).await.status, 200);
    let other = stand.mail(|mail| mail["FromEmailAddress"] = json!("eve@example.com")).await;
    assert_eq!(other.error(), (403, "AccessDeniedException"));
    assert_eq!(
        other.message(),
        format!(
            "User `arn:aws:sts::000000000000:assumed-role/verify-otp/verify-otp' is not authorized to perform \
                 `ses:SendEmail' on resource `{IDENTITY}/eve@example.com'"
        )
    );
    assert!(is_denied(&stand.mail(|mail| mail["ConfigurationSetName"] = json!("tracked")).await));
    stand.services.allow_sender("example.org");
    assert!(stand.mail(|_| {}).await.message().ends_with("/example.org'"), "the recipient's identity is not looked at");

    let mut by_sender = allow("ses:SendEmail", &format!("{IDENTITY}/*"));
    let from = json!({ "ses:FromAddress": "no-reply@example.com", "ses:FromDisplayName": "Latchkey" });
    let to = json!({ "ses:Recipients": "*@example.org" });
    by_sender["Condition"] = json!({ "StringEquals": from, "ForAllValues:StringLike": to });
    let stand = stand_with(json!([by_sender]));
    stand.services.allow_sender("example.org");
    assert_eq!(stand.mail(|_| {}).await.status, 200);
    assert!(is_denied(&stand.mail(|mail| mail["FromEmailAddress"] = json!("no-reply@example.com")).await));
    assert!(is_denied(&stand.mail(|mail| mail["FromEmailAddress"] = json!("Latchkey")).await));
    assert!(is_denied(&stand.mail(|mail| mail["Destination"]["CcAddresses"] = json!(["bob@example.net"])).await));
}

#[tokio::test]
async fn a_text_goes_to_a_number_and_not_to_a_topic() {
    let deny = json!({ "Effect": "Deny", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:*" });
    let publish = async |statements: Value, target: &str| {
        let mut form = request("sns", "", &Value::Null);
        form.headers_mut().remove("x-amz-target");
        form.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        *form.body_mut() = Bytes::from(format!("Action=Publish&Version=2010-03-31&Message=Hello+you&{target}"));
        let answer = stand_with(statements).services.answer(form).await;
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
    };
    let is_denied = |(status, body): &(u16, String)| *status == 403 && body.contains("<Code>AuthorizationError</Code>");
    let number = "PhoneNumber=%2B447400123456";
    let topic = "TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Atopic";
    // SNS sends an SMS by another service, and only on behalf of its caller.
    let text = |via: &str| {
        let mut statement = allow("sms-voice:SendTextMessage", "*");
        statement["Condition"] = json!({ "StringEquals": { "aws:CalledViaLast": via } });
        statement
    };
    let all = || json!([allow("sns:Publish", "*"), text("sns.amazonaws.com"), deny]);
    assert!(!is_denied(&publish(all(), number).await));
    for lacking in [json!([allow("sns:Publish", "*")]), json!([allow("sns:Publish", "*"), text("lex.amazonaws.com")])] {
        let denied = publish(lacking, number).await;
        let words = "sms-voice:SendTextMessage on resource: * because no identity-based policy allows";
        assert!(is_denied(&denied) && denied.1.contains(words), "{denied:?}");
    }
    let denied = publish(all(), topic).await;
    let words = "SNS:Publish on resource: arn:aws:sns:us-east-1:000000000000:topic with an explicit deny";
    assert!(is_denied(&denied) && denied.1.contains(words), "{denied:?}");
    assert!(!is_denied(&publish(json!([allow("sns:Publish", "arn:aws:sns:*:*:topic")]), topic).await));
    let denied = publish(json!([allow("sns:Publish", "arn:aws:sns:*:*:*")]), number).await;
    let words = "SNS:Publish on resource: +447400123456 because no identity-based policy allows";
    assert!(is_denied(&denied) && denied.1.contains(words), "{denied:?}");
}

#[tokio::test]
async fn a_caller_that_is_no_function_is_refused_by_every_service() {
    let stand = stand(None);
    for (service, target, status, name) in [
        ("dynamodb", "DynamoDB_20120810.GetItem", 400, "UnrecognizedClientException"),
        ("secretsmanager", "secretsmanager.GetSecretValue", 400, "UnrecognizedClientException"),
        ("ses", "", 403, "UnrecognizedClientException"),
    ] {
        let mut request = request(service, target, &json!({ "TableName": "codes", "Key": key("a") }));
        let credential = request.headers()["authorization"].to_str().unwrap().replace("verify-otp", "VERIFY-OTP");
        request.headers_mut().insert("authorization", credential.parse().unwrap());
        let refused = stand.send(request).await;
        assert_eq!(refused.error(), (status, name), "{service}");
        assert_eq!(refused.message(), "The security token included in the request is invalid.");
    }
}
