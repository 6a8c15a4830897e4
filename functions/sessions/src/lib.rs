//! `GET /api/auth/sessions/`, `DELETE /api/auth/sessions/{id}/` and `DELETE /api/auth/sessions/`: list the user's
//! sessions, end one of them, or end all others.
//!
//! 1. Check the access token with cached keys.
//! 2. To list: read the user's item, check that the caller's session is active, and read each active session.
//! 3. To end: make one write to the user's item, on the condition that the caller's session is active. The answer is
//!    the same if the other session has already ended, as the caller wanted.
//! 4. To end all others, read the user's item before, because this needs a fresh proof at the user's own level. A thief of a token
//!    could otherwise lock the user out.

mod wire;

use shared::aws::{self, Aws};
use shared::config::Reader;
use shared::http::{Checker, CheckerSettings, Reply, Request};
use shared::runtime::Function;
use shared::sessions::{Freshness, Subject};
use shared::store::{Store, UserTable, Users};
use shared::texts::answers;
use shared::words::{Clock, Error, Result, SessionId, Timestamp};

use crate::wire::Listed;

/// The function's resources: users and their sessions, and the keys for checking access tokens.
pub struct Sessions {
    clock: Clock,
    checker: Checker,
    freshness: Freshness,
    users: UserTable,
}

/// The function's settings.
#[derive(Debug)]
pub struct Settings {
    tokens: CheckerSettings,
    freshness: Freshness,
    user_table: String,
}

const ALL: &str = "/api/auth/sessions";

impl Function for Sessions {
    const NAME: &'static str = "sessions";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings {
            tokens: CheckerSettings::read(read),
            freshness: Freshness::read(read),
            user_table: UserTable::read_name(read),
        }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Sessions> {
        let Settings { tokens, freshness, user_table } = settings;
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let users = store.user_table(user_table);
        let checker = Checker::new(tokens, &aws, &users);
        // The sessions of a list are read at the same time.
        tokio::join!(checker.warm(clock.now()), store.connect(2));
        Ok(Sessions { clock, checker, freshness, users })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let subject = self.checker.subject(&request, now).await?;
        let users = self.users.of(request.tenant());
        match (request.method(), request.path.as_str()) {
            ("GET", _) => list(users, &subject, now).await,
            (_, ALL) => self.end_others(users, &subject, &request, now).await,
            (_, _) => end(users, &subject, &request).await,
        }
    }
}

async fn list(users: Users<'_>, subject: &Subject, now: Timestamp) -> Result<Reply> {
    let user = users.living(subject).await?;
    let sessions = users.sessions(&user, now).await?;
    Reply::ok(Listed::of(&sessions, &subject.session))
}

async fn end(users: Users<'_>, subject: &Subject, request: &Request) -> Result<Reply> {
    let Subject { user, session: by, .. } = subject;
    // A malformed id is treated like an unknown path.
    let session: SessionId = request.last_segment().parse().map_err(|_| Error::NotFound)?;
    let ended = users.end_session_by(user, by, &session).await?.ok_or(Error::InvalidToken)?;
    tracing::info!(event = "session_ended", %user, session = session.as_str(), ended, "a session was ended");
    Reply::done(answers::session_ended(request.language))
}

impl Sessions {
    /// The time of the session's opening comes from the user's list, because a step-up moves the token's `auth_time`.
    async fn end_others(
        &self,
        users: Users<'_>,
        subject: &Subject,
        request: &Request,
        now: Timestamp,
    ) -> Result<Reply> {
        let user = users.living(subject).await?;
        self.freshness.demand(subject, &user, now)?;
        let (id, session) = (&user.id, &subject.session);
        let opened = user.opened(session).ok_or(Error::InvalidToken)?;
        let ended = users.end_other_sessions(id, session, opened).await?.ok_or(Error::InvalidToken)?;
        tracing::info!(event = "other_sessions_ended", user = %id, ended, "all other sessions were ended");
        Reply::done(answers::others_ended(request.language))
    }
}
