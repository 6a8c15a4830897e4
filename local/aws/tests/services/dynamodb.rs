//! Tables: writes, refusals, capacity and expiry.

use super::*;

#[tokio::test]
async fn an_item_is_written_read_and_recorded() {
    let stand = stand(None);
    let written = stand.db("PutItem", put("a")).await;
    assert_eq!((written.status, written.body), (200, json!({})));
    assert_eq!(written.headers["content-type"], "application/x-amz-json-1.0");
    let get = json!({ "TableName": "codes", "Key": { "pk": { "S": "a" } }, "ReturnConsumedCapacity": "TOTAL" });
    let read = stand.db("GetItem", get).await;
    assert_eq!(read.body["Item"]["n"], json!({ "N": "1" }));
    assert_eq!(read.body["ConsumedCapacity"]["CapacityUnits"], 0.5);

    let calls = stand.services.calls().take();
    let [put, get] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(
        (put.caller.as_str(), put.service, put.operation.as_str()),
        ("verify-otp", Service::DynamoDb, "PutItem")
    );
    assert_eq!((put.tables.as_slice(), put.keys.as_slice()), (&["codes".to_owned()][..], &["a".to_owned()][..]));
    assert_eq!((put.capacity, put.error.as_deref()), (Capacity { read: 0.0, write: 1.0 }, None));
    assert_eq!(get.capacity, Capacity { read: 0.5, write: 0.0 });
}

#[tokio::test]
async fn a_failed_condition_costs_units_and_returns_the_item_on_request() {
    let stand = stand(None);
    stand.db("PutItem", put("a")).await;
    let mut again = put("a");
    again["ConditionExpression"] = json!("attribute_not_exists(pk)");
    let refused = stand.db("PutItem", again.clone()).await;
    assert_eq!(refused.error(), (400, "ConditionalCheckFailedException"));
    assert_eq!(refused.body.get("Item"), None);
    again["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    assert_eq!(stand.db("PutItem", again).await.body["Item"]["n"], json!({ "N": "1" }));
    let calls = stand.services.calls().take();
    assert_eq!(calls[1].error.as_deref(), Some("ConditionalCheckFailedException"));
    assert_eq!(calls[1].capacity, Capacity { read: 0.0, write: 1.0 });
}

#[tokio::test]
async fn a_cancelled_transaction_has_a_reason_for_each_item() {
    let stand = stand(None);
    stand.db("PutItem", put("a")).await;
    let mut first = put("a");
    first["ConditionExpression"] = json!("attribute_not_exists(pk)");
    let both = json!({ "TransactItems": [{ "Put": first }, { "Put": put("b") }], "ClientRequestToken": "t" });
    let cancelled = stand.db("TransactWriteItems", both.clone()).await;
    assert_eq!(cancelled.error(), (400, "TransactionCanceledException"));
    assert_eq!(cancelled.body["CancellationReasons"][0]["Code"], "ConditionalCheckFailed");
    assert_eq!(cancelled.body["CancellationReasons"][1], json!({ "Code": "None" }));

    let settings = json!({ "aws": [{ "error": "TransactionConflict", "table": "codes" }] });
    stand.services.faults().set(serde_json::from_value(settings).unwrap());
    let met = stand.db("TransactWriteItems", both).await;
    assert_eq!(met.error(), (400, "TransactionCanceledException"));
    assert_eq!(met.body["CancellationReasons"][0]["Code"], "TransactionConflict");
    assert!(met.message().ends_with("[TransactionConflict, None]"));
    let calls = stand.services.calls().take();
    assert_eq!((calls[1].keys.join(" "), calls[1].capacity.write), ("a b".to_owned(), 4.0));
}

#[tokio::test]
async fn a_busy_table_leaves_items_out_of_a_batch() {
    let stand = stand(None);
    for key in ["a", "b"] {
        stand.db("PutItem", put(key)).await;
    }
    let keys = |names: &[&str]| names.iter().map(|name| json!({ "pk": { "S": name } })).collect::<Vec<_>>();
    let batch = |names: &[&str]| json!({ "RequestItems": { "codes": { "Keys": keys(names) } } });
    let busy = json!({ "error": "ProvisionedThroughputExceededException", "key": "a", "times": 2 });
    stand.services.faults().set(serde_json::from_value(json!({ "aws": [busy] })).unwrap());
    let some = stand.db("BatchGetItem", batch(&["a", "b"])).await.body;
    assert_eq!(some["Responses"]["codes"].as_array().unwrap().len(), 1);
    assert_eq!(some["Responses"]["codes"][0]["pk"]["S"], "b");
    assert_eq!(some["UnprocessedKeys"], batch(&["a"])["RequestItems"]);
    let none = stand.db("BatchGetItem", batch(&["a"])).await;
    assert_eq!(none.error(), (400, "ProvisionedThroughputExceededException"));
    let all = stand.db("BatchGetItem", batch(&["a", "b"])).await.body;
    assert_eq!(all["Responses"]["codes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_table_is_described_and_keeps_its_keys() {
    let stand = stand(None);
    let described = stand.db("DescribeTable", json!({ "TableName": "codes" })).await;
    assert_eq!(described.body["Table"]["TableArn"], "arn:aws:dynamodb:us-east-1:000000000000:table/codes");
    let mut other = json!({ "TableName": "codes", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }] });
    assert_eq!(stand.services.create_table(&other, None), Ok(()));
    other["AttributeDefinitions"][0]["AttributeType"] = json!("B");
    assert!(stand.services.create_table(&other, None).is_err());
}

#[tokio::test]
async fn expired_items_go_when_they_are_swept() {
    let stand = stand(None);
    for (key, end) in [("old", 1_800_000_010), ("new", 1_800_000_020), ("mistake", 1_000)] {
        let mut item = put(key);
        item["Item"]["ttl"] = json!({ "N": end.to_string() });
        stand.db("PutItem", item).await;
    }
    stand.db("PutItem", put("endless")).await;
    assert_eq!(stand.services.sweep_expired(), Ok(0));
    stand.now.fetch_add(15, Ordering::Relaxed);
    assert_eq!(stand.services.sweep_expired(), Ok(1));
    let left = stand.services.dynamodb("Scan", json!({ "TableName": "codes" })).unwrap();
    assert_eq!(left["Count"], 3);
}
