//! The answers to a sign-in: a session, or a second factor that is due.

use serde::Serialize;

use super::user_view::UserView;
use super::{Cookie, Reply, TokenDelivery, Tokens};
use crate::codes::DEVICE_LIFE;
use crate::factors::{Method, NewDevice, Pending, Waiting};
use crate::people::User;
use crate::texts::{Language, answers};
use crate::words::{ChallengeId, Error, Result, Timestamp};

/// A user who has signed in, with the tokens of the session and of the device.
pub struct SignIn<'a> {
    /// The user.
    pub user: &'a User,
    /// Whether the user is new.
    pub is_new: bool,
    /// The session's tokens.
    pub tokens: Tokens,
    /// The device token, for the next request for a code.
    pub device: &'a str,
    /// The device that the user has decided to trust.
    pub trusted: Option<&'a NewDevice>,
    /// How many backup codes are left, if one was used.
    pub backup_codes_left: Option<usize>,
}

#[derive(Serialize)]
struct SignedIn<'a> {
    success: bool,
    message: &'static str,
    user: UserView<'a>,
    is_new_user: bool,
    expires_in: u64,
    tokens: Tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_device: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes_left: Option<usize>,
}

#[derive(Serialize)]
struct Due<'a> {
    success: bool,
    second_factor_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_id: Option<&'a str>,
    methods: [&'static str; 2],
    expires_in: u64,
}

impl Reply {
    /// The answer to a sign-in. All tokens are in the body, or all except the access token are cookies.
    ///
    /// # Errors
    /// As [`Reply::ok`] and [`Reply::with_cookie`].
    pub fn signed_in(
        sign_in: SignIn<'_>,
        delivery: TokenDelivery,
        now: Timestamp,
        language: Language,
    ) -> Result<Reply> {
        let SignIn { user, is_new, mut tokens, device, trusted, backup_codes_left } = sign_in;
        let refresh = tokens.into_cookie(delivery);
        let is_in_body = delivery == TokenDelivery::Body;
        let reply = Reply::ok(SignedIn {
            success: true,
            message: answers::signed_in(language),
            user: UserView::of(user, is_new),
            is_new_user: is_new,
            expires_in: tokens.expires_in,
            tokens,
            device: is_in_body.then_some(device),
            trusted_device: trusted.filter(|_| is_in_body).map(|trusted| trusted.token.reveal()),
            backup_codes_left,
        })?;
        if is_in_body {
            return Ok(reply);
        }
        let trusted =
            trusted.map(|trusted| Cookie::Trusted.keep(trusted.token.reveal(), now.until(trusted.end.moment())));
        let device = Cookie::Device.keep(device, DEVICE_LIFE);
        reply.with_cookies(refresh.into_iter().chain(trusted).chain([device, Cookie::Challenge.clear()]))
    }

    /// The answer to a right code where a second factor is due (S94). `id` is the sealed pending.
    ///
    /// # Errors
    /// As [`Reply::ok`] and [`Reply::with_cookie`].
    pub fn due(pending: &Pending, id: &ChallengeId, delivery: TokenDelivery, language: Language) -> Result<Reply> {
        let challenge = (delivery == TokenDelivery::Body).then(|| id.reveal());
        let life = pending.waiting.life();
        let cookie = (delivery == TokenDelivery::Cookie).then(|| Cookie::Challenge.keep(id.reveal(), life));
        let reply = match pending.waiting {
            Waiting::Enrolment(_) => {
                let challenge = challenge.map(str::to_owned);
                Reply::refusal(
                    &Error::EnrolmentRequired { challenge, methods: &ENROLLABLE, expires_in: life },
                    language,
                )
            }
            Waiting::SignIn(_) | Waiting::Enrolled(_) | Waiting::StepUp { .. } => Reply::ok(Due {
                success: true,
                second_factor_required: true,
                challenge_id: challenge,
                methods: Method::OF_USERS,
                expires_in: life.as_secs(),
            })?
            .with_second_factor(),
        };
        reply.with_cookies(cookie)
    }
}

/// The factors that a user can add during a sign-in.
const ENROLLABLE: [&str; 1] = [Method::Totp.name()];
