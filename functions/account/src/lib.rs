//! `GET /api/account/activity/`: shows a user what happened to the account, newest first.
//!
//! 1. Check the access token with cached keys.
//! 2. In one round, read the user's item and a page of the activity. The answer needs an active session.
//!
//! `record` writes the activity a minute or two after it happened.

mod wire;

use shared::aws::{self, Aws};
use shared::config::Reader;
use shared::http::{Checker, CheckerSettings, Reply, Request};
use shared::runtime::Function;
use shared::store::{RecordTable, Store, UserTable};
use shared::words::{Clock, Error, Result};

use crate::wire::Listed;

/// The function's resources: users, their activity, and the keys for checking access tokens.
pub struct Account {
    clock: Clock,
    checker: Checker,
    users: UserTable,
    record: RecordTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    tokens: CheckerSettings,
    user_table: String,
    record_table: String,
}

/// The rows of a page.
const PAGE: usize = 50;

/// The longest `before`, in bytes.
const LONGEST_BEFORE: usize = 128;

impl Function for Account {
    const NAME: &'static str = "account";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            tokens: CheckerSettings::read(read),
            user_table: UserTable::read_name(read),
            record_table: RecordTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Account> {
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let (users, record) = (store.user_table(settings.user_table), store.record_table(settings.record_table));
        let checker = Checker::new(settings.tokens, &aws, &users);
        tokio::join!(checker.warm(clock.now()), store.connect(2));
        Ok(Account { clock, checker, users, record })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let subject = self.checker.subject(&request, now).await?;
        let before = before(&request)?;
        let users = self.users.of(request.tenant());
        let activity = self.record.activity((request.tenant(), &subject.user), before, PAGE, now);
        let (_, page) = tokio::try_join!(users.living(&subject), activity)?;
        Reply::ok(Listed::of(page))
    }
}

/// The place at which the page begins, from the `next` of another page. DynamoDB would refuse an empty or endless text.
fn before(request: &Request) -> Result<Option<&str>> {
    let is_place = |text: &&str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        (1..=LONGEST_BEFORE).contains(&text.len()) && text.bytes().all(is_part)
    };
    match request.parameter("before") {
        None => Ok(None),
        Some(text) => Some(text)
            .filter(is_place)
            .map(Some)
            .ok_or_else(|| Error::invalid("`before` must be the `next` of another page.")),
    }
}
