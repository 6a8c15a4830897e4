//! Requests: API Gateway's event and its body.

use lambda_http::RequestExt;
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::{HeaderMap, Method, header};
use lambda_http::request::RequestContext;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Proxies;
use super::proxies::ORIGIN_SECRET;
use crate::http::cookie::Cookies;
use crate::http::frontends::Page;
use crate::http::{form, json};
use crate::sessions::Device;
use crate::texts::Language;
use crate::words::{Error, Network, Result, Tenant};

/// The maximum length of a body, in bytes. The longest valid one is under 1 KiB (V32).
pub const LONGEST_BODY: usize = 8 * 1024;

/// A request, as handlers see it.
pub struct Request {
    /// API Gateway's id of the request.
    pub id: String,
    /// The API's domain name, from a field that API Gateway fills itself (S78).
    pub domain: String,
    /// The client's network.
    pub network: Network,
    /// The path without its final slash.
    pub path: String,
    /// Whether the path had a final slash.
    pub has_final_slash: bool,
    /// Whether it came by a path of a replaced system, which knows no challenge ids.
    pub is_by_alias: bool,
    /// The language of messages to the user.
    pub language: Language,
    pub(super) cookies: Cookies,
    pub(super) page: Page,
    tenant: Tenant,
    method: Method,
    content_type: Option<String>,
    user_agent: Option<String>,
    referer: Option<String>,
    authorization: Option<String>,
    query: QueryMap,
    /// The headers in which providers sign what they tell.
    signatures: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// `usual` is the language of people whose own is unknown or missing.
    pub(crate) fn read(request: lambda_http::Request, proxies: &Proxies, usual: Language) -> Result<Request> {
        let RequestContext::ApiGatewayV2(context) = request.request_context() else {
            return Err(Error::internal(
                "the event is not an HTTP API event of payload format 2.0. Invoke this function through the API",
            ));
        };
        let peer = context.http.source_ip.as_deref().and_then(|text| text.parse().ok());
        let peer = peer.ok_or_else(|| Error::internal("the event has no source address"))?;
        let forwarded = request.headers().get_all("x-forwarded-for").iter().map(|value| value.as_bytes());
        let secret = request.headers().get(ORIGIN_SECRET).map(|value| value.as_bytes());
        let text = |name| request.headers().get(name)?.to_str().ok().map(str::to_owned);
        let (accepted, body) = (text(header::ACCEPT_LANGUAGE), request.body().as_ref());
        let language = Language::choose(locale(body).as_deref(), accepted.as_deref(), usual);
        Ok(Request {
            id: context.request_id.unwrap_or_default(),
            domain: context.domain_name.unwrap_or_default(),
            network: Network::of(proxies.client(peer, forwarded, secret)),
            path: without_final_slash(request.raw_http_path()).to_owned(),
            has_final_slash: request.raw_http_path().ends_with('/'),
            is_by_alias: false,
            language,
            cookies: cookies(request.headers()),
            page: page(request.headers()),
            tenant: Tenant::default(),
            method: request.method().clone(),
            content_type: text(header::CONTENT_TYPE),
            user_agent: text(header::USER_AGENT),
            referer: text(header::REFERER),
            authorization: text(header::AUTHORIZATION),
            query: request.query_string_parameters(),
            signatures: signatures(request.headers()),
            body: request.into_body().to_vec(),
        })
    }

    /// The body as JSON of the shape `T`. Unknown fields are ignored, everything else must fit.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for another content type, or for a body that is too long, too deep, malformed, or has a
    /// duplicate key or a field of another type (V21, V32, S62).
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let media_type = self.content_type.as_deref().and_then(|text| text.split(';').next()).unwrap_or_default();
        if !media_type.trim().eq_ignore_ascii_case("application/json") {
            return Err(Error::invalid("The content type must be application/json."));
        }
        if self.body.len() > LONGEST_BODY {
            return Err(Error::invalid("The body is too long. Send at most 8 KiB."));
        }
        json::read(&self.body)
    }

    /// Whether a browser sent the body from a form of a page.
    pub fn is_form(&self) -> bool {
        let media_type = self.content_type.as_deref().and_then(|text| text.split(';').next()).unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// A field of a form. Its value has only characters that a form sends as they are. The first one, if it is repeated.
    pub fn form_field(&self, name: &str) -> Option<&str> {
        let body = Some(&self.body).filter(|body| body.len() <= LONGEST_BODY)?;
        let fields = str::from_utf8(body).ok()?.split('&').filter_map(|field| field.split_once('='));
        fields.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The text after `Bearer` and one or more spaces in the header. API Gateway joins two such headers with a comma, and a comma
    /// makes any token invalid.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] if the header is missing or has another scheme.
    pub fn bearer(&self) -> Result<&str> {
        let (scheme, token) = self.authorization.as_deref().and_then(|text| text.split_once(' ')).unwrap_or_default();
        if scheme.eq_ignore_ascii_case("Bearer") { Ok(token.trim_start_matches(' ')) } else { Err(Error::InvalidToken) }
    }

    /// A parameter of the query, decoded. The first one, if it is repeated.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.first(name)
    }

    /// The page that sent the request, as its browser says. The page may hide it or shorten it to its origin.
    pub fn referer(&self) -> Option<&str> {
        self.referer.as_deref()
    }

    /// A header with the signature of a provider, or what belongs to one. `None` if it is missing or comes more than once.
    pub fn signature(&self, name: &'static str) -> Option<&str> {
        let mut all = self.signatures.get_all(name).iter();
        all.next().filter(|_| all.next().is_none())?.to_str().ok()
    }

    /// The body as it came, for a check of its signature.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if it is longer than `longest`, in bytes.
    pub fn body(&self, longest: usize) -> Result<&[u8]> {
        if self.body.len() > longest { Err(Error::invalid("The body is too long.")) } else { Ok(&self.body) }
    }

    /// The decoded fields of a form that another service sent, in their order.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for a body that is too long or malformed.
    pub fn form(&self) -> Result<Vec<(String, String)>> {
        form::read(self.body(LONGEST_BODY)?)
    }

    /// The origin of the API: its own domain if the settings name one, or else the domain that API Gateway names in the event.
    pub fn api(&self, domain: Option<&str>) -> String {
        format!("https://{}", domain.unwrap_or(&self.domain))
    }

    /// The tenant of the request.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The client's device.
    pub fn device(&self) -> Device {
        Device::of(self.user_agent.as_deref(), self.network)
    }

    /// The last segment of the path.
    pub fn last_segment(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Adds `fields` to the body, replacing its own fields of these names, and returns the body. A body that [`Request::json`]
    /// would reject stays as it is, and the handler rejects it.
    pub(super) fn amend(&mut self, fields: &[(&str, &str)]) -> Value {
        let Ok(mut body) = self.json::<Map<String, Value>>() else { return Value::Null };
        body.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        let body = Value::Object(body);
        self.body = body.to_string().into_bytes();
        body
    }

    /// The method.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The issuer of this request's tokens.
    pub fn issuer(&self, configured: Option<&str>) -> String {
        configured.map_or_else(|| format!("https://{}", self.domain), str::to_owned)
    }
}

/// Turns `/x/` into `/x`, and leaves the root as it is.
pub fn without_final_slash(path: &str) -> &str {
    path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path)
}

/// The `locale` of a body. The handler refuses a body that is malformed.
fn locale(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Locale {
        locale: Option<String>,
    }
    const NAME: &[u8] = b"\"locale\"";
    // Most bodies have none, and are parsed once.
    let has_locale = body.len() <= LONGEST_BODY && body.windows(NAME.len()).any(|part| part == NAME);
    if has_locale { json::read::<Locale>(body).ok()?.locale } else { None }
}

fn cookies(headers: &HeaderMap) -> Cookies {
    Cookies::read(headers.get_all(header::COOKIE).iter().map(|line| line.as_bytes()))
}

fn signatures(headers: &HeaderMap) -> HeaderMap {
    let signed = headers.iter().filter(|(name, _)| name.as_str().starts_with("x-twilio-"));
    signed.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// API Gateway joins two `Origin` headers with a comma, and the result matches no origin.
fn page(headers: &HeaderMap) -> Page {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_same_origin = text("sec-fetch-site") == Some("same-origin");
    Page { origin: text("origin").map(str::to_owned), is_same_origin }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_loses_one_slash() {
        for (path, bare) in [("/a/", "/a"), ("/a", "/a"), ("/a//", "/a/"), ("/", "/")] {
            assert_eq!(without_final_slash(path), bare);
        }
    }
}
