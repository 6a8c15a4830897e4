//! Checks that no deployment in the tests leaks secrets (S09, V31). Each deployment has a witness. It learns every code, token,
//! key and address, and keeps every log line, error answer, event on the bus and write to OtpTable and RecordTable. At the
//! deployment's end it searches these texts, both tables, the users' second factors and the queue of failed records for the secrets.
//!
//! It learns codes and addresses from the calls to SES and SNS, even if they fail. It learns keys from the keyrings, tokens, secrets of
//! authenticator apps and backup codes from answers, and retry keys and codes of apps from requests. So a test does not need to declare
//! its secrets.

mod end;
mod texts;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aho_corasick::AhoCorasick;
use axum::body::Bytes;
use axum::http::{HeaderMap, Request, header};
use data_encoding::BASE64;
use local::{OnCall, OnLine};
use serde_json::Value;
use shared::codes::Code;
use shared::words::Identifier;

pub(crate) use self::end::AtTheEnd;
use self::texts::{of_table, plain, stands_alone, strings};
use crate::Answer;

/// A handle. Clones share the same witness.
#[derive(Clone, Default)]
pub struct Witness(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// Found anywhere in a text, because they are long enough to be unique.
    secrets: BTreeSet<String>,
    /// Found only as a separate word: short codes and addresses, because they may be part of something longer.
    words: BTreeSet<String>,
    /// Texts that must be free of secrets, with their place.
    texts: Vec<(&'static str, String)>,
}

/// Shorter texts are not secrets by themselves.
const SHORTEST: usize = 16;

impl Witness {
    /// Keeps each line of a log, including all metrics, and passes it on.
    pub fn on_line(&self, next: OnLine) -> OnLine {
        let witness = self.clone();
        Arc::new(move |line| {
            witness.line(line);
            next(line);
        })
    }

    /// Learns from each call to AWS.
    pub fn on_call(&self) -> OnCall {
        let witness = self.clone();
        Arc::new(move |call| witness.call(call))
    }

    /// Keeps a line of a log.
    pub fn line(&self, line: &str) {
        self.text("a log line", line.to_owned());
    }

    /// Keeps an item of OtpTable.
    pub fn table(&self, item: &Value) {
        self.text("OtpTable", plain(item));
    }

    /// Keeps what is stored elsewhere: an item of RecordTable, or a message of a queue.
    pub fn stored(&self, place: &'static str, value: &Value) {
        self.text(place, plain(value));
    }

    /// Learns the keys of a keyring, recognised by their length.
    pub fn keyring(&self, text: &str) {
        let mut seen = self.seen();
        let keys = strings(&serde_json::from_str(text).unwrap_or_default());
        let lines = keys.iter().flat_map(|key| key.lines()).filter(|line| !line.starts_with("-----"));
        seen.secrets.extend(lines.filter(|line| line.len() > 2 * SHORTEST).map(str::to_owned));
    }

    /// Learns the network address of a client.
    pub(crate) fn network(&self, address: IpAddr) {
        self.seen().words.insert(address.to_string());
    }

    /// Learns from a request to the API and its answer.
    pub(crate) fn exchange(&self, request: &Request<Bytes>, answer: &Answer) {
        let mut seen = self.seen();
        let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let fields = ["identifier", "email", "phone", "phone_number"].map(|name| asked[name].as_str());
        fields.into_iter().flatten().for_each(|typed| seen.address(typed));
        seen.secrets.extend(asked["retry"].as_str().filter(|key| key.len() >= SHORTEST).map(str::to_owned));
        seen.answer(&answer.body, &answer.headers);
        if answer.status.is_success() {
            ["code", "token"].into_iter().filter_map(|name| asked[name].as_str()).for_each(|code| seen.factor(code));
        }
        if !answer.status.is_success() {
            // When sending fails, the client gets the challenge's id so that it can resend.
            let mut body = answer.body.clone();
            body.as_object_mut().map(|body| body.remove("challenge_id"));
            seen.texts.push(("an error answer", body.to_string()));
        }
    }

    fn call(&self, call: &Request<Bytes>) {
        let text = |name: &str| call.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let body: Value = serde_json::from_slice(call.body()).unwrap_or_default();
        match (text("x-amz-target"), call.uri().path()) {
            (target, _) if target.ends_with(".PutSecretValue") => {
                self.keyring(body["SecretString"].as_str().unwrap_or_default());
            }
            ("AWSEvents.PutEvents", _) => self.text("an event", plain(&body)),
            (target, _) if target.starts_with("DynamoDB") => {
                for table in ["OtpTable", "RecordTable"] {
                    of_table(table, &body).for_each(|part| self.stored(table, part));
                }
            }
            (_, "/v2/email/outbound-emails") => {
                let (to, subject) =
                    (&body["Destination"]["ToAddresses"], &body["Content"]["Simple"]["Subject"]["Data"]);
                self.seen().sent(&strings(to).concat(), subject.as_str().unwrap_or_default());
            }
            (_, "/v3/mail/send") => {
                let (to, subject) = (&body["personalizations"][0]["to"][0]["email"], &body["subject"]);
                self.seen().sent(to.as_str().unwrap_or_default(), subject.as_str().unwrap_or_default());
                self.seen().secrets.extend(text("authorization").split(' ').nth(1).map(str::to_owned));
            }
            (_, path) if path.starts_with("/2010-04-01/") => {
                let form: Vec<(String, String)> = form_urlencoded::parse(call.body()).into_owned().collect();
                let field =
                    |wanted: &str| form.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value.as_str());
                let words = [field("Body"), field("ContentVariables"), field("Twiml")].concat();
                let digits: String = words.chars().filter(char::is_ascii_digit).take(6).collect();
                let code = if field("Body").is_empty() { digits } else { words };
                self.seen().sent(field("To").trim_start_matches("whatsapp:"), &code);
                let credentials =
                    text("authorization").split(' ').nth(1).and_then(|all| BASE64.decode(all.as_bytes()).ok());
                let credentials = credentials.and_then(|all| String::from_utf8(all).ok()).unwrap_or_default();
                self.seen().secrets.extend(credentials.split(':').nth(1).map(str::to_owned));
            }
            _ => {
                let form: Vec<(String, String)> = form_urlencoded::parse(call.body()).into_owned().collect();
                let field =
                    |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
                if let (Some(to), Some(message)) = (field("PhoneNumber"), field("Message")) {
                    self.seen().sent(to, message);
                }
            }
        }
    }

    /// The secrets found in texts, each with its place.
    pub fn leaks(&self) -> Vec<String> {
        let seen = self.seen();
        let needles: Vec<&str> = seen.secrets.iter().chain(&seen.words).map(String::as_str).collect();
        let search = AhoCorasick::builder().ascii_case_insensitive(true).build(&needles).unwrap();
        let mut leaks = BTreeSet::new();
        for (place, text) in &seen.texts {
            for found in search.find_overlapping_iter(text) {
                let is_word = found.pattern().as_usize() >= seen.secrets.len();
                if !is_word || stands_alone(text.as_bytes(), found.start(), found.end()) {
                    leaks.insert(format!("{} is in {place}: {text}", needles[found.pattern()]));
                }
            }
        }
        leaks.into_iter().collect()
    }

    /// Panics if there are leaks. Otherwise clears the texts and words, because long tests cannot keep them all.
    #[track_caller]
    pub fn settle(&self) {
        assert_eq!(self.leaks(), Vec::<String>::new());
        let mut seen = self.seen();
        (seen.words, seen.texts) = Default::default();
    }

    fn text(&self, place: &'static str, text: String) {
        self.seen().texts.push((place, text));
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn sent(&mut self, to: &str, message: &str) {
        self.address(to);
        if let Some(code) = Code::read(message).or_else(|| Code::read(message.split(' ').next()?)) {
            self.words.insert(code.reveal().to_owned());
        }
    }

    /// Learns an address as typed and in its normal form, and a number also without its plus. Ignores other text.
    fn address(&mut self, typed: &str) {
        if let Ok(address) = typed.parse::<Identifier>() {
            self.words.insert(address.reveal().trim_start_matches('+').to_owned());
            self.words.insert(typed.trim().to_owned());
        }
    }

    /// Learns a right code of an authenticator app, or a backup code in both of its spellings. Ignores other text.
    fn factor(&mut self, typed: &str) {
        let plain: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.len() {
            6 => drop(self.words.insert(plain)),
            24 => self.secrets.extend([typed.to_owned(), plain]),
            _ => {}
        }
    }

    /// Learns the tokens, the challenge, the secrets of factors and the cookies of an answer. Only the last two parts of a token are secret, because the
    /// others name a key, a user and a session.
    fn answer(&mut self, body: &Value, headers: &HeaderMap) {
        let cookies = headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let cookies = cookies.filter_map(|line| line.split(';').next()?.split_once('=')).map(|(_, value)| value);
        let tokens = body.get("tokens").unwrap_or(body);
        let members = [&tokens["access"], &tokens["refresh"], &body["challenge_id"], &body["session_id"]];
        let members = members.into_iter().chain([&body["trusted_device"], &body["secret"]]);
        body["backup_codes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .for_each(|code| self.factor(code));
        for token in members.filter_map(Value::as_str).chain(cookies) {
            self.secrets.extend(token.rsplit('.').take(2).filter(|part| part.len() >= SHORTEST).map(str::to_owned));
        }
    }
}
