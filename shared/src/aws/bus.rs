//! The stack's event bus: EventBridge passes its events to the deployer's rules, and to the stack's own.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_smithy_types::DateTime;

use super::client::{Aws, Retries};
use super::failure::failure;
use crate::config::{IS_NAME, Reader};
use crate::history::{Audience, Event};
use crate::words::{Error, Result};

/// EventBridge takes this many events in one call.
const BATCH: usize = 10;

/// How often entries that EventBridge could not take are sent.
const MOST_ATTEMPTS: usize = 3;

/// The bus.
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    /// Reads the bus's name from the settings.
    pub fn read_name(read: &mut Reader<'_>) -> String {
        read.text("EVENT_BUS", None, IS_NAME)
    }

    /// The bus `name`.
    pub fn new(aws: &Aws, name: String) -> Bus {
        Bus { client: Client::new(&aws.client(|endpoints| &endpoints.events, Retries::Sdk)), name }
    }

    /// Puts the events on the bus, each for its audience. After an error some may be on it. The same event may come twice, with the same `id`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when EventBridge does not take all of them.
    pub async fn put(&self, events: &[(Audience, Event)]) -> Result<()> {
        for batch in events.chunks(BATCH) {
            let entries = batch.iter().map(|event| self.entry(event)).collect::<Result<Vec<_>>>()?;
            self.put_all(entries).await?;
        }
        Ok(())
    }

    /// One entry may fail alone, for example while EventBridge is throttled.
    async fn put_all(&self, mut entries: Vec<PutEventsRequestEntry>) -> Result<()> {
        let mut code = None;
        for _ in 0..MOST_ATTEMPTS {
            let answer = self.client.put_events().set_entries(Some(entries.clone())).send().await.map_err(failure)?;
            let results = answer.entries.unwrap_or_default();
            code = results.iter().find_map(|result| result.error_code.clone());
            let mut failed = results.into_iter().map(|result| result.error_code.is_some());
            // An entry without a result counts as failed.
            entries.retain(|_| failed.next().unwrap_or(true));
            if entries.is_empty() {
                return Ok(());
            }
        }
        Err(Error::unavailable(format!("EventBridge refused some events: {}", code.unwrap_or_default())))
    }

    fn entry(&self, (audience, event): &(Audience, Event)) -> Result<PutEventsRequestEntry> {
        let at = i64::try_from(event.at.unix()).map_err(Error::internal)?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(audience.source())
            .detail_type(event.what.name())
            .detail(event.detail().to_string())
            .time(DateTime::from_secs(at))
            .build())
    }
}
