//! Invoked with what a provider tells about a message: keeps its receipt, and holds the address of a refused mail. SES's events come by
//! SNS, and those of AWS End User Messaging by EventBridge.
//!
//! Both may bring an event late, twice and in another order. Of each event:
//!
//! 1. Read its kind, its recipient and the tags of its message. Drop an event about another recipient than the message's own.
//! 2. Keep the receipt, if it is about the newest message of its code and the first of its kind. With it, keep the message's id, if the
//!    provider wants to hear that the code was used.
//! 3. After a refused or delivered mail, begin or end the hold of its address, if no newer mail was sent there. After a complaint,
//!    remember it.
//!
//! SES's event contains the subject, and so the code. This function passes it to nobody, and its log has only ids.

mod eum;
mod event;

use serde_json::{Value, json};
use shared::aws::{self, Aws};
use shared::config::Reader;
use shared::runtime::Function;
use shared::store::{OtpTable, Store};
use shared::words::{Clock, Result};

/// The function's resources: one table.
pub struct Delivery {
    clock: Clock,
    table: OtpTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    otp_table: String,
}

impl Function for Delivery {
    const NAME: &'static str = "delivery";

    type Settings = Settings;
    type Event = Value;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings { otp_table: OtpTable::read_name(read) }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Delivery> {
        let table = Store::new(&Aws::new(aws, &clock)?).otp_table(settings.otp_table);
        Ok(Delivery { clock, table })
    }

    fn kind(event: &Value) -> Option<&'static str> {
        Some(event::kind(event))
    }

    async fn handle(&self, event: Value) -> Result<Value> {
        let now = self.clock.now();
        let all = event::read_all(&event, now);
        for news in &all {
            self.table.take_news(news, now).await?;
        }
        Ok(json!({ "events": all.len() }))
    }
}
