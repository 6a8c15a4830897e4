//! Sending once: what a failed send means, and when it may be retried. A user should get each code once, and the deployer should
//! pay for it once.

use std::time::Duration;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::is_broken;
use crate::words::{Entropy, Result};

/// The result of a send.
#[derive(Debug)]
pub enum Sent {
    /// Accepted by the service, which gave the message this id.
    Accepted(Option<String>),
    /// The service did not answer in time, or with an error of its own. The message is probably on its way, so the client is told
    /// that it was sent. The reason is for the log.
    Unclear(String),
    /// The connection broke before the answer, so the message is probably lost, but may have been sent.
    Lost,
    /// Certainly not sent, with the reason for the log.
    Refused(String),
    /// Certainly not sent, because the number has opted out or the account blocks it. No other channel follows. With the reason for the log.
    OptedOut(String),
}

/// The reaction to a connection that breaks before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenBroken {
    /// The message is sent once more, on a new connection. If both arrive, they are the same message.
    SendAgain,
    /// The send fails. Each message costs money, so only the client decides about another one.
    Fail,
}

/// An error that may say more than its code.
pub(super) trait Reasoned: ProvideErrorMetadata {
    /// The service's word for the reason. It names nobody.
    fn reason(&self) -> Option<&str> {
        None
    }

    /// Whether the number has opted out.
    fn is_opt_out(&self) -> bool {
        false
    }
}

const MOST_TRIES: u32 = 3;

/// Sends a message. Retries after throttling, when the previous attempt was certainly rejected, and once after a broken
/// connection if `when_broken` says so.
pub(super) async fn once<E, Sending>(mut when_broken: WhenBroken, send: impl Fn() -> Sending) -> Result<Sent>
where
    E: Reasoned,
    Sending: Future<Output = std::result::Result<Option<String>, SdkError<E, Response>>>,
{
    // After a broken connection, the first attempt may have been sent, whatever becomes of the others.
    let mut is_refused: fn(String) -> Sent = Sent::Refused;
    for tried in 1..=MOST_TRIES {
        let error = match send().await {
            Ok(id) => return Ok(Sent::Accepted(id)),
            Err(error) => error,
        };
        match Failure::of(&error) {
            Failure::Unclear(reason) => {
                tracing::warn!(reason, "the messaging service gave no clear answer; the message may have been sent");
                return Ok(Sent::Unclear(reason));
            }
            Failure::Broken if when_broken == WhenBroken::SendAgain && tried < MOST_TRIES => {
                tracing::warn!("the connection to the messaging service broke; the message is sent once more");
                (when_broken, is_refused) = (WhenBroken::Fail, |_| Sent::Lost);
            }
            Failure::Broken => return Ok(Sent::Lost),
            Failure::Throttled(_) if tried < MOST_TRIES => pause(tried).await?,
            Failure::Throttled(reason) | Failure::Refused(reason) => return Ok(is_refused(reason)),
            Failure::OptedOut(reason) => return Ok(Sent::OptedOut(reason)),
        }
    }
    Ok(is_refused("throttled".to_owned()))
}

enum Failure {
    /// Rejected for now.
    Throttled(String),
    /// Rejected for good.
    Refused(String),
    /// Rejected for good, because the number has opted out.
    OptedOut(String),
    /// The connection was reset or closed before the answer.
    Broken,
    /// Unknown, because the answer is late or unclear.
    Unclear(String),
}

impl Failure {
    fn of<E: Reasoned>(error: &SdkError<E, Response>) -> Failure {
        match error {
            SdkError::ConstructionFailure(_) => Failure::Refused("the SDK could not build the request".to_owned()),
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(error) if never_connected(error) => Failure::Refused("no connection".to_owned()),
                Some(error) if is_broken(error) => Failure::Broken,
                _ => Failure::Unclear("no answer".to_owned()),
            },
            SdkError::ServiceError(answer) => {
                // The service's message is left out, because it may contain the address.
                let (code, status) = (answer.err().code().unwrap_or("an error without a code"), answer.raw().status());
                let reason = [Some(code), answer.err().reason()].into_iter().flatten().collect::<Vec<_>>().join(": ");
                match status.is_client_error() {
                    true if answer.err().is_opt_out() => Failure::OptedOut(reason),
                    true if status.as_u16() == 429 || THROTTLED.contains(&code) => Failure::Throttled(reason),
                    true => Failure::Refused(reason),
                    false => Failure::Unclear(reason),
                }
            }
            _ => Failure::Unclear("no answer".to_owned()),
        }
    }
}

/// The throttling errors of SES, SNS and AWS End User Messaging, which sometimes come with a status other than 429.
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
