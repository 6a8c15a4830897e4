//! Random histories: people sign up, sign in, refresh and sign out, while the stream and the functions behind it have every kind of fault.
//! At the end of each, the counts equal a recount, and each event has one row of activity.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tests::client::VERIFY;
use tests::deployment::{START, session_of};
use tests::operations::SETTINGS;
use tests::orders::Draw;
use tests::{Deployment, Tokens};

use super::{DAY, numbers, user_of};

const HISTORIES: u64 = 200;
/// Histories of one deployment.
const TOGETHER: usize = 10;
/// Sign-ins, refreshes and sign-outs in each.
const STEPS: usize = 2;
const SESSIONS: usize = 2;
/// A page, and what is kept of its URL.
const SOURCES: [Option<(&str, &str)>; 3] = [
    None,
    Some(("https://example.org/a?utm_source=fb&b=c", "https://example.org?utm_source=fb")),
    Some(("http://www.example.net", "http://example.net")),
];

/// What a person has.
struct Person {
    address: String,
    user: String,
    sessions: Vec<Opened>,
    last_active: u64,
}

struct Opened {
    id: String,
    at: u64,
    tokens: Tokens,
}

/// What should have been recorded.
#[derive(Default)]
struct Expected {
    /// Counts by the keys of their item and their name.
    counts: BTreeMap<(String, String), i64>,
    /// The user, the type, the session and the reason of each event.
    activity: BTreeSet<(String, String, String, String)>,
    /// The user, the URL and the way of each sign-up from a page.
    sources: BTreeSet<[String; 3]>,
    poisoned: usize,
}

impl Expected {
    fn count(&mut self, item: &str, name: String) {
        *self.counts.entry((item.to_owned(), name)).or_default() += 1;
    }

    fn event(&mut self, user: &str, kind: &str, session: &str, reason: &str) {
        let event = [user, kind, session, reason].map(str::to_owned);
        let [user, kind, session, reason] = event;
        assert!(self.activity.insert((user, kind, session, reason)));
    }
}

struct History {
    auth: Deployment,
    draw: Draw,
    now: u64,
    people: Vec<Person>,
    expected: Expected,
}

impl History {
    fn wait(&mut self, seconds: u64) {
        self.auth.wait(seconds);
        self.now += seconds;
    }

    async fn step(&mut self) {
        let seconds = [1, 60, 3_600, 40_000][self.draw.below(4)];
        self.wait(seconds);
        let number = self.people.len();
        match self.draw.below(7) {
            0 => self.sign_up(format!("p{number}@example.com"), "otp_email").await,
            1 => self.sign_up(format!("+447400{number:06}"), "otp_sms").await,
            kind => {
                let at = number.saturating_sub(1 + self.draw.below(3));
                match (self.people.get(at).map(|person| person.sessions.len()), kind) {
                    (None, _) => self.sign_up(format!("p{number}@example.com"), "otp_email").await,
                    (Some(0), _) | (Some(_), 2 | 3) => self.sign_in(at).await,
                    (Some(_), 4) => self.sign_out(at).await,
                    (Some(_), 5) => self.refresh(at).await,
                    (Some(_), _) => self.sign_out_everywhere(at).await,
                }
            }
        }
    }

    async fn sign_up(&mut self, address: String, way: &str) {
        let source = SOURCES[self.draw.below(SOURCES.len())];
        let tokens = self.enter(&address, source.map(|(url, _)| url)).await;
        let user = user_of(&tokens.access);
        let day = self.now / DAY;
        let name = source.map_or("none", |(_, kept)| kept);
        self.expected.count(&format!("DAY#{day} all"), format!("up_{way}"));
        self.expected.count(&format!("DAY#{day} sources"), format!("s_{name}"));
        self.expected.event(&user, "user.created", "", "");
        self.expected.sources.extend(source.map(|(_, kept)| [&user, kept, way].map(str::to_owned)));
        self.people.push(Person { address, user, sessions: Vec::new(), last_active: day });
        self.opened(self.people.len() - 1, tokens);
    }

    async fn sign_in(&mut self, at: usize) {
        let tokens = self.enter(&self.people[at].address.clone(), None).await;
        let sessions = &mut self.people[at].sessions;
        sessions.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        let surplus = (sessions.len() + 1).saturating_sub(SESSIONS);
        let ended: Vec<Opened> = sessions.drain(..surplus).collect();
        let user = self.people[at].user.clone();
        ended.iter().for_each(|session| self.expected.event(&user, "session.ended", &session.id, "limit"));
        self.opened(at, tokens);
    }

    async fn refresh(&mut self, at: usize) {
        let person = &mut self.people[at];
        let session = self.draw.below(person.sessions.len());
        let session = &mut person.sessions[session];
        session.tokens = self.auth.client().refresh(&session.tokens.refresh).await.tokens();
        person.last_active = self.now / DAY;
    }

    fn opened(&mut self, at: usize, tokens: Tokens) {
        let person = &mut self.people[at];
        let way = if person.address.starts_with('+') { "otp_sms" } else { "otp_email" };
        let (id, day) = (session_of(&tokens.access), self.now / DAY);
        self.expected.count(&format!("DAY#{day} all"), format!("in_{way}"));
        self.expected.event(&person.user, "session.opened", &id, "");
        person.last_active = day;
        person.sessions.push(Opened { id, at: self.now, tokens });
    }

    async fn enter(&mut self, address: &str, source: Option<&str>) -> Tokens {
        let client = self.auth.client();
        let asked = client.ask(address).await;
        let mut body = json!({ "identifier": address, "otp_code": asked.code, "challenge_id": asked.challenge });
        if let Some(source) = source {
            body["source_url"] = json!(source);
        }
        client.post(VERIFY, body).await.tokens()
    }

    async fn sign_out(&mut self, at: usize) {
        let person = &mut self.people[at];
        let session = person.sessions.remove(self.draw.below(person.sessions.len()));
        self.auth.client().logout(&session.tokens.refresh).await.ok();
        self.expected.event(&person.user.clone(), "session.ended", &session.id, "logout");
    }

    async fn sign_out_everywhere(&mut self, at: usize) {
        let person = &mut self.people[at];
        let ended = std::mem::take(&mut person.sessions);
        self.auth.client().logout_everywhere(&ended[0].tokens.refresh).await.ok();
        let user = person.user.clone();
        ended.iter().for_each(|session| self.expected.event(&user, "session.ended", &session.id, "everywhere"));
    }

    /// A delivery with random faults of the stream, and with a crash before or after a step of `record`.
    async fn deliver(&mut self) {
        let kinds = ["duplicate", "split", "overlap", "delay", "reorder", "poison"];
        let mut stream = Vec::new();
        for kind in kinds {
            if self.draw.below(3) == 0 {
                stream.push(json!({ "fault": kind, "times": 1 + self.draw.below(2) }));
            }
        }
        let mut aws = Vec::new();
        for (service, operation) in [
            ("dynamodb", "GetItem"),
            ("dynamodb", "PutItem"),
            ("dynamodb", "TransactWriteItems"),
            ("events", "PutEvents"),
            ("sqs", "SendMessage"),
        ] {
            if self.draw.below(4) == 0 {
                let when = ["before", "after"][self.draw.below(2)];
                // The SDK does not repeat a denied call, so the function ends there, as in a crash.
                let mut fault = json!({ "service": service, "operation": operation, "when": when,
                    "error": "AccessDeniedException", "times": 1 + self.draw.below(3) });
                if service == "dynamodb" {
                    fault["table"] = json!("latchkey-RecordTable");
                }
                aws.push(fault);
            }
        }
        self.auth.faults(json!({ "stream": stream, "aws": aws }));
        let before = poison(&self.auth);
        self.auth.stack.deliver().await;
        self.expected.poisoned += before - poison(&self.auth);
        self.auth.faults(json!({}));
    }

    async fn pass(&mut self, seed: u64) {
        for _ in 0..STEPS {
            self.step().await;
            if self.draw.below(2) == 0 {
                self.deliver().await;
            }
        }
        self.deliver().await;
        self.auth.stack.deliver().await;
        self.check(seed);
    }

    fn check(&self, seed: u64) {
        let items = self.auth.items_of("RECORD_TABLE", "");
        let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        let mut counts = BTreeMap::new();
        for item in items.iter().filter(|item| ["DAY#", "LA#"].iter().any(|kind| text(item, "pk").starts_with(kind))) {
            let place = format!("{} {}", text(item, "pk"), text(item, "sk"));
            let found = numbers(item).into_iter().filter(|(name, count)| name != "n" && *count != 0);
            counts.extend(found.map(|(name, count)| ((place.clone(), name), count)));
        }
        let mut expected = self.expected.counts.clone();
        for person in &self.people {
            let day = person.last_active;
            *expected.entry((format!("LA#{} all", day / 32), format!("d{day}"))).or_default() += 1;
        }
        assert_eq!(counts, expected, "seed {seed}: the counts are not those of a recount");

        let is_notice = |item: &&Value| text(item, "sk").starts_with("notices.");
        let rows = items.iter().filter(|item| text(item, "pk").starts_with("A#") && !is_notice(item));
        let (sources, rows): (Vec<_>, Vec<_>) = rows.partition(|row| text(row, "sk").starts_with("source."));
        let source = |row: &&Value| [text(row, "pk")[2..].to_owned(), text(row, "u"), text(row, "via")];
        assert_eq!(sources.iter().map(source).collect::<BTreeSet<_>>(), self.expected.sources, "seed {seed}");
        assert_eq!(sources.len(), self.expected.sources.len(), "seed {seed}: a sign-up has two sources");
        let row = |item: &&Value| (text(item, "pk")[2..].to_owned(), text(item, "t"), text(item, "s"), text(item, "w"));
        let activity: BTreeSet<_> = rows.iter().map(row).collect();
        assert_eq!(activity, self.expected.activity, "seed {seed}: the activity has another event");
        assert_eq!(rows.len(), activity.len(), "seed {seed}: an event has two rows");

        let ids: BTreeSet<String> = self.auth.events().iter().map(|event| event["id"].to_string()).collect();
        assert_eq!(ids.len(), activity.len(), "seed {seed}: the bus has another event");
        // A batch that comes twice may bring an unreadable record twice.
        let place = |message: &Value| [message["shardId"].clone(), message["sequenceNumber"].clone()];
        let failed: BTreeSet<String> =
            self.auth.failed_records().iter().map(|message| format!("{:?}", place(message))).collect();
        assert_eq!(failed.len(), self.expected.poisoned, "seed {seed}: another record has failed");
    }
}

/// How many unreadable records the stream is still to get.
fn poison(auth: &Deployment) -> usize {
    let faults = serde_json::to_value(auth.stack.services().faults().get()).unwrap();
    let poison = faults["stream"].as_array().unwrap().iter().find(|fault| fault["fault"] == "poison");
    poison.map_or(0, |fault| fault["times"].as_u64().unwrap() as usize)
}

/// A new deployment after some histories keeps the tables small.
#[tokio::test(start_paused = true)]
async fn counts_equal_a_recount_after_every_history() {
    let settings = [&SETTINGS[..], &[("EVENTS", "all"), ("SESSIONS_PER_USER", "2")]].concat();
    let (mut kinds, mut poisoned) = (BTreeSet::new(), 0);
    for first in (0..HISTORIES).step_by(TOGETHER) {
        let auth = Deployment::in_process(&settings, Arc::new(|_| {})).await;
        let (people, expected) = (Vec::new(), Expected::default());
        let mut history = History { auth, draw: Draw::of(0), now: START, people, expected };
        for seed in first..first + TOGETHER as u64 {
            history.draw = Draw::of(seed);
            history.pass(seed).await;
        }
        kinds.extend(history.expected.activity.into_iter().map(|(_, kind, _, _)| kind));
        poisoned += history.expected.poisoned;
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!(poisoned > 50, "{poisoned}");
}
