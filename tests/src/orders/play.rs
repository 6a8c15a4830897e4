//! Runs one order of one scene.

use std::cell::Cell;

use futures_util::future::{FutureExt, join_all, try_join};
use tokio::sync::Notify;

use super::invariants::{self, Broken};
use super::steering::{Director, Steering, settled};
use super::step::Step;
use super::{Scenario, Scene, World};
use crate::Answer;

/// The result of an order.
#[derive(Debug)]
pub struct Played {
    pub scene: Scene,
    pub steps: Vec<Step>,
    /// The answer of each actor.
    pub answers: Vec<Answer>,
    /// The broken invariants.
    pub broken: Vec<Broken>,
}

/// Runs a scene in the order given by `director`. Returns `None` if the director stopped it early.
pub async fn play(world: &World, scenario: &Scenario, director: &mut impl Director) -> Option<Played> {
    let scene = world.set(scenario).await;
    let before = world.auth.charged(&scene.who);
    let (steps, answers) = act(world, &scene, director).await;
    // Calls still waiting run to their end, so that they stay out of the next order.
    world.auth.stack.services().gate().open();
    settled().await;
    let mut answers = answers?;
    if let Some(crashed) = director.faulty_actor().filter(|_| director.has_crashed()) {
        answers[crashed] = Answer::of_a_crash();
    }
    let scene = Scene { faulty_actor: director.faulty_actor(), ..scene };
    let broken = invariants::broken(world, &scene, &answers, (before, &steps)).await;
    Some(Played { scene, steps, answers, broken })
}

async fn act(world: &World, scene: &Scene, director: &mut impl Director) -> (Vec<Step>, Option<Vec<Answer>>) {
    let (starts, ended) = (scene.actors.iter().map(|_| Notify::new()).collect::<Vec<_>>(), Cell::new(0));
    let doing = scene.actors.iter().enumerate().map(|(at, actor)| {
        let (start, ended) = (&starts[at], &ended);
        let client = world.client_of(at, actor.network);
        async move {
            start.notified().await;
            let answer = actor.action.perform(world, client).await;
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
    (steering.steps, answers)
}

impl Played {
    /// A report for people: the steps, the answers and the broken invariants.
    pub fn report(&self) -> String {
        let steps = self.steps.iter().enumerate().map(|(at, step)| format!("{:>4}. {}\n", at + 1, step.report()));
        let told = self.scene.actors.iter().zip(&self.answers);
        let told = told.map(|(actor, Answer { status, body, .. })| {
            let body = if status.is_success() { String::new() } else { body.to_string() };
            format!("      {} was answered: {status} {body}\n", actor.name)
        });
        let broken = self.broken.iter().map(Broken::report);
        format!("\n{}{}{}", steps.collect::<String>(), told.collect::<String>(), broken.collect::<String>())
    }
}
