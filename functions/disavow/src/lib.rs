//! `GET` and `POST /api/auth/disavow/`: the link "This was not me" of a notice about a new sign-in.
//!
//! GET shows a page with a button, and makes no call, because mail scanners open links. POST:
//!
//! 1. Read the session that the token names. Its seed checks the token, and it may have ended.
//! 2. End all sessions of its user in one write, and begin a new epoch, so that no sign-in under way outlives it.
//! 3. Make the device tokens of the user's identifiers invalid. The user gets notices of those devices again.
//! 4. Note in the session that this is done. The same token then ends no later session.
//!
//! Each step may be repeated, and a failure fails the request. No second factor is removed: a mailbox alone must not take it away.

mod wire;

use shared::aws::{self, Aws, KeyringReader, Secrets};
use shared::config::Reader;
use shared::http::{HtmlPage, Reply, Request};
use shared::keys::IndexKeys;
use shared::observe::report::{self, About};
use shared::runtime::Function;
use shared::sessions::Disavowal;
use shared::store::{OtpTable, Store, UserTable};
use shared::words::{Clock, Error, Index, Result, Timestamp};

use crate::wire::{Disavowed, submitted};

/// The function's resources: both tables and the index key.
pub struct Disavow {
    clock: Clock,
    index: KeyringReader<IndexKeys>,
    users: UserTable,
    devices: OtpTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    index_secret: String,
    user_table: String,
    otp_table: String,
}

impl Function for Disavow {
    const NAME: &'static str = "disavow";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            index_secret: IndexKeys::read_secret(read),
            user_table: UserTable::read_name(read),
            otp_table: OtpTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Disavow> {
        let aws = Aws::new(aws, &clock)?;
        let index = Secrets::new(&aws).keyring(settings.index_secret);
        let store = Store::new(&aws);
        let (users, devices) = (store.user_table(settings.user_table), store.otp_table(settings.otp_table));
        Ok(Disavow { clock, index, users, devices })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        if request.method() == "GET" {
            return question(&request);
        }
        let is_form = request.is_form();
        let ended = match submitted(&request).and_then(|token| token.parse()) {
            Ok(token) => self.disavow(&request, &token, now).await,
            Err(error) => Err(error),
        };
        match ended {
            Ok(before) if is_form => {
                Reply::ok(Disavowed::new(before, request.language))?.as_page(HtmlPage::done(before, request.language)?)
            }
            Ok(before) => Reply::ok(Disavowed::new(before, request.language)),
            Err(Error::InvalidRequest(_)) if is_form => invalid(&request),
            Err(error) => Err(error),
        }
    }
}

/// The page with the button. Only the form of the token is checked.
fn question(request: &Request) -> Result<Reply> {
    match request.parameter("token").and_then(|token| token.parse().ok()) {
        Some(token) => Reply::ok(())?.as_page(HtmlPage::question(&token, request.language)?),
        None => invalid(request),
    }
}

fn invalid(request: &Request) -> Result<Reply> {
    Reply::refusal(&Disavowal::refused(), request.language).as_page(HtmlPage::invalid(request.language)?)
}

impl Disavow {
    /// Steps 1 to 4. Returns whether the sign-in was disavowed before.
    async fn disavow(&self, request: &Request, token: &Disavowal, now: Timestamp) -> Result<bool> {
        let (tenant, users) = (request.tenant(), self.users.of(request.tenant()));
        let (keys, session) = tokio::try_join!(self.index.keys(now), users.session(token.session()))?;
        let session = session.filter(|session| token.is_of(session, tenant, now)).ok_or_else(Disavowal::refused)?;
        report::about(About::User(session.user()));
        report::about(About::Session(session.id()));
        if session.is_disavowed() {
            return Ok(true);
        }
        let user = users.end_disavowed_sessions(session.user()).await?.ok_or_else(Disavowal::refused)?;
        tracing::info!(event = "disavowed", user = %user.id, "the user has disavowed a sign-in");
        let index = Index::new(keys.index.mac(), tenant);
        let identifiers = user.identifiers().map(|identifier| index.identifier(&identifier));
        self.devices.forget_devices(identifiers, now).await?;
        users.note_disavowed(session.id()).await?;
        Ok(false)
    }
}
