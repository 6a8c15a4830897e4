//! Invoked by rules of the stack's bus: tells users what happened to their accounts.
//!
//! 1. Read the user, and the session that the event is about.
//! 2. Decide whether the user wants to hear of it. A sign-in needs no notice on the first day of the account, and none from a device
//!    that the user had in the last 30 days. A device token shows that, or the device's words and network if the client may keep no
//!    token.
//! 3. Claim the notice, so that an event that comes twice sends one.
//! 4. Send it, and note that it is sent.
//!
//! A failure fails the invocation, and Lambda repeats it twice. The event then goes to a queue. It has ids only.

mod event;

use std::time::Duration;

use serde_json::{Value, json};
use shared::admission::NoticeGate;
use shared::aws::{self, Aws, Secrets};
use shared::config::Reader;
use shared::messages::{MailSettings, Notice, Notifier, ProviderSettings, Providers};
use shared::people::{EndReason, Familiarity, User};
use shared::runtime::Function;
use shared::sessions::{Device, Disavowal, Session};
use shared::store::{ActivityRow, Occasion, RecordTable, Store, UserTable};
use shared::texts::Language;
use shared::words::{Clock, Result, SessionId, Tenant, Timestamp};

use crate::event::{Event, What};

/// The function's resources: users, what happened to them, and mail.
pub struct Notify {
    clock: Clock,
    users: UserTable,
    record: RecordTable,
    gate: NoticeGate,
    notifier: Notifier,
    language: Language,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    mail: MailSettings,
    providers: ProviderSettings,
    language: Language,
    user_table: String,
    record_table: String,
}

/// On the first day, each device of a new user is new.
const FIRST_DAY: Duration = Duration::from_secs(86_400);

/// How long a device stays known without a token.
const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// The newest rows of activity that are looked at. A user with more gets a notice too many.
const MOST_ROWS: usize = 200;

impl Function for Notify {
    const NAME: &'static str = "notify";

    type Settings = Settings;
    type Event = Value;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            mail: MailSettings::read(read),
            providers: ProviderSettings::read(read),
            language: Language::read(read),
            user_table: UserTable::read_name(read),
            record_table: RecordTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Notify> {
        let Settings { mail, providers, language, user_table, record_table } = settings;
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let (users, record) = (store.user_table(user_table), store.record_table(record_table));
        let providers = Providers::new(&aws, &Secrets::new(&aws), &providers);
        let (gate, notifier) = (NoticeGate::new(record.clone()), Notifier::new(&aws, mail, providers.as_ref())?);
        Ok(Notify { clock, users, record, gate, notifier, language })
    }

    fn kind(event: &Value) -> Option<&'static str> {
        Some(event::kind(event))
    }

    async fn handle(&self, event: Value) -> Result<Value> {
        let (event, now, tenant) = (Event::read(&event)?, self.clock.now(), Tenant::default());
        let Some(user) = self.users.of(&tenant).user(&event.user).await? else { return Ok(told(false)) };
        let of = |at| Occasion { tenant: &tenant, user: &user.id, event: &event.id, epoch: user.epoch, at };
        match &event.what {
            What::Opened { session, api } => match self.new_sign_in(&tenant, &user, session, now).await? {
                Some(SignIn { session, device }) => {
                    let disavow = &link(api, &Disavowal::of(&session, &tenant));
                    let (device, at) = (&device.words, session.created());
                    self.send(&user, of(at), &Notice::NewSignIn { device, at, disavow }, now).await
                }
                None => Ok(told(false)),
            },
            What::Created => self.send(&user, of(user.joined), &Notice::Welcome, now).await,
        }
    }
}

/// A sign-in that the user should hear of.
struct SignIn {
    session: Session,
    /// The device that signed in. A refresh may have changed the session's.
    device: Device,
}

fn told(sent: bool) -> Value {
    json!({ "sent": sent })
}

impl Notify {
    /// Steps 3 and 4.
    async fn send(&self, user: &User, of: Occasion<'_>, notice: &Notice<'_>, now: Timestamp) -> Result<Value> {
        let send = |permit| self.notifier.deliver(permit, notice, self.language);
        self.gate.send_once(user, of, send, now).await.map(told)
    }

    /// Step 2 for a sign-in. A session that has ended meanwhile counts too: a thief may be quick.
    async fn new_sign_in(
        &self,
        tenant: &Tenant,
        user: &User,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<Option<SignIn>> {
        let users = self.users.of(tenant);
        let activity = self.record.activity((tenant, &user.id), None, MOST_ROWS, now);
        let (session, activity) = tokio::try_join!(users.session(session), activity)?;
        let Some(session) = session.filter(|session| *session.user() == user.id) else { return Ok(None) };
        let familiarity = session.familiarity();
        if !familiarity.is_worth_a_notice() || user.joined.until(session.created()) < FIRST_DAY {
            return Ok(None);
        }
        let device = device_of(&session, &activity.rows);
        if familiarity == Familiarity::Unclear && was_there(&device, session.created(), &activity.rows) {
            return Ok(None);
        }
        Ok(Some(SignIn { session, device }))
    }
}

/// Without a final slash, which a redirect might take away together with the token.
fn link(api: &str, token: &Disavowal) -> String {
    format!("{api}/api/auth/disavow?token={}", token.reveal())
}

/// The device as the activity has it, or as the session has it if `record` is late.
fn device_of(session: &Session, rows: &[ActivityRow]) -> Device {
    let opened = rows.iter().find(|row| is_opened(row) && row.session.as_deref() == Some(session.id().as_str()));
    let of = |row: &ActivityRow| Some(Device { words: row.device.clone()?, prefix: row.prefix.clone()? });
    opened.and_then(of).unwrap_or_else(|| session.device().clone())
}

/// Whether the user signed in with such a device before, from the same provider's network. The rows are newest first. Of two
/// sign-ins in the same second, neither is before the other.
fn was_there(device: &Device, at: Timestamp, rows: &[ActivityRow]) -> bool {
    let ended_all = |row: &&ActivityRow| row.reason.as_deref().is_some_and(EndReason::is_of_all);
    let recent = rows.iter().take_while(|row| !ended_all(row) && row.at > at.before(REMEMBERED));
    let is_it =
        |row: &ActivityRow| row.device.as_ref() == Some(&device.words) && row.prefix.as_ref() == Some(&device.prefix);
    recent.filter(|row| row.at < at && is_opened(row)).any(is_it)
}

fn is_opened(row: &ActivityRow) -> bool {
    row.kind == "session.opened"
}
