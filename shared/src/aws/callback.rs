//! Answers to CloudFormation: a document, put where the request says.

use std::time::Duration;

use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use tokio::time::timeout;

use crate::aws::Aws;
use crate::words::{Error, Result};

/// How long one try may take. An answer that does not arrive keeps the whole stack waiting, so there are several.
const TRY: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;

/// A client for presigned URLs, over the HTTP and TLS stack of the AWS clients: they lead to S3.
pub struct Callback(Aws);

impl Callback {
    /// The client.
    pub fn new(aws: &Aws) -> Callback {
        Callback(aws.clone())
    }

    /// Puts `document` at `url`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it did not arrive.
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
        // The URL is signed for a request without a content type.
        request.headers_mut().insert("content-type", "");
        let answer = timeout(TRY, self.0.send(request)).await.map_err(Error::unavailable)??;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(Error::unavailable(format!("CloudFormation's answer could not be put: {}", answer.status().as_u16())))
    }
}
