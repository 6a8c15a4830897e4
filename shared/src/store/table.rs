//! The three tables and the client that they share.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use super::mail_memory::MailMemory;
use super::refused::Refused;
use crate::aws::{Aws, Retries, endpoint};
use crate::codes::Brake;
use crate::config::{IS_NAME, Reader};
use crate::words::{ItemKey, Scope, Tenant};

/// Challenges and counters: losing them does little harm.
pub struct OtpTable {
    pub(super) table: Table,
    pub(super) refused: Refused,
    pub(super) brake: Brake,
    pub(super) mail: MailMemory,
}

/// Users, their identifiers and sessions, and the public keys: data that must be kept.
#[derive(Clone)]
pub struct UserTable {
    pub(super) table: Table,
}

/// What happened: activity and counts, derived from the stream of [`UserTable`].
#[derive(Clone)]
pub struct RecordTable {
    pub(super) table: Table,
}

impl RecordTable {
    /// Reads the table's name from the settings.
    pub fn read_name(read: &mut Reader<'_>) -> String {
        read.text("RECORD_TABLE", None, IS_NAME)
    }
}

impl OtpTable {
    /// Reads the table's name from the settings.
    pub fn read_name(read: &mut Reader<'_>) -> String {
        read.text("OTP_TABLE", None, IS_NAME)
    }
}

impl UserTable {
    /// Reads the table's name from the settings.
    pub fn read_name(read: &mut Reader<'_>) -> String {
        read.text("USER_TABLE", None, IS_NAME)
    }
}

/// The users of one tenant, with their identifiers and sessions.
#[derive(Clone, Copy)]
pub struct Users<'a> {
    pub(super) table: &'a Table,
    tenant: &'a Tenant,
}

impl UserTable {
    /// The users of `tenant`.
    pub fn of<'a>(&'a self, tenant: &'a Tenant) -> Users<'a> {
        Users { table: &self.table, tenant }
    }
}

impl Users<'_> {
    pub(super) fn key(&self, kind: &str, name: &str) -> ItemKey {
        ItemKey::new(Scope::Tenant(self.tenant), kind, &[name])
    }
}

/// The partition key of every item.
pub(super) const PK: &str = "pk";

/// The sort key of the items of RecordTable. The other tables have none.
pub(super) const SK: &str = "sk";

pub(super) type Item = HashMap<String, AttributeValue>;

#[derive(Clone)]
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

/// The DynamoDB client of all tables.
#[derive(Clone)]
pub struct Store {
    aws: Aws,
    client: Client,
}

impl Store {
    /// Creates the client.
    pub fn new(aws: &Aws) -> Store {
        let client = Client::new(&aws.client(|endpoints| &endpoints.dynamodb, Retries::Sdk));
        Store { aws: aws.clone(), client }
    }

    /// Opens `connections` connections, one for each parallel call of the function's first request.
    pub async fn connect(&self, connections: usize) {
        self.aws.connect(endpoint!(aws_sdk_dynamodb, self.aws.settings(), dynamodb), connections).await;
    }

    /// The table of challenges and counters.
    pub fn otp_table(&self, name: String) -> OtpTable {
        let table = Table { client: self.client.clone(), name };
        OtpTable { table, refused: Refused::default(), brake: Brake::default(), mail: MailMemory::default() }
    }

    /// The table of what happened.
    pub fn record_table(&self, name: String) -> RecordTable {
        RecordTable { table: Table { client: self.client.clone(), name } }
    }

    /// The table of users.
    pub fn user_table(&self, name: String) -> UserTable {
        UserTable { table: Table { client: self.client.clone(), name } }
    }
}

/// The size of an item as DynamoDB counts it: UTF-8 bytes of names and values, half a byte for each digit of a number plus one, 3
/// bytes for a map or list plus one for each entry.
#[cfg(test)]
pub(super) fn size(item: &Item) -> usize {
    fn of(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::Bool(_) => 1,
            AttributeValue::L(values) => 3 + values.iter().map(|value| of(value) + 1).sum::<usize>(),
            AttributeValue::M(map) => 3 + map.len() + size(map),
            other => panic!("{other:?} is in no item"),
        }
    }
    item.iter().map(|(name, value)| name.len() + of(value)).sum()
}

#[cfg(test)]
impl Table {
    /// A table for tests of expressions.
    pub(super) fn without_calls() -> Table {
        let config = aws_sdk_dynamodb::Config::builder();
        let config = config.behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest()).build();
        Table { client: Client::from_conf(config), name: "table".to_owned() }
    }
}
