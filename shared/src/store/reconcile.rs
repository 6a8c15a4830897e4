//! Finds what the stream has lost: missing counts, and users who left but are not erased.
//!
//! DynamoDB forgets the records of a stream after a day. After a longer outage of `record` or `erase`, an operator exports UserTable and
//! RecordTable at one point in time, and this module compares them. A plan only adds what is missing, and its steps may be repeated.
//!
//! Counts of sign-ups and sign-ins are only raised. Users who were erased and sessions that have expired are missing in the export, so
//! the stored counts may be right where they are higher. The days of last activity are corrected in both directions.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::record::read_counts;
use super::remains::Remains;
use super::stream::changed;
use super::table::{Item, PK, SK};
use crate::history::{Changed, Counts, Day};
use crate::words::{Error, Result, UserId};

/// The items of both exports.
#[derive(Default)]
pub struct Reconciliation {
    /// The counts that follow from the items of UserTable.
    recount: Counts,
    /// The counts of RecordTable.
    stored: Counts,
    /// The users with an item.
    existing: BTreeSet<UserId>,
    /// Everybody whom another item names, with these items of UserTable.
    named: BTreeMap<UserId, BTreeSet<Remains>>,
}

/// Events for functions.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    /// For `record`, in this order: missing counts, in parts.
    pub counts: Vec<Value>,
    /// For `erase`: one for each user who left.
    pub erasures: Vec<Value>,
}

impl Reconciliation {
    /// Takes an item of either table, in DynamoDB's JSON.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if it has another form than the items that this project writes.
    pub fn take(&mut self, item: &Value) -> Result<()> {
        self.add(item).map_err(|_| {
            Error::invalid("the export has an item of another form than those of UserTable and RecordTable")
        })
    }

    fn add(&mut self, item: &Value) -> Result<()> {
        let item = Item::from(serde_dynamo::Item::deserialize(item).map_err(Error::internal)?);
        let key = item.get(PK).and_then(|key| key.as_s().ok()).cloned();
        let key = key.ok_or_else(|| Error::internal("an item without a key"))?;
        match item.get(SK).and_then(|key| key.as_s().ok()).cloned() {
            Some(sort) => self.add_recorded(&key, &sort, item),
            None => self.add_stored(key, item),
        }
    }

    fn add_stored(&mut self, key: String, item: Item) -> Result<()> {
        let item = changed(&key, None, Some(item))?;
        self.recount.add(&item);
        match item {
            Changed::User { id, .. } => {
                self.existing.insert(id);
            }
            Changed::Identifier { user, .. } => {
                self.named.entry(user).or_default().insert(Remains::try_from(key)?);
            }
            Changed::Session { user, session, .. } => {
                self.named.entry(user).or_default().insert(Remains::session(session.as_str()));
            }
            Changed::Other => {}
        }
        Ok(())
    }

    fn add_recorded(&mut self, key: &str, sort: &str, item: Item) -> Result<()> {
        let (kind, name) = key.split_once('#').unwrap_or((key, ""));
        match kind {
            "A" => {
                self.named.entry(name.parse()?).or_default();
            }
            "LEFT" if super::record::is_place(&item) => {}
            "LEFT" if !super::record::is_erased(&item) => {
                self.named.entry(sort.parse()?).or_default();
            }
            _ => read_counts(kind, name, item, &mut self.stored)?,
        }
        Ok(())
    }

    /// What is missing. `export` names the exports, so that `record` counts each part once.
    pub fn plan(self, export: &str) -> Plan {
        let parts = self.missing();
        let count = |(at, counts): (usize, &Counts)| json!({ "export": export, "part": at + 1, "counts": counts });
        let counts = parts.iter().enumerate().map(count).collect();
        let left = self.named.iter().filter(|(user, _)| !self.existing.contains(user));
        let erase = |(user, items): (&UserId, &BTreeSet<Remains>)| {
            let items: Vec<&str> = items.iter().map(Remains::as_str).collect();
            json!({ "user": user, "items": items })
        };
        Plan { counts, erasures: left.map(erase).collect() }
    }

    /// The missing counts, in parts that one transaction takes.
    fn missing(&self) -> Vec<Counts> {
        let mut parts = Parts::default();
        let none = Day::default();
        for (day, recount) in &self.recount.days {
            let stored = self.stored.days.get(day).unwrap_or(&none);
            for (way, more) in more(&recount.sign_ups, &stored.sign_ups) {
                parts.add(|part| part.days.entry(*day).or_default().sign_ups.insert(way, more));
            }
            for (way, more) in more(&recount.sign_ins, &stored.sign_ins) {
                parts.add(|part| part.days.entry(*day).or_default().sign_ins.insert(way, more));
            }
            // Sources beyond the limit of a day are stored under one name, so only the sum tells whether any is missing.
            let sum = |counts: &BTreeMap<String, u32>| counts.values().sum::<u32>();
            let mut left = sum(&recount.sources).saturating_sub(sum(&stored.sources));
            for (source, more) in more(&recount.sources, &stored.sources) {
                let more = more.min(left);
                left -= more;
                if more > 0 {
                    parts.add(|part| part.days.entry(*day).or_default().sources.insert(source, more));
                }
            }
        }
        let days: BTreeSet<u64> =
            self.recount.last_active.keys().chain(self.stored.last_active.keys()).copied().collect();
        for day in days {
            let on = |counts: &Counts| counts.last_active.get(&day).copied().unwrap_or_default();
            let more = on(&self.recount) - on(&self.stored);
            if more != 0 {
                parts.add(|part| part.last_active.insert(day, more));
            }
        }
        parts.end()
    }
}

/// How much higher each count of `recount` is.
fn more(recount: &BTreeMap<String, u32>, stored: &BTreeMap<String, u32>) -> Vec<(String, u32)> {
    let more = recount
        .iter()
        .map(|(name, count)| (name.clone(), count.saturating_sub(stored.get(name).copied().unwrap_or_default())));
    more.filter(|(_, more)| *more > 0).collect()
}

/// Counts, cut into parts.
#[derive(Default)]
struct Parts {
    full: Vec<Counts>,
    current: Counts,
}

impl Parts {
    fn add<T>(&mut self, add: impl FnOnce(&mut Counts) -> T) {
        add(&mut self.current);
        if self.current.is_full() {
            self.full.push(std::mem::take(&mut self.current));
        }
    }

    fn end(mut self) -> Vec<Counts> {
        if self.current != Counts::default() {
            self.full.push(self.current);
        }
        self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 20_454;

    fn reconciled(items: &[Value]) -> Plan {
        let mut exports = Reconciliation::default();
        items.iter().for_each(|item| exports.take(item).unwrap());
        exports.plan("x")
    }

    fn user(number: u32) -> String {
        format!("00000000-0000-7000-8000-{number:012}")
    }

    fn seconds(day: u64) -> Value {
        json!({ "N": (day * 86_400).to_string() })
    }

    fn signed_up(number: u32, source: &str) -> [Value; 2] {
        let id = user(number);
        [
            json!({ "pk": { "S": format!("U#{id}") }, "dj": seconds(DAY), "ll": seconds(DAY), "ss": { "M": {} } }),
            json!({ "pk": { "S": format!("ID#{number}") }, "uid": { "S": id }, "at": seconds(DAY), "via": { "S": "otp_email" },
                "source_url": { "S": format!("https://{source}/") } }),
        ]
    }

    fn stored(day: u64, sort: &str, counts: Value) -> Value {
        let mut item = json!({ "pk": { "S": format!("DAY#{day}") }, "sk": { "S": sort } });
        for (name, count) in counts.as_object().unwrap() {
            item[name] = json!({ "N": count.to_string() });
        }
        item
    }

    #[test]
    fn missing_counts_are_added_and_higher_ones_stay() {
        let items = [signed_up(1, "a.example"), signed_up(2, "a.example"), signed_up(3, "b.example")].concat();
        let plan = reconciled(&items);
        let day = json!({ "sign_ups": { "otp_email": 3 }, "sign_ins": {}, "sources": { "https://a.example": 2, "https://b.example": 1 } });
        let counts = json!({ "days": { "20454": day }, "last_active": { "20454": 3 } });
        assert_eq!(plan.counts, [json!({ "export": "x", "part": 1, "counts": counts })]);

        let active =
            json!({ "pk": { "S": "LA#639" }, "sk": { "S": "all" }, "d20454": { "N": "5" }, "d20453": { "N": "1" } });
        let day = stored(DAY, "all", json!({ "up_otp_email": 7, "in_otp_email": 9 }));
        let sources = stored(DAY, "sources", json!({ "n": 1, "s_https://a.example": 1, "s_other": 1 }));
        let plan = reconciled(&[&items[..], &[active, day, sources]].concat());
        let day = json!({ "sign_ups": {}, "sign_ins": {}, "sources": { "https://a.example": 1 } });
        let counts = json!({ "days": { "20454": day }, "last_active": { "20453": -1, "20454": -2 } });
        assert_eq!(plan.counts, [json!({ "export": "x", "part": 1, "counts": counts })]);
        assert_eq!(plan.erasures, [] as [Value; 0]);
    }

    #[test]
    fn a_plan_has_parts_that_one_transaction_takes() {
        let items: Vec<Value> = (0..250).flat_map(|number| signed_up(number, &format!("{number}.example"))).collect();
        let plan = reconciled(&items);
        let parts: Vec<Counts> =
            plan.counts.iter().map(|event| serde_json::from_value(event["counts"].clone()).unwrap()).collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.iter().map(|part| part.days[&DAY].sources.len()).sum::<usize>(), 250);
        assert!(parts.iter().all(|part| part.days[&DAY].sources.len() <= 100));
    }

    #[test]
    fn users_whose_item_is_missing_have_left() {
        let session = json!({ "S": "AAAAAAAAAAAAAAAAAAAAAA" });
        let row = |sort: &str| json!({ "pk": { "S": format!("A#{}", user(3)) }, "sk": { "S": sort }, "s": session });
        let left = |number: u32, erased: bool| {
            let mut item = json!({ "pk": { "S": "LEFT" }, "sk": { "S": user(number) }, "at": seconds(DAY) });
            if erased {
                item["e"] = seconds(DAY);
            }
            item
        };
        let mut items = signed_up(1, "a.example").to_vec();
        items.push(signed_up(2, "a.example")[1].clone());
        let place = json!({ "pk": { "S": "LEFT" }, "sk": { "S": "place" }, "last": { "S": user(4) } });
        items.extend([row("1"), row("2"), left(1, false), left(4, false), left(5, true), place]);
        let erase = |number: u32, items: Value| json!({ "user": user(number), "items": items });
        assert_eq!(reconciled(&items).erasures, [erase(2, json!(["ID#2"])), erase(3, json!([])), erase(4, json!([]))]);
    }

    /// Nothing of an item may come into a message, because it may contain an address.
    #[test]
    fn an_item_of_another_form_is_refused_without_its_content() {
        for item in [
            json!({ "pk": { "S": "U#secret" } }),
            json!({ "pk": { "S": "ID#1" }, "uid": { "S": "secret" } }),
            json!({ "pk": { "S": "A#secret" }, "sk": { "S": "1" } }),
            json!({ "pk": { "S": "DAY#secret" }, "sk": { "S": "all" }, "up_x": { "N": "1" } }),
            json!({ "pk": { "N": "1" } }),
            json!("secret"),
            json!({}),
        ] {
            let error = Reconciliation::default().take(&item).unwrap_err();
            let told = format!("{error} {:?}", error.cause());
            assert!(matches!(error, Error::InvalidRequest(_)) && !told.contains("secret"), "{item}: {told}");
        }
    }
}
