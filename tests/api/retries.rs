//! Retry keys: a client whose answer was lost gets the same one again, and a thief of a token alone is noticed.

use axum::http::header::USER_AGENT;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::browser::{CHALLENGE_COOKIE, REFRESH_COOKIE};
use tests::client::{LOGOUT, PROFILE, REFRESH, REQUEST, SESSIONS, VERIFY};
use tests::deployment::{session_of, wrong};
use tests::{Asked, Client, Deployment, Tokens};

use crate::rotate_keys;

const ADA: &str = "ada@example.com";
const PAGE: &str = "http://localhost:3000";
const KEY: &str = "retry-key-of-the-tests";
const OTHER: &str = "some-other-retry-key-0";
const DAY: u64 = 86_400;
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Refreshes with a user agent, and with a retry key if there is one.
async fn refresh_as(client: Client<'_>, user_agent: &str, refresh: &str, retry: Option<&str>) -> tests::Answer {
    let body = json!({ "refresh": refresh, "retry": retry });
    client.post_with(USER_AGENT.as_str(), user_agent, REFRESH, body).await
}

/// The session has ended: neither its newest token nor its access token works.
async fn ended(auth: &Deployment, newest: &Tokens) {
    auth.client().refresh(&newest.refresh).await.refused(401, "invalid_token");
    auth.client().with_token("GET", PROFILE, &newest.access).await.needs_a_token();
    assert!(auth.stack.logs().iter().any(|line| line.contains("refresh_reuse")), "no security event");
}

/// V16: an answer that was lost comes again days later, in another browser and network, and the session does not move.
#[tokio::test]
async fn a_retry_key_gets_the_successor_while_it_is_unused() {
    let auth = Deployment::start().await;
    let first = auth.client().sign_in(ADA).await;
    auth.wait(60);
    let second = auth.client().refresh_with(&first.refresh, KEY).await.tokens();
    let stored = auth.items("");
    // Only the day of the user's last activity.
    let moved = |mut items: Vec<Value>| {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.remove("la");
        }
        items
    };
    auth.wait(5 * DAY);
    let elsewhere = auth.client_at("198.51.100.7");
    let again = refresh_as(elsewhere, FIREFOX, &first.refresh, Some(KEY)).await.tokens();
    assert_eq!(again.refresh, second.refresh);
    assert_eq!(moved(auth.items("")), moved(stored));
    auth.client().refresh(&second.refresh).await.ok();
}

/// V17, S32: once the successor was used, its parent is reuse, even with its key.
#[tokio::test]
async fn a_used_successor_ends_the_right_to_it() {
    let auth = Deployment::start().await;
    let first = auth.client().sign_in(ADA).await;
    let second = auth.client().refresh_with(&first.refresh, KEY).await.tokens();
    let third = auth.client().refresh_with(&second.refresh, OTHER).await.tokens();
    auth.client().refresh_with(&first.refresh, KEY).await.refused(401, "invalid_token");
    ended(&auth, &third).await;
}

/// V15, V16: tabs share the key, so their parallel refreshes are one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_refreshes_with_one_key_get_one_successor() {
    let auth = Deployment::with(&[("REFRESH_GRACE_SECONDS", "0")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    let answers = join_all((0..64).map(|_| auth.client().refresh_with(&tokens.refresh, KEY))).await;
    let mut successors: Vec<_> = answers.into_iter().map(|answer| answer.tokens().refresh).collect();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    auth.client().refresh(&successors[0]).await.ok();
}

/// V55, S32: a thief between two refreshes, at the next second and from the same browser and network.
#[tokio::test]
async fn v55_a_thief_between_two_refreshes_is_noticed() {
    for retry in [None, Some(OTHER)] {
        let auth = Deployment::start().await;
        let first = auth.client().sign_in(ADA).await;
        let second = auth.client().refresh_with(&first.refresh, KEY).await.tokens();
        auth.wait(1);
        let body = json!({ "refresh": first.refresh, "retry": retry });
        auth.client().post(REFRESH, body).await.refused(401, "invalid_token");
        ended(&auth, &second).await;
    }
}

/// V55, S32: a thief who is first is noticed as soon as the owner refreshes.
#[tokio::test]
async fn v55_a_thief_who_refreshes_first_is_noticed_by_the_owner() {
    for retry in [None, Some(OTHER)] {
        let auth = Deployment::start().await;
        let first = auth.client().sign_in(ADA).await;
        let body = json!({ "refresh": first.refresh, "retry": retry });
        let stolen = auth.client().post(REFRESH, body).await.tokens();
        auth.client().refresh_with(&first.refresh, KEY).await.refused(401, "invalid_token");
        ended(&auth, &stolen).await;
    }
}

/// S32: without keys, the grace is for the same device words, from any network.
#[tokio::test]
async fn without_a_key_the_grace_is_for_the_same_device() {
    for (user_agent, is_same) in [(FIREFOX, true), ("curl/8.9.1", false)] {
        let auth = Deployment::start().await;
        let first = auth.client().sign_in(ADA).await;
        let second = refresh_as(auth.client(), FIREFOX, &first.refresh, None).await.tokens();
        let elsewhere = auth.client_at("2001:db8:7:8::9");
        let answer = refresh_as(elsewhere, user_agent, &first.refresh, None).await;
        if is_same {
            assert_eq!(answer.tokens().refresh, second.refresh);
        } else {
            answer.refused(401, "invalid_token");
            ended(&auth, &second).await;
        }
    }
}

/// A token that stays the same has nothing to repeat.
#[tokio::test]
async fn without_rotation_a_retry_key_is_ignored() {
    let auth = Deployment::with(&[("REFRESH_ROTATION", "off")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    for retry in [KEY, OTHER, KEY] {
        assert_eq!(auth.client().refresh_with(&tokens.refresh, retry).await.tokens().refresh, tokens.refresh);
    }
    auth.client().refresh(&tokens.refresh).await.ok();
}

/// The key of the successor was withdrawn after the rotation, so there is no successor any more.
#[tokio::test]
async fn a_withdrawn_key_makes_no_successor() {
    let auth = rotate_keys::deployment().await;
    let first = auth.client().sign_in(ADA).await;
    auth.stack.rotate_keys().await.unwrap();
    auth.wait(3_600);
    let second = auth.client().refresh_with(&first.refresh, KEY).await.tokens();
    let [old, new] = [&first, &second].map(|tokens| tokens.refresh.split('.').nth(1).unwrap().to_owned());
    assert_ne!(old, new);
    auth.client().refresh_with(&first.refresh, KEY).await.ok();
    auth.stack.revoke(&new).await.unwrap();
    auth.wait(3_600);
    auth.client().refresh_with(&first.refresh, KEY).await.refused(401, "invalid_token");
}

/// S162: whoever watches the list of sessions learns the hour of a refresh, not the second.
#[tokio::test]
async fn s162_the_last_use_is_known_to_the_hour() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.wait(2 * 3_600 + 1_234);
    let tokens = auth.client().refresh(&tokens.refresh).await.tokens();
    let listed = auth.client().with_token("GET", SESSIONS, &tokens.access).await.ok();
    assert_eq!(listed["sessions"][0]["last_used"], json!("2026-01-01T02:00:00Z"));
    let before = listed.clone();
    auth.wait(1_000);
    auth.client().refresh(&tokens.refresh).await.ok();
    assert_eq!(auth.client().with_token("GET", SESSIONS, &tokens.access).await.ok(), before);
}

/// A malformed key is refused with its name, and nothing is called or counted.
#[tokio::test]
async fn a_malformed_retry_key_is_refused_by_its_name() {
    for rotation in ["on", "off"] {
        let auth = Deployment::with(&[("REFRESH_ROTATION", rotation)]).await;
        let asked = auth.client().ask(ADA).await;
        let tokens = auth.client().sign_in("bob@example.com").await;
        auth.stack.services().calls().take();
        for retry in
            [json!("short"), json!(format!("{KEY}x")), json!("retry-key-of-the-tests="), json!(1), json!([KEY])]
        {
            for body in [
                (REFRESH, json!({ "refresh": tokens.refresh, "retry": retry })),
                (
                    VERIFY,
                    json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge, "retry": retry }),
                ),
            ] {
                let refused = auth.client().post(body.0, body.1).await;
                refused.refused(400, "invalid_request");
                assert!(refused.body["message"].as_str().unwrap().contains("`retry`"), "{}", refused.body);
            }
        }
        assert!(auth.stack.services().calls().take().is_empty());
        let body = json!({ "refresh": tokens.refresh, "retry": null });
        auth.client().post(REFRESH, body).await.ok();
        auth.client().answer_with(ADA, &asked, KEY).await.ok();
    }
}

/// In cookie mode the key is in the body too.
#[tokio::test]
async fn a_browser_with_cookies_sends_its_key_in_the_body() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    // The answer to the browser is lost.
    let mut lost = browser.clone();
    lost.post(REFRESH, json!({ "retry": KEY })).await.ok();
    auth.wait(DAY);
    browser.post(REFRESH, json!({ "retry": KEY })).await.ok();
    assert_eq!(browser.cookie(REFRESH_COOKIE), lost.cookie(REFRESH_COOKIE));
    browser.post(REFRESH, json!({ "retry": OTHER })).await.ok();
    lost.clone().post(LOGOUT, json!({})).await.ok();
}

/// The parts of a sign-in's answer that a repetition must repeat.
fn same(answer: &Value) -> Value {
    let mut answer = answer.clone();
    let session = session_of(answer["tokens"]["access"].as_str().unwrap());
    answer["tokens"]["access"] = json!(session);
    answer
}

/// S161, V56: a code that is sent twice is one answer, for a new user, a known one and a long code.
#[tokio::test]
async fn v56_a_code_sent_twice_is_one_answer() {
    let auth = Deployment::start().await;
    for who in ["a new user", "a known user", "a long code"] {
        if who == "a long code" {
            for number in 0..5 {
                auth.client_at(&format!("203.0.113.{number}")).ask(ADA).await;
            }
        }
        auth.wait(1);
        let asked = auth.client().ask(ADA).await;
        assert_eq!(asked.code.len() == 13, who == "a long code");
        let first = auth.client().answer_with(ADA, &asked, KEY).await.ok();
        assert_eq!(first["is_new_user"], json!(who == "a new user"));
        let stored = (auth.items(""), auth.identifier(ADA).map(|item| item["tat"].clone()));
        auth.wait(10);
        let again = auth.client_at("198.51.100.7").answer_with(ADA, &asked, KEY).await.ok();
        // The device token has an end of its own.
        let [first, again] = [first, again].map(|mut answer| {
            assert!(answer.as_object_mut().unwrap().remove("device").is_some());
            answer
        });
        assert_eq!(same(&again), same(&first), "{who}");
        let stored_now = (auth.items(""), auth.identifier(ADA).map(|item| item["tat"].clone()));
        assert_eq!(stored_now, stored, "{who}");
        auth.wait(1);
        auth.client().answer_with(ADA, &asked, KEY).await.refused(400, "invalid_otp");
    }
}

/// S161: any other key, code, challenge or time is a used code.
#[tokio::test]
async fn anything_else_than_the_same_answer_is_a_used_code() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let first = auth.client().answer_with(ADA, &asked, KEY).await.tokens();
    let other = Asked { code: wrong(&asked.code), ..asked.clone() };
    auth.client().answer_with(ADA, &asked, OTHER).await.refused(400, "invalid_otp");
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
    auth.client().answer_unbound(ADA, &asked.code).await.refused(400, "invalid_otp");
    auth.client().answer_with(ADA, &other, KEY).await.refused(400, "invalid_otp");
    auth.client().answer_with("bob@example.com", &asked, KEY).await.refused(400, "invalid_otp");
    auth.client().answer_with(ADA, &asked, KEY).await.ok();
    // Its first token was used.
    auth.client().refresh(&first.refresh).await.ok();
    auth.client().answer_with(ADA, &asked, KEY).await.refused(400, "invalid_otp");

    // The first answer had no key.
    let asked = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &asked).await.ok();
    auth.client().answer_with(ADA, &asked, KEY).await.refused(400, "invalid_otp");

    // The session has ended.
    let asked = auth.client().ask(ADA).await;
    let tokens = auth.client().answer_with(ADA, &asked, KEY).await.tokens();
    auth.client().logout(&tokens.refresh).await.ok();
    auth.client().answer_with(ADA, &asked, KEY).await.refused(400, "invalid_otp");
}

/// S161: a shared long code opens one session, and another challenge does not get its tokens.
#[tokio::test]
async fn a_shared_code_is_answered_again_to_its_own_challenge_only() {
    let auth = Deployment::start().await;
    for number in 0..5 {
        auth.client_at(&format!("203.0.113.{number}")).ask(ADA).await;
    }
    let owner = auth.client().ask(ADA).await;
    let stranger = auth.client_at("198.51.100.7").post(REQUEST, json!({ "identifier": ADA })).await.ok();
    let stranger = Asked { challenge: stranger["challenge_id"].as_str().unwrap().to_owned(), ..owner.clone() };
    auth.client().answer_with(ADA, &owner, KEY).await.ok();
    auth.client_at("198.51.100.7").answer_with(ADA, &stranger, KEY).await.refused(400, "invalid_otp");
    auth.client().answer_with(ADA, &owner, KEY).await.ok();
}

/// S161: without a grace there is no second answer.
#[tokio::test]
async fn without_a_grace_a_code_is_answered_once() {
    let auth = Deployment::with(&[("REFRESH_GRACE_SECONDS", "0")]).await;
    let asked = auth.client().ask(ADA).await;
    auth.client().answer_with(ADA, &asked, KEY).await.ok();
    auth.client().answer_with(ADA, &asked, KEY).await.refused(400, "invalid_otp");
}

/// S161: in cookie mode, only the browser with the challenge's cookie gets the cookies again.
#[tokio::test]
async fn a_browser_shows_the_challenges_cookie_again() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    let code = browser.ask(ADA).await;
    let mut lost = browser.clone();
    let answer = json!({ "identifier": ADA, "otp_code": code, "retry": KEY });
    lost.post(VERIFY, answer.clone()).await.ok();
    let challenge = browser.cookie(CHALLENGE_COOKIE);
    let mut without = auth.client().browser(PAGE);
    let mut named = answer.clone();
    named["challenge_id"] = json!(challenge);
    named["token_delivery"] = json!("cookie");
    without.post(VERIFY, named).await.refused(400, "invalid_otp");
    browser.post(VERIFY, answer).await.ok();
    assert_eq!(browser.cookie(REFRESH_COOKIE), lost.cookie(REFRESH_COOKIE));
    assert!(!browser.names().contains(&CHALLENGE_COOKIE));
}

/// S03: parallel answers with one key open one session, and each of them gets it or is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_answers_with_one_key_open_one_session() {
    let auth = Deployment::start().await;
    for _ in 0..2 {
        let asked = auth.client().ask(ADA).await;
        let before = auth.items("S#").len();
        let answers = join_all((0..3).map(|_| auth.client().answer_with(ADA, &asked, KEY))).await;
        let (right, wrong): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.code() == "ok");
        assert!(!right.is_empty() && wrong.iter().all(|answer| answer.code() == "invalid_otp"));
        let again = auth.client().answer_with(ADA, &asked, KEY).await.tokens();
        assert!(right.into_iter().all(|answer| answer.tokens().refresh == again.refresh));
        assert_eq!(auth.items("S#").len(), before + 1);
    }
}
