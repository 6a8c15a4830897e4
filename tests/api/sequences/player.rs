//! Runs a sequence and compares it with the model.

use std::collections::BTreeSet;

use serde_json::json;
use shared::words::Timestamp;
use tests::client::{PROFILE, REQUEST, SESSIONS, VERIFY};
use tests::deployment::START;
use tests::operations::SETTINGS;
use tests::{Answer, Deployment};

use super::act::{Act, PEOPLE, Person};
use super::model::{Challenge, Known, Model, Sent, Typed};
use super::session::{End, Session};

/// Short lifetimes of codes, sessions and tokens. Codes are so long that no guess is right by chance.
const OWN: [(&str, &str); 6] = [
    ("JWT_ALGORITHM", "ES256"),
    ("JWT_ACCESS_SECONDS", "900"),
    ("JWT_LEEWAY_SECONDS", "0"),
    ("REFRESH_IDLE_DAYS", "1"),
    ("REFRESH_ABSOLUTE_DAYS", "2"),
    ("OTP_LENGTH", "10"),
];

/// Runs the sequence and returns the situations it reached.
pub async fn play(acts: &[((Person, Act), i64)]) -> BTreeSet<&'static str> {
    let auth = Deployment::with(&[&SETTINGS[..], &OWN].concat()).await;
    // A deployment's first keys start at its own start, so slow clocks must not be before it.
    auth.wait(60);
    let mut player = Player { auth, models: Default::default(), now: START + 60, skew: 0, met: BTreeSet::new() };
    let right = Act::Answer { challenge: 0, typed: Typed::Right, is_bound: true };
    let begins = (0..PEOPLE.len()).flat_map(|person| [((person, Act::Ask), 0), ((person, right), 0)]);
    for ((person, act), skew) in begins.collect::<Vec<_>>().iter().chain(acts) {
        player.skew = *skew;
        player.auth.stack.clock().skew(*skew);
        player.act(*person, *act).await;
    }
    player.met
}

struct Player {
    auth: Deployment,
    models: [Model; PEOPLE.len()],
    /// The correct time.
    now: u64,
    skew: i64,
    met: BTreeSet<&'static str>,
}

impl Player {
    /// The time according to the answering function.
    fn seen(&self) -> Timestamp {
        Timestamp::from_unix(self.now.saturating_add_signed(self.skew))
    }

    fn wait(&mut self, seconds: u64) {
        self.auth.wait(seconds);
        self.now += seconds;
    }

    async fn act(&mut self, person: Person, act: Act) {
        match act {
            Act::Ask => self.ask(person, None).await,
            Act::Resend { challenge, after, answers_old } => {
                self.wait(after);
                let at = self.models[person].pick(challenge);
                self.ask(person, at).await;
                if answers_old {
                    self.answer(person, challenge, Typed::Old, true).await;
                }
            }
            Act::Guess { challenge, is_bound, times } => {
                for _ in 0..times {
                    self.answer(person, challenge, Typed::Wrong, is_bound).await;
                }
                self.answer(person, challenge, Typed::Right, is_bound).await;
            }
            Act::Answer { challenge, typed, is_bound } => self.answer(person, challenge, typed, is_bound).await,
            Act::Refresh { session, age } => self.refresh(person, session, age).await,
            Act::Logout { session, everywhere } => self.logout(person, session, everywhere).await,
            Act::Profile { session } => {
                self.with_access(person, session, "GET", PROFILE).await;
            }
            Act::List { session } => self.list(person, session).await,
            Act::End { by, which, is_own } => self.end(person, by, which, is_own).await,
            Act::EndOthers { by } => self.end_others(person, by).await,
            Act::Wait(seconds) => self.wait(seconds),
            Act::AtEnd { session, end, off } => self.at_end(person, session, end, off).await,
            Act::AtCodesEnd { challenge, off } => {
                let Some(at) = self.models[person].pick(challenge) else { return };
                self.wait_until(self.models[person].challenges[at].end().unix().saturating_add_signed(off));
                self.answer(person, challenge, Typed::Right, true).await;
            }
            Act::Sweep => {
                self.auth.stack.services().sweep_expired().unwrap();
                self.met.insert("swept");
            }
            Act::Forget => self.forget(),
        }
    }

    async fn ask(&mut self, person: Person, again: Option<usize>) {
        let (who, now) = (PEOPLE[person], self.seen());
        let model = &mut self.models[person];
        let id = again.map(|at| model.challenges[at].id.clone());
        let expected = again.map_or(Sent::Anew, |at| model.resend(at, now));
        let before = self.auth.messages_to(who);
        let body = self.auth.client().post(REQUEST, json!({ "identifier": who, "challenge_id": id })).await.ok();
        let is_sent = self.auth.messages_to(who) > before;
        let given = body["challenge_id"].as_str().unwrap().to_owned();
        if expected == Sent::TooSoon {
            assert!(!is_sent, "{who}: a request that came too soon sent something");
            self.met.insert("sent again too soon");
            return;
        }
        if !is_sent {
            let shared = model.shared().unwrap_or_else(|| panic!("{who}: there is no code to share"));
            model.challenges.push(Challenge::sharing(given, shared, now));
            self.met.insert("a shared code");
            return;
        }
        let code = self.auth.newest_code(who);
        let new = Challenge::new(given.clone(), code.clone(), now);
        match again.filter(|_| !new.is_long() && matches!(expected, Sent::Again | Sent::Unsure)) {
            Some(at) if expected == Sent::Again => {
                model.challenges[at].sent_again(given, code, now);
                self.met.insert("a code sent again");
            }
            Some(at) => {
                model.challenges[at].mark_unsure();
                model.challenges.push(new);
                model.challenges.last_mut().unwrap().mark_unsure();
            }
            None => model.challenges.push(new),
        }
    }

    async fn answer(&mut self, person: Person, challenge: usize, typed: Typed, is_bound: bool) {
        let (who, now) = (PEOPLE[person], self.seen());
        let model = &mut self.models[person];
        let Some(at) = model.pick(challenge).filter(|_| model.has_room()) else { return };
        let (id, code) = (is_bound.then(|| model.challenges[at].id.clone()), model.challenges[at].text(typed));
        let expected = model.answer(at, typed, now);
        self.met.extend(model.challenges[at].at_stake(typed, now).filter(|_| is_bound));
        let answer =
            self.auth.client().post(VERIFY, json!({ "identifier": who, "otp_code": code, "challenge_id": id })).await;
        hold(&answer, expected, "invalid_otp", (who, &id, typed));
        match is_bound {
            true => model.answered(at, answer.code() == "ok", now),
            false => model.answered_unbound(at, answer.code() == "ok", now),
        }
        if answer.code() == "ok" {
            model.sessions.push(Session::new(answer.tokens(), now));
        }
    }

    async fn refresh(&mut self, person: Person, session: usize, age: usize) {
        let now = self.seen();
        let Some(session) = self.models[person].session(session) else { return };
        self.met.extend(session.at_stake(age, now));
        let expected = session.refresh(age, now);
        let answer = self.auth.client().refresh(&session.token(age)).await;
        hold(&answer, expected, "invalid_token", (PEOPLE[person], age));
        let tokens = (answer.code() == "ok").then(|| answer.tokens());
        session.refreshed(age, tokens, now);
    }

    async fn logout(&mut self, person: Person, session: usize, everywhere: bool) {
        let (client, now) = (self.auth.client(), self.seen());
        let model = &mut self.models[person];
        let Some(session) = model.session(session).filter(|session| session.lives_surely(now)) else { return };
        let token = session.token(0);
        if everywhere { client.logout_everywhere(&token).await } else { client.logout(&token).await }.ok();
        session.end();
        model.sessions.iter_mut().filter(|_| everywhere).for_each(Session::end);
    }

    /// A request with the access token of a session. Returns the answer if it succeeded.
    async fn with_access(&mut self, person: Person, session: usize, method: &str, path: &str) -> Option<Answer> {
        let now = self.seen();
        let session = self.models[person].session(session)?;
        let is_near = session.when(End::Access).unix().abs_diff(now.unix()) <= 10;
        self.met.extend(is_near.then_some("within 10 s of an access token's end"));
        let answer = self.auth.client().with_token(method, path, &session.access).await;
        hold(&answer, session.opens(now), "invalid_token", (PEOPLE[person], method, path));
        Some(answer).filter(|answer| answer.code() == "ok")
    }

    async fn list(&mut self, person: Person, session: usize) {
        let now = self.seen();
        let Some(answer) = self.with_access(person, session, "GET", SESSIONS).await else { return };
        let listed = answer.ok()["sessions"].take();
        let is_listed = |id: &str| listed.as_array().unwrap().iter().any(|session| session["id"] == id);
        for (whose, model) in self.models.iter().enumerate() {
            for session in &model.sessions {
                let must = whose == person && session.lives_surely(now);
                let must_not = whose != person || session.is_over(now);
                assert!(is_listed(&session.id) || !must, "{} does not see a session", PEOPLE[person]);
                assert!(!is_listed(&session.id) || !must_not, "{} sees a session", PEOPLE[person]);
            }
        }
    }

    async fn end(&mut self, person: Person, by: usize, which: usize, is_own: bool) {
        let whose = if is_own { person } else { 1 - person };
        let Some(id) = self.models[whose].session(which).map(|session| session.id.clone()) else { return };
        let path = format!("{SESSIONS}{id}/");
        if self.with_access(person, by, "DELETE", &path).await.is_none() {
            return;
        }
        self.met.extend((!is_own).then_some("another's session"));
        self.models[whose].session(which).into_iter().filter(|_| is_own).for_each(Session::end);
    }

    async fn end_others(&mut self, person: Person, by: usize) {
        let (client, now) = (self.auth.client(), self.seen());
        let Some(session) = self.models[person].session(by) else { return };
        let (opens, fresh) = (session.opens(now), session.is_fresh(now));
        let answer = client.with_token("DELETE", SESSIONS, &session.access).await;
        if answer.code() == "step_up_required" {
            assert!(opens != Known::No && fresh != Known::Yes, "{} has to step up", PEOPLE[person]);
            self.met.insert("others without a fresh proof");
            return;
        }
        let expected = match fresh {
            Known::Yes => opens,
            Known::No => Known::No,
            Known::Unsure if opens == Known::No => Known::No,
            Known::Unsure => Known::Unsure,
        };
        hold(&answer, expected, "invalid_token", (PEOPLE[person], "DELETE", SESSIONS));
        if answer.code() != "ok" {
            return;
        }
        let own = self.models[person].session(by).map(|session| session.id.clone());
        let others = self.models[person].sessions.iter_mut().filter(|session| Some(&session.id) != own.as_ref());
        self.met.extend((others.map(Session::end).count() > 0).then_some("others ended"));
    }

    async fn at_end(&mut self, person: Person, session: usize, end: End, off: i64) {
        while let Some(it) = self.models[person].session(session).filter(|it| !it.has_ended()) {
            let (target, idle) = (it.when(end).unix(), it.when(End::Idle).unix());
            if !matches!(end, End::Absolute) || target <= idle || self.now + 60 >= idle {
                self.wait_until(target.saturating_add_signed(off));
                return match end {
                    End::Access => drop(self.with_access(person, session, "GET", PROFILE).await),
                    End::Grace => self.refresh(person, session, 1).await,
                    End::Idle | End::Absolute => self.refresh(person, session, 0).await,
                };
            }
            self.wait_until(idle - 60);
            self.refresh(person, session, 0).await;
        }
    }

    fn wait_until(&mut self, moment: u64) {
        self.wait(moment.saturating_sub(self.now));
    }

    fn forget(&mut self) {
        for session in self.models.iter().flat_map(|model| &model.sessions).filter(|session| session.has_ended()) {
            self.auth.delete_item(&format!("S#{}", session.id));
        }
        for item in self.auth.items_of("OTP_TABLE", "R#") {
            self.auth.delete_from("OTP_TABLE", item["pk"]["S"].as_str().unwrap());
        }
    }
}

#[track_caller]
fn hold(answer: &Answer, expected: Known, refusal: &str, what: impl std::fmt::Debug) {
    let refusals = [refusal, "rate_limited", "too_many_attempts"];
    let as_expected = match expected {
        Known::Yes => answer.code() == "ok",
        Known::No => refusals.contains(&answer.code()),
        Known::Unsure => answer.code() == "ok" || refusals.contains(&answer.code()),
    };
    assert!(as_expected, "{what:?}: expected {expected:?}, and got {}", answer.body);
}
