//! The errors of the API. Each code tells a client something to act on.

use std::time::Duration;

use crate::words::channel::Channel;

/// The result of every fallible step.
pub type Result<T> = std::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error of the API. `Display` is the text for the client; the source of `Internal` and `Unavailable` goes only to the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is malformed. The text names the field and never its value.
    #[error("{0}")]
    InvalidRequest(String),
    /// Not an email address, or one of a form that Latchkey rejects.
    #[error("Please provide a valid email address.")]
    InvalidEmail,
    /// Not a phone number in international format.
    #[error("Please provide a valid phone number in international form, such as +14155550123.")]
    InvalidPhone,
    /// The code is wrong, expired or used, or was never issued. One answer covers all cases (S11).
    #[error("That code did not work. Ask for a new one.")]
    InvalidOtp,
    /// The token is forged, expired, revoked or reused. One answer covers all cases.
    #[error("This session has ended. Sign in again.")]
    InvalidToken,
    /// The deployment's policy refuses the request. The text names the policy.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The path has no route.
    #[error("This path does not exist. Check the URL.")]
    NotFound,
    /// The route exists with other methods.
    #[error("This path supports only {allow}.")]
    MethodNotAllowed {
        /// The methods of the route, for the `Allow` header.
        allow: String,
    },
    /// A limit on requests or messages is reached.
    #[error("Too many requests. Please try again later.")]
    RateLimited {
        /// How long to wait before another attempt.
        retry_after: Duration,
    },
    /// The limit on failures of this network is reached.
    #[error("Too many failed attempts. Please try again later.")]
    TooManyAttempts {
        /// How long to wait before another attempt.
        retry_after: Duration,
    },
    /// A message was certainly not sent. The client may resend `challenge`.
    #[error("The {} could not be sent. Please try again.", .channel.message())]
    SendFailed {
        /// The channel of the message.
        channel: Channel,
        /// The challenge to resend, unless the client gets its id only as a cookie.
        challenge: Option<String>,
        /// How long to wait before another attempt. Set from the third failed send of one challenge on.
        retry_after: Option<Duration>,
    },
    /// A dependency is unreachable at the moment.
    #[error("The service is busy. Please try again in a moment.")]
    Unavailable(#[source] Source),
    /// A bug or a misconfiguration on the server's side.
    #[error("Something went wrong on our side. Please try again later.")]
    Internal(#[source] Source),
}

impl Error {
    /// The stable code for clients to branch on.
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

    /// How long to wait before another attempt, if waiting helps.
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
