//! Creates many users at once by copying the items of one sign-up.

use serde_json::{Value, json};
use shared::keys::IndexKeys;
use shared::words::{Entropy, Index, Tenant, Timestamp, UserId};
use tests::Deployment;

/// DynamoDB's limit of items per batch, rounded to two items per user.
const BATCH: usize = 24;
const PATTERN: &str = "pattern@example.com";

pub fn address(number: usize) -> String {
    format!("person{number}@example.com")
}

/// The items of a user who has signed up through the API and signed out again.
pub struct Pattern {
    items: String,
    id: String,
    digest: String,
    keys: IndexKeys,
    table: String,
    now: Timestamp,
}

impl Pattern {
    /// The deployment must have no other users.
    pub async fn of(auth: &Deployment) -> Pattern {
        let tokens = auth.client().sign_in(PATTERN).await;
        auth.client().logout(&tokens.refresh).await.ok();
        let items = ["ID#", "U#"].map(|prefix| auth.items(prefix).pop().unwrap());
        let id = items[1]["pk"]["S"].as_str().unwrap().trim_start_matches("U#").to_owned();
        let digest = items[0]["pk"]["S"].as_str().unwrap().trim_start_matches("ID#").to_owned();
        let (keys, table) = (auth.index_keys(), auth.setting("USER_TABLE"));
        Pattern { items: json!(items).to_string(), id, digest, keys, table, now: auth.stack.clock().now() }
    }

    /// Writes the users numbered from `first` up to, but excluding, `last`.
    pub fn write(&self, auth: &Deployment, first: usize, last: usize) {
        for batch in (first..last).step_by(BATCH / 2) {
            let people = (batch..last.min(batch + BATCH / 2)).flat_map(|number| self.person(number));
            let puts: Vec<Value> = people.map(|item| json!({ "PutRequest": { "Item": item } })).collect();
            let request = json!({ "RequestItems": { &self.table: puts } });
            auth.stack.services().dynamodb("BatchWriteItem", request).unwrap();
        }
    }

    fn person(&self, number: usize) -> Vec<Value> {
        let address = address(number);
        let tenant = Tenant::default();
        let index = Index::new(self.keys.index.mac(), &tenant);
        let items = self
            .items
            .replace(&self.id, &UserId::draw(&Entropy, self.now).unwrap().to_string())
            .replace(&self.digest, index.identifier(&address.parse().unwrap()).as_str())
            .replace(PATTERN, &address);
        serde_json::from_str(&items).unwrap()
    }
}
