//! Parallel second factors, and changes of them.

use serde_json::json;
use tests::authenticator::TOTP;
use tests::orders::{Action, Factor, Scenario, Scene, World};
use tests::{Authenticator, Enrolled, Tokens};

use super::{ADA, answer, enrolled, known};

/// Ada with an app, and her session of a sign-in with it. So she has proven a factor before.
async fn ada(world: &World) -> (Enrolled, Tokens) {
    let enrolled = enrolled(world).await;
    let tokens = world.client(100).sign_in_with(ADA, &enrolled.app).await;
    (enrolled, tokens)
}

/// A sign-in that waits, with the app's code of this moment.
pub async fn by_app(world: &World, app: &Authenticator) -> Factor {
    Factor { challenge: world.client(101).first_step(ADA).await, method: "totp", code: app.code(&world.auth) }
}

/// The same with the first backup code.
pub async fn by_backup_code(world: &World, ada: &Enrolled) -> Factor {
    let code = ada.backup_codes[0].clone();
    Factor { challenge: world.client(101).first_step(ADA).await, method: "backup_code", code }
}

/// A step-up that waits, with this code.
pub async fn step_up(world: &World, tokens: &Tokens, method: &'static str, code: &str) -> Action {
    let challenge = world.client(100).begin_step_up(&tokens.access).await;
    Action::StepUp { tokens: tokens.clone(), factor: Factor { challenge, method, code: code.to_owned() } }
}

/// Ada begins to add an app in this session. Returns the confirmation, and the app.
pub async fn confirmation(world: &World, tokens: &Tokens) -> (Action, Authenticator) {
    let begun = world.client(100).post_as(&tokens.access, TOTP, json!({})).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    let id = begun["factor_id"].as_str().unwrap().to_owned();
    (Action::Confirm { tokens: tokens.clone(), app: id, code: app.code(&world.auth) }, app)
}

fn scene(ada: &Enrolled, sessions: &[&Tokens]) -> Scene {
    Scene { app: Some(ada.app.clone()), ..Scene::about(ADA).with_sessions(sessions) }
}

/// Two sign-ins with one code.
pub const ONE_APP_CODE: Scenario = Scenario::new("one app code twice", 12, |world| {
    Box::pin(async move {
        let (ada, tokens) = ada(world).await;
        let (one, other) = (by_app(world, &ada.app).await, by_app(world, &ada.app).await);
        let scene = scene(&ada, &[&ada.tokens, &tokens]).and("one device", Action::SecondStep(one));
        scene.and("another device", Action::SecondStep(other))
    })
});

/// Two sign-ins and a step-up.
pub const ONE_APP_CODE_THRICE: Scenario = Scenario::new("one app code thrice", 222, |world| {
    Box::pin(async move {
        let (ada, tokens) = ada(world).await;
        let (one, other) = (by_app(world, &ada.app).await, by_app(world, &ada.app).await);
        let step_up = step_up(world, &tokens, one.method, &one.code).await;
        let scene = scene(&ada, &[&ada.tokens, &tokens]).and("one device", Action::SecondStep(one));
        scene.and("another device", Action::SecondStep(other)).and("a step-up", step_up)
    })
});

/// Two sign-ins with one code.
pub const ONE_BACKUP_CODE: Scenario = Scenario::new("one backup code twice", 8, |world| {
    Box::pin(async move {
        let (ada, tokens) = ada(world).await;
        let (one, other) = (by_backup_code(world, &ada).await, by_backup_code(world, &ada).await);
        let scene = scene(&ada, &[&ada.tokens, &tokens]).and("one device", Action::SecondStep(one));
        scene.and("another device", Action::SecondStep(other))
    })
});

/// Two sign-ins and a step-up.
pub const ONE_BACKUP_CODE_THRICE: Scenario = Scenario::new("one backup code thrice", 75, |world| {
    Box::pin(async move {
        let (ada, tokens) = ada(world).await;
        let (one, other) = (by_backup_code(world, &ada).await, by_backup_code(world, &ada).await);
        let step_up = step_up(world, &tokens, one.method, &one.code).await;
        let scene = scene(&ada, &[&ada.tokens, &tokens]).and("one device", Action::SecondStep(one));
        scene.and("another device", Action::SecondStep(other)).and("a step-up", step_up)
    })
});

/// Somebody answers one sign-in with two right factors.
pub const ONE_PENDING: Scenario = Scenario::new("two factors for one sign-in", 12, |world| {
    Box::pin(async move {
        let (ada, tokens) = ada(world).await;
        let by_app = by_app(world, &ada.app).await;
        let by_code = Factor { method: "backup_code", code: ada.backup_codes[0].clone(), ..by_app.clone() };
        let scene = scene(&ada, &[&ada.tokens, &tokens]).and("an app's code", Action::SecondStep(by_app));
        scene.and("a backup code", Action::SecondStep(by_code))
    })
});

pub const FACTOR_AND_EVERYWHERE: Scenario = Scenario::new("factor with logout everywhere", 5, |world| {
    Box::pin(async move {
        let (ada, tokens) = ada(world).await;
        let factor = by_app(world, &ada.app).await;
        let everywhere = Action::Logout { tokens: tokens.clone(), all: true };
        let scene = scene(&ada, &[&ada.tokens, &tokens]).and("a sign-in", Action::SecondStep(factor));
        scene.and("logout everywhere", everywhere)
    })
});

/// Somebody has a code by mail. The sign-in asks for the new app, or has ended.
pub const SIGN_IN_AND_CONFIRMATION: Scenario = Scenario::new("sign-in with a new app", 4, |world| {
    Box::pin(async move {
        let (here, there) = (known(world).await, known(world).await);
        let asked = world.client(101).ask(ADA).await;
        let (confirmation, app) = confirmation(world, &here).await;
        let scene = Scene::about(ADA).and("a sign-in", answer(&asked)).and_surely("a new app", confirmation);
        Scene { app: Some(app), ..scene.with_sessions(&[&here, &there]) }
    })
});

pub const STEP_UP_AND_LOGOUT: Scenario = Scenario::new("step-up with logout", 3, |world| {
    Box::pin(async move {
        let (ada, tokens) = ada(world).await;
        let step_up = step_up(world, &tokens, "totp", &ada.app.code(&world.auth)).await;
        let logout = Action::Logout { tokens: tokens.clone(), all: false };
        scene(&ada, &[&ada.tokens, &tokens]).and("a step-up", step_up).and("its logout", logout)
    })
});

/// Two tabs confirm the same app. The one that is late needs the new app for it.
pub const TWO_CONFIRMATIONS: Scenario = Scenario::new("two confirmations of an app", 8, |world| {
    Box::pin(async move {
        let (here, there) = (known(world).await, known(world).await);
        let (confirmation, app) = confirmation(world, &here).await;
        let scene = Scene::about(ADA).and("one tab", confirmation.clone()).and("another tab", confirmation);
        Scene { app: Some(app), ..scene.with_sessions(&[&here, &there]) }
    })
});

pub const FACTOR_AND_REMOVAL: Scenario = Scenario::new("factor with its removal", 15, |world| {
    Box::pin(async move {
        let (ada, tokens) = ada(world).await;
        let factor = by_app(world, &ada.app).await;
        let removal = Action::Remove { tokens: tokens.clone(), app: ada.id.clone() };
        let scene = scene(&ada, &[&ada.tokens, &tokens]).and("a sign-in", Action::SecondStep(factor));
        scene.and_surely("the removal", removal)
    })
});
