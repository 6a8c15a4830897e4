//! The streams of tables and the batches of their mappings.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use local_aws::faults::{Disorder, FaultSettings, StreamFault};
use local_aws::lambda::{Functions, Handler};
use local_aws::mapping::Poller;
use local_aws::template::Mapping;
use local_aws::{Failure, StackClock};
use tracing::Dispatch;

use super::*;

const STREAM: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/people/stream/2026-01-01T00:00:00.000";
const START: u64 = 1_800_000_000;

/// A table with a stream, and a function behind it that keeps its events.
struct Streamed {
    services: Services,
    clock: StackClock,
    poller: Poller,
    events: Arc<Mutex<Vec<Value>>>,
}

/// The function's answer to an event.
type Answer = fn(&Value) -> Result<Value, Failure>;

fn done(_: &Value) -> Result<Value, Failure> {
    Ok(json!({ "state": {} }))
}

fn mapping() -> Mapping {
    Mapping {
        function: "verify-otp".to_owned(),
        table: "people".to_owned(),
        stream: STREAM.to_owned(),
        batch_size: 4,
        window_seconds: 60,
        filters: Vec::new(),
    }
}

fn open(policy: &Value) -> (Services, StackClock) {
    let clock = StackClock::frozen_at(Timestamp::from_unix(START));
    let permissions = Permissions::read([("verify-otp", policy)]).unwrap();
    let services = Services::open(clock.handle(), None, permissions, |_, _| {}).unwrap();
    let table = json!({ "TableName": "people", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "StreamSpecification": { "StreamViewType": "NEW_AND_OLD_IMAGES" } });
    services.create_table(&table, Some("ttl")).unwrap();
    (services, clock)
}

fn everything() -> Value {
    json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } })
}

fn streamed(mapping: Mapping, answer: Answer) -> Streamed {
    let (services, clock) = open(&everything());
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = events.clone();
    let handler: Handler = Arc::new(move |event: String| {
        let event: Value = serde_json::from_str(&event).unwrap();
        kept.lock().unwrap().push(event.clone());
        Box::pin(async move { answer(&event) })
    });
    let handlers = BTreeMap::from([("verify-otp".to_owned(), handler)]);
    let functions = Arc::new(Functions::new(handlers, Dispatch::none()));
    let poller = Poller::start(mapping, services.clone(), functions, clock.clone()).unwrap();
    Streamed { services, clock, poller, events }
}

impl Streamed {
    fn put(&self, key: &str, number: u32) {
        let item = json!({ "pk": { "S": key }, "n": { "N": number.to_string() } });
        self.services.dynamodb("PutItem", json!({ "TableName": "people", "Item": item })).unwrap();
    }

    fn delete(&self, key: &str) {
        let request = json!({ "TableName": "people", "Key": { "pk": { "S": key } } });
        self.services.dynamodb("DeleteItem", request).unwrap();
    }

    /// Delivers everything and returns the events.
    async fn deliver(&self) -> Vec<Value> {
        self.poller.deliver().await;
        std::mem::take(&mut *self.events.lock().unwrap())
    }

    /// Delivers everything and returns the records.
    async fn records(&self) -> Vec<Value> {
        self.deliver().await.iter().flat_map(records).collect()
    }

    fn fault(&self, fault: Disorder) {
        let stream = vec![StreamFault { fault, times: 1 }];
        self.services.faults().set(FaultSettings { stream, ..FaultSettings::default() });
    }
}

fn records(event: &Value) -> Vec<Value> {
    event["Records"].as_array().unwrap().clone()
}

/// The changes in some records: the key, the kind and the number after.
fn changes(records: &[Value]) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let change = |record: &Value| {
        let detail = &record["dynamodb"];
        (text(&detail["Keys"]["pk"]["S"]), text(&record["eventName"]), text(&detail["NewImage"]["n"]["N"]))
    };
    records.iter().map(change).collect()
}

fn change(key: &str, kind: &str, number: &str) -> (String, String, String) {
    (key.to_owned(), kind.to_owned(), number.to_owned())
}

fn numbers(events: &[Value]) -> Vec<Vec<String>> {
    let batches = events.iter().map(records).map(|records| changes(&records)).filter(|batch| !batch.is_empty());
    batches.map(|batch| batch.into_iter().map(|(_, _, number)| number).collect()).collect()
}

#[tokio::test]
async fn every_change_is_a_record_with_both_images() {
    let streamed = streamed(mapping(), done);
    streamed.put("a", 1);
    streamed.put("a", 1);
    streamed.put("a", 2);
    streamed.delete("a");
    streamed.delete("a");
    let refused = json!({ "TableName": "people", "Item": { "pk": { "S": "a" } },
        "ConditionExpression": "attribute_exists(pk)" });
    streamed.services.dynamodb("PutItem", refused).unwrap_err();
    let found = streamed.records().await;
    assert_eq!(changes(&found), [change("a", "INSERT", "1"), change("a", "MODIFY", "2"), change("a", "REMOVE", "-")]);
    let modified = &found[1];
    assert_eq!(modified["dynamodb"]["OldImage"]["n"]["N"], "1");
    assert_eq!(modified["dynamodb"]["ApproximateCreationDateTime"], START);
    assert_eq!((&modified["eventSourceARN"], &modified["eventSource"]), (&json!(STREAM), &json!("aws:dynamodb")));
    assert!(modified["eventID"].as_str().unwrap().len() == 32 && modified["userIdentity"].is_null());
    let sequence = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().unwrap().parse::<u128>().unwrap();
    assert!(found.windows(2).all(|pair| sequence(&pair[0]) < sequence(&pair[1])));
    assert!(streamed.deliver().await.is_empty(), "everything has been delivered");
}

#[tokio::test]
async fn a_transaction_and_an_update_are_records_too() {
    let streamed = streamed(mapping(), done);
    streamed.put("a", 1);
    let add = |key: &str| {
        json!({ "TableName": "people", "Key": { "pk": { "S": key } }, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": { ":one": { "N": "1" } } })
    };
    streamed.services.dynamodb("UpdateItem", add("a")).unwrap();
    let both = json!({ "TransactItems": [{ "Update": add("a") }, { "Delete": { "TableName": "people", "Key": { "pk": { "S": "b" } } } }] });
    streamed.services.dynamodb("TransactWriteItems", both).unwrap();
    let found = changes(&streamed.records().await);
    assert_eq!(found, [change("a", "INSERT", "1"), change("a", "MODIFY", "2"), change("a", "MODIFY", "3")]);
}

#[tokio::test]
async fn a_deletion_by_time_to_live_says_so() {
    let streamed = streamed(mapping(), done);
    let item = json!({ "pk": { "S": "a" }, "ttl": { "N": (START + 10).to_string() } });
    streamed.services.dynamodb("PutItem", json!({ "TableName": "people", "Item": item })).unwrap();
    streamed.clock.advance(Duration::from_secs(11));
    assert_eq!(streamed.services.sweep_expired(), Ok(1));
    let found = streamed.records().await;
    assert_eq!(found[1]["eventName"], "REMOVE");
    assert_eq!(found[1]["userIdentity"], json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" }));
}

#[tokio::test]
async fn keys_are_spread_over_four_shards_and_keep_their_order() {
    let streamed = streamed(mapping(), done);
    for number in 0..3 {
        (0..40).for_each(|key| streamed.put(&format!("k{key}"), number));
    }
    let events = streamed.deliver().await;
    let mut shard_of = BTreeMap::new();
    let mut order = BTreeMap::<String, Vec<String>>::new();
    for event in &events {
        assert!(records(event).len() <= 4);
        for (key, _, number) in changes(&records(event)) {
            let shard = event["shardId"].as_str().unwrap();
            assert_eq!(*shard_of.entry(key.clone()).or_insert(shard), shard);
            order.entry(key).or_default().push(number);
        }
    }
    let shards: std::collections::BTreeSet<_> = shard_of.values().collect();
    assert_eq!(shards.len(), 4);
    assert!(order.len() == 40 && order.values().all(|numbers| *numbers == ["0", "1", "2"]));
}

#[tokio::test]
async fn a_window_keeps_its_state_and_ends_once() {
    let count: Answer = |event| {
        let seen = event["state"]["seen"].as_u64().unwrap_or_default();
        Ok(json!({ "state": { "seen": seen + event["Records"].as_array().unwrap().len() as u64 } }))
    };
    let streamed = streamed(mapping(), count);
    (0..6).for_each(|number| streamed.put("a", number));
    streamed.clock.advance(Duration::from_secs(60));
    streamed.put("a", 6);
    let events = streamed.deliver().await;
    let look = |event: &Value| (records(event).len(), event["state"].clone(), event["isFinalInvokeForWindow"].clone());
    let seen: Vec<_> = events.iter().map(look).collect();
    assert_eq!(
        seen,
        [
            (4, json!({}), json!(false)),
            (2, json!({ "seen": 4 }), json!(false)),
            (0, json!({ "seen": 6 }), json!(true)),
            (1, json!({}), json!(false)),
        ]
    );
    assert_eq!(events[0]["window"], json!({ "start": "2027-01-15T08:00:00Z", "end": "2027-01-15T08:01:00Z" }));
    assert!(streamed.deliver().await.is_empty(), "the second window is still open");
    streamed.clock.advance(Duration::from_secs(60));
    assert_eq!(streamed.deliver().await.iter().map(look).collect::<Vec<_>>(), [(0, json!({ "seen": 1 }), json!(true))]);
}

#[tokio::test]
async fn a_filter_drops_records() {
    let pattern = json!({ "eventName": ["INSERT"], "dynamodb": { "Keys": { "pk": { "S": [{ "prefix": "a" }] } } } });
    let filters = vec![local_aws::events::Pattern::read(&pattern).unwrap()];
    let streamed = streamed(Mapping { filters, ..mapping() }, done);
    for key in ["a1", "b1", "a1"] {
        streamed.put(key, 1);
        streamed.put(key, 2);
    }
    assert_eq!(changes(&streamed.records().await), [change("a1", "INSERT", "1")]);
}

/// Lambda repeats a failed batch without limit, and halves it first.
#[tokio::test]
async fn a_record_that_fails_stops_its_shard_until_it_is_handled() {
    static IS_BROKEN: AtomicBool = AtomicBool::new(true);
    let refuses_two: Answer = |event| {
        let has_two = changes(&records(event)).iter().any(|(_, _, number)| number == "2");
        if has_two && IS_BROKEN.load(Ordering::SeqCst) { Err(Failure::new("two")) } else { done(event) }
    };
    let streamed = streamed(mapping(), refuses_two);
    (0..4).for_each(|number| streamed.put("a", number));
    let first: Vec<Vec<&str>> = vec![vec!["0", "1", "2", "3"], vec!["0", "1"], vec!["2", "3"], vec!["2"]];
    assert_eq!(numbers(&streamed.deliver().await), first);
    streamed.put("a", 4);
    for _ in 0..50 {
        assert_eq!(numbers(&streamed.deliver().await), [vec!["2", "3", "4"], vec!["2"]]);
    }
    IS_BROKEN.store(false, Ordering::SeqCst);
    assert_eq!(numbers(&streamed.deliver().await), [["2", "3", "4"]]);
    assert!(streamed.deliver().await.is_empty(), "everything has been delivered");
}

#[tokio::test]
async fn an_answer_without_a_state_is_a_failure() {
    let streamed = streamed(mapping(), |_| Ok(json!({})));
    streamed.put("a", 1);
    for _ in 0..2 {
        assert_eq!(numbers(&streamed.deliver().await), [["1"]]);
    }
}

#[tokio::test]
async fn faults_change_the_batches_and_lose_nothing() {
    let batches = async |fault| {
        let streamed = streamed(mapping(), done);
        (0..4).for_each(|number| streamed.put("a", number));
        streamed.fault(fault);
        let first = numbers(&streamed.deliver().await);
        let second = numbers(&streamed.deliver().await);
        (first, second)
    };
    let all = || vec!["0", "1", "2", "3"];
    let none = Vec::<Vec<String>>::new;
    let is = |found: (Vec<Vec<String>>, Vec<Vec<String>>), first: Vec<Vec<&str>>| {
        assert_eq!(found.0, first);
        assert_eq!(found.1, none());
    };
    is(batches(Disorder::Duplicate).await, vec![all(), all()]);
    is(batches(Disorder::Split).await, vec![vec!["0", "1"], vec!["2", "3"]]);
    is(batches(Disorder::Overlap).await, vec![all(), vec!["2", "3"]]);
    is(batches(Disorder::Reorder).await, vec![all()]);
    let streamed = streamed(mapping(), done);
    (0..40).for_each(|key| streamed.put(&format!("k{key}"), 0));
    streamed.fault(Disorder::Delay);
    let first = streamed.records().await.len();
    let second = streamed.records().await.len();
    assert!(first > 0 && second > 0 && first + second == 40, "{first} {second}");
    streamed.fault(Disorder::Poison);
    let poisoned = streamed.records().await;
    assert_eq!(changes(&poisoned), [change("S#poison", "INSERT", "-")]);
}

/// Records are gone after a day.
#[tokio::test]
async fn a_stream_forgets_after_a_day() {
    let streamed = streamed(mapping(), done);
    streamed.put("a", 1);
    streamed.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    streamed.put("a", 2);
    assert_eq!(changes(&streamed.records().await), [change("a", "MODIFY", "2")]);
}

/// Lambda reads the stream with the function's role.
#[tokio::test]
async fn a_mapping_needs_the_permissions_of_its_function() {
    let needed = [
        ("dynamodb:DescribeStream", STREAM),
        ("dynamodb:GetRecords", STREAM),
        ("dynamodb:GetShardIterator", STREAM),
        ("dynamodb:ListStreams", STREAM),
    ];
    let start = |without: &str| {
        let statements = needed.iter().filter(|(action, _)| *action != without);
        let statements =
            statements.map(|(action, resource)| json!({ "Effect": "Allow", "Action": action, "Resource": resource }));
        let (services, clock) = open(&json!({ "Statement": statements.collect::<Vec<_>>() }));
        let functions = Arc::new(Functions::new(BTreeMap::new(), Dispatch::none()));
        Poller::start(mapping(), services, functions, clock).map(|_| ()).map_err(|failure| failure.to_string())
    };
    assert_eq!(start(""), Ok(()));
    for (action, resource) in needed {
        assert_eq!(start(action), Err(format!("template.yaml: the role of verify-otp lacks {action} on {resource}")));
    }
}

#[tokio::test]
async fn only_a_stream_with_both_images_is_supported() {
    let stand = stand(None);
    let table = json!({ "TableName": "other", "StreamSpecification": { "StreamViewType": "KEYS_ONLY" } });
    assert!(stand.services.create_table(&table, None).unwrap_err().contains("KEYS_ONLY"));
}
