//! A browser: it stores cookies and sends the headers that describe its page.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::client::{LOGOUT, REFRESH, REQUEST, VERIFY};
use crate::{Answer, Client};

pub const REFRESH_COOKIE: &str = "__Host-refresh";
pub const CHALLENGE_COOKIE: &str = "__Host-challenge";
pub const DEVICE_COOKIE: &str = "__Host-device";

/// The lifetime of a cookie that the browser forgets when it is closed.
pub const UNTIL_CLOSED: u64 = u64::MAX;

/// One browser at one page.
#[derive(Clone)]
pub struct Browser<'a> {
    client: Client<'a>,
    /// The headers that describe its page: `origin` and `sec-fetch-site`.
    pub page: Vec<(&'static str, String)>,
    /// Its cookies by name, with their lifetime in seconds, or [`UNTIL_CLOSED`].
    pub cookies: BTreeMap<String, (String, u64)>,
}

impl<'a> Client<'a> {
    /// A browser for this client, at a page of `origin`.
    pub fn browser(self, origin: &str) -> Browser<'a> {
        Browser { client: self, page: vec![("origin", origin.to_owned())], cookies: BTreeMap::new() }
    }
}

impl Browser<'_> {
    /// Posts JSON with the page's headers and all cookies, and stores the cookies of the answer.
    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in &self.page {
            request = request.header(*name, value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, (value, _))| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let answer = self.client.send(request.body(Bytes::from(body.to_string())).unwrap()).await;
        answer.headers.get_all(header::SET_COOKIE).iter().for_each(|line| self.keep(line.to_str().unwrap()));
        answer
    }

    /// Stores a cookie after checking its attributes: only for our host, only over TLS, and unreadable for scripts (S60).
    #[track_caller]
    fn keep(&mut self, line: &str) {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<_> = parts.collect();
        for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(attributes.contains(&attribute), "{line}");
        }
        let life = attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age="));
        let expected = if life.is_some() { 5 } else { 4 };
        assert!(name.starts_with("__Host-") && attributes.len() == expected && line.len() <= 4_096, "{line}");
        match life.map_or(UNTIL_CLOSED, |life| life.parse().unwrap()) {
            0 => drop(self.cookies.remove(name)),
            life => drop(self.cookies.insert(name.to_owned(), (value.to_owned(), life))),
        }
    }

    #[track_caller]
    pub fn cookie(&self, name: &str) -> String {
        self.cookies.get(name).unwrap_or_else(|| panic!("the browser has no cookie {name}")).0.clone()
    }

    pub fn names(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }

    /// Requests a code with cookie delivery, and reads it from the newest message.
    pub async fn ask(&mut self, address: &str) -> String {
        let body = json!({ "identifier": address, "token_delivery": "cookie" });
        self.post(REQUEST, body).await.ok();
        self.client.deployment.newest_code(address)
    }

    pub async fn answer(&mut self, address: &str, code: &str) -> Answer {
        self.post(VERIFY, json!({ "identifier": address, "otp_code": code })).await
    }

    /// Requests a code, reads it and answers.
    pub async fn sign_in(&mut self, address: &str) -> Value {
        let code = self.ask(address).await;
        self.answer(address, &code).await.ok()
    }

    pub async fn refresh(&mut self) -> Answer {
        self.post(REFRESH, json!({})).await
    }

    pub async fn logout(&mut self) -> Answer {
        self.post(LOGOUT, json!({})).await
    }
}
