//! Signed calls to services of AWS for which the tests have no SDK.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use serde_json::Value;
use shared::words::Clock;

use super::http::{Browser, Seen};

/// A service, and how it is named in different places.
#[derive(Clone, Copy)]
pub(super) struct Service {
    /// In a signature.
    name: &'static str,
    /// At the start of its host.
    host: &'static str,
    /// At the end of the variable for its endpoint.
    variable: &'static str,
}

pub(super) const API_GATEWAY: Service = Service { name: "apigateway", host: "apigateway", variable: "APIGATEWAYV2" };
pub(super) const CLOUDFORMATION: Service =
    Service { name: "cloudformation", host: "cloudformation", variable: "CLOUDFORMATION" };
pub(super) const LAMBDA: Service = Service { name: "lambda", host: "lambda", variable: "LAMBDA" };
pub(super) const LOGS: Service = Service { name: "logs", host: "logs", variable: "CLOUDWATCH_LOGS" };
pub(super) const SECRETS: Service =
    Service { name: "secretsmanager", host: "secretsmanager", variable: "SECRETS_MANAGER" };
pub(super) const SES: Service = Service { name: "ses", host: "email", variable: "SESV2" };

/// Access to an account.
pub(super) struct Signed {
    credentials: Credentials,
    pub(super) region: String,
    /// Endpoints of stand-ins, by the end of their variable.
    endpoints: Vec<(&'static str, String)>,
    /// Whether a stand-in such as `local` replaces AWS. It has only the services that functions call.
    is_stand_in: bool,
}

/// Why a call has no result.
pub(super) enum Problem {
    /// A stand-in does not have the service.
    Absent,
    /// AWS's answer, or the failure of the connection.
    Refused(String),
}

impl Signed {
    /// Reads the variables that AWS's own tools read. Nothing without credentials.
    pub(super) fn read(region: &str, variables: &impl Fn(&str) -> Option<String>) -> Option<Signed> {
        let (id, secret) = (variables("AWS_ACCESS_KEY_ID")?, variables("AWS_SECRET_ACCESS_KEY")?);
        let credentials = Credentials::new(id, secret, variables("AWS_SESSION_TOKEN"), None, "environment");
        let endpoint =
            |service: &Service| Some((service.variable, variables(&format!("AWS_ENDPOINT_URL_{}", service.variable))?));
        let services = [API_GATEWAY, CLOUDFORMATION, LAMBDA, LOGS, SECRETS, SES];
        let endpoints = services.iter().filter_map(endpoint).collect();
        let is_stand_in = variables("AWS_ENDPOINT_URL").is_some();
        Some(Signed { credentials, region: region.to_owned(), endpoints, is_stand_in })
    }

    fn endpoint(&self, service: Service) -> Result<String, Problem> {
        match self.endpoints.iter().find(|(variable, _)| *variable == service.variable) {
            Some((_, endpoint)) => Ok(endpoint.trim_end_matches('/').to_owned()),
            None if self.is_stand_in => Err(Problem::Absent),
            None => Ok(format!("https://{}.{}.amazonaws.com", service.host, self.region)),
        }
    }

    /// Sends a GET request and returns the JSON of its answer.
    pub(super) async fn get(&self, service: Service, path: &str) -> Result<Value, Problem> {
        Ok(self.send(service, "GET", path, &[], "").await?.json())
    }

    /// Calls an operation of a service with AWS's JSON protocol.
    pub(super) async fn json(&self, service: Service, target: &str, body: &Value) -> Result<Value, Problem> {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        Ok(self.send(service, "POST", "/", &headers, &body.to_string()).await?.json())
    }

    /// Calls an operation of a service with forms, and returns the XML of its answer.
    pub(super) async fn form(&self, service: Service, form: &[(&str, &str)]) -> Result<String, Problem> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        Ok(self.send(service, "POST", "/", &headers, &body).await?.body)
    }

    async fn send(
        &self,
        service: Service,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Seen, Problem> {
        let browser = Browser::new(&self.endpoint(service)?);
        let url = format!("{}{path}", browser.url);
        let signature = self.signature(service, method, &url, headers, body).map_err(Problem::Refused)?;
        let signature = signature.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(signature).collect();
        let seen = browser.ask(method, path, &headers, body).await.map_err(Problem::Refused)?;
        if seen.status == 200 { Ok(seen) } else { Err(Problem::Refused(refusal(&seen))) }
    }

    /// The headers of the signature.
    fn signature(
        &self,
        service: Service,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Vec<(String, String)>, String> {
        let identity = self.credentials.clone().into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service.name)
            .time(UNIX_EPOCH + Duration::from_secs(Clock::system().now().unix()))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new(method, Cow::Borrowed(url), headers.iter().copied(), body);
        let request = request.map_err(|error| error.to_string())?;
        let (instructions, _) = sign(request, &parameters).map_err(|error| error.to_string())?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// The status and code of an error, without its text, which may name an account.
fn refusal(seen: &Seen) -> String {
    let body = seen.json();
    let code = seen.header("x-amzn-errortype").map(str::to_owned);
    let code = code.or_else(|| body["__type"].as_str().map(str::to_owned));
    let code = code.or_else(|| Some(seen.body.split_once("<Code>")?.1.split_once("</Code>")?.0.to_owned()));
    let code = code.unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default();
    format!("AWS answered {} {code}", seen.status)
}
