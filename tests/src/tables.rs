//! What lies in the tables of a deployment, and what an operator's hand may do to it.

use serde_json::{Value, json};

use crate::Deployment;

impl Deployment {
    /// What lies in the users' table under keys that begin with `prefix`.
    pub fn items(&self, prefix: &str) -> Vec<Value> {
        self.items_of("USER_TABLE", prefix)
    }

    /// What lies in a table under keys that begin with `prefix`.
    pub fn items_of(&self, table: &str, prefix: &str) -> Vec<Value> {
        let found = self.stack.services().dynamodb("Scan", json!({ "TableName": self.setting(table) })).unwrap();
        let items = found["Items"].as_array().unwrap().iter();
        items.filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(prefix)).cloned().collect()
    }

    /// Takes the item at `key` out of the users' table, as TTL or an operator's hand does.
    pub fn delete_item(&self, key: &str) {
        self.delete_from("USER_TABLE", key);
    }

    /// The same of a table.
    pub fn delete_from(&self, table: &str, key: &str) {
        let request = json!({ "TableName": self.setting(table), "Key": { "pk": { "S": key } } });
        self.stack.services().dynamodb("DeleteItem", request).unwrap();
    }

    /// Takes all out of a table, but what lies at `but`.
    pub fn empty(&self, table: &str, but: &str) {
        let table_name = self.setting(table);
        for item in self.items_of(table, "").iter().filter(|item| item["pk"]["S"] != but) {
            let request = json!({ "TableName": table_name, "Key": { "pk": item["pk"] } });
            self.stack.services().dynamodb("DeleteItem", request).unwrap();
        }
    }
}
