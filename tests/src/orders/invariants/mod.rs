//! The invariants of every order. `ARCHITECTURE.md` lists each by its name, with the code that enforces it.

mod keys;
mod lives;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::step::Step;
use super::{Action, Actor, Scene, World};
use crate::deployment::session_of;
use crate::{Answer, Tokens};

/// The names of the invariants.
pub const INVARIANTS: [&str; 16] = [
    "one session a code",
    "one use a factor",
    "no way past a factor",
    "bounded compares",
    "failures stay",
    "guessable codes end",
    "one user an identifier",
    "one chain a session",
    "nothing after logout",
    "honest clients stay",
    "owners get in",
    "budget holds",
    "bucket holds",
    "session limit holds",
    "withdrawn keys stay out",
    "no fault of ours",
];

/// A broken invariant.
#[derive(Debug)]
pub struct Broken {
    pub invariant: &'static str,
    pub why: String,
}

/// The state to check after all answers.
struct Seen<'a> {
    world: &'a World,
    scene: &'a Scene,
    answers: &'a [Answer],
}

/// Checks all invariants after an order. `before` is the number of failures before it.
pub async fn broken(world: &World, scene: &Scene, answers: &[Answer], (before, steps): (u32, &[Step])) -> Vec<Broken> {
    let seen = Seen { world, scene, answers };
    let tries = world.tries();
    let problems = [
        seen.faults(),
        seen.sessions_of_codes(),
        seen.uses_of_factors(),
        seen.ways_past_factors(),
        seen.compares(&tries),
        seen.spent(steps),
        seen.failures(before, steps),
        seen.codes(before),
        seen.users(),
        seen.chains(),
        seen.owners(),
        seen.budget(steps),
        seen.bucket(steps),
        seen.session_limit(),
        seen.keys(),
        seen.outlived(steps),
        // These send further requests, so they come last.
        seen.ended().await,
        seen.honest().await,
    ];
    problems.into_iter().flatten().collect()
}

impl Broken {
    pub fn report(&self) -> String {
        format!("      broken: {}: {}\n", self.invariant, self.why)
    }
}

/// Returns true if the action had its effect. Reusing an old token is meant to end its session.
fn is_done(actor: &Actor, answer: &Answer) -> bool {
    answer.code() == if matches!(actor.action, Action::Reuse(_)) { "invalid_token" } else { "ok" }
}

/// The tokens in an answer. A right code has none if a second factor is due.
fn tokens_in(answer: &Answer) -> Option<Tokens> {
    let tokens = answer.body.get("tokens").unwrap_or(&answer.body);
    let text = |name: &str| tokens[name].as_str().map(str::to_owned);
    Some(Tokens { access: text("access")?, refresh: text("refresh")? })
}

fn unless(holds: bool, invariant: &'static str, why: impl FnOnce() -> String) -> Option<Broken> {
    (!holds).then(|| Broken { invariant, why: why() })
}

impl Seen<'_> {
    fn all(&self) -> impl Iterator<Item = (&Actor, &Answer)> {
        self.scene.actors.iter().zip(self.answers)
    }

    fn done(&self) -> impl Iterator<Item = (&Actor, &Answer)> {
        self.all().filter(|(actor, answer)| is_done(actor, answer))
    }

    fn faults(&self) -> Option<Broken> {
        let fault = self
            .all()
            .enumerate()
            .find(|(at, (_, answer))| answer.status.is_server_error() && self.scene.faulty_actor != Some(*at));
        unless(fault.is_none(), "no fault of ours", || {
            format!("{:?}", fault.map(|(_, (actor, answer))| (actor.name, &answer.body)))
        })
    }

    fn sessions_of_codes(&self) -> Option<Broken> {
        let code = |(actor, _): (&Actor, &Answer)| actor.action.right().map(|asked| asked.code.clone());
        let codes: BTreeSet<_> = self.all().filter_map(code).collect();
        // The same answer may come twice and gets the same session then.
        let session = |done: (&Actor, &Answer)| Some((code(done)?, session_of(&tokens_in(done.1)?.access)));
        let used: BTreeSet<_> = self.done().filter_map(session).collect();
        let opened = self.live_sessions().saturating_sub(self.scene.sessions.len());
        let is_used_once = used.iter().map(|(code, _)| code).collect::<BTreeSet<_>>().len() == used.len();
        // Sessions after a second factor belong to codes from before the scene.
        let is_after_factor = self.scene.actors.iter().any(|actor| matches!(actor.action, Action::SecondStep(_)));
        unless(is_used_once && (opened <= codes.len() || is_after_factor), "one session a code", || {
            format!("{} codes have opened {} sessions, of which {opened} are active", codes.len(), used.len())
        })
    }

    /// A code of an app, a backup code, and what waits for either, count once. So does the code that adds an app.
    fn uses_of_factors(&self) -> Option<Broken> {
        let (mut codes, mut challenges, mut apps) = (Vec::new(), Vec::new(), Vec::new());
        for (actor, _) in self.done() {
            codes.extend(actor.action.factor().map(|factor| &factor.code));
            challenges.extend(actor.action.factor().map(|factor| &factor.challenge));
            apps.extend(match &actor.action {
                Action::Confirm { app, .. } => Some(app),
                _ => None,
            });
        }
        for (what, mut used) in [("a factor", codes), ("a challenge", challenges), ("an enrolment", apps)] {
            let times = used.len();
            used.sort();
            used.dedup();
            if used.len() < times {
                return unless(false, "one use a factor", || format!("{what} was used {times} times"));
            }
        }
        let steps = self.scene.actors.iter().filter(|actor| matches!(actor.action, Action::SecondStep(_)));
        let codes: BTreeSet<_> = steps.filter_map(|actor| Some(&actor.action.factor()?.code)).collect();
        let opened = self.live_sessions().saturating_sub(self.scene.sessions.len());
        unless(codes.is_empty() || opened <= codes.len(), "one use a factor", || {
            format!("{} factors have opened {opened} sessions", codes.len())
        })
    }

    fn compares(&self, tries: &[Value]) -> Option<Broken> {
        let (left, spent) = (self.scene.tries_left?, tries.len());
        unless(spent <= left, "bounded compares", || format!("{left} attempts were left, and {spent} were compared"))
    }

    /// The same check from the table instead of the log: every successful answer has used an attempt.
    fn spent(&self, steps: &[Step]) -> Option<Broken> {
        let left = self.scene.tries_left?;
        let has_spent = |at: usize| {
            let is_spent = |step: &&Step| step.waiting.label() == "UpdateItem I#" && step.outcome == "ok";
            steps.iter().filter(is_spent).any(|step| step.waiting.actor == at)
        };
        let mut spent = 0;
        for (at, (actor, answer)) in self.all().enumerate() {
            let (Action::Answer { .. } | Action::AnswerAgain { .. }) = actor.action else { continue };
            if has_spent(at) {
                spent += 1;
            } else if answer.code() == "ok" && self.scene.faulty_actor != Some(at) {
                return unless(false, "bounded compares", || format!("{} got in without an attempt", actor.name));
            }
        }
        unless(spent <= left, "bounded compares", || format!("{left} attempts were left, and {spent} were spent"))
    }

    /// Only a success reduces the attempts charged in a row, and it leaves those of the codes under way. Each new code adds its own.
    fn failures(&self, before: u32, steps: &[Step]) -> Option<Broken> {
        let (mut last, mut is_reset) = (before, false);
        // A right answer under way is used up, and refused.
        let cuts_off = |action: &Action| matches!(action, Action::Logout { all: true, .. }) || action.changes_factors();
        let is_cut_off = self.scene.actors.iter().any(|actor| cuts_off(&actor.action));
        for Step { name, waiting, failures: now, .. } in steps {
            let is_told_so =
                self.answers[waiting.actor].code() == "ok" || self.scene.faulty_actor == Some(waiting.actor);
            let is_told_so = is_told_so || is_cut_off;
            let proves = self.scene.actors[waiting.actor].action.right().is_some();
            // A message that was not sent gives back what it was charged.
            let had_fault = self.scene.faulty_actor == Some(waiting.actor) || self.scene.messages_left.is_some();
            if *now < last && !(proves && is_told_so) && !had_fault {
                let why = || format!("{name} reduced {last} charged attempts to {now} without a success");
                return unless(false, "failures stay", why);
            }
            (is_reset, last) = (is_reset || *now < last, *now);
        }
        let under_way = self.world.under_way(&self.scene.who);
        if under_way > last {
            let why = || format!("codes under way have {under_way} attempts, and {last} are charged");
            return unless(false, "failures stay", why);
        }
        let charged = before + self.world.attempts() * self.guessable();
        let is_right =
            is_reset || self.scene.faulty_actor.is_some() || self.scene.messages_left.is_some() || last == charged;
        unless(is_right, "failures stay", || format!("{last} attempts are charged instead of {charged}"))
    }

    fn users(&self) -> Option<Broken> {
        let is_theirs = |user: &Value| {
            user["email"]["S"] == self.scene.who.as_str() || user["phone"]["S"] == self.scene.who.as_str()
        };
        let users = self.world.auth.items("U#").into_iter().filter(is_theirs).count();
        unless(users <= 1, "one user an identifier", || format!("{} has {users} users", self.scene.who))
    }

    fn chains(&self) -> Option<Broken> {
        let mut next = BTreeMap::new();
        for (actor, answer) in self.done() {
            let Some(tokens) = actor.action.refreshed() else { continue };
            let successor = answer.body["refresh"].to_string();
            if *next.entry(&tokens.refresh).or_insert_with(|| successor.clone()) != successor {
                return unless(false, "one chain a session", || "one token has two successors".to_owned());
            }
        }
        None
    }

    fn owners(&self) -> Option<Broken> {
        let kept_out = self.all().enumerate().find(|(at, (actor, answer))| {
            actor.must_succeed && answer.code() != "ok" && self.scene.faulty_actor != Some(*at)
        });
        unless(kept_out.is_none(), "owners get in", || {
            format!("{:?}", kept_out.map(|(_, (actor, answer))| (actor.name, answer.code())))
        })
    }

    fn budget(&self, steps: &[Step]) -> Option<Broken> {
        let (left, sent) = (self.scene.messages_left?, self.sent(steps));
        unless(sent <= left, "budget holds", || format!("{sent} messages were sent, but only {left} were allowed"))
    }

    fn bucket(&self, steps: &[Step]) -> Option<Broken> {
        let (left, sent) = (self.scene.mails_left?, self.sent(steps));
        unless(sent <= left, "bucket holds", || format!("{sent} mails were sent, but only {left} tokens were left"))
    }

    /// The number of messages sent. A sender repeats a call whose answer was lost, and the same message may arrive twice.
    fn sent(&self, steps: &[Step]) -> usize {
        let mut last = 0;
        let mut senders: Vec<_> = steps
            .iter()
            .filter(|step| step.delivered > std::mem::replace(&mut last, step.delivered))
            .map(|step| step.waiting.actor)
            .collect();
        let sent = senders.len();
        senders.retain(|sender| self.scene.faulty_actor == Some(*sender));
        sent - senders.len().saturating_sub(1)
    }

    fn session_limit(&self) -> Option<Broken> {
        let most = self.scene.most_sessions?;
        let live = self.live_sessions();
        unless(live <= most, "session limit holds", || {
            format!("{live} sessions are active, but only {most} are allowed")
        })
    }
}
