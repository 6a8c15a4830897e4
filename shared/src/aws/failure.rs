//! What a failed call of AWS means for the caller of our API.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::observe::report::{self, Step};
use crate::words::Error;

/// What a failed call means for the caller of our API: out of reach now, or a fault of ours.
pub fn failure<E>(error: SdkError<E, Response>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    // The service's word for the error, where it answered at all.
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
    if is_passing { Error::unavailable(error) } else { Error::internal(error) }
}

/// Refusals of what is more than a service, or a table's own limit, takes at a time.
const THROTTLES: [&str; 6] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "LimitExceededException",
];

/// Refusals that pass by themselves, beside these and every 5xx.
const PASSING: [&str; 3] =
    ["TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException"];
