//! Sending once: what a failed send means, and when it may be retried. A user should get each code once, and the deployer should
//! pay for it once.

use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::words::{Entropy, Result};

/// The result of a send.
#[derive(Debug)]
pub enum Sent {
    /// Accepted or unknown. Both count as sent, because the code may be on its way.
    Accepted,
    /// Certainly rejected, with the reason for the log.
    Refused(String),
}

const MOST_TRIES: u32 = 3;

/// Sends a message. Retries only after throttling, when the previous attempt was certainly rejected.
pub(super) async fn once<E, Sending>(send: impl Fn() -> Sending) -> Result<Sent>
where
    E: ProvideErrorMetadata,
    Sending: Future<Output = std::result::Result<(), SdkError<E, Response>>>,
{
    for tried in 1..=MOST_TRIES {
        let Err(error) = send().await else { return Ok(Sent::Accepted) };
        match Failure::of(&error) {
            Failure::Unknown(reason) => {
                tracing::warn!(reason, "the messaging service gave no clear answer; the message may have been sent");
                return Ok(Sent::Accepted);
            }
            Failure::Throttled(_) if tried < MOST_TRIES => pause(tried).await?,
            Failure::Throttled(reason) | Failure::Refused(reason) => return Ok(Sent::Refused(reason)),
        }
    }
    Ok(Sent::Refused("throttled".to_owned()))
}

enum Failure {
    /// Rejected for now.
    Throttled(String),
    /// Rejected for good.
    Refused(String),
    /// Unknown, because the answer is missing or unclear.
    Unknown(String),
}

impl Failure {
    fn of<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> Failure {
        match error {
            SdkError::ConstructionFailure(_) => Failure::Refused("the SDK could not build the request".to_owned()),
            SdkError::DispatchFailure(failure)
                if failure.as_connector_error().is_some_and(|error| never_connected(error)) =>
            {
                Failure::Refused("no connection".to_owned())
            }
            SdkError::ServiceError(answer) => {
                // The service's message is left out, because it may contain the address.
                let reason = answer.err().code().unwrap_or("an error without a code").to_owned();
                let status = answer.raw().status();
                match status.is_client_error() {
                    true if status.as_u16() == 429 || THROTTLED.contains(&reason.as_str()) => {
                        Failure::Throttled(reason)
                    }
                    true => Failure::Refused(reason),
                    false => Failure::Unknown(reason),
                }
            }
            _ => Failure::Unknown("no answer".to_owned()),
        }
    }
}

/// The throttling errors of SES and SNS, which sometimes come with a status other than 429.
const THROTTLED: [&str; 4] = ["Throttled", "Throttling", "ThrottlingException", "TooManyRequestsException"];

/// Without a connection, the message was certainly not sent.
fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<hyper_util::client::legacy::Error>())
        .any(hyper_util::client::legacy::Error::is_connect)
}

async fn pause(tried: u32) -> Result<()> {
    let millis = 50 * u64::from(tried) + Entropy.below(100)?;
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(())
}
