//! The two tables. What lies in them, and how it is named there, is the secret of the files below.
//!
//! Every update of state has a condition that is false for a missing item, so that nothing comes back by being
//! updated (S81). A refused condition brings the item with it, instead of a second read (S83).

mod answer;
mod budget;
mod guard;
mod network;
mod owners;
mod pool;
mod public_keys;
mod refused;
mod resend;
mod sessions;
mod start;
mod users;
mod write;

use aws_sdk_dynamodb::Client;

pub use self::network::Passage;
pub use self::owners::{Owner, SignUp};
pub use self::public_keys::Publication;
pub use self::sessions::Presented;
pub use self::start::Asked;

use crate::aws::{Aws, Retries, endpoint};
use crate::config::{IS_NAME, Reader};

/// What may be forgotten: challenges and counters.
pub struct OtpTable {
    table: Table,
    refused: refused::Refused,
}

/// What may not: users, their identifiers, their sessions, the public keys.
#[derive(Clone)]
pub struct UserTable {
    table: Table,
}

impl OtpTable {
    /// Reads its name.
    pub fn read_name(read: &mut Reader<'_>) -> String {
        read.text("OTP_TABLE", None, IS_NAME)
    }
}

impl UserTable {
    /// Reads its name.
    pub fn read_name(read: &mut Reader<'_>) -> String {
        read.text("USER_TABLE", None, IS_NAME)
    }
}

#[derive(Clone)]
struct Table {
    client: Client,
    name: String,
}

/// The client of both tables.
#[derive(Clone)]
pub struct Store {
    aws: Aws,
    client: Client,
}

impl Store {
    /// A client over `aws`.
    pub fn new(aws: &Aws) -> Store {
        let client = Client::new(&aws.client(|endpoints| &endpoints.dynamodb, Retries::Sdk));
        Store { aws: aws.clone(), client }
    }

    /// Opens as many connections as the function's first request has calls under way together.
    pub async fn connect(&self, connections: usize) {
        self.aws.connect(endpoint!(aws_sdk_dynamodb, self.aws.settings(), dynamodb), connections).await;
    }

    /// The table of challenges and counters.
    pub fn otp_table(&self, name: String) -> OtpTable {
        OtpTable { table: Table { client: self.client.clone(), name }, refused: refused::Refused::default() }
    }

    /// The table of users.
    pub fn user_table(&self, name: String) -> UserTable {
        UserTable { table: Table { client: self.client.clone(), name } }
    }
}
