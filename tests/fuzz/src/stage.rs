//! A deployment in this process for targets that call whole functions: the real handlers with the real SDK.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, header};
use local::{Options, Stack};
use local_aws::StackClock;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::targets::now;

/// The deployment of this thread, started on first use.
pub(crate) struct Stage {
    runtime: Runtime,
    stack: Stack,
    person: Person,
    people: u64,
    executions: u64,
}

/// A user with the data that inputs have used so far, such as a session or a newly sent code.
#[derive(Default)]
struct Person {
    /// Placeholders in inputs, with their values for this user.
    told: Vec<(&'static str, String)>,
    tries: u32,
}

/// High limits, because they are tested elsewhere. Codes are so long that no execution guesses one.
const SETTINGS: [(&str, &str); 13] = [
    ("JWT_ALGORITHM", "EdDSA"),
    ("OTP_LENGTH", "10"),
    ("OTP_REQUESTS_PER_IP", "1000000"),
    ("OTP_FAILURES_PER_IP", "1000000"),
    ("SMS_DAILY_BUDGET", "1000000"),
    ("SMS_DAILY_BUDGET_PER_COUNTRY", "1000000"),
    ("SMS_BREAKER_SHARE", "0"),
    ("DOMAIN_NAME", "auth.example.com"),
    ("ALLOWED_ORIGINS", "https://app.example.com"),
    ("TRUSTED_PROXIES", "10.0.0.0/8"),
    ("TRUSTED_HOPS", "1"),
    // Long timeouts, because a busy machine is slow.
    ("AWS_ATTEMPT_TIMEOUT_MS", "29000"),
    ("AWS_OPERATION_TIMEOUT_MS", "29000"),
];
/// How often a user's data are used. A challenge has three attempts, a session more.
const TRIES: u32 = 10;
/// The maximum number of filled placeholders. The gateway allows 10 KiB of path and headers.
const FILLED: usize = 4;
/// Executions between deletions of expired data.
const SWEEPS: u64 = 2_000;

/// Runs an action on this thread's deployment.
pub(crate) fn on_stage<T>(act: impl FnOnce(&mut Stage) -> T) -> T {
    thread_local!(static STAGE: RefCell<Stage> = RefCell::new(Stage::set()));
    STAGE.with_borrow_mut(act)
}

impl Stage {
    fn set() -> Stage {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let env = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let clock = StackClock::frozen_at(now());
        let options = Options { env, in_process: true, clock, ..Options::default() };
        let stack = runtime.block_on(Stack::start(options)).unwrap_or_else(|failure| panic!("{failure}"));
        // The keys are then a minute old.
        stack.clock().advance(Duration::from_secs(60));
        Stage { runtime, stack, person: Person::default(), people: 0, executions: 0 }
    }

    /// The input with its placeholders filled.
    pub(crate) fn filled(&mut self, input: &str) -> String {
        if !has_places(input) {
            return input.to_owned();
        }
        if self.person.told.is_empty() {
            self.people += 1;
            self.person.told.push((WHO, self.who()));
        }
        self.get(&SESSION, input, Stage::signed_in);
        self.get(&CODE, input, Stage::asked);
        self.person.told.iter().fold(input.to_owned(), |text, (place, value)| text.replacen(place, value, FILLED))
    }

    /// Gets the values for these placeholders, if the input contains one and the user has none yet.
    fn get(&mut self, places: &[&'static str], input: &str, get: fn(&mut Stage) -> Vec<String>) {
        let is_told = self.person.told.iter().any(|(place, _)| places.contains(place));
        if !is_told && places.iter().any(|place| input.contains(place)) {
            let told = get(self);
            self.person.told.extend(places.iter().copied().zip(told));
        }
    }

    /// The function's answer to an event.
    pub(crate) fn answer(&mut self, function: &str, event: &Value) -> Value {
        self.executions += 1;
        if self.executions.is_multiple_of(SWEEPS) {
            self.go_on_later();
            self.stack.services().sweep_expired().unwrap();
        }
        let answer = self.runtime.block_on(self.stack.api().unwrap().invoke(function, event));
        let violations = self.stack.services().violations().take();
        assert!(violations.is_empty(), "{function} violates AWS's models: {violations:?}");
        answer.unwrap_or_else(|failure| panic!("{function}: {failure}"))
    }

    /// The answer of a function outside the API.
    pub(crate) fn behind(&mut self, function: &str, event: &Value) -> Value {
        let answer = self.runtime.block_on(self.stack.invoke(function, event));
        let violations = self.stack.services().violations().take();
        assert!(violations.is_empty(), "{function} violates AWS's models: {violations:?}");
        answer.unwrap_or_else(|failure| panic!("{function}: {failure}"))
    }

    /// Counts a failed use of the user's data. After some failures they may be used up.
    pub(crate) fn try_one(&mut self) {
        self.person.tries += 1;
        if self.person.tries == TRIES {
            self.go_on();
        }
    }

    /// Continues as a new user, because the data of this one are used up.
    pub(crate) fn go_on(&mut self) {
        self.person = Person::default();
    }

    /// The same an hour later, when limits and delays have ended.
    pub(crate) fn go_on_later(&mut self) {
        self.stack.clock().advance(Duration::from_secs(3_600));
        self.go_on();
    }

    fn who(&self) -> String {
        format!("p{}@example.com", self.people)
    }

    fn signed_in(&mut self) -> Vec<String> {
        let asked = self.asked();
        let body = json!({ "identifier": self.who(), "challenge_id": asked[0], "otp_code": asked[1] });
        let tokens = self.post("/api/auth/otp/verify/", &body)["tokens"].take();
        let [access, refresh] = ["access", "refresh"].map(|name| text(&tokens[name]));
        let session = refresh.split('.').nth(3).unwrap().to_owned();
        vec![access, refresh, session]
    }

    fn asked(&mut self) -> Vec<String> {
        let who = self.who();
        let challenge = text(&self.post("/api/auth/otp/request/", &json!({ "identifier": who }))["challenge_id"]);
        let mail = self.stack.inbox().messages(Some(&who)).into_iter().next().unwrap();
        vec![challenge, mail.subject.unwrap().split(' ').next().unwrap().to_owned()]
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        let source = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let answer = self.runtime.block_on(self.stack.api().unwrap().call(request, source));
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        serde_json::from_slice(answer.body()).unwrap()
    }
}

/// Placeholders for a user's data: the address, those of a session, those of a code.
const WHO: &str = "{who}";
const SESSION: [&str; 3] = ["{access}", "{refresh}", "{session}"];
const CODE: [&str; 2] = ["{challenge}", "{code}"];

pub(crate) fn has_places(input: &str) -> bool {
    [WHO].iter().chain(&SESSION).chain(&CODE).any(|place| input.contains(place))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
