//! `POST /api/webhooks/twilio/` and `POST /api/webhooks/sendgrid/`: take what these providers tell about messages.
//!
//! 1. Check the signature of the request, before any access to the table. Only the provider and the deployer have its key.
//! 2. Keep each receipt, and hold the address of a refused mail, as `delivery` does for the providers in AWS.
//!
//! A provider may bring an event late, twice and in another order. Without the providers' secret, both paths are unknown.

mod sendgrid;
mod twilio;

use std::future::ready;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use shared::aws::{self, Aws, KeyringReader, Secrets, Warm};
use shared::codes::News;
use shared::config::Reader;
use shared::http::{Frontends, Reply, Request};
use shared::keys::ProviderKeys;
use shared::runtime::Function;
use shared::store::{OtpTable, Store};
use shared::words::{Clock, Error, Forbidden, Result, Timestamp};

/// The function's resources: one table and the providers' keys.
pub struct Callbacks {
    clock: Clock,
    keys: Option<KeyringReader<ProviderKeys>>,
    domain: Option<String>,
    table: OtpTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    secret: Option<String>,
    domain: Option<String>,
    otp_table: String,
}

/// The events of one request that are taken at once.
const AT_ONCE: usize = 8;

/// One answer covers a missing signature, a wrong one, an old one and a missing key.
pub(crate) const FORGED: Error =
    Error::Forbidden(Forbidden::Request("The signature of the request is missing, invalid or too old."));

impl Function for Callbacks {
    const NAME: &'static str = "callbacks";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            secret: ProviderKeys::read_secret(read),
            domain: Frontends::read_domain(read),
            otp_table: OtpTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Callbacks> {
        let Settings { secret, domain, otp_table } = settings;
        let aws = Aws::new(aws, &clock)?;
        let keys = secret.map(|secret| Secrets::new(&aws).keyring(secret));
        Ok(Callbacks { clock, keys, domain, table: Store::new(&aws).otp_table(otp_table) })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let keys = self.keys.as_ref().ok_or(Error::NotFound)?;
        let read = match keys.keys(now).await {
            Ok(read) => read,
            Err(Error::Internal(cause)) => {
                tracing::warn!(
                    cause = cause.to_string(),
                    "no keys to check signatures. {}",
                    ProviderKeys::remedy(keys.arn())
                );
                return Err(FORGED);
            }
            Err(error) => return Err(error),
        };
        let news = match request.last_segment() {
            "twilio" => {
                let keys = read.twilio.as_ref().ok_or(FORGED)?;
                twilio::read(&request, &request.api(self.domain.as_deref()), keys, now)?.into_iter().collect()
            }
            _ => sendgrid::read(&request, read.sendgrid.as_ref().ok_or(FORGED)?, now)?,
        };
        self.take(&news, now).await?;
        Ok(Reply::no_content())
    }
}

impl Callbacks {
    async fn take(&self, news: &[News], now: Timestamp) -> Result<()> {
        let taking: Vec<_> = news.iter().map(|news| self.table.take_news(news, now)).collect();
        stream::iter(taking).buffer_unordered(AT_ONCE).try_for_each(|()| ready(Ok(()))).await
    }
}
