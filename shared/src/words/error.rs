//! The one error that reaches a caller. Each code is a thing that a client can do something about.

use std::time::Duration;

use crate::words::channel::Channel;

/// What any step may end in.
pub type Result<T> = std::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// `Display` is what the caller reads. The source of `Internal` and `Unavailable` goes to the log and nowhere else.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be read; the text names the field, never its value.
    #[error("{0}")]
    InvalidRequest(String),
    /// Not an email address that Latchkey sends to.
    #[error("Please provide a valid email address.")]
    InvalidEmail,
    /// Not a phone number in international form.
    #[error("Please provide a valid phone number in international form, such as +14155550123.")]
    InvalidPhone,
    /// Wrong, expired, used, used up, never issued: one answer for all of them (S11).
    #[error("That code did not work. Ask for a new one.")]
    InvalidOtp,
    /// Forged, expired, signed out or reused: one answer.
    #[error("This session has ended. Sign in again.")]
    InvalidToken,
    /// Refused by the deployment's policy; the text says which.
    #[error("{0}")]
    Forbidden(&'static str),
    /// No such route.
    #[error("This path does not exist. Check the URL.")]
    NotFound,
    /// The route exists under other methods, which `allow` lists.
    #[error("This path supports only {allow}.")]
    MethodNotAllowed {
        /// The value of the `Allow` header.
        allow: String,
    },
    /// A limit on requests or sends.
    #[error("Too many requests. Please try again later.")]
    RateLimited {
        /// How long to wait before it can work.
        retry_after: Duration,
    },
    /// A limit on failures: of this identifier, or of this network.
    #[error("Too many failed attempts. Please try again later.")]
    TooManyAttempts {
        /// How long to wait before it can work.
        retry_after: Duration,
    },
    /// A message with a code was surely not sent; `challenge` may be sent again.
    #[error("The {} could not be sent. Please try again.", .channel.message())]
    SendFailed {
        /// How it was to travel.
        channel: Channel,
        /// The challenge that a resend names, where the body may tell it.
        challenge: Option<String>,
        /// How long to wait, from the third failure of one challenge on.
        retry_after: Option<Duration>,
    },
    /// Something that this needs cannot be reached at the moment.
    #[error("The service is busy. Please try again in a moment.")]
    Unavailable(#[source] Source),
    /// A fault of ours.
    #[error("Something went wrong on our side. Please try again later.")]
    Internal(#[source] Source),
}

impl Error {
    /// The stable code, which clients branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Error::InvalidRequest(_) => "invalid_request",
            Error::InvalidEmail => "invalid_email",
            Error::InvalidPhone => "invalid_phone",
            Error::InvalidOtp => "invalid_otp",
            Error::InvalidToken => "invalid_token",
            Error::Forbidden(_) => "forbidden",
            Error::NotFound => "not_found",
            Error::MethodNotAllowed { .. } => "method_not_allowed",
            Error::RateLimited { .. } => "rate_limited",
            Error::TooManyAttempts { .. } => "too_many_attempts",
            Error::SendFailed { channel: Channel::Email, .. } => "email_send_failed",
            Error::SendFailed { channel: Channel::Sms, .. } => "sms_send_failed",
            Error::Unavailable(_) => "unavailable",
            Error::Internal(_) => "internal_error",
        }
    }

    /// How long to wait before trying again, where waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::RateLimited { retry_after } | Error::TooManyAttempts { retry_after } => Some(*retry_after),
            Error::SendFailed { retry_after, .. } => *retry_after,
            Error::Unavailable(_) => Some(Duration::from_secs(1)),
            Error::InvalidRequest(_)
            | Error::InvalidEmail
            | Error::InvalidPhone
            | Error::InvalidOtp
            | Error::InvalidToken
            | Error::Forbidden(_)
            | Error::NotFound
            | Error::MethodNotAllowed { .. }
            | Error::Internal(_) => None,
        }
    }

    /// What is behind an error of ours, for the log: each cause's own words, and never their `Debug`, which may hold a
    /// whole answer of AWS with the secrets in it.
    pub fn cause(&self) -> Option<String> {
        let (Error::Internal(source) | Error::Unavailable(source)) = self else { return None };
        let causes = std::iter::successors(Some(source.as_ref() as &dyn std::error::Error), |error| error.source());
        Some(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }

    /// A body that cannot be used, with the reason.
    pub fn invalid(reason: impl Into<String>) -> Error {
        Error::InvalidRequest(reason.into())
    }

    /// A fault of ours, with its cause for the log.
    pub fn internal(source: impl Into<Source>) -> Error {
        Error::Internal(source.into())
    }

    /// Something out of reach, with its cause for the log.
    pub fn unavailable(source: impl Into<Source>) -> Error {
        Error::Unavailable(source.into())
    }
}
