//! The owner of an identifier signs in while strangers attack.

use serde_json::json;
use tests::browser::{CHALLENGE_COOKIE, DEVICE_COOKIE};
use tests::client::{REQUEST, VERIFY};
use tests::{Answer, Browser};

use crate::world::World;

/// A page that may use cookies in development.
const PAGE: &str = "http://localhost:3000";
/// Requests for a code after which an owner gives up.
const PATIENCE: u64 = 4;

/// How an owner's frontend speaks to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frontend {
    /// Native routes, everything in the body.
    Body,
    /// Native routes in a browser, with cookies.
    Cookie,
    /// An alias, without a challenge id. Its answer comes from the network that asked.
    Alias,
}

/// An owner's frontend, and whether it has a device token.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub frontend: Frontend,
    pub is_known: bool,
}

pub const KINDS: [Kind; 5] = [
    Kind { frontend: Frontend::Body, is_known: false },
    Kind { frontend: Frontend::Cookie, is_known: false },
    Kind { frontend: Frontend::Alias, is_known: false },
    Kind { frontend: Frontend::Body, is_known: true },
    Kind { frontend: Frontend::Cookie, is_known: true },
];

/// A sign-in that has begun.
pub struct Pending {
    pub to: String,
    kind: Kind,
    network: String,
    asked_at: u64,
    /// The challenge; the value of the cookie for a browser.
    challenge: Option<String>,
    /// The code in the newest message when the request was answered.
    newest: Option<String>,
    asks: u64,
    answers: u64,
}

/// What became of all sign-ins.
#[derive(Debug, Default)]
pub struct Figures {
    pub begun: u64,
    /// Signed in after one request for a code, with a code from the mailbox.
    pub with_first_code: u64,
    /// Of these, with the code of the newest message when the request was answered, typed once.
    pub with_newest: u64,
    /// Of these, the code is still in the newest message when it is typed.
    pub with_newest_when_typed: u64,
    /// The request for a code was refused.
    pub turned_away: u64,
    pub gave_up: u64,
    /// The most requests of one sign-in, asks and answers.
    pub most_requests: u64,
    /// The longest time of one sign-in, in seconds.
    pub slowest: u64,
}

/// The device tokens of the owner's clients, by address.
#[derive(Default)]
pub struct Owner {
    pub figures: Figures,
    body_token: std::collections::BTreeMap<String, String>,
    cookie_token: std::collections::BTreeMap<String, String>,
}

impl Owner {
    /// Asks for the first code. Returns nothing if the request is refused.
    pub async fn begin(&mut self, world: &mut World, (to, network): (String, String), kind: Kind) -> Option<Pending> {
        self.figures.begun += 1;
        let asked_at = world.now;
        let pending = Pending { to, kind, network, asked_at, challenge: None, newest: None, asks: 0, answers: 0 };
        self.ask(world, pending).await
    }

    async fn ask(&mut self, world: &mut World, mut pending: Pending) -> Option<Pending> {
        pending.asks += 1;
        let to = pending.to.clone();
        let answer = match pending.kind.frontend {
            Frontend::Alias => {
                let (path, field) = match to.starts_with('+') {
                    true => ("/api/auth/send-otp/", "phone_number"),
                    false => ("/accounts/otp/request/", "identifier"),
                };
                world.client(&pending.network).post(path, json!({ field: to })).await
            }
            Frontend::Body => {
                let device = pending.kind.is_known.then(|| self.body_token.get(&to)).flatten();
                let body = json!({ "identifier": to, "device": device });
                world.client(&pending.network).post(REQUEST, body).await
            }
            Frontend::Cookie => {
                let mut browser = self.browser(world, &pending);
                let answer = browser.post(REQUEST, json!({ "identifier": to, "token_delivery": "cookie" })).await;
                pending.challenge = browser.cookies.get(CHALLENGE_COOKIE).map(|(value, _)| value.clone());
                answer
            }
        };
        world.collect(pending.kind.is_known);
        if answer.status.as_u16() != 200 {
            self.figures.turned_away += 1;
            self.end(world, &pending, false);
            return None;
        }
        if pending.kind.frontend == Frontend::Body {
            pending.challenge = answer.body["challenge_id"].as_str().map(str::to_owned);
        }
        pending.newest = world.messages_to(&to).next().map(|message| message.code.clone());
        Some(pending)
    }

    /// Types codes from the mailbox: the newest of the moment of the request first, then the others. If none is right, asks
    /// again. Returns the sign-in if it is not over.
    pub async fn answer(&mut self, world: &mut World, mut pending: Pending) -> Option<Pending> {
        let to = pending.to.clone();
        let mailbox: Vec<String> = world.messages_to(&to).map(|message| message.code.clone()).collect();
        let mut typed: Vec<String> = pending.newest.iter().cloned().collect();
        typed.extend(mailbox.iter().filter(|code| Some(*code) != pending.newest.as_ref()).cloned());
        for (nth, code) in typed.into_iter().enumerate() {
            pending.answers += 1;
            let answer = self.submit(world, &pending, &code).await;
            if answer.status.as_u16() == 200 {
                if pending.asks == 1 {
                    self.figures.with_first_code += 1;
                    self.figures.with_newest += u64::from(nth == 0);
                    self.figures.with_newest_when_typed += u64::from(mailbox.first() == Some(&code));
                }
                world.answered(&to, &code);
                self.end(world, &pending, true);
                return None;
            }
        }
        if pending.asks >= PATIENCE {
            self.end(world, &pending, false);
            return None;
        }
        self.ask(world, pending).await
    }

    async fn submit(&mut self, world: &World, pending: &Pending, code: &str) -> Answer {
        let to = &pending.to;
        match pending.kind.frontend {
            Frontend::Alias => {
                let (path, body) = match to.starts_with('+') {
                    true => ("/api/auth/verify-otp/", json!({ "phone_number": to, "otp_code": code })),
                    false => ("/accounts/otp/verify/", json!({ "identifier": to, "otp": code })),
                };
                world.client(&pending.network).post(path, body).await
            }
            Frontend::Body => {
                let body = json!({ "identifier": to, "otp_code": code, "challenge_id": pending.challenge });
                let answer = world.client(&pending.network).post(VERIFY, body).await;
                if let Some(device) = answer.body["device"].as_str() {
                    self.body_token.insert(to.clone(), device.to_owned());
                }
                answer
            }
            Frontend::Cookie => {
                let mut browser = self.browser(world, pending);
                if let Some(challenge) = &pending.challenge {
                    browser.cookies.insert(CHALLENGE_COOKIE.to_owned(), (challenge.clone(), 0));
                }
                let answer = browser.post(VERIFY, json!({ "identifier": to, "otp_code": code })).await;
                if let Some((device, _)) = browser.cookies.get(DEVICE_COOKIE) {
                    self.cookie_token.insert(to.clone(), device.clone());
                }
                answer
            }
        }
    }

    /// A browser without any cookie, or with the device cookie if it is a known one.
    fn browser<'a>(&self, world: &'a World, pending: &Pending) -> Browser<'a> {
        let mut browser = world.client(&pending.network).browser(PAGE);
        let device = pending.kind.is_known.then(|| self.cookie_token.get(&pending.to)).flatten();
        browser.cookies.extend(device.map(|device| (DEVICE_COOKIE.to_owned(), (device.clone(), 0))));
        browser
    }

    fn end(&mut self, world: &World, pending: &Pending, is_in: bool) {
        let figures = &mut self.figures;
        figures.gave_up += u64::from(!is_in);
        figures.most_requests = figures.most_requests.max(pending.asks + pending.answers);
        figures.slowest = figures.slowest.max(world.now - pending.asked_at);
    }
}
