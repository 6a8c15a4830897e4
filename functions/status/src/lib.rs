//! `POST /api/auth/otp/status/`: tells a waiting person what became of the message with the code.
//!
//! 1. Count the question for its network, and read the identifier's item. Both always happen, so the time reveals nothing.
//! 2. Find the message. A code of its own has its entry. A long code is shared: its entry stays after its use, and a challenge learns
//!    about the message only as long after its own start as the receipt came after the send.
//! 3. Answer. An id that we did not make, a used code and a promise that has ended are one answer, `over`.
//!
//! This function has no access to users, so it cannot reveal accounts.

mod wire;

use std::time::Duration;

use shared::aws::{self, Aws, KeyringReader, Secrets};
use shared::codes::{
    Action, Allowance, ChallengeRef, FOLLOWS_AFTER, HOLD_WAIT, Kept, LONG_LIFE, Messages, Promises, Purpose, SENT, Seal,
};
use shared::config::Reader;
use shared::http::{Frontends, Reply, Request};
use shared::keys::IndexKeys;
use shared::messages::OtherChannels;
use shared::observe::report::{self, About};
use shared::runtime::Function;
use shared::store::{OtpTable, Store};
use shared::words::{Channel, Clock, Error, Index, Result, Timestamp};

use crate::wire::{Question, Status as Told};

/// The function's resources: one table and the index key.
pub struct Status {
    clock: Clock,
    promises: Promises,
    others: OtherChannels,
    frontends: Frontends,
    index: KeyringReader<IndexKeys>,
    table: OtpTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    promises: Promises,
    others: OtherChannels,
    frontends: Frontends,
    otp_table: String,
    index_secret: String,
}

impl Function for Status {
    const NAME: &'static str = "status";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            promises: Promises::read(read),
            others: OtherChannels::read(read),
            frontends: Frontends::read(read),
            otp_table: OtpTable::read_name(read),
            index_secret: IndexKeys::read_secret(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Status> {
        let Settings { promises, others, frontends, otp_table, index_secret } = settings;
        let aws = Aws::new(aws, &clock)?;
        let (store, index) = (Store::new(&aws), Secrets::new(&aws).keyring(index_secret));
        store.connect(2).await;
        Ok(Status { clock, promises, others, frontends, index, table: store.otp_table(otp_table) })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let Question { to, challenge } = Question::read(&request, &self.frontends)?;
        let keys = self.index.keys(now).await?;
        let index = Index::new(keys.index.mac(), request.tenant());
        let (identifier, network) = (index.identifier(&to.identifier()), index.network(request.network));
        report::about(About::Identifier(&identifier));
        report::about(About::Network(&network));
        let (counted, messages) = tokio::try_join!(
            self.table.count(Action::Status, &network, Allowance::STATUS, now),
            self.table.messages(&identifier),
        )?;
        counted.or_refuse(now, |retry_after| Error::RateLimited { retry_after })?;
        let open = |id| {
            Purpose::ALL
                .into_iter()
                .find_map(|purpose| Some((purpose, Seal::new(&index, &identifier, purpose).open(&id, now)?)))
        };
        let named = challenge.and_then(open);
        // The answer to a used code names the same channel as that to an unknown one.
        let told = named
            .and_then(|(purpose, named)| self.told((purpose, &named), &messages, to.by(named.other).channel(), now));
        Reply::ok(told.unwrap_or_else(|| Told::over(to.channel())))
    }
}

impl Status {
    /// The state of a challenge whose promise lasts. `None` after that, and after the use of a code of its own.
    fn told(
        &self,
        (purpose, named): (Purpose, &ChallengeRef),
        messages: &Messages,
        channel: Channel,
        now: Timestamp,
    ) -> Option<Told> {
        let left = |span| now.until(named.asked.after(span)).min(span);
        let expires_in = left(self.promises.life(channel));
        // The client was told that its message was not sent.
        if expires_in.is_zero() || named.refusals > 0 {
            return None;
        }
        let message = match named.kept {
            Kept::Own(_) => Some(messages.own(named.kept, &named.key)?),
            // The code that was the newest when the client asked. The clock of another instance may be behind.
            Kept::Long => messages.long(purpose, named.asked.after(LONG_LIFE).after(CLOCKS)),
        };
        let after = named.asked.until(now);
        let state = message.map_or(SENT, |message| message.receipts.state(after));
        let is_held = messages.hold.as_ref().is_some_and(|hold| hold.is_on(now));
        let retry_after = if is_held { HOLD_WAIT } else { left(self.promises.resend_after(channel)) };
        if is_held {
            return Some(Told::new(state, channel, (expires_in, retry_after), Vec::new()));
        }
        let may_follow = channel.is_to_phones()
            && after >= FOLLOWS_AFTER
            && message.is_some_and(|message| message.resends.may_go_on(now));
        let is_left = |other: &Channel| may_follow && (*other != Channel::Voice || messages.calls.are_left(now));
        let can = std::iter::once("resend").chain(self.others.all().filter(is_left).map(Channel::name));
        Some(Told::new(state, channel, (expires_in, retry_after), can.collect()))
    }
}

/// How far the clocks of two instances may be apart.
const CLOCKS: Duration = Duration::from_secs(2);
