//! Turns a failed AWS call into an error of the API.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::observe::report::{self, Step};
use crate::words::Error;

/// Classifies a failed AWS call: [`Error::Unavailable`] if a later attempt can succeed, or else [`Error::Internal`].
pub fn failure<E>(error: SdkError<E, Response>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    // The service's error code, if it answered.
    let code = error.code();
    if let Some(throttle) = code.filter(|code| THROTTLES.contains(code)) {
        report::note(Step::Throttled { error: throttle.to_owned() });
    }
    let is_passing = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(answer) => {
            let passes = |code| PASSING.contains(&code) || THROTTLES.contains(&code);
            answer.raw().status().is_server_error() || code.is_some_and(passes)
        }
        _ => false,
    };
    let is_denied = code.is_some_and(|code| DENIALS.contains(&code));
    match (is_passing, is_denied) {
        (true, _) => Error::unavailable(error),
        (false, true) => Error::internal(Denied(error.into())),
        (false, false) => Error::internal(error),
    }
}

/// A call that the function's role does not allow.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Denied(Box<dyn std::error::Error + Send + Sync>);

/// Whether AWS denied a call. A denial passes while a role is only seconds old.
pub fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Internal(source) if source.is::<Denied>())
}

/// Errors of calls without permission, or with credentials that the service does not know yet.
const DENIALS: [&str; 4] =
    ["AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId"];

/// Errors of calls over a service's or a table's rate limit.
const THROTTLES: [&str; 7] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
];

/// Other errors that pass by themselves, like every 5xx.
const PASSING: [&str; 3] =
    ["TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException"];
