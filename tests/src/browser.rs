//! A browser: it keeps cookies as browsers do, and says where its page is from.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::client::{LOGOUT, REFRESH, REQUEST, VERIFY};
use crate::{Answer, Client};

pub const REFRESH_COOKIE: &str = "__Host-refresh";
pub const CHALLENGE_COOKIE: &str = "__Host-challenge";
pub const DEVICE_COOKIE: &str = "__Host-device";

/// One browser at one page.
#[derive(Clone)]
pub struct Browser<'a> {
    client: Client<'a>,
    /// What it says of its page: `origin` and `sec-fetch-site`.
    pub page: Vec<(&'static str, String)>,
    /// Its cookies by name, with their seconds to live.
    pub cookies: BTreeMap<String, (String, u64)>,
}

impl<'a> Client<'a> {
    /// A browser of this client's at a page of `origin`.
    pub fn browser(self, origin: &str) -> Browser<'a> {
        Browser { client: self, page: vec![("origin", origin.to_owned())], cookies: BTreeMap::new() }
    }
}

impl Browser<'_> {
    /// Posts JSON with the page's headers and all cookies, and keeps the answer's.
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

    /// Takes a `Set-Cookie`, if it is as all of ours must be: for our host alone, over TLS, out of reach of pages (S60).
    #[track_caller]
    fn keep(&mut self, line: &str) {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<_> = parts.collect();
        for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(attributes.contains(&attribute), "{line}");
        }
        assert!(name.starts_with("__Host-") && attributes.len() == 5 && line.len() <= 4_096, "{line}");
        let life = attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age=")).unwrap();
        match life.parse().unwrap() {
            0 => drop(self.cookies.remove(name)),
            life => drop(self.cookies.insert(name.to_owned(), (value.to_owned(), life))),
        }
    }

    /// The value of a cookie.
    #[track_caller]
    pub fn cookie(&self, name: &str) -> String {
        self.cookies.get(name).unwrap_or_else(|| panic!("there is no cookie {name}")).0.clone()
    }

    /// The names of its cookies.
    pub fn names(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }

    /// Asks for a code by cookies, and reads it as its owner would.
    pub async fn ask(&mut self, address: &str) -> String {
        let body = json!({ "identifier": address, "token_delivery": "cookie" });
        self.post(REQUEST, body).await.ok();
        self.client.deployment.newest_code(address)
    }

    pub async fn answer(&mut self, address: &str, code: &str) -> Answer {
        self.post(VERIFY, json!({ "identifier": address, "otp_code": code })).await
    }

    /// Asks, reads, answers.
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
