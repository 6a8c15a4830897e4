//! `GET /api/profile/`: returns the user, in the same form as verify-otp.
//!
//! 1. Check the access token with cached keys.
//! 2. Read the user's item, and check that the session is still active.

use shared::aws::{self, Aws};
use shared::config::Reader;
use shared::http::{Checker, CheckerSettings, Reply, Request, UserView};
use shared::runtime::Function;
use shared::store::{Store, UserTable};
use shared::words::{Clock, Result};

/// The function's resources: users, and the keys for checking access tokens.
pub struct Profile {
    clock: Clock,
    checker: Checker,
    users: UserTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    tokens: CheckerSettings,
    user_table: String,
}

impl Function for Profile {
    const NAME: &'static str = "profile";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings { tokens: CheckerSettings::read(read), user_table: UserTable::read_name(read) }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Profile> {
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let users = store.user_table(settings.user_table);
        let checker = Checker::new(settings.tokens, &aws, &users);
        checker.warm(clock.now()).await;
        Ok(Profile { clock, checker, users })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let subject = self.checker.subject(&request, now).await?;
        let user = self.users.of(request.tenant()).living(&subject).await?;
        Reply::ok(UserView::of(&user, false))
    }
}
