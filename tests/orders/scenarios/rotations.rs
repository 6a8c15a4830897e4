//! A rotation of the keyrings in parallel with a request that reads them, or with another change of keys.

use tests::Tokens;
use tests::orders::{Action, Scenario, Scene, World};

use super::{ADA, PHONE, again, answer, ask, known, unbound};

/// A rotation in parallel with an action of Ada's. Her instance cached the keys some time ago.
async fn beside(world: &World, action: impl FnOnce(&Tokens) -> Action) -> Scene {
    let session = known(world).await;
    world.auth.wait(300);
    let scene = Scene::about(ADA).and_surely("a rotation", Action::Rotate);
    scene.and_surely("somebody", action(&session)).with_sessions(&[&session])
}

pub const ROTATION_AND_REQUEST: Scenario =
    Scenario::new("rotation with a request", 3, |world| Box::pin(beside(world, |_| ask(ADA)))).with_keys();

pub const ROTATION_AND_RESEND: Scenario = Scenario::new("rotation with a resend", 3, |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        beside(world, |_| again(&asked)).await
    })
})
.with_keys();

pub const ROTATION_AND_SMS: Scenario = Scenario::new("rotation with a request by SMS", 3, |world| {
    Box::pin(async move {
        // Instances cache that the daily budget is used up.
        world.auth.wait(86_400);
        Scene::about(PHONE).and_surely("a rotation", Action::Rotate).and_surely("somebody", ask(PHONE))
    })
})
.with_keys();

pub const ROTATION_AND_ANSWER: Scenario = Scenario::new("rotation with an answer", 27, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(300);
        let scene = Scene::about(ADA).and_surely("a rotation", Action::Rotate);
        scene.and_surely("somebody", answer(&asked)).with_sessions(&[&session])
    })
})
.with_keys();

pub const ROTATION_AND_UNBOUND: Scenario = Scenario::new("rotation with an unbound answer", 27, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(300);
        let scene = Scene::about(ADA).and_surely("a rotation", Action::Rotate);
        scene.and_surely("somebody", unbound(&asked)).at(101).with_sessions(&[&session])
    })
})
.with_keys();

pub const ROTATION_AND_FIRST_ANSWER: Scenario = Scenario::new("rotation with a first answer", 27, |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(300);
        Scene::about(ADA).and_surely("a rotation", Action::Rotate).and_surely("somebody", answer(&asked))
    })
})
.with_keys();

pub const ROTATION_AT_THE_LIMIT: Scenario =
    Scenario::new("rotation with an answer at the session limit", 27, |world| {
        Box::pin(async move {
            let session = known(world).await;
            let asked = world.client(101).ask(ADA).await;
            world.auth.wait(300);
            let scene =
                Scene::about(ADA).and_surely("a rotation", Action::Rotate).and_surely("somebody", answer(&asked));
            Scene { most_sessions: Some(1), ..scene.with_sessions(&[&session]) }
        })
    })
    .with(&[("SESSIONS_PER_USER", "1")])
    .with_keys();

pub const ROTATION_AND_REFRESH: Scenario = Scenario::new("rotation with a refresh", 9, |world| {
    Box::pin(beside(world, |session| Action::Refresh(session.clone())))
})
.with_keys();

pub const ROTATION_AND_LOGOUT: Scenario = Scenario::new("rotation with a logout", 3, |world| {
    Box::pin(beside(world, |session| Action::Logout { tokens: session.clone(), all: false }))
})
.with_keys();

pub const ROTATION_AND_EVERYWHERE: Scenario = Scenario::new("rotation with a logout everywhere", 3, |world| {
    Box::pin(beside(world, |session| Action::Logout { tokens: session.clone(), all: true }))
})
.with_keys();

pub const ROTATION_AND_END: Scenario = Scenario::new("rotation with an end to others", 3, |world| {
    Box::pin(beside(world, |session| Action::EndOthers(session.clone())))
})
.with_keys();

/// A rotation with all steps before this one completed.
async fn up_to(world: &World, step: &'static str) -> Scene {
    for before in local::STEPS.into_iter().take_while(|before| *before != step) {
        assert_eq!(Action::Step(before).perform(world, world.client(101)).await.code(), "ok");
    }
    Scene::about(ADA)
}

/// Secrets Manager repeats a step if it missed the answer.
async fn twice(world: &World, step: &'static str) -> Scene {
    let scene = up_to(world, step).await;
    scene.and_surely("a step", Action::Step(step)).and_surely("the same again", Action::Step(step))
}

pub const CREATE_TWICE: Scenario =
    Scenario::new("createSecret with itself", 6, |world| Box::pin(twice(world, "createSecret"))).with_keys();

pub const SET_TWICE: Scenario =
    Scenario::new("setSecret with itself", 4, |world| Box::pin(twice(world, "setSecret"))).with_keys();

pub const FINISH_TWICE: Scenario =
    Scenario::new("finishSecret with itself", 8, |world| Box::pin(twice(world, "finishSecret"))).with_keys();

/// The rotation may fail because it came too late. A leaked key is revoked in any case.
async fn withdrawal(world: &World, step: &'static str) -> Scene {
    let scene = up_to(world, step).await;
    let leaked = world.auth.signing_keys().signing.all()[0].id.clone();
    scene.and("a step", Action::Step(step)).and_surely("a withdrawal", Action::Withdraw(leaked))
}

pub const WITHDRAWAL_AND_CREATE: Scenario =
    Scenario::new("withdrawal with createSecret", 29, |world| Box::pin(withdrawal(world, "createSecret"))).with_keys();

pub const WITHDRAWAL_AND_SET: Scenario =
    Scenario::new("withdrawal with setSecret", 82, |world| Box::pin(withdrawal(world, "setSecret"))).with_keys();

pub const WITHDRAWAL_AND_FINISH: Scenario =
    Scenario::new("withdrawal with finishSecret", 116, |world| Box::pin(withdrawal(world, "finishSecret"))).with_keys();
