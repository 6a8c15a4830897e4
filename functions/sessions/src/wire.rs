//! The bodies of the answers.

use std::cmp::Reverse;

use serde::Serialize;
use shared::sessions::Session;
use shared::words::SessionId;

/// The user's sessions.
#[derive(Serialize)]
pub(crate) struct Listed<'a> {
    success: bool,
    sessions: Vec<SessionView<'a>>,
}

#[derive(Serialize)]
struct SessionView<'a> {
    id: &'a str,
    created: String,
    last_used: String,
    device: &'a str,
    ip_prefix: &'a str,
    current: bool,
}

impl Listed<'_> {
    /// Sorts the sessions by their last use, the latest first.
    pub(crate) fn of<'a>(sessions: &'a [Session], current: &SessionId) -> Listed<'a> {
        let mut sorted: Vec<&Session> = sessions.iter().collect();
        sorted.sort_by_key(|session| Reverse((session.used(), session.created(), session.id().as_str())));
        let view = |session: &'a Session| SessionView {
            id: session.id().as_str(),
            created: session.created().to_string(),
            last_used: session.used().to_string(),
            device: &session.device().words,
            ip_prefix: &session.device().prefix,
            current: session.id() == current,
        };
        Listed { success: true, sessions: sorted.into_iter().map(view).collect() }
    }
}
