//! Parallel sign-ins, refreshes and ends of sessions.

use tests::Tokens;
use tests::deployment::session_of;
use tests::orders::{Action, RETRY, Scenario, Scene};

use super::{ADA, answer, known};

pub const REFRESHES: Scenario = Scenario::new("refresh with refresh", 2, |world| {
    Box::pin(async move {
        let tokens = known(world).await;
        // Longer than the grace period.
        world.auth.wait(60);
        let refresh = || Action::Refresh(tokens.clone());
        Scene::about(ADA).and("one tab", refresh()).and("another tab", refresh()).with_sessions(&[&tokens])
    })
});

pub const REUSE: Scenario = Scenario::new("refresh with reuse", 4, |world| {
    Box::pin(async move {
        let old = known(world).await;
        let tokens = world.client(100).refresh(&old.refresh).await.tokens();
        // Longer than the grace period.
        world.auth.wait(60);
        let scene =
            Scene::about(ADA).and("its owner", Action::Refresh(tokens.clone())).and("a thief", Action::Reuse(old));
        scene.with_sessions(&[&tokens])
    })
});

/// Two tabs with one retry key.
pub const RETRIES: Scenario = Scenario::new("refresh with its retry", 2, |world| {
    Box::pin(async move {
        let tokens = known(world).await;
        // Longer than the grace period.
        world.auth.wait(60);
        let refresh = || Action::RefreshAgain(tokens.clone());
        Scene::about(ADA)
            .and_surely("one tab", refresh())
            .and_surely("another tab", refresh())
            .with_sessions(&[&tokens])
    })
});

/// The thief has the token before the owner's. It is within the grace, and the thief has no key.
pub const THIEF: Scenario = Scenario::new("refresh with a thief", 4, |world| {
    Box::pin(async move {
        let old = known(world).await;
        let tokens = world.client(100).refresh_with(&old.refresh, RETRY).await.tokens();
        let owner = Action::RefreshAgain(tokens.clone());
        Scene::about(ADA).and("its owner", owner).and("a thief", Action::Reuse(old)).with_sessions(&[&tokens])
    })
});

pub const REFRESH_AND_LOGOUT: Scenario = Scenario::new("refresh with logout", 8, |world| {
    Box::pin(async move {
        let tokens = known(world).await;
        let logout = Action::Logout { tokens: tokens.clone(), all: false };
        let refresh = || Action::Refresh(tokens.clone());
        let scene = Scene::about(ADA).and("one tab", refresh()).and("another tab", refresh());
        scene.and("its logout", logout).with_sessions(&[&tokens])
    })
});

pub const REFRESH_AND_EVERYWHERE: Scenario = Scenario::new("refresh with logout everywhere", 18, |world| {
    Box::pin(async move {
        let (here, there) = (known(world).await, known(world).await);
        let asked = world.client(101).ask(ADA).await;
        let everywhere = Action::Logout { tokens: there.clone(), all: true };
        let scene = Scene::about(ADA).and("a tab", Action::Refresh(here.clone())).and("logout everywhere", everywhere);
        scene.and("a sign-in", answer(&asked)).with_sessions(&[&here, &there])
    })
});

pub const END_OTHERS: Scenario = Scenario::new("refresh with an end to all others", 8, |world| {
    Box::pin(async move {
        let (here, there) = (known(world).await, known(world).await);
        let logout = Action::Logout { tokens: here.clone(), all: false };
        let scene =
            Scene::about(ADA).and("an end to others", Action::EndOthers(here.clone())).and("its logout", logout);
        scene.and("another session", Action::Refresh(there.clone())).with_sessions(&[&here, &there])
    })
});

pub const END_EACH_OTHER: Scenario = Scenario::new("two sessions that end each other", 6, |world| {
    Box::pin(async move {
        let (here, there) = (known(world).await, known(world).await);
        let end = |by: &Tokens, other: &Tokens| Action::End { by: by.clone(), session: session_of(&other.access) };
        let scene = Scene::about(ADA).and("one session", end(&here, &there)).and("the other", end(&there, &here));
        scene.and("a tab", Action::Refresh(here.clone())).with_sessions(&[&here, &there])
    })
});

pub const SESSION_LIMIT: Scenario = Scenario::new("two sign-ins at the session limit", 84, |world| {
    Box::pin(async move {
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(known(world).await);
            world.auth.wait(1);
        }
        let (one, other) = (world.client(101).ask(ADA).await, world.client(102).ask(ADA).await);
        let scene = Scene::about(ADA).and_surely("one device", answer(&one)).and_surely("another", answer(&other));
        let scene = scene.and("the newest session", Action::Refresh(sessions[2].clone()));
        Scene { sessions, most_sessions: Some(3), ..scene }
    })
})
.with(&[("SESSIONS_PER_USER", "3")]);

pub const LAST_PLACE: Scenario = Scenario::new("three sign-ins where one more session may live", 5_940, |world| {
    Box::pin(async move {
        let mut sessions = Vec::new();
        for _ in 0..2 {
            sessions.push(known(world).await);
            world.auth.wait(1);
        }
        let mut scene = Scene::about(ADA);
        for (at, name) in ["one device", "another device", "a third device"].into_iter().enumerate() {
            let asked = world.client(101 + at as u8).ask(ADA).await;
            scene = scene.and_surely(name, answer(&asked));
        }
        Scene { sessions, most_sessions: Some(3), ..scene }
    })
})
.with(&[("SESSIONS_PER_USER", "3")]);
