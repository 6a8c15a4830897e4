//! Answers as the service of a call writes them.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::Value;

use super::call::Target;
use super::query;
use super::refusal::Refusal;
use super::service::Service;
use crate::ids::new_id;

/// The answer to a request without a valid call.
pub(crate) fn unread(request: &Request<Bytes>, target: Option<&Target>, refusal: Refusal) -> Response<Bytes> {
    let refusal = match target {
        Some(target) => refusal.named_by(target.service),
        None => refusal,
    };
    let path = request.uri().path();
    tracing::warn!(path, error = refusal.name(), "{}", refusal.message());
    response(target, &Err(refusal))
}

/// The answer in the format of the target's service. Without a target, in the format of most services.
pub(crate) fn response(target: Option<&Target>, outcome: &Result<Value, Refusal>) -> Response<Bytes> {
    let service = target.map_or(Service::DynamoDb, |target| target.service);
    let request_id = new_id();
    let body = match (target, outcome) {
        (Some(target), outcome) if service == Service::Sns => query::answer(&target.operation, outcome, &request_id),
        (_, Ok(body)) => body.to_string(),
        (_, Err(refusal)) => refusal.body.to_string(),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = outcome.as_ref().err().map_or(StatusCode::OK, |refusal| refusal.status);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(service.content_type()));
    let error = outcome.as_ref().err().map(|refusal| refusal.name().to_owned());
    for (name, value) in [("x-amzn-requestid", Some(request_id)), ("x-amzn-errortype", error)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    response
}
