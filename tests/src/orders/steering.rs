//! Letting calls go, one at a time.

use std::cell::Cell;
use std::time::Duration;

use local_aws::Service;
use local_aws::gate::{Held, Release};
use serde_json::Value;
use tokio::sync::Notify;

use super::step::{Step, Waiting};
use super::{Scene, World};

/// Says which call is carried out next, and how.
pub trait Director {
    /// One of these, of which there is at least one; nothing where it is enough.
    fn choose(&mut self, waiting: &[Waiting]) -> Option<usize>;

    /// What becomes of it.
    fn fate(&mut self, _chosen: &Waiting) -> Release {
        Release::Answered
    }

    /// The actor of whose calls one went wrong: time passes for it where nothing waits, since who was refused tries again by
    /// and by.
    fn struck(&self) -> Option<usize> {
        None
    }

    /// Whether its process has died of it, so that it is answered nothing.
    fn has_killed(&self) -> bool {
        false
    }
}

/// A condition that is taken out of the calls, to see what it is good for.
#[derive(Clone, Copy, Debug)]
pub struct Weakness {
    /// How the keys begin that it is about.
    pub key: &'static str,
    /// A part of an expression.
    pub find: &'static str,
    /// What stands there instead.
    pub put: &'static str,
}

/// Returns when nothing can happen any more unless a call is let go or time passes: tokio's clock moves on only then.
pub async fn settled() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// The calls of a scene's actors, and what became of them so far.
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

    /// Lets the actors begin, one after the other: before its first call is carried out, none touches another.
    pub(super) async fn start(&mut self, starts: &[Notify]) {
        self.world.auth.stack.services().gate().close();
        for (actor, start) in starts.iter().enumerate() {
            start.notify_one();
            self.settle(actor).await;
        }
    }

    /// Whether it went on to the end.
    pub(super) async fn steer(&mut self, director: &mut impl Director, ended: &Cell<usize>) -> bool {
        let actors = self.scene.actors.len();
        loop {
            while let Some(struck) = director.struck().filter(|_| self.waiting.is_empty() && ended.get() < actors) {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.settle(struck).await;
            }
            if self.waiting.is_empty() {
                assert_eq!(ended.get(), actors, "somebody neither waits at the gate nor has ended");
                return true;
            }
            let Some(next) = director.choose(&self.waiting) else { return false };
            let next = self.waiting.remove(next);
            let fate = director.fate(&next);
            self.carry_out(next, fate).await;
        }
    }

    async fn carry_out(&mut self, waiting: Waiting, fate: Release) {
        let services = self.world.auth.stack.services();
        assert!(services.gate().release(waiting.held.number, fate), "a call is not held any more");
        settled().await;
        let mut calls = services.calls().take();
        let call = calls.pop().filter(|_| calls.is_empty()).expect("one call at a time");
        let (actor, outcome) = (waiting.actor, call.error.unwrap_or_else(|| "ok".to_owned()));
        let failures = self.world.auth.failures(&self.scene.who);
        self.steps.push(Step { name: self.scene.actors[actor].name, waiting, outcome, failures });
        self.settle(actor).await;
    }

    /// What has arrived since the last step is of the instance that it names; what is not of the API is of whom that step was,
    /// for nobody else could go on. Keys that do not change are read aside, whenever an instance happens to do it.
    async fn settle(&mut self, actor: usize) {
        settled().await;
        let gate = self.world.auth.stack.services().gate();
        while let Some(aside) = gate.held().into_iter().find(|held| !self.scene.rotates && reads_keys(held)) {
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
    /// What the call says without it, and how often it had it.
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

/// Replaces it in all expressions, and says how often.
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
