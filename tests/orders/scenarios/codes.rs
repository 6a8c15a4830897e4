//! Parallel answers, code requests and guesses.

use serde_json::json;
use tests::browser::DEVICE_COOKIE;
use tests::orders::{Action, PAGE, Scenario, Scene};

use super::{ADA, PHONE, again, answer, ask, guess, guesses, known, strangers, unbound, unbound_guess};

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

/// A client sends its answer again before the first one is answered.
pub const TWO_SAME_ANSWERS: Scenario = Scenario::new("an answer with its retry", 26, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        let answer = || Action::AnswerAgain { who: ADA.to_owned(), asked: asked.clone() };
        Scene::about(ADA).and("an answer", answer()).and("the same again", answer()).with_sessions(&[&session])
    })
});

pub const ANSWER_AND_RESEND: Scenario = Scenario::new("answer and resend", 100, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        world.auth.wait(30);
        let scene = Scene::about(ADA).and("the code", answer(&asked)).and("a resend", again(&asked));
        scene.and("another resend", again(&asked)).with_sessions(&[&session])
    })
});

pub const BOUND_AND_UNBOUND: Scenario = Scenario::new("bound and unbound answer", 16, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        Scene::about(ADA)
            .and("bound", answer(&asked))
            .and("unbound", unbound(&asked))
            .at(101)
            .with_sessions(&[&session])
    })
});

pub const LAST_BOUND_TRY: Scenario = Scenario::new("two guesses and the code at the last bound try", 28, |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        guesses(world, 103, &asked, true, 2).await;
        let scene = Scene::about(ADA).and("a guess", guess(&asked)).and("another guess", guess(&asked));
        Scene { tries_left: Some(1), ..scene.and("the code", answer(&asked)) }
    })
});

pub const LAST_UNBOUND_TRY: Scenario = Scenario::new("two answers from elsewhere at the day's last one", 4, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let body = serde_json::json!({ "identifier": ADA });
        world.client(101).post("/accounts/otp/request/", body).await.ok();
        let asked = tests::Asked { challenge: String::new(), code: world.auth.newest_code(ADA) };
        guesses(world, 104, &asked, false, 1).await;
        let guess = || unbound_guess(&asked);
        let scene = Scene::about(ADA).and("a guess", guess()).and("another guess", guess()).with_sessions(&[&session]);
        Scene { tries_left: Some(1), ..scene }
    })
});

/// At the last attempt, the id makes no difference.
pub const LAST_TRY_OF_A_NETWORK: Scenario =
    Scenario::new("bound and unbound answers at the last attempt", 10, |world| {
        Box::pin(async move {
            let asked = world.client(101).ask(ADA).await;
            guesses(world, 101, &asked, false, 2).await;
            let scene = Scene::about(ADA).and("a guess", unbound_guess(&asked)).at(101).and("the code", answer(&asked));
            Scene { tries_left: Some(1), ..scene }
        })
    });

/// One long code that two clients share.
pub const SHARED_CODE: Scenario = Scenario::new("two answers to a shared code", 34, |world| {
    Box::pin(async move {
        strangers(world, 4, 0).await;
        let one = world.client(101).ask(ADA).await;
        let other = world.client(102).ask(ADA).await;
        let scene = Scene::about(ADA).and("one client", answer(&one)).and("another client", answer(&other));
        scene.and("a stranger's request", ask(ADA))
    })
});

/// One token is left, and each of the three requests is served.
pub const LAST_TOKEN: Scenario = Scenario::new("three requests at the last token", 21, |world| {
    Box::pin(async move {
        strangers(world, 4, 0).await;
        let scene = Scene::about(ADA).and_surely("the owner", ask(ADA)).and_surely("a stranger", ask(ADA));
        Scene { mails_left: Some(1), ..scene.and_surely("another stranger", ask(ADA)) }
    })
});

/// Two tagged addresses of one mailbox, which gets one more mail for all of them.
pub const LAST_TAGGED: Scenario = Scenario::new("two tagged addresses at the last mail of their mailbox", 4, |world| {
    Box::pin(async move {
        for (number, address) in (200..).zip(["ada+1@example.com", "ada+2@example.com", "ada+3@example.com"]) {
            world.client(number).ask(address).await;
        }
        let scene = Scene::about("ada+4@example.com").and("one address", ask("ada+4@example.com"));
        let scene = scene.and("another address", ask("ada+5@example.com"));
        // The refused one of them gives back its charges.
        Scene { mails_left: Some(1), messages_left: Some(1), ..scene }
    })
});

/// The last token was just spent on a code. Somebody uses the code at this moment.
pub const SHARED_AND_USED: Scenario = Scenario::new("a shared code is used beside two requests", 7, |world| {
    Box::pin(async move {
        let session = known(world).await;
        strangers(world, 4, 0).await;
        let asked = world.client(101).ask(ADA).await;
        let scene = Scene::about(ADA).and_surely("the owner", answer(&asked)).and_surely("a stranger", ask(ADA));
        let scene = scene.and_surely("another stranger", ask(ADA)).with_sessions(&[&session]);
        Scene { mails_left: Some(1), ..scene }
    })
});

pub const FIRST_REQUESTS: Scenario = Scenario::new("two first requests", 4, |world| {
    Box::pin(async move {
        world.auth.wait(1);
        Scene::about(ADA).and_surely("one device", ask(ADA)).and_surely("another device", ask(ADA))
    })
});

pub const ANSWER_AND_STRANGER: Scenario = Scenario::new("answer and a stranger's request", 90, |world| {
    Box::pin(async move {
        let session = known(world).await;
        let asked = world.client(101).ask(ADA).await;
        let scene = Scene::about(ADA).and_surely("the owner", answer(&asked)).and("a stranger's request", ask(ADA));
        scene.and("a stranger's guess", unbound_guess(&asked)).with_sessions(&[&session])
    })
});

pub const ASK_LATER: Scenario = Scenario::new("two requests an hour after failures", 4, |world| {
    Box::pin(async move {
        let asked = world.client(101).ask(ADA).await;
        guesses(world, 103, &asked, true, 2).await;
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

/// The user was deleted by hand, and its identifier still names it.
pub const TWO_AFTER_DELETION: Scenario = Scenario::new("two answers after a deletion", 18, |world| {
    Box::pin(async move {
        known(world).await;
        let user = world.auth.items("U#").remove(0);
        world.auth.delete_item(user["pk"]["S"].as_str().unwrap());
        let one = world.client(101).ask(ADA).await;
        let other = world.client(102).ask(ADA).await;
        Scene::about(ADA).and("one device", answer(&one)).and("another device", answer(&other))
    })
});

/// A user was deleted by hand, and signs in again while `erase` removes what is left of the first account.
pub const ERASED_MEANWHILE: Scenario = Scenario::new("an answer during an erasure", 3, |world| {
    Box::pin(async move {
        known(world).await;
        let user = world.auth.items("U#").remove(0)["pk"]["S"].as_str().unwrap().to_owned();
        let identifier = world.auth.items("ID#").remove(0)["pk"]["S"].clone();
        world.auth.delete_item(&user);
        let asked = world.client(101).ask(ADA).await;
        let event = json!({ "user": user.strip_prefix("U#"), "items": [identifier] });
        Scene::about(ADA).and_surely("a device", answer(&asked)).and_surely("an erasure", Action::Erase(event))
    })
});

/// A request of a known browser and one of a stranger. Only one of them may still get a code that can be guessed.
pub const LAST_SHORT_CODE: Scenario = Scenario::new("the boundary of guessable codes", 4, |world| {
    Box::pin(async move {
        let mut browser = world.client(100).browser(PAGE);
        browser.sign_in(ADA).await;
        let device = browser.cookie(DEVICE_COOKIE);
        browser.logout().await.ok();
        // The last one removes the expired codes. A removal would keep the two requests apart.
        strangers(world, 14, 480).await;
        world.client(230).ask(ADA).await;
        let scene = Scene::about(ADA).and("a known browser", Action::AskAtHome { who: ADA.to_owned(), device });
        scene.and("a stranger", ask(ADA))
    })
})
.with(&[("OTP_MAX_ATTEMPTS", "6")]);

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
.with(&[("SMS_DAILY_BUDGET", "2"), ("SMS_RESERVED_SHARE", "0")]);

/// The money of the day is enough for one of the two messages.
pub const LAST_CENT: Scenario = Scenario::new("the last cent of the budget", 16, |world| {
    Box::pin(async move {
        world.auth.wait(86_400);
        world.client(101).ask("+447400999999").await;
        let scene = Scene::about(PHONE).and("a request", ask(PHONE)).and("another request", ask("+447400123457"));
        Scene { messages_left: Some(1), ..scene }
    })
})
.with(&[("SMS_DAILY_BUDGET_USD", "0.12"), ("SMS_RESERVED_SHARE", "0")]);

/// Requests with and without a device cookie, an hour after a sign-in. Each leaves the other's counts alone.
pub const TWO_LANES: Scenario = Scenario::new("a known browser beside strangers", 66, |world| {
    Box::pin(async move {
        let mut browser = world.client(100).browser(PAGE);
        browser.sign_in(ADA).await;
        let device = browser.cookie(DEVICE_COOKIE);
        browser.logout().await.ok();
        world.auth.wait(3_601);
        let scene = Scene::about(ADA).and_surely("a known browser", Action::AskAtHome { who: ADA.to_owned(), device });
        scene.and_surely("a stranger", ask(ADA)).and_surely("another stranger", ask(ADA))
    })
});
