//! The errors of the API. Each code tells a client something to act on.

use std::fmt;
use std::time::Duration;

use crate::texts::{Language, errors};
use crate::words::channel::Channel;
use crate::words::level::Level;

/// The result of every fallible step.
pub type Result<T> = std::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error of the API. [`Error::message`] is the text for the client; the source of `Internal` and `Unavailable` goes only to the
/// log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is malformed. The English text names the field and never its value. It is for developers.
    InvalidRequest(String),
    /// Not an email address, or one of a form that Latchkey rejects.
    InvalidEmail,
    /// Not a phone number in international format.
    InvalidPhone,
    /// The code is wrong, expired or used, or was never issued. One answer covers all cases (S11).
    InvalidOtp,
    /// The token is forged, expired, revoked or reused. One answer covers all cases.
    InvalidToken,
    /// The request needs a more recent proof, or a stronger one (RFC 9470). A step-up in this session gives it.
    StepUpRequired {
        /// The level that the proof must reach.
        level: Level,
        /// The maximum age of the proof.
        max_age: Duration,
        /// The methods of a step-up that the user has.
        methods: &'static [&'static str],
    },
    /// The user must enrol a second factor before a session opens.
    EnrolmentRequired {
        /// The id of the pending enrolment, unless the client gets it only as a cookie.
        challenge: Option<String>,
        /// The second factors that the user may enrol.
        methods: &'static [&'static str],
        /// How long the pending enrolment lasts.
        expires_in: Duration,
    },
    /// The deployment's policy refuses the request.
    Forbidden(Forbidden),
    /// The path has no route.
    NotFound,
    /// The route exists with other methods.
    MethodNotAllowed {
        /// The methods of the route, for the `Allow` header.
        allow: String,
    },
    /// A limit on requests or messages is reached.
    RateLimited {
        /// How long to wait before another attempt.
        retry_after: Duration,
    },
    /// The limit on failures of this network is reached.
    TooManyAttempts {
        /// How long to wait before another attempt.
        retry_after: Duration,
    },
    /// A message was certainly not sent. The client may resend `challenge`.
    SendFailed {
        /// The channel of the message.
        channel: Channel,
        /// The challenge to resend, unless the client gets its id only as a cookie.
        challenge: Option<String>,
        /// How long to wait before another attempt. Set from the third failed send of one challenge on.
        retry_after: Option<Duration>,
    },
    /// No mail is sent, because the address refused the last one.
    AddressHeld {
        /// How long to wait before another attempt.
        retry_after: Duration,
    },
    /// A dependency is unreachable at the moment.
    Unavailable(#[source] Source),
    /// A bug or a misconfiguration on the server's side.
    Internal(#[source] Source),
}

/// A policy that refuses a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// SMS do not go to the number's country.
    SmsCountry,
    /// Mails do not go to the address's domain.
    MailDomain,
    /// There are no new users.
    SignUpClosed,
    /// Another one. The English text is for developers.
    Request(&'static str),
}

/// For logs.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Language::En))
    }
}

impl Error {
    /// The text for users. A text for developers stays English in it.
    pub fn message(&self, language: Language) -> String {
        let text = match self {
            Error::InvalidRequest(reason) => return errors::invalid_request(language, reason),
            Error::Forbidden(Forbidden::Request(reason)) => return errors::forbidden(language, reason),
            Error::MethodNotAllowed { allow } => return errors::method_not_allowed(language, allow),
            Error::InvalidEmail => errors::invalid_email(language),
            Error::InvalidPhone => errors::invalid_phone(language),
            Error::InvalidOtp => errors::invalid_otp(language),
            Error::InvalidToken => errors::invalid_token(language),
            Error::StepUpRequired { .. } => errors::step_up_required(language),
            Error::EnrolmentRequired { .. } => errors::enrolment_required(language),
            Error::Forbidden(Forbidden::SmsCountry) => errors::sms_country(language),
            Error::Forbidden(Forbidden::MailDomain) => errors::mail_domain(language),
            Error::Forbidden(Forbidden::SignUpClosed) => errors::sign_up_closed(language),
            Error::NotFound => errors::not_found(language),
            Error::RateLimited { .. } => errors::rate_limited(language),
            Error::TooManyAttempts { .. } => errors::too_many_attempts(language),
            Error::SendFailed { channel: Channel::Email, .. } => errors::email_send_failed(language),
            Error::SendFailed { channel: Channel::Sms, .. } => errors::sms_send_failed(language),
            Error::SendFailed { channel: Channel::Voice, .. } => errors::voice_send_failed(language),
            Error::SendFailed { channel: Channel::Whatsapp, .. } => errors::whatsapp_send_failed(language),
            Error::AddressHeld { .. } => errors::address_held(language),
            Error::Unavailable(_) => errors::unavailable(language),
            Error::Internal(_) => errors::internal_error(language),
        };
        text.to_owned()
    }

    /// The stable code for clients to branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Error::InvalidRequest(_) => "invalid_request",
            Error::InvalidEmail => "invalid_email",
            Error::InvalidPhone => "invalid_phone",
            Error::InvalidOtp => "invalid_otp",
            Error::InvalidToken => "invalid_token",
            Error::StepUpRequired { .. } => "step_up_required",
            Error::EnrolmentRequired { .. } => "enrolment_required",
            Error::Forbidden(_) => "forbidden",
            Error::NotFound => "not_found",
            Error::MethodNotAllowed { .. } => "method_not_allowed",
            Error::RateLimited { .. } => "rate_limited",
            Error::TooManyAttempts { .. } => "too_many_attempts",
            Error::SendFailed { channel: Channel::Email, .. } | Error::AddressHeld { .. } => "email_send_failed",
            Error::SendFailed { channel: Channel::Sms, .. } => "sms_send_failed",
            Error::SendFailed { channel: Channel::Voice, .. } => "voice_send_failed",
            Error::SendFailed { channel: Channel::Whatsapp, .. } => "whatsapp_send_failed",
            Error::Unavailable(_) => "unavailable",
            Error::Internal(_) => "internal_error",
        }
    }

    /// How long to wait before another attempt, if waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::RateLimited { retry_after }
            | Error::TooManyAttempts { retry_after }
            | Error::AddressHeld { retry_after } => Some(*retry_after),
            Error::SendFailed { retry_after, .. } => *retry_after,
            Error::Unavailable(_) => Some(Duration::from_secs(1)),
            Error::InvalidRequest(_)
            | Error::InvalidEmail
            | Error::InvalidPhone
            | Error::InvalidOtp
            | Error::InvalidToken
            | Error::StepUpRequired { .. }
            | Error::EnrolmentRequired { .. }
            | Error::Forbidden(_)
            | Error::NotFound
            | Error::MethodNotAllowed { .. }
            | Error::Internal(_) => None,
        }
    }

    /// The causes of a server error, for the log.
    ///
    /// It uses the `Display` of each cause. `Debug` may contain a whole AWS response, secrets included.
    pub fn cause(&self) -> Option<String> {
        let (Error::Internal(source) | Error::Unavailable(source)) = self else { return None };
        let causes = std::iter::successors(Some(source.as_ref() as &dyn std::error::Error), |error| error.source());
        Some(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }

    /// A malformed request, with the reason.
    pub fn invalid(reason: impl Into<String>) -> Error {
        Error::InvalidRequest(reason.into())
    }

    /// A server error, with its cause for the log.
    pub fn internal(source: impl Into<Source>) -> Error {
        Error::Internal(source.into())
    }

    /// An unreachable dependency, with its cause for the log.
    pub fn unavailable(source: impl Into<Source>) -> Error {
        Error::Unavailable(source.into())
    }
}
