//! Records of UserTable's stream, read as changes of its items.

use serde::Deserialize;
use serde_json::Value;

use super::table::Item;
use super::{owners, sessions, users};
use crate::history::{Change, Changed};
use crate::words::{Error, Result, Timestamp, UserId};

/// A record as Lambda passes it. Members that nothing reads are left out.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventID")]
    id: String,
    dynamodb: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    /// In Unix seconds, with or without a fraction.
    approximate_creation_date_time: f64,
    keys: Keys,
    sequence_number: String,
    new_image: Option<serde_dynamo::Item>,
    old_image: Option<serde_dynamo::Item>,
}

#[derive(Deserialize)]
struct Keys {
    pk: Key,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "S")]
    text: String,
}

/// Reads a record of UserTable's stream. A record of an unknown kind of item is read as [`Changed::Other`], and so is a refresh.
///
/// # Errors
/// [`Error::InvalidRequest`] if it is no such record, or if its item has another form than the one that this project writes.
pub fn read_change(record: &Value) -> Result<Change> {
    let unreadable = || Error::invalid("the record has another form than those of UserTable's stream");
    let Record { id, dynamodb } = Record::deserialize(record).map_err(|_| unreadable())?;
    let Detail { approximate_creation_date_time: seconds, keys, sequence_number, new_image, old_image } = dynamodb;
    let (new, old) = (new_image.map(Item::from), old_image.map(Item::from));
    // Rust turns a negative number, or none, into 0.
    let at = Timestamp::from_unix(seconds as u64);
    let item = changed(&keys.pk.text, old, new).map_err(|_| unreadable())?;
    Ok(Change { id, sequence: sequence_number.parse()?, at, item })
}

pub(super) fn changed(key: &str, old: Option<Item>, new: Option<Item>) -> Result<Changed> {
    let kind = key.split('#').next().unwrap_or_default();
    Ok(match (kind, old, new) {
        (sessions::KIND, None, Some(new)) => {
            let session = sessions::read(new)?;
            Changed::Session {
                user: session.user,
                session: session.id,
                opened: session.created,
                way: way(session.way),
                device: session.device,
                familiarity: session.familiarity,
            }
        }
        (owners::KIND, old, Some(new)) => {
            // An item may name a deleted user. A sign-up then replaces it.
            let before = old.map(owners::read).transpose()?.map(|old| old.user);
            let owners::SignedUp { user, at, way: by, source_url } = owners::read(new)?;
            match before.as_ref() == Some(&user) {
                true => Changed::Other,
                false => Changed::Identifier { user, at, way: way(by), source_url },
            }
        }
        (users::KIND, old, new) if old.is_some() || new.is_some() => {
            let (before, after) = (old.map(users::read).transpose()?, new.map(users::read).transpose()?);
            let id: Option<&UserId> = after.as_ref().or(before.as_ref()).map(|user| &user.id);
            let id = id.ok_or_else(|| Error::internal("a record without an image"))?.clone();
            Changed::User { id, before: before.map(Box::new), after: after.map(Box::new) }
        }
        (users::KIND | sessions::KIND | owners::KIND, None, None) => {
            return Err(Error::internal("a record without an image"));
        }
        _ => Changed::Other,
    })
}

/// A way from the table. Items from before ways were kept have none.
fn way(text: String) -> String {
    let is_way = |text: &String| {
        (1..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    Some(text).filter(is_way).unwrap_or_else(|| "other".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(key: &str, image: Value) -> Value {
        json!({ "eventID": "a", "eventName": "INSERT", "eventSource": "aws:dynamodb",
            "dynamodb": { "ApproximateCreationDateTime": 1_800_000_000.5, "Keys": { "pk": { "S": key } },
                "SequenceNumber": "100000000000000000001", "NewImage": image } })
    }

    fn signed_up() -> Value {
        json!({ "pk": { "S": "ID#x" }, "uid": { "S": "00000000-0000-7000-8000-000000000000" }, "at": { "N": "1800000000" },
            "source_url": { "S": "https://example.com/" }, "via": { "S": "otp_sms" } })
    }

    #[test]
    fn a_record_is_read_by_the_kind_of_its_item() {
        let change = read_change(&record("ID#x", signed_up())).unwrap();
        assert_eq!((change.id.as_str(), change.at.unix()), ("a", 1_800_000_000));
        let Changed::Identifier { way, source_url, .. } = change.item else { panic!("{change:?}") };
        assert_eq!((way.as_str(), source_url.as_deref()), ("otp_sms", Some("https://example.com/")));
        let mut old = signed_up();
        old["via"] = json!({ "S": "ada@example.com" });
        let Changed::Identifier { way, .. } = read_change(&record("ID#x", old)).unwrap().item else { panic!() };
        assert_eq!(way, "other");
        for (key, image) in [("JWKS", json!({ "set": { "S": "{}" } })), ("X#1", json!({}))] {
            assert!(matches!(read_change(&record(key, image)).unwrap().item, Changed::Other), "{key}");
        }
        let mut replaced = record("ID#x", signed_up());
        replaced["dynamodb"]["OldImage"] = signed_up();
        assert!(matches!(read_change(&replaced).unwrap().item, Changed::Other), "the same user");
        replaced["dynamodb"]["OldImage"]["uid"]["S"] = json!("00000000-0000-7000-8000-000000000001");
        assert!(matches!(read_change(&replaced).unwrap().item, Changed::Identifier { .. }), "another user");
        let mut modified = record("S#x", json!({}));
        modified["dynamodb"]["OldImage"] = json!({});
        assert!(matches!(read_change(&modified).unwrap().item, Changed::Other), "a refresh");
    }

    /// Nothing of an unreadable record may come into a message, because it may contain an address.
    #[test]
    fn an_unreadable_record_is_refused_without_its_content() {
        let mut wrong = Vec::new();
        for key in ["ID#x", "S#x", "U#x"] {
            wrong.push(record(key, json!({ "pk": { "S": key }, "email": { "N": "secret" } })));
            wrong.push(record(key, json!({ "pk": { "secret": "x" } })));
            wrong.push(record(key, json!("secret")));
            wrong.push(record(key, Value::Null));
        }
        for (member, value) in
            [("SequenceNumber", json!("secret")), ("Keys", json!({})), ("ApproximateCreationDateTime", json!("secret"))]
        {
            let mut record = record("ID#x", signed_up());
            record["dynamodb"][member] = value;
            wrong.push(record);
        }
        wrong.extend([Value::Null, json!([]), json!("secret"), json!({ "eventID": "a" })]);
        for record in wrong {
            let error = read_change(&record).unwrap_err();
            let told = format!("{error} {:?}", error.cause());
            assert!(matches!(error, Error::InvalidRequest(_)) && !told.contains("secret"), "{record}: {told}");
        }
    }
}
