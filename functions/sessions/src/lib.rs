//! `GET /api/auth/sessions/`, `DELETE /api/auth/sessions/{id}/` and `DELETE /api/auth/sessions/`: list the user's
//! sessions, end one of them, or end all others.
//!
//! 1. Check the access token with cached keys.
//! 2. To list: read the user's item, check that the caller's session is active, and read each active session.
//! 3. To end: make one write to the user's item, on the condition that the caller's session is active. The answer is
//!    the same if the other session has already ended, as the caller wanted.

mod wire;

use shared::aws::{self, Aws};
use shared::config::Reader;
use shared::http::{Checker, CheckerSettings, Reply, Request};
use shared::runtime::Function;
use shared::sessions::Subject;
use shared::store::{Store, UserTable, Users};
use shared::texts::{Language, answers};
use shared::words::{Clock, Error, Result, SessionId, Timestamp};

use crate::wire::Listed;

/// The function's resources: users and their sessions, and the keys for checking access tokens.
pub struct Sessions {
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

const ALL: &str = "/api/auth/sessions";

impl Function for Sessions {
    const NAME: &'static str = "sessions";

    type Settings = Settings;
    type Event = Request;

    fn settings(read: &mut Reader<'_>) -> Settings {
        Settings { tokens: CheckerSettings::read(read), user_table: UserTable::read_name(read) }
    }

    async fn compose(settings: Settings, aws: &aws::Settings, clock: Clock) -> Result<Sessions> {
        let aws = Aws::new(aws, &clock)?;
        let store = Store::new(&aws);
        let users = store.user_table(settings.user_table);
        let checker = Checker::new(settings.tokens, &aws, &users);
        // The sessions of a list are read at the same time.
        tokio::join!(checker.warm(clock.now()), store.connect(2));
        Ok(Sessions { clock, checker, users })
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let now = self.clock.now();
        let subject = self.checker.subject(&request, now).await?;
        let users = self.users.of(request.tenant());
        match (request.method(), request.path.as_str()) {
            ("GET", _) => list(users, &subject, now).await,
            (_, ALL) => end_others(users, &subject, request.language).await,
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

async fn end_others(users: Users<'_>, subject: &Subject, language: Language) -> Result<Reply> {
    let Subject { user, session, authenticated: opened, .. } = subject;
    let ended = users.end_other_sessions(user, session, *opened).await?.ok_or(Error::InvalidToken)?;
    tracing::info!(event = "other_sessions_ended", %user, ended, "all other sessions were ended");
    Reply::done(answers::others_ended(language))
}
