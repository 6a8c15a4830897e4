//! Single requests of one user, for each operation of the API. Keys are not cached, so reading them is a call too.

use tests::deployment::session_of;
use tests::orders::{Action, Prepare, Scenario, Scene, World};

use crate::scenarios::factors::{by_app, by_backup_code, confirmation, step_up};
use crate::scenarios::{ADA, PHONE, again, answer, ask, enrolled, guess, known};

/// Older cached keys are read again, in seconds.
const STALE: u64 = 300;

const fn request(name: &'static str, prepare: Prepare) -> Scenario {
    Scenario::new(name, 1, prepare).with_keys()
}

/// An action of Ada's, some time after her sign-in.
async fn alone(world: &World, action: impl FnOnce(&tests::Tokens) -> Action) -> Scene {
    let tokens = known(world).await;
    world.auth.wait(STALE);
    Scene::about(ADA).and("somebody", action(&tokens)).with_sessions(&[&tokens])
}

/// The first request for an address.
pub const FIRST_REQUEST: Scenario = request("a request", |world| {
    Box::pin(async move {
        world.auth.wait(STALE);
        Scene::about(ADA).and("somebody", ask(ADA))
    })
});

pub const RESEND: Scenario = request("a resend", |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(STALE);
        Scene::about(ADA).and("somebody", again(&asked))
    })
});

pub const SMS: Scenario = request("a request by SMS", |world| {
    Box::pin(async move {
        // The daily budget is used up, and instances cache that.
        world.auth.wait(86_400);
        let scene = Scene::about(PHONE).and("somebody", ask(PHONE));
        Scene { messages_left: Some(1), ..scene }
    })
})
// A repeated count would otherwise use up the part of the breaker that strangers may use.
.with(&[("SMS_RESERVED_SHARE", "0")]);

pub const KNOWN: Scenario = request("an answer", |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(STALE);
        Scene::about(ADA).and("somebody", answer(&asked)).with_sessions(&[&session])
    })
});

/// Ends the oldest session and no other, even if the write is retried.
pub const AT_THE_LIMIT: Scenario = request("an answer at the session limit", |world| {
    Box::pin(async move {
        let oldest = known(world).await;
        world.auth.wait(1);
        let other = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(STALE);
        let scene = Scene::about(ADA).and("somebody", answer(&asked)).with_sessions(&[&oldest, &other]);
        Scene { most_sessions: Some(2), ..scene }
    })
})
.with(&[("SESSIONS_PER_USER", "2")]);

pub const NEW: Scenario = request("a first answer", |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(STALE);
        Scene::about(ADA).and("somebody", answer(&asked))
    })
});

pub const WRONG: Scenario = request("a wrong answer", |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(STALE);
        let scene = Scene::about(ADA).and("somebody", guess(&asked));
        Scene { tries_left: Some(3), ..scene }
    })
});

pub const BY_SMS: Scenario = request("an answer to an SMS", |world| {
    Box::pin(async move {
        let session = world.client(100).sign_in(PHONE).await;
        // A code by SMS expires before cached keys do.
        world.auth.wait(STALE);
        let asked = world.client(101).ask(PHONE).await;
        let action = Action::Answer { who: PHONE.to_owned(), asked, right: true, bound: true };
        Scene::about(PHONE).and("somebody", action).with_sessions(&[&session])
    })
});

pub const REFRESH: Scenario =
    request("a refresh", |world| Box::pin(alone(world, |tokens| Action::Refresh(tokens.clone()))));

/// It also notes the day of the last activity.
pub const FIRST_OF_DAY: Scenario = request("a refresh, first of the day", |world| {
    Box::pin(async move {
        let tokens = known(world).await;
        world.auth.wait(86_400);
        Scene::about(ADA).and("somebody", Action::Refresh(tokens.clone())).with_sessions(&[&tokens])
    })
});

pub const RETRY: Scenario = request("a refresh with a retry key", |world| {
    Box::pin(alone(world, |tokens| Action::RefreshAgain(tokens.clone())))
});

/// The answer came before, and its client sends it again.
pub const SAME: Scenario = request("the same answer again", |world| {
    Box::pin(async move {
        let session = known(world).await;
        world.auth.wait(STALE);
        let asked = world.client(101).ask(ADA).await;
        let answer = Action::AnswerAgain { who: ADA.to_owned(), asked };
        let first = answer.perform(world, world.client(1)).await.tokens();
        Scene::about(ADA).and("somebody", answer).with_sessions(&[&session, &first])
    })
});

pub const LOGOUT: Scenario =
    request("a logout", |world| Box::pin(alone(world, |tokens| Action::Logout { tokens: tokens.clone(), all: false })));

pub const EVERYWHERE: Scenario = request("a logout everywhere", |world| {
    Box::pin(alone(world, |tokens| Action::Logout { tokens: tokens.clone(), all: true }))
});

pub const OTHERS: Scenario =
    request("an end to all others", |world| Box::pin(alone(world, |tokens| Action::EndOthers(tokens.clone()))));

pub const END: Scenario = request("an end to one session", |world| {
    Box::pin(alone(world, |tokens| Action::End { by: tokens.clone(), session: session_of(&tokens.access) }))
});

pub const SECOND_FACTOR: Scenario = request("a second factor", |world| {
    Box::pin(async move {
        let ada = enrolled(world).await;
        world.auth.wait(STALE);
        let step = Action::SecondStep(by_app(world, &ada.app).await);
        let scene = Scene::about(ADA).and("somebody", step).with_sessions(&[&ada.tokens]);
        Scene { app: Some(ada.app), ..scene }
    })
});

pub const BACKUP_CODE: Scenario = request("a backup code", |world| {
    Box::pin(async move {
        let ada = enrolled(world).await;
        world.auth.wait(STALE);
        let step = Action::SecondStep(by_backup_code(world, &ada).await);
        let scene = Scene::about(ADA).and("somebody", step).with_sessions(&[&ada.tokens]);
        Scene { app: Some(ada.app), ..scene }
    })
});

pub const STEP_UP: Scenario = request("a step-up", |world| {
    Box::pin(async move {
        let ada = enrolled(world).await;
        world.auth.wait(STALE);
        let step_up = step_up(world, &ada.tokens, "totp", &ada.app.code(&world.auth)).await;
        let scene = Scene::about(ADA).and("somebody", step_up).with_sessions(&[&ada.tokens]);
        Scene { app: Some(ada.app), ..scene }
    })
});

/// It sends a notice, too.
pub const NEW_APP: Scenario = request("a new app", |world| {
    Box::pin(async move {
        let tokens = known(world).await;
        world.auth.wait(STALE);
        let (confirmation, app) = confirmation(world, &tokens).await;
        let scene = Scene::about(ADA).and("somebody", confirmation).with_sessions(&[&tokens]);
        Scene { app: Some(app), ..scene }
    })
});

pub const LIST: Scenario =
    request("the list of sessions", |world| Box::pin(alone(world, |tokens| Action::List(tokens.clone()))));

pub const PROFILE: Scenario =
    request("the profile", |world| Box::pin(alone(world, |tokens| Action::Profile(tokens.clone()))));

pub const ROTATION: Scenario = request("a rotation", |world| Box::pin(alone(world, |_| Action::Rotate)));
