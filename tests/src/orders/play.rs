//! One order of one scene, carried out.

use std::cell::Cell;

use futures_util::future::{FutureExt, join_all, try_join};
use tokio::sync::Notify;

use super::invariants::{self, Broken};
use super::steering::{Director, Steering, settled};
use super::step::Step;
use super::{Actor, Scenario, Scene, World};
use crate::Answer;

/// What an order led to.
#[derive(Debug)]
pub struct Played {
    pub steps: Vec<Step>,
    /// What the actors were answered.
    pub answers: Vec<(&'static str, String)>,
    /// What does not hold in it.
    pub broken: Vec<Broken>,
}

/// A scene that was carried out, or broken off.
pub struct Acted {
    pub steps: Vec<Step>,
    /// Nothing where it was broken off.
    pub answers: Option<Vec<Answer>>,
    /// The identifier's failures before, and after each step, with the actor whose step it was.
    pub failures: (u32, Vec<(usize, u32)>),
}

/// Carries a scene out, in the order that `director` says; nothing where that broke it off.
pub async fn play(world: &World, scenario: &Scenario, director: &mut impl Director) -> Option<Played> {
    let scene = world.set(scenario).await;
    let Acted { steps, answers, failures } = act(world, &scene, director).await;
    // Whoever waits yet goes on to the end, out of the way of the next order.
    world.auth.stack.services().gate().open();
    settled().await;
    let answers = answers?;
    let broken = invariants::broken(world, &scene, &answers, (failures.0, &failures.1)).await;
    let told = |(actor, answer): (&Actor, &Answer)| (actor.name, format!("{} {}", answer.status, answer.code()));
    let answers = scene.actors.iter().zip(&answers).map(told).collect();
    Some(Played { steps, answers, broken })
}

/// The same without a look at what it led to. Where it is broken off, calls are left at the gate.
pub async fn act(world: &World, scene: &Scene, director: &mut impl Director) -> Acted {
    let before = world.auth.failures(&scene.who);
    let (starts, ended) = (scene.actors.iter().map(|_| Notify::new()).collect::<Vec<_>>(), Cell::new(0));
    let doing = scene.actors.iter().enumerate().map(|(at, actor)| {
        let (start, ended) = (&starts[at], &ended);
        let client = world.client_of(at, actor.network);
        async move {
            start.notified().await;
            let answer = actor.deed.perform(world, client).await;
            ended.set(ended.get() + 1);
            answer
        }
    });
    let mut steering = Steering::new(world, scene);
    let steer = async {
        steering.start(&starts).await;
        if steering.steer(director, &ended).await { Ok(()) } else { Err(()) }
    };
    let answers = try_join(join_all(doing).map(Ok), steer).await.ok().map(|(answers, ())| answers);
    let Steering { steps, failures, .. } = steering;
    Acted { steps, answers, failures: (before, failures) }
}

impl Played {
    /// For people: what happened, what they were told, and what does not hold.
    pub fn tell(&self) -> String {
        let answers = self.answers.iter().map(|(name, answer)| format!("      {name} was answered: {answer}\n"));
        let broken = self.broken.iter().map(Broken::tell);
        format!("{}{}{}", tell(&self.steps), answers.collect::<String>(), broken.collect::<String>())
    }
}

/// Numbered, one line each.
pub fn tell(steps: &[Step]) -> String {
    let steps = steps.iter().enumerate().map(|(at, step)| format!("{:>4}. {}\n", at + 1, step.tell()));
    format!("\n{}", steps.collect::<String>())
}
