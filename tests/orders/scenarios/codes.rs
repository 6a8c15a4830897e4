//! Parallel answers, code requests and guesses.

use tests::browser::DEVICE_COOKIE;
use tests::orders::{Deed, PAGE, Scenario, Scene};

use super::{ADA, PHONE, again, answer, ask, guess, guesses, known, unbound, unbound_guess};

pub const TWO_ANSWERS: Scenario = Scenario::new("two answers to one code", 48, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        let scene = Scene::about(ADA).and("one tab", answer(&asked)).and("another tab", answer(&asked));
        scene.and("a guess", guess(&asked)).with_sessions(&[&session])
    })
});

pub const TWO_FIRST_ANSWERS: Scenario = Scenario::new("two answers to a first code", 12, |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        Scene::about(ADA).and("one tab", answer(&asked)).and("another tab", answer(&asked))
    })
});

pub const ANSWER_AND_RESEND: Scenario = Scenario::new("answer and resend", 14, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(30);
        let scene = Scene::about(ADA).and("the code", answer(&asked)).and("a resend", again(&asked));
        scene.and("another resend", again(&asked)).with_sessions(&[&session])
    })
});

pub const BOUND_AND_UNBOUND: Scenario = Scenario::new("bound and unbound answer", 10, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        Scene::about(ADA).and("bound", answer(&asked)).and("unbound", unbound(&asked)).with_sessions(&[&session])
    })
});

pub const LAST_BOUND_TRY: Scenario = Scenario::new("two guesses and the code at the last bound try", 28, |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        guesses(world, &asked, true, 2).await;
        let scene = Scene::about(ADA).and("a guess", guess(&asked)).and("another guess", guess(&asked));
        Scene { tries_left: Some([1, 3]), ..scene.and("the code", answer(&asked)) }
    })
});

pub const LAST_UNBOUND_TRY: Scenario =
    Scenario::new("two guesses at the last unbound try, and the owner", 12, |world| {
        Box::pin(async move {
            let session = known(world).await;
            let asked = world.client(101).ask(ADA).await;
            guesses(world, &asked, false, 2).await;
            let guess = || unbound_guess(&asked);
            let scene = Scene::about(ADA).and("a guess", guess()).and("another guess", guess());
            let scene = scene.and_surely("the owner", answer(&asked)).with_sessions(&[&session]);
            Scene { tries_left: Some([3, 1]), ..scene }
        })
    });

pub const ANSWER_AND_STRANGER: Scenario = Scenario::new("answer and a stranger's request", 35, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        let scene = Scene::about(ADA).and_surely("the owner", answer(&asked)).and("a stranger's request", ask(ADA));
        scene.and("a stranger's guess", unbound_guess(&asked)).with_sessions(&[&session])
    })
});

pub const ASK_LATER: Scenario = Scenario::new("two requests an hour after failures", 2, |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        guesses(world, &asked, true, 2).await;
        world.auth.wait(3_601);
        Scene::about(ADA).and("a request", ask(ADA)).and("another request", ask(ADA))
    })
});

pub const TWO_SIGN_UPS: Scenario = Scenario::new("three answers to two first codes", 1_306, |world| {
    Box::pin(async move {
        let one = world.client(101).ask(ADA).await;
        let other = world.client(102).ask(ADA).await;
        let scene = Scene::about(ADA).and("one device", answer(&one));
        scene.and_surely("another device", answer(&other)).and("the same without its challenge", unbound(&one))
    })
});

pub const LOCKOUT: Scenario = Scenario::new("the lockout's boundary", 22, |world| {
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
})
.with(&[("OTP_REQUESTS_PER_HOUR", "100"), ("OTP_REQUESTS_PER_HOUR_PER_IP", "100")]);

pub const LAST_SHORT_CODE: Scenario = Scenario::new("the boundary of guessable codes", 19, |world| {
    Box::pin(async move {
        let first = world.client(101).ask(ADA).await;
        guesses(world, &first, true, 10).await;
        world.auth.wait(30);
        let (one, other) = (world.client(101).ask(ADA).await, world.client(102).ask(ADA).await);
        guesses(world, &one, true, 9).await;
        world.auth.wait(30);
        let scene = Scene::about(ADA).and("the last guess", guess(&one));
        scene.and("a resend", again(&other)).and("a request", ask(ADA))
    })
})
.with(&[("OTP_MAX_ATTEMPTS", "10"), ("OTP_REQUESTS_PER_HOUR", "100"), ("OTP_REQUESTS_PER_HOUR_PER_IP", "100")]);

pub const LAST_SMS: Scenario = Scenario::new("the last message of the budget", 16, |world| {
    Box::pin(async move {
        // Instances cache that the daily budget is used up.
        world.auth.wait(86_400);
        let other = "+447400123457";
        world.client(101).ask("+447400999999").await;
        let scene = Scene::about(PHONE).and("a request", ask(PHONE)).and("another request", ask(other));
        Scene { messages_left: Some(1), ..scene }
    })
})
.with(&[("SMS_DAILY_BUDGET", "2")]);

/// Requests with and without a device cookie, after the identifier's hour has ended. Whichever starts a new hour leaves the other
/// one's counts alone.
pub const TWO_LANES: Scenario = Scenario::new("a known browser beside strangers", 18, |world| {
    Box::pin(async move {
        let mut browser = world.client(100).browser(PAGE);
        browser.sign_in(ADA).await;
        let device = browser.cookie(DEVICE_COOKIE);
        browser.logout().await.ok();
        world.auth.wait(3_601);
        let scene = Scene::about(ADA).and_surely("a known browser", Deed::AskAtHome { who: ADA.to_owned(), device });
        scene.and_surely("a stranger", ask(ADA)).and_surely("another stranger", ask(ADA))
    })
});
