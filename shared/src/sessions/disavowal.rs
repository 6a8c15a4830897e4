//! The token in the link "This was not me" of a notice: `<session>.<mac>`.
//!
//! The MAC is made with the session's own seed, which stands only in the session's item. A key that several functions share could
//! disavow every sign-in, and would be one more key to lose. The token ends the user's sessions and opens none.

use std::str::FromStr;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use super::refresh_token::Seed;
use super::session::Session;
use crate::words::{Error, ExpiresAt, MacKey, Result, Scope, SessionId, Tenant, Timestamp, masked};

/// How long after a sign-in its user may disavow it. Longer than a holiday week, and shorter than most sessions.
pub const DISAVOWAL_LIFE: Duration = Duration::from_secs(10 * 86_400);

/// The token of a disavowal, parsed but unchecked.
#[derive(Clone)]
pub struct Disavowal {
    session: SessionId,
    mac: [u8; 16],
}

masked!(Disavowal);

impl Disavowal {
    /// The token for the sign-in that opened `session`.
    pub fn of(session: &Session, tenant: &Tenant) -> Disavowal {
        Disavowal { session: session.id.clone(), mac: mac(session, tenant) }
    }

    /// The session that it names.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Whether `session` is the one that it was made for, and the sign-in is recent enough.
    ///
    /// The session may have ended: a thief would otherwise sign out, and the user could not end the thief's other sessions.
    pub fn is_of(&self, session: &Session, tenant: &Tenant, now: Timestamp) -> bool {
        let is_ours: bool = mac(session, tenant).ct_eq(&self.mac).into();
        is_ours && !end(session).has_passed(now)
    }

    /// The error for a token that does not work, for whatever reason.
    pub fn refused() -> Error {
        Error::invalid("This link does not work. It may have expired.")
    }

    /// The token as text, for the user's mailbox.
    pub fn reveal(&self) -> String {
        format!("{}.{}", self.session.as_str(), BASE64URL_NOPAD.encode(&self.mac))
    }
}

fn end(session: &Session) -> ExpiresAt {
    ExpiresAt::after(session.created, DISAVOWAL_LIFE)
}

fn mac(session: &Session, tenant: &Tenant) -> [u8; 16] {
    let Seed(seed) = &session.seed;
    // HMAC pads its key with zeros, so this is the key of 16 bytes.
    let mut key = [0; 32];
    key[..16].copy_from_slice(seed);
    let (user, end) = (session.user.to_string(), end(session).moment().unix());
    let fields = [user.as_bytes(), session.id.as_str().as_bytes(), &end.to_be_bytes()];
    let digest = MacKey::new(key).digest("disavow", Scope::Tenant(tenant), &fields);
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

impl FromStr for Disavowal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Disavowal> {
        let read = || {
            let (session, mac) = text.split_once('.')?;
            let mac = BASE64URL_NOPAD.decode(mac.as_bytes()).ok()?;
            Some(Disavowal { session: session.parse().ok()?, mac: mac.try_into().ok()? })
        };
        read().ok_or_else(Disavowal::refused)
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::tests::session_of;
    use super::*;

    #[test]
    fn a_token_is_of_one_sign_in_for_ten_days() {
        let (tenant, now) = (Tenant::default(), Timestamp::from_unix(1_000));
        let (session, other) = (session_of(now), session_of(now));
        let token: Disavowal = Disavowal::of(&session, &tenant).reveal().parse().unwrap();
        assert!(token.is_of(&session, &tenant, now) && !token.is_of(&other, &tenant, now));
        assert!(!token.is_of(&session, &Tenant::named("acme"), now));
        let last = now.after(DISAVOWAL_LIFE - Duration::from_secs(1));
        assert!(token.is_of(&session, &tenant, last) && !token.is_of(&session, &tenant, now.after(DISAVOWAL_LIFE)));
        let mine = Session { user: other.user.clone(), ..session.clone() };
        assert!(!token.is_of(&mine, &tenant, now), "the MAC covers the user");
        assert!(!format!("{token:?}").contains(session.id.as_str()));
    }

    #[test]
    fn other_text_is_no_token() {
        let (tenant, now) = (Tenant::default(), Timestamp::from_unix(1_000));
        let token = Disavowal::of(&session_of(now), &tenant).reveal();
        assert_eq!((token.len(), token.parse::<Disavowal>().is_ok()), (45, true));
        let longer = format!("{token}A");
        for wrong in ["", ".", &token[..44], &token[1..], &longer, "<b>.</b>"] {
            assert!(wrong.parse::<Disavowal>().is_err(), "{wrong}");
        }
    }
}
