//! The streams of tables: every change of an item as a record, in four shards.
//!
//! The engine has streams of its own, with one shard and records that stay for ever. Code that confuses a shard with a stream
//! would pass there.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Map, Value, json};
use shared::words::Timestamp;

use crate::ids::{REGION, new_id};
use crate::lock::locked;

/// A new table of DynamoDB has about as many.
const SHARDS: usize = 4;

/// DynamoDB forgets a record after this time.
const RECORDS_LIVE: Duration = Duration::from_secs(24 * 60 * 60);

/// How many records a shard keeps for a reader that never comes, as in a long benchmark. DynamoDB has no such limit.
const MOST_RECORDS: usize = 10_000;

/// The first sequence number. Numbers have 21 to 40 digits, and their length soon changes, so code that compares them as
/// texts fails.
const FIRST: u128 = 999_999_999_999_999_999_990;

/// A change of one item.
pub(crate) struct Change {
    pub(crate) key: Map<String, Value>,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
    /// Whether the item was deleted because its time to live was over.
    pub(crate) has_expired: bool,
    pub(crate) at: Timestamp,
}

/// A record, as Lambda passes it to a function.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) sequence: u128,
    pub(crate) at: Timestamp,
    pub(crate) event: Value,
}

struct Shard {
    id: String,
    next: u128,
    records: VecDeque<Record>,
}

/// Streams by the name of their table.
#[derive(Default)]
pub(crate) struct Streams(Mutex<BTreeMap<String, Stream>>);

struct Stream {
    arn: String,
    shards: Vec<Shard>,
}

impl Streams {
    /// Opens the stream of a table, unless it is open. Shards get new ids at every start, so a number is never used twice.
    pub(crate) fn open(&self, table: &str, arn: String) {
        let shard = |number: usize| {
            let id = new_id();
            let suffix = id.split('-').next_back().unwrap_or_default();
            Shard { id: format!("shardId-0000000000000000000{number}-{suffix}"), next: FIRST, records: VecDeque::new() }
        };
        let stream = || Stream { arn, shards: (1..=SHARDS).map(shard).collect() };
        locked(&self.0).entry(table.to_owned()).or_insert_with(stream);
    }

    pub(crate) fn has(&self, table: &str) -> bool {
        locked(&self.0).contains_key(table)
    }

    /// Appends a change to the shard of its key. A write that changes nothing leaves no record.
    pub(crate) fn append(&self, table: &str, change: Change) {
        let Change { key, before, after, has_expired, at } = change;
        let name = match (&before, &after) {
            (before, after) if before == after => return,
            (None, _) => "INSERT",
            (Some(_), Some(_)) => "MODIFY",
            (Some(_), None) => "REMOVE",
        };
        let mut streams = locked(&self.0);
        let Some(stream) = streams.get_mut(table) else { return };
        let mut hasher = DefaultHasher::new();
        Value::from(key.clone()).to_string().hash(&mut hasher);
        let number = usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or_default();
        let Some(shard) = stream.shards.get_mut(number) else { return };
        let mut detail = json!({ "ApproximateCreationDateTime": at.unix(), "Keys": key, "SizeBytes": 0,
            "SequenceNumber": shard.next.to_string(), "StreamViewType": "NEW_AND_OLD_IMAGES" });
        for (member, image) in [("OldImage", before), ("NewImage", after)] {
            if let (Some(image), Some(members)) = (image, detail.as_object_mut()) {
                members.insert(member.to_owned(), image);
            }
        }
        let size = detail.to_string().len();
        if let Some(bytes) = detail.get_mut("SizeBytes") {
            *bytes = json!(size);
        }
        let mut event = json!({ "eventID": new_id().replace('-', ""), "eventName": name, "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": REGION, "eventSourceARN": stream.arn, "dynamodb": detail });
        if let (true, Some(members)) = (has_expired, event.as_object_mut()) {
            let service = json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
            members.insert("userIdentity".to_owned(), service);
        }
        shard.push(event, at);
    }

    /// The ids of the shards of a table's stream.
    pub(crate) fn shards(&self, table: &str) -> Vec<String> {
        let streams = locked(&self.0);
        streams.get(table).into_iter().flat_map(|stream| &stream.shards).map(|shard| shard.id.clone()).collect()
    }

    /// The records of a shard with higher numbers than `after`, at most `most`.
    pub(crate) fn records(&self, table: &str, shard: &str, after: u128, most: usize) -> Vec<Record> {
        let streams = locked(&self.0);
        let found = streams.get(table).and_then(|stream| stream.shards.iter().find(|found| found.id == shard));
        let records = found.into_iter().flat_map(|shard| &shard.records);
        records.filter(|record| record.sequence > after).take(most).cloned().collect()
    }

    /// Appends a record that no function can read.
    pub(crate) fn poison(&self, table: &str, shard: &str, at: Timestamp) {
        let mut streams = locked(&self.0);
        let Some(stream) = streams.get_mut(table) else { return };
        let arn = stream.arn.clone();
        if let Some(shard) = stream.shards.iter_mut().find(|found| found.id == shard) {
            let key = json!({ "pk": { "S": "S#poison" } });
            let event = json!({ "eventID": new_id().replace('-', ""), "eventName": "INSERT", "eventVersion": "1.1",
                "eventSource": "aws:dynamodb", "awsRegion": REGION, "eventSourceARN": arn,
                "dynamodb": { "ApproximateCreationDateTime": at.unix(), "Keys": key, "NewImage": key, "SizeBytes": 42,
                    "SequenceNumber": shard.next.to_string(), "StreamViewType": "NEW_AND_OLD_IMAGES" } });
            shard.push(event, at);
        }
    }
}

impl Shard {
    fn push(&mut self, event: Value, at: Timestamp) {
        self.records.push_back(Record { sequence: self.next, at, event });
        self.next += 1;
        let oldest = at.before(RECORDS_LIVE);
        while self.records.len() > MOST_RECORDS || self.records.front().is_some_and(|record| record.at < oldest) {
            self.records.pop_front();
        }
    }
}
