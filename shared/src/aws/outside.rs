//! Calls to services outside AWS, such as Twilio. They use the HTTP and TLS stack of the AWS clients, with the system's root
//! certificates, and fail with the same types of errors.

use std::fmt;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use bytes::Bytes;
use tokio::time::timeout;

use super::client::Aws;
use crate::words::Timestamp;

/// A client for one service.
pub(crate) struct Outside {
    aws: Aws,
    endpoint: String,
}

/// The error in the answer of a service, by its code only: its text may contain an address.
#[derive(Debug)]
pub(crate) struct Told(ErrorMetadata);

/// The answer to a call.
pub(crate) struct Answer {
    /// The header with the id of what was made, if the service has one.
    pub(crate) id: Option<String>,
    /// The body.
    pub(crate) body: Bytes,
}

/// The failure of a call.
pub(crate) type Failed = SdkError<Told, Response>;

/// The header in which SendGrid names a mail.
const MESSAGE_ID: &str = "x-message-id";

impl Outside {
    /// A client for the service at `endpoint`, a URL without a path.
    pub(crate) fn new(aws: &Aws, endpoint: &str) -> Outside {
        Outside { aws: aws.clone(), endpoint: endpoint.to_owned() }
    }

    /// Opens the connection for the first call.
    pub(crate) async fn connect(&self) {
        self.aws.connect_outside(&self.endpoint).await;
    }

    /// The time of a call.
    pub(crate) fn now(&self) -> Timestamp {
        self.aws.clock().now()
    }

    /// Posts `body` once. `code` finds the service's code in the body of an error.
    ///
    /// These services are farther away than AWS's, so the one attempt has the time of all attempts of a call to AWS.
    ///
    /// # Errors
    /// The call got no answer, or another one than success.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        body: String,
        code: impl Fn(&[u8]) -> Option<String>,
    ) -> Result<Answer, Failed> {
        let request = self.request(path, headers, body).map_err(SdkError::construction_failure)?;
        let connector = self
            .aws
            .outside()
            .map_err(|error| SdkError::construction_failure(error.cause().unwrap_or_else(|| error.to_string())))?;
        let answering = async {
            let mut response = connector.call(request).await.map_err(SdkError::dispatch_failure)?;
            match ByteStream::new(response.take_body()).collect().await {
                Ok(body) => Ok((response, body.into_bytes())),
                Err(error) => Err(SdkError::response_error(error, response)),
            }
        };
        let longest = self.aws.settings().operation_timeout;
        let (response, body) = timeout(longest, answering).await.map_err(SdkError::timeout_error)??;
        if response.status().is_success() {
            return Ok(Answer { id: response.headers().get(MESSAGE_ID).map(str::to_owned), body });
        }
        let code = code(&body).unwrap_or_else(|| format!("status {}", response.status().as_u16()));
        Err(SdkError::service_error(Told(ErrorMetadata::builder().code(code).build()), response))
    }

    fn request(&self, path: &str, headers: &[(&'static str, &str)], body: String) -> Result<Request, String> {
        let mut request = Request::new(SdkBody::from(body));
        request.set_method("POST").map_err(|error| error.to_string())?;
        request.set_uri(format!("{}{path}", self.endpoint)).map_err(|error| error.to_string())?;
        for (name, value) in headers {
            // A key with a line end would be an invalid header. The error does not repeat it.
            let inserted = request.headers_mut().try_insert(*name, (*value).to_owned());
            inserted.map_err(|_| format!("the header {name} is invalid"))?;
        }
        Ok(request)
    }
}

impl ProvideErrorMetadata for Told {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().unwrap_or("an error without a code"))
    }
}

impl std::error::Error for Told {}
