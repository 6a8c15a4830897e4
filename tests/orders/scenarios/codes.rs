//! Codes: answers, requests and guesses at once.

use futures_util::future::BoxFuture;
use tests::orders::{Deed, Scenario, Scene, World};

use super::{ADA, PHONE, answer, ask, guess, guesses, known, unbound, unbound_guess};

pub const TWO_ANSWERS: Scenario = Scenario::new("two answers to one code", 48, two_answers);

fn two_answers(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        let scene = Scene::about(ADA).and("one tab", answer(&asked)).and("another tab", answer(&asked));
        scene.and("a guess", guess(&asked)).with_sessions(&[&session])
    })
}

pub const TWO_FIRST_ANSWERS: Scenario = Scenario::new("two answers to a first code", 12, two_first_answers);

fn two_first_answers(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        Scene::about(ADA).and("one tab", answer(&asked)).and("another tab", answer(&asked))
    })
}

pub const ANSWER_AND_RESEND: Scenario = Scenario::new("answer and resend", 14, answer_and_resend);

fn answer_and_resend(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(30);
        let again = Deed::Ask { who: ADA.to_owned(), again: Some(asked.challenge.clone()) };
        let scene = Scene::about(ADA).and("the code", answer(&asked)).and("a resend", again.clone());
        scene.and("another resend", again).with_sessions(&[&session])
    })
}

pub const BOUND_AND_UNBOUND: Scenario = Scenario::new("bound and unbound answer", 10, bound_and_unbound);

fn bound_and_unbound(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        Scene::about(ADA).and("bound", answer(&asked)).and("unbound", unbound(&asked)).with_sessions(&[&session])
    })
}

pub const LAST_BOUND_TRY: Scenario = Scenario::new("three guesses at the last bound try", 6, last_bound_try);

fn last_bound_try(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        guesses(world, &asked, true, 2).await;
        let guess = || guess(&asked);
        let scene =
            Scene::about(ADA).and("a guess", guess()).and("another guess", guess()).and("a third guess", guess());
        Scene { tries_left: Some([1, 3]), ..scene }
    })
}

pub const LAST_UNBOUND_TRY: Scenario =
    Scenario::new("two guesses at the last unbound try, and the owner", 12, last_unbound_try);

fn last_unbound_try(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        guesses(world, &asked, false, 2).await;
        let guess = || unbound_guess(&asked);
        let scene = Scene::about(ADA).and("a guess", guess()).and("another guess", guess());
        let scene = scene.and_surely("the owner", answer(&asked)).with_sessions(&[&session]);
        Scene { tries_left: Some([3, 1]), ..scene }
    })
}

pub const ANSWER_AND_STRANGER: Scenario = Scenario::new("answer and a stranger's request", 35, answer_and_stranger);

fn answer_and_stranger(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        let scene = Scene::about(ADA).and_surely("the owner", answer(&asked)).and("a stranger's request", ask(ADA));
        scene.and("a stranger's guess", unbound_guess(&asked)).with_sessions(&[&session])
    })
}

pub const ASK_LATER: Scenario = Scenario::new("two requests an hour after failures", 2, ask_later);

fn ask_later(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        guesses(world, &asked, true, 2).await;
        world.auth.wait(3_601);
        Scene::about(ADA).and("a request", ask(ADA)).and("another request", ask(ADA))
    })
}

pub const TWO_SIGN_UPS: Scenario = Scenario::new("three answers to two first codes", 1_306, two_sign_ups);

fn two_sign_ups(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let one = world.client(101).ask(ADA).await;
        let other = world.client(102).ask(ADA).await;
        let scene = Scene::about(ADA).and("one device", answer(&one));
        scene.and_surely("another device", answer(&other)).and("the same without its challenge", unbound(&one))
    })
}

pub const LOCKOUT: Scenario = Scenario::new("the lockout's boundary", 22, lockout)
    .with(&[("OTP_REQUESTS_PER_HOUR", "100"), ("OTP_REQUESTS_PER_HOUR_PER_IP", "100")]);

fn lockout(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        let session = known(world).await;
        for _ in 0..3 {
            let asked = world.client(102).ask(ADA).await;
            guesses(world, &asked, true, 3).await;
        }
        let asked = world.client(101).ask(ADA).await;
        let scene = Scene::about(ADA).and("a stranger's guess", unbound_guess(&asked)).and("their request", ask(ADA));
        scene.and_surely("the owner", answer(&asked)).with_sessions(&[&session])
    })
}

pub const LAST_SMS: Scenario =
    Scenario::new("the last message of the budget", 16, last_sms).with(&[("SMS_DAILY_BUDGET", "2")]);

fn last_sms(world: &World) -> BoxFuture<'_, Scene> {
    Box::pin(async move {
        // Instances remember that a day is spent.
        world.auth.wait(86_400);
        let other = "+447400123457";
        world.client(101).ask("+447400999999").await;
        let scene = Scene::about(PHONE).and("a request", ask(PHONE)).and("another request", ask(other));
        Scene { messages_left: Some(1), ..scene }
    })
}
