//! Takes one request through the gateway.

use std::net::IpAddr;

use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;
use shared::words::Entropy;

use super::answer::{self, of_gateway};
use super::event::{self, Circumstances};
use super::settings::GatewaySettings;
use super::{host, routes};
use crate::clock::StackClock;
use crate::failure::Failure;
use crate::lambda::Functions;
use crate::template::{Cors, Route};

/// The longest body that the gateway accepts, in bytes.
pub const LONGEST_BODY: usize = 10_000_000;
/// The longest request line and headers together, in bytes.
const LONGEST_HEAD: usize = 10_240;

/// The API of one stack.
pub struct Api {
    routes: Vec<Route>,
    cors: Option<Cors>,
    functions: Functions,
    clock: StackClock,
    gateway: GatewaySettings,
}

impl Api {
    /// An API with these routes, in front of these functions.
    pub fn new(routes: Vec<Route>, cors: Option<Cors>, functions: Functions, clock: StackClock) -> Api {
        Api { routes, cors, functions, clock, gateway: GatewaySettings::default() }
    }

    /// Settings for undocumented behaviour of AWS, and for failures.
    pub fn gateway(&self) -> &GatewaySettings {
        &self.gateway
    }

    /// Answers a request from the address `source`.
    pub async fn call(&self, request: Request<Bytes>, source: IpAddr) -> Response<Bytes> {
        let preflight = self.cors.as_ref().and_then(|cors| cors.preflight(&request));
        if let Some(answer) = preflight.filter(|_| !self.gateway.passes_preflights()) {
            return answer;
        }
        let id = request_id();
        let mut answer = match self.route(&request, source, &id) {
            Ok((function, event)) => {
                let answer = self.functions.invoke(&function, &event).await.ok().as_ref().and_then(answer::of_function);
                // The client gets only the status; the reason is in the log.
                answer.unwrap_or_else(|| of_gateway(StatusCode::INTERNAL_SERVER_ERROR))
            }
            Err(status) => of_gateway(status),
        };
        let headers = answer.headers_mut();
        headers.extend(HeaderValue::from_str(&id).map(|id| (answer::REQUEST_ID, id)));
        if let Some(cors) = &self.cors {
            cors.apply(request.headers(), headers);
            if let Some(preflight) = cors.preflight(&request) {
                headers.extend(preflight.into_parts().0.headers);
            }
        }
        // RFC 9110: an answer to HEAD has no body, whatever the function returns.
        if request.method() == Method::HEAD { answer.map(|_| Bytes::new()) } else { answer }
    }

    /// Returns the function for `request`, by resource name, and the event for it.
    ///
    /// # Errors
    /// The status of the gateway's own answer, without a call of a function.
    pub fn event(&self, request: &Request<Bytes>, source: IpAddr) -> Result<(String, Value), StatusCode> {
        self.route(request, source, &request_id())
    }

    /// Passes any event to a function, even an invalid one.
    ///
    /// # Errors
    /// The function fails or is unknown.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, Failure> {
        self.functions.invoke(function, event).await
    }

    fn route(&self, request: &Request<Bytes>, source: IpAddr, id: &str) -> Result<(String, Value), StatusCode> {
        if let Some(status) = self.gateway.refusal() {
            return Err(status);
        }
        if head_length(request) > LONGEST_HEAD {
            return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        if request.body().len() > LONGEST_BODY {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if !host::is_plain(request.headers()) {
            return Err(StatusCode::BAD_REQUEST);
        }
        let path = event::raw_path(request);
        let matched = routes::find(&self.routes, request.method().as_str(), &path, self.gateway.matches_empty_rest());
        let matched = matched.ok_or(StatusCode::NOT_FOUND)?;
        let always_base64 = self.gateway.always_base64();
        let circumstances = Circumstances { matched: &matched, source, id, now: self.clock.now(), always_base64 };
        Ok((matched.route.function.clone(), event::event(request, &circumstances)))
    }
}

/// Sixteen characters, like the ids of API Gateway.
fn request_id() -> String {
    // Without a random generator everything else fails too, so repeated ids are acceptable.
    BASE64.encode(&Entropy.bytes::<11>().unwrap_or_default())
}

fn head_length(request: &Request<Bytes>) -> usize {
    let line = request.method().as_str().len() + request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    // Four bytes for `: ` and the line end.
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + headers.sum::<usize>()
}
