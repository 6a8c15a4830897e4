//! `GET /api/profile/` and `GET /api/profile/sources/`: return the user, in the same form as verify-otp, and where the user
//! came from.
//!
//! 1. Check the access token with cached keys.
//! 2. Read the user's item, and check that the session is still active. In the same round, read the sources if they are wanted.

mod wire;

use shared::aws::{self, Aws};
use shared::config::Reader;
use shared::http::{Checker, CheckerSettings, Reply, Request, UserView};
use shared::runtime::Function;
use shared::store::{RecordTable, Store, UserTable};
use shared::words::{Clock, Result};

use crate::wire::Listed;

/// The function's resources: users, their sources, and the keys for checking access tokens.
pub struct Profile {
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

const SOURCES: &str = "/api/profile/sources";

impl Function for Profile {
    const NAME: &'static str = "profile";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            tokens: CheckerSettings::read(read),
            user_table: UserTable::read_name(read),
            record_table: RecordTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Profile> {
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let (users, record) = (store.user_table(settings.user_table), store.record_table(settings.record_table));
        let checker = Checker::new(settings.tokens, &aws, &users);
        checker.warm(clock.now()).await;
        Ok(Profile { clock, checker, users, record })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let subject = self.checker.subject(&request, now).await?;
        let users = self.users.of(request.tenant());
        match request.path.as_str() {
            SOURCES => {
                let sources = self.record.sources((request.tenant(), &subject.user));
                let (_, sources) = tokio::try_join!(users.living(&subject), sources)?;
                Reply::ok(Listed::of(sources))
            }
            _ => Reply::ok(UserView::of(&users.living(&subject).await?, false)),
        }
    }
}
