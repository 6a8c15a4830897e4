//! Releases calls one at a time.

use std::cell::Cell;
use std::time::Duration;

use local_aws::Service;
use local_aws::gate::{Held, Release};
use serde_json::Value;
use tokio::sync::Notify;

use super::step::{Step, Waiting};
use super::{Scene, World};

/// Decides which call runs next, and how.
pub trait Director {
    /// The index of the next call, or `None` to stop. There is at least one.
    fn choose(&mut self, waiting: &[Waiting]) -> Option<usize>;

    /// The outcome of the call.
    fn release(&mut self, _chosen: &Waiting) -> Release {
        Release::Answered
    }

    /// The actor whose call had a fault. While nothing is waiting, time passes for this actor, because a failed call is retried
    /// after a delay.
    fn faulty_actor(&self) -> Option<usize> {
        None
    }

    /// True if its process has crashed and so never answers.
    fn has_crashed(&self) -> bool {
        false
    }
}

/// A condition removed from calls, to prove that the invariants depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Weakness {
    /// The prefix of the affected keys.
    pub key: &'static str,
    /// The part of an expression to remove.
    pub find: &'static str,
    /// Its replacement.
    pub put: &'static str,
}

/// Returns when every handler has ended or waits at the gate, because Tokio's paused clock advances only then.
pub async fn settled() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// This number of pauses of 10 ms is longer than any wait of a request itself.
const MOST_PAUSES: usize = 100;

/// The calls of a scene's actors, and their outcomes so far.
pub(super) struct Steering<'a> {
    world: &'a World,
    scene: &'a Scene,
    waiting: Vec<Waiting>,
    /// How many calls each actor has made.
    made: Vec<usize>,
    pub(super) steps: Vec<Step>,
}

impl<'a> Steering<'a> {
    pub(super) fn new(world: &'a World, scene: &'a Scene) -> Steering<'a> {
        let made = vec![0; scene.actors.len()];
        Steering { world, scene, waiting: Vec::new(), made, steps: Vec::new() }
    }

    /// Starts the actors one after the other. This is safe, because they only affect each other from their first call on.
    pub(super) async fn start(&mut self, starts: &[Notify]) {
        self.world.auth.stack.services().gate().close();
        for (actor, start) in starts.iter().enumerate() {
            start.notify_one();
            self.settle(actor).await;
        }
    }

    /// Returns true if the scene ran to its end.
    pub(super) async fn steer(&mut self, director: &mut impl Director, ended: &Cell<usize>) -> bool {
        let actors = self.scene.actors.len();
        loop {
            while let Some(faulty_actor) =
                director.faulty_actor().filter(|_| self.waiting.is_empty() && ended.get() < actors)
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.settle(faulty_actor).await;
            }
            // A request that sends nothing waits for a while without a call.
            for _ in 0..MOST_PAUSES {
                if self.waiting.is_empty() && ended.get() < actors {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    self.settle(0).await;
                }
            }
            if self.waiting.is_empty() {
                assert_eq!(ended.get(), actors, "an actor neither waits at the gate nor has ended");
                return true;
            }
            let Some(next) = director.choose(&self.waiting) else { return false };
            let next = self.waiting.remove(next);
            let release = director.release(&next);
            self.carry_out(next, release).await;
        }
    }

    async fn carry_out(&mut self, waiting: Waiting, release: Release) {
        let services = self.world.auth.stack.services();
        assert!(services.gate().release(waiting.held.number, release), "the call is no longer held");
        settled().await;
        let mut calls = services.calls().take();
        let call = calls.pop().filter(|_| calls.is_empty()).expect("one call at a time");
        let (actor, outcome) = (waiting.actor, call.error.unwrap_or_else(|| "ok".to_owned()));
        let failures = self.world.auth.charged(&self.scene.who);
        let delivered = self.world.auth.stack.inbox().messages(None).len();
        self.steps.push(Step { name: self.scene.actors[actor].name, waiting, outcome, failures, delivered });
        self.settle(actor).await;
    }

    /// Assigns the new calls to actors. A call names its instance, and so its actor. Calls from outside the API belong to the
    /// actor of the last step, because only that actor could continue. If keys are constant, calls that read them are released at
    /// once. So are those of the brake and the counts of mail. An instance writes them once in 16 requests, whatever the request is about.
    async fn settle(&mut self, actor: usize) {
        settled().await;
        let gate = self.world.auth.stack.services().gate();
        while let Some(aside) =
            gate.held().into_iter().find(|held| is_aside(held) || (!self.scene.rotates && reads_keys(held)))
        {
            gate.release(aside.number, Release::Answered);
            settled().await;
            self.world.auth.stack.services().calls().take();
        }
        for held in gate.held() {
            if self.waiting.iter().all(|waiting| waiting.held.number != held.number) {
                let actor = World::actor(&held.instance).unwrap_or(actor);
                self.waiting.push(Waiting { actor, index: self.made[actor], held });
                self.made[actor] += 1;
            }
        }
    }
}

impl Weakness {
    /// The call without the condition, and how often the condition occurred.
    pub(super) fn taken_from(&self, held: &Held) -> (Release, usize) {
        let mut body = held.body.clone();
        let is_about = held.keys.iter().any(|key| key.starts_with(self.key));
        match if is_about { rewrite(&mut body, self) } else { 0 } {
            0 => (Release::Answered, 0),
            times => (Release::Rewritten(body), times),
        }
    }
}

fn reads_keys(held: &Held) -> bool {
    held.service == Service::SecretsManager || held.keys == ["JWKS"]
}

fn is_aside(held: &Held) -> bool {
    held.keys.iter().any(|key| key == "BRAKE" || key.starts_with("MAIL#"))
}

/// Replaces the condition in all expressions. Returns how often it occurred.
fn rewrite(value: &mut Value, weakness: &Weakness) -> usize {
    match value {
        Value::Array(values) => values.iter_mut().map(|value| rewrite(value, weakness)).sum(),
        Value::Object(fields) => {
            let rewrite_field = |(name, value): (&String, &mut Value)| match value {
                Value::String(text) if name.ends_with("Expression") && text.contains(weakness.find) => {
                    *text = text.replace(weakness.find, weakness.put);
                    1
                }
                Value::String(_) => 0,
                value => rewrite(value, weakness),
            };
            fields.iter_mut().map(rewrite_field).sum()
        }
        _ => 0,
    }
}
