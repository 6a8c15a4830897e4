//! The cost of what `record` and `erase` do after requests: units that the stand-in counts for a few users, times the prices for many.

use local_aws::{CallRecord, Capacity};
use serde_json::{Map, Value, json};

use super::{Prices, Stack, Table};
use crate::Deployment;
use crate::deployment::{START, unverified};
use crate::operations::SETTINGS;

const ADA: &str = "ada@example.com";
const DAY: u64 = 86_400;

/// The users in the table.
const USERS: [f64; 3] = [1e3, 1e6, 1e8];

/// The last activity of this many days is in one item.
const BLOCK_DAYS: u64 = 32;

/// A day has at most this many sources.
const SOURCES: u64 = 300;

/// DynamoDB charges for this much more than the content of an item that it keeps.
const ITEM_BYTES: usize = 100;

/// The counted units.
pub struct Followed {
    alone: Alone,
    /// The events of a login that the bus gets with `EVENTS=all`.
    all_events: f64,
    /// The counts of a batch with sign-ins of users who were last active in another block of days.
    batch: Capacity,
    /// The counts of a batch with sign-ups on a day with all its sources.
    sign_ups: Capacity,
    /// The first refresh of a user's day, and the next one.
    refreshes: [Capacity; 2],
    /// The end of a user with 30 logins in 90 days.
    erasure: Capacity,
}

/// The units of a login whose changes come in a batch each.
struct Alone {
    /// The records of the stream. The filter of the mapping drops some of them.
    records: f64,
    batches: f64,
    counts: Capacity,
    rows: f64,
    row_bytes: f64,
    /// The events that the bus gets.
    events: f64,
}

impl Followed {
    /// Counts all of them.
    pub async fn count() -> Followed {
        let all_events = Alone::count("all").await.events;
        let [batch, sign_ups] = batches().await;
        let (refreshes, erasure) = (refreshes().await, erasure().await);
        Followed { alone: Alone::count("security").await, all_events, batch, sign_ups, refreshes, erasure }
    }

    /// The write units for the activity of a login.
    pub(super) fn rows(&self) -> f64 {
        self.alone.rows
    }

    /// The events of a login.
    pub(super) fn events(&self) -> f64 {
        self.alone.events
    }

    /// The units, and the cost of a month.
    pub fn tables(&self) -> String {
        format!("{}\n{}", self.units(), self.month())
    }

    fn units(&self) -> String {
        let mut table = Table::new(&["counted", "WRU", "RRU"]);
        let [first, next] = self.refreshes;
        for (name, units) in [
            ("counts, a batch with sign-ins", self.batch),
            ("counts, a batch with sign-ups, on a day with 300 sources", self.sign_ups),
            ("counts, a login alone", self.alone.counts),
            ("activity, a login", Capacity { write: self.alone.rows, read: 0.0 }),
            ("refresh", next),
            ("refresh, first of a user's day", first),
            ("erase a user, 30 logins in 90 days", self.erasure),
        ] {
            table.row(&[name, &units.write.to_string(), &units.read.to_string()]);
        }
        table.text()
    }

    fn month(&self) -> String {
        let (stack, Prices { aws, assumed, .. }) = (Stack::read(), Prices::read());
        let Alone { records, batches, counts, rows, row_bytes, events } = self.alone;
        let [first, next] = self.refreshes.map(|units| units.write * aws.write_unit + units.read * aws.read_unit);
        let price = |units: Capacity| units.write * aws.write_unit + units.read * aws.read_unit;
        let logins = |users: f64| users * assumed.logins_per_person;
        let gone = |users: f64| users * assumed.turnover;
        // A batch ends with its window, or is full. Where changes are rare, each is a batch.
        let batches = |users: f64| {
            let most = (assumed.shards * stack.windows()).max(logins(users) * records / stack.batch_size());
            most.min(logins(users) * batches)
        };
        let trip = assumed.trip_ms / 1e3 * stack.memory_mb() / 1024.0 * aws.lambda_gb_second;
        let row_months = row_bytes * stack.activity_months();
        let idle_days = assumed.active_days - assumed.logins_per_person;
        let lines: [(&str, &dyn Fn(f64) -> f64); 8] = [
            ("counts", &|users| (batches(users) * price(self.batch)).min(logins(users) * price(counts))),
            ("counts of sign-ups and their sources", &|users| batches(users).min(gone(users)) * price(self.sign_ups)),
            ("invocations of `record`", &|users| 2.0 * batches(users) * aws.lambda_request),
            ("activity, written", &|users| logins(users) * rows * aws.write_unit),
            ("activity, kept", &|users| logins(users) * row_months * aws.table_byte_month),
            ("days of last activity", &|users| users * idle_days * (first - next + trip)),
            ("events, `EVENTS=security`", &|users| logins(users) * events * aws.event),
            ("erasures", &|users| gone(users) * price(self.erasure)),
        ];
        let columns = USERS.map(|users| format!("{users} users"));
        let title = format!("dollars a month, {} logins per user", assumed.logins_per_person);
        let mut table = Table::new(&[&[title], &columns[..]].concat());
        let mut row = |name: &str, price: &dyn Fn(f64) -> f64| {
            table.row(&[&[name.to_owned()], &USERS.map(|users| format!("{:.2}", price(users)))[..]].concat());
        };
        lines.iter().for_each(|(name, price)| row(name, price));
        row("together", &|users| lines.iter().map(|(_, price)| price(users)).sum());
        row("events, `EVENTS=all` instead", &|users| logins(users) * self.all_events * aws.event);
        row("two counts in each login instead", &|users| logins(users) * 2.0 * aws.write_unit);
        table.text()
    }
}

impl Alone {
    /// With this setting of `EVENTS`.
    async fn count(events: &str) -> Alone {
        let auth = deployment(events).await;
        auth.client().sign_in(ADA).await;
        auth.wait(DAY);
        auth.stack.deliver().await;
        let (bytes, told) = (bytes_of_rows(&auth), auth.events().len());
        // A sign-in changes two items at once, and they may come in one batch.
        auth.faults(json!({ "stream": [{ "fault": "split", "times": 1_000_000 }] }));
        auth.stack.services().calls().take();
        let mut tokens = auth.client().sign_in(ADA).await;
        let mut delivered = auth.stack.deliver().await;
        for _ in 0..2 {
            tokens = auth.client().refresh(&tokens.refresh).await.tokens();
        }
        delivered += auth.stack.deliver().await;
        auth.client().logout(&tokens.refresh).await.ok();
        delivered += auth.stack.deliver().await;
        let calls = calls_of(&auth, "Record");
        let (rows, counts): (Vec<_>, Vec<_>) = calls.iter().partition(|call| call.operation == "PutItem");
        Alone {
            // Each mapping reads each record.
            records: delivered as f64 / Stack::read().mappings(),
            batches: counts.iter().filter(|call| call.operation == COUNT).count() as f64,
            counts: counts.iter().map(|call| call.capacity).sum(),
            rows: rows.iter().map(|call| call.capacity.write).sum(),
            row_bytes: (bytes_of_rows(&auth) - bytes) as f64,
            events: (auth.events().len() - told) as f64,
        }
    }
}

/// The fullest batch with sign-ins, and the fullest with sign-ups. Each shard has enough of each kind of record.
async fn batches() -> [Capacity; 2] {
    let auth = deployment("off").await;
    let sign_in = async |name: &str| {
        for number in 0..20 {
            auth.client().sign_in_from(&format!("{name}{number}@example.com"), "https://example.org/").await;
        }
        auth.stack.services().calls().take();
        auth.stack.deliver().await;
        fullest(&calls_of(&auth, "Record"))
    };
    sign_in("known").await;
    auth.wait(BLOCK_DAYS * DAY);
    let sign_ins = sign_in("known").await;
    // The parts of an export may count as many sources as one batch.
    for part in 1..=3 {
        let names = (0..SOURCES / 3).map(|number| format!("https://example.com?utm_source=letter-{part}-{number}"));
        let sources: Map<String, Value> = names.map(|name| (name, json!(1))).collect();
        let counts =
            json!({ "days": { (START / DAY + BLOCK_DAYS).to_string(): { "sources": sources } }, "last_active": {} });
        auth.stack.invoke("Record", &json!({ "export": "sources", "part": part, "counts": counts })).await.unwrap();
    }
    [sign_ins, sign_in("new").await]
}

/// The units for the counts of a batch. Its transaction is its last call.
fn fullest(calls: &[CallRecord]) -> Capacity {
    let batches = calls.split_inclusive(|call| call.operation == COUNT);
    let counts = batches.map(|calls| {
        let counts = calls.iter().filter(|call| call.operation != "PutItem");
        counts.map(|call| call.capacity).sum::<Capacity>()
    });
    counts.max_by(|one, other| one.write.total_cmp(&other.write)).expect("records were delivered")
}

async fn refreshes() -> [Capacity; 2] {
    let auth = deployment("off").await;
    let mut tokens = auth.client().sign_in(ADA).await;
    auth.wait(DAY);
    // Somebody else's refresh loads the keys.
    let other = auth.client().sign_in("bob@example.com").await;
    auth.client().refresh(&other.refresh).await.ok();
    let mut units = [Capacity::default(); 2];
    for units in &mut units {
        auth.stack.services().calls().take();
        tokens = auth.client().refresh(&tokens.refresh).await.tokens();
        *units = calls_of(&auth, "Refresh").iter().map(|call| call.capacity).sum();
    }
    units
}

/// All calls of `erase` for one user, with the sweeps until the user leaves the list, and the line of `record` in this list.
async fn erasure() -> Capacity {
    let auth = deployment("off").await;
    let mut user = String::new();
    for _ in 0..30 {
        let tokens = auth.client().sign_in(ADA).await;
        user = unverified(&tokens.access).1["sub"].as_str().unwrap().to_owned();
        auth.client().logout(&tokens.refresh).await.ok();
        auth.stack.deliver().await;
        auth.wait(3 * DAY);
    }
    auth.stack.services().calls().take();
    auth.delete_item(&format!("U#{user}"));
    for _ in 0..3 {
        auth.stack.deliver().await;
        auth.wait(DAY);
    }
    assert!(auth.items_of("RECORD_TABLE", "LEFT").is_empty(), "the user is still in the list");
    let is_of_user = |call: &CallRecord| call.caller == "Erase" || call.caller == "Record" && call.keys == ["LEFT"];
    auth.stack.services().calls().take().into_iter().filter(is_of_user).map(|call| call.capacity).sum()
}

/// The call that ends a batch.
const COUNT: &str = "TransactWriteItems";

async fn deployment(events: &str) -> Deployment {
    Deployment::with(&[&SETTINGS[..], &[("EVENTS", events)]].concat()).await
}

fn calls_of(auth: &Deployment, function: &str) -> Vec<CallRecord> {
    auth.stack.services().calls().take().into_iter().filter(|call| call.caller == function).collect()
}

/// The size of all rows of activity.
fn bytes_of_rows(auth: &Deployment) -> usize {
    let rows = auth.items_of("RECORD_TABLE", "A#");
    rows.iter().map(|row| ITEM_BYTES + row.as_object().unwrap().iter().map(bytes).sum::<usize>()).sum()
}

/// The size of a text, or a bit more than that of a number.
fn bytes((name, value): (&String, &Value)) -> usize {
    let text = value["S"].as_str().or(value["N"].as_str()).expect("a row has texts and numbers");
    name.len() + text.len()
}
