//! Access to the tables of a deployment, for tests and for changes an operator might make.

use serde_json::{Value, json};

use crate::Deployment;

impl Deployment {
    /// The items of UserTable with keys that begin with `prefix`.
    pub fn items(&self, prefix: &str) -> Vec<Value> {
        self.items_of("USER_TABLE", prefix)
    }

    /// The items of a table with keys that begin with `prefix`.
    pub fn items_of(&self, table: &str, prefix: &str) -> Vec<Value> {
        let found = self.stack.services().dynamodb("Scan", json!({ "TableName": self.setting(table) })).unwrap();
        let items = found["Items"].as_array().unwrap().iter();
        items.filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(prefix)).cloned().collect()
    }

    /// Deletes the item at `key` from UserTable, as TTL or an operator does.
    pub fn delete_item(&self, key: &str) {
        self.delete_from("USER_TABLE", key);
    }

    /// Deletes the item at `key` from a table.
    pub fn delete_from(&self, table: &str, key: &str) {
        let request = json!({ "TableName": self.setting(table), "Key": { "pk": { "S": key } } });
        self.stack.services().dynamodb("DeleteItem", request).unwrap();
    }

    /// Replaces the items of a table by those of a backup.
    pub fn restore(&self, table: &str, backup: &[Value]) {
        self.empty(table, "");
        for item in backup {
            let request = json!({ "TableName": self.setting(table), "Item": item });
            self.stack.services().dynamodb("PutItem", request).unwrap();
        }
    }

    /// Deletes all items of a table except the one at `but`.
    pub fn empty(&self, table: &str, but: &str) {
        let table_name = self.setting(table);
        for item in self.items_of(table, "").iter().filter(|item| item["pk"]["S"] != but) {
            let request = json!({ "TableName": table_name, "Key": { "pk": item["pk"] } });
            self.stack.services().dynamodb("DeleteItem", request).unwrap();
        }
    }
}
