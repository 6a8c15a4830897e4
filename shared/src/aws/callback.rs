//! Answers to CloudFormation: a document, uploaded to the URL in the request.

use std::time::Duration;

use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use tokio::time::timeout;

use crate::aws::Aws;
use crate::words::{Error, Result};

/// Timeout of one attempt. If an answer is lost, the whole stack waits for it, so there are several attempts.
const TRY: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;

/// A client for presigned S3 URLs. It shares the HTTP and TLS stack of the AWS clients.
pub struct Callback(Aws);

impl Callback {
    /// Creates the client.
    pub fn new(aws: &Aws) -> Callback {
        Callback(aws.clone())
    }

    /// Uploads `document` to `url`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when all attempts fail.
    pub async fn put(&self, url: &str, document: &str) -> Result<()> {
        let mut outcome = Ok(());
        for _ in 0..TRIES {
            outcome = self.try_put(url, document).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    async fn try_put(&self, url: &str, document: &str) -> Result<()> {
        let mut request = Request::new(SdkBody::from(document));
        request.set_method("PUT").map_err(Error::internal)?;
        request.set_uri(url).map_err(Error::internal)?;
        // The URL's signature covers a request without a content type.
        request.headers_mut().insert("content-type", "");
        let answer = timeout(TRY, self.0.send(request)).await.map_err(Error::unavailable)??;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(Error::unavailable(format!(
            "could not upload the answer to CloudFormation: status {}",
            answer.status().as_u16()
        )))
    }
}
