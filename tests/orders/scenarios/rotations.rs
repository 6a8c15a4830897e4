//! A rotation of both keyrings beside a request that reads them.

use futures_util::future::BoxFuture;
use tests::orders::{Deed, Scenario, Scene, World};

use super::{ADA, answer, ask, known};

pub const ROTATION_AND_ANSWER: Scenario = Scenario::new("rotation with an answer", 9, rotation_and_answer).with_keys();

fn rotation_and_answer(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let scene = Scene::about(ADA).and_surely("a rotation", Deed::Rotate);
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(300);
        let scene = scene.and_surely("an answer", answer(&asked));
        scene.with_sessions(&[&session])
    })
}

pub const ROTATION_AND_REFRESH: Scenario =
    Scenario::new("rotation with a refresh", 3, rotation_and_refresh).with_keys();

fn rotation_and_refresh(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let scene = Scene::about(ADA).and_surely("a rotation", Deed::Rotate);
        world.auth.wait(300);
        let scene = scene.and_surely("a refresh", Deed::Refresh(session.clone()));
        scene.with_sessions(&[&session])
    })
}

pub const ROTATION_AND_LOGOUT: Scenario = Scenario::new("rotation with a logout", 3, rotation_and_logout).with_keys();

fn rotation_and_logout(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let scene = Scene::about(ADA).and_surely("a rotation", Deed::Rotate);
        world.auth.wait(300);
        let logout = Deed::Logout { tokens: session.clone(), all: false };
        let scene = scene.and_surely("a logout", logout);
        scene.with_sessions(&[&session])
    })
}

pub const ROTATION_AND_END: Scenario = Scenario::new("rotation with an end to others", 3, rotation_and_end).with_keys();

fn rotation_and_end(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let scene = Scene::about(ADA).and_surely("a rotation", Deed::Rotate);
        world.auth.wait(300);
        let scene = scene.and_surely("an end to others", Deed::EndOthers(session.clone()));
        scene.with_sessions(&[&session])
    })
}

pub const ROTATION_AND_REQUEST: Scenario =
    Scenario::new("rotation with a request", 3, rotation_and_request).with_keys();

fn rotation_and_request(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        world.auth.wait(300);
        let scene = Scene::about(ADA).and_surely("a rotation", Deed::Rotate);
        scene.and_surely("a request", ask(ADA)).with_sessions(&[&session])
    })
}
