//! `GET /api/profile/`: the user, as verify answers with it.
//!
//! 1. Check the access token, with keys that are at hand.
//! 2. Read the user: the one read that also says that the session still lives.

use shared::aws::Aws;
use shared::config::Config;
use shared::http::{Checker, Function, Reply, Request, UserView};
use shared::store::{Store, UserTable};
use shared::words::{Clock, Result};

/// What this function may touch: users, and the keys that access tokens are checked with.
pub struct Profile {
    clock: Clock,
    checker: Checker,
    users: UserTable,
}

impl Function for Profile {
    const NAME: &'static str = "profile";

    async fn compose(config: Config, clock: Clock) -> Result<Profile> {
        let aws = Aws::new(&config.aws)?;
        let store = Store::new(&aws);
        let users = store.user_table(config.user_table.clone());
        let checker = Checker::new(&config, &aws, &users);
        checker.warm(clock.now()).await;
        Ok(Profile { clock, checker, users })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let subject = self.checker.subject(&request, now).await?;
        let user = self.users.living(&subject).await?;
        Reply::ok(UserView::of(&user, false))
    }
}
