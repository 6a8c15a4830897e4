//! One deployment, its moved clock, and the books: who asked what, which mails came, and which attempts were spent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::deployment::wrong;
use tests::orders::Draw;
use tests::{Answer, Client, Deployment};

pub const MINUTE: u64 = 60;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

/// How old a message can be whose code somebody still types.
const READ_FOR: u64 = 600;

/// A message that arrived.
pub struct Message {
    pub at: u64,
    pub to: String,
    pub code: String,
    pub is_sms: bool,
    /// Whether a client with a device token asked for it. Such messages have a bucket of their own.
    pub is_known: bool,
    pub is_answered: bool,
}

/// What strangers have done.
#[derive(Default)]
pub struct Books {
    pub requests: u64,
    /// Requests that a limit refused.
    pub refused: u64,
    /// Attempts of strangers at codes of six and of eight digits, by the day to which the code is charged.
    pub compared: BTreeMap<u64, [u64; 2]>,
    /// The same, by the day on which they were made.
    pub compared_on: BTreeMap<u64, [u64; 2]>,
    pub messages: Vec<Message>,
}

/// The deployment under attack.
pub struct World {
    pub auth: Deployment,
    pub draw: Draw,
    pub books: Books,
    /// Seconds since midnight of the first day.
    pub now: u64,
    swept: u64,
    log_bytes: Arc<AtomicU64>,
}

impl World {
    /// A new deployment whose clock stands at `start` seconds after midnight.
    pub async fn start(settings: &[(&str, &str)], start: u64, seed: u64) -> World {
        let log_bytes = Arc::new(AtomicU64::new(0));
        let counted = log_bytes.clone();
        let on_line = Arc::new(move |line: &str| {
            counted.fetch_add(line.len() as u64 + 1, Ordering::Relaxed);
        });
        let auth = Deployment::simulated(settings, on_line, Arc::new(|_| {})).await;
        auth.wait(start);
        World { auth, draw: Draw::of(seed), books: Books::default(), now: start, swept: start, log_bytes }
    }

    /// Moves the clock to `now`, if it is not there yet. Each hour, expired items go.
    pub fn move_to(&mut self, now: u64) {
        self.auth.wait(now.saturating_sub(self.now));
        self.now = self.now.max(now);
        if self.now - self.swept >= HOUR {
            self.auth.stack.services().sweep_expired().unwrap();
            self.auth.stack.services().calls().take();
            self.swept = self.now;
        }
    }

    pub fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }

    pub fn client(&self, network: &str) -> Client<'_> {
        self.auth.client_at(network)
    }

    /// A stranger's request. Keeps the books.
    async fn strangers(&mut self, network: &str, path: &str, body: Value) -> Answer {
        let answer = self.client(network).post(path, body).await;
        self.books.requests += 1;
        self.books.refused += u64::from(answer.status.as_u16() == 429);
        self.collect(false);
        answer
    }

    /// A stranger asks for a code, which they cannot read. Returns their challenge, unless a limit refuses them.
    pub async fn ask(&mut self, network: &str, to: &str) -> Option<String> {
        self.ask_again(network, to, None).await
    }

    /// A stranger asks for a code and names a challenge of their own.
    pub async fn ask_again(&mut self, network: &str, to: &str, named: Option<&str>) -> Option<String> {
        let body = json!({ "identifier": to, "challenge_id": named });
        let answer = self.strangers(network, REQUEST, body).await;
        answer.body["challenge_id"].as_str().map(str::to_owned)
    }

    pub async fn ask_by_alias(&mut self, network: &str, to: &str) {
        self.strangers(network, "/accounts/otp/request/", json!({ "identifier": to })).await;
    }

    /// A stranger guesses digits. The attempts that this spends are read from the identifier's item.
    pub async fn guess(&mut self, network: &str, to: &str, challenge: Option<&str>) {
        // A guess that happens to be right would be no attack on the protocol.
        let live = self.messages_to(to).map(|message| message.code.clone()).collect::<Vec<_>>();
        let mut guess = format!("{:06}", self.draw.below(1_000_000));
        while live.contains(&guess) {
            guess = wrong(&guess);
        }
        let before = self.attempts(to);
        let body = json!({ "identifier": to, "otp_code": guess, "challenge_id": challenge });
        self.strangers(network, VERIFY, body).await;
        self.spent(before, to);
    }

    pub async fn guess_by_alias(&mut self, network: &str, to: &str) {
        let before = self.attempts(to);
        self.strangers(network, "/accounts/otp/verify/", json!({ "identifier": to, "otp": "000000" })).await;
        self.spent(before, to);
    }

    /// Attempts left by code, with its day and whether it has eight digits, and the comparisons of answers from elsewhere.
    fn attempts(&self, to: &str) -> Attempts {
        let item = self.auth.identifier(to).unwrap_or_default();
        let number = |value: &Value| value["N"].as_str().and_then(|number| number.parse().ok()).unwrap_or(0);
        let codes = ["co", "ck"].into_iter().flat_map(|map| item[map]["M"].as_object().into_iter().flatten());
        let codes = codes.map(|(key, code)| {
            let code = &code["M"];
            (key.clone(), (number(&code["t"]), number(&code["y"]), is_set(&code["g"])))
        });
        Attempts { left: codes.collect(), elsewhere: number(&item["du"]) }
    }

    fn spent(&mut self, before: Attempts, to: &str) {
        let after = self.attempts(to);
        let today = self.today();
        let mut count = |day: u64, is_eight: bool, times: u64| {
            self.books.compared.entry(day).or_default()[usize::from(is_eight)] += times;
            self.books.compared_on.entry(today).or_default()[usize::from(is_eight)] += times;
        };
        for (key, (left, day, is_eight)) in &before.left {
            let now = after.left.get(key).map_or(*left, |(left, ..)| *left);
            count(*day, *is_eight, left.saturating_sub(now));
        }
        // An answer from elsewhere is compared with the newest code of an alias. Six digits are the worse case.
        count(today, false, after.elsewhere.saturating_sub(before.elsewhere));
    }

    fn today(&self) -> u64 {
        tests::deployment::START / DAY + self.now / DAY
    }

    /// Takes the messages out of the inbox. Called after each request, so that a message belongs to its request.
    pub fn collect(&mut self, is_known: bool) {
        let inbox = self.auth.stack.inbox();
        let arrived = inbox.messages(None);
        if arrived.is_empty() {
            return;
        }
        inbox.clear();
        for message in arrived.into_iter().rev() {
            let code = message.subject.as_ref().unwrap_or(&message.text).split(' ').next().unwrap().to_owned();
            let (at, is_sms) = (self.now, message.channel == "sms");
            let message = Message { at, to: message.to, code, is_sms, is_known, is_answered: false };
            self.books.messages.push(message);
        }
    }

    /// The messages to the mailbox of `to` that somebody would still read, newest first.
    pub fn messages_to(&self, to: &str) -> impl Iterator<Item = &Message> {
        let recent = self.books.messages.iter().rev().take_while(|message| self.now - message.at < READ_FOR);
        recent.filter(move |message| mailbox(&message.to) == mailbox(to))
    }

    /// Marks the message with this code as answered.
    pub fn answered(&mut self, to: &str, code: &str) {
        let mut of = self.books.messages.iter_mut().rev();
        if let Some(message) = of.find(|message| mailbox(&message.to) == mailbox(to) && message.code == code) {
            message.is_answered = true;
        }
    }
}

/// The mailbox behind an address: without a tag, and at Gmail without dots and with one name of the domain.
pub fn mailbox(address: &str) -> String {
    let (local, domain) = address.split_once('@').unwrap_or((address, ""));
    let local = local.split('+').next().unwrap_or(local).to_ascii_lowercase();
    match domain.to_ascii_lowercase().as_str() {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
        domain => format!("{local}@{domain}"),
    }
}

/// What an identifier's item says about attempts.
struct Attempts {
    left: BTreeMap<String, (u64, u64, bool)>,
    elsewhere: u64,
}

fn is_set(value: &Value) -> bool {
    value["BOOL"].as_bool().unwrap_or_else(|| value["N"].as_str().is_some_and(|number| number != "0"))
}
