//! Requests for a code while something else happens to their identifier between two of their calls. If SES or SNS refuses a message,
//! only what it cost is given back.

use local_aws::Service;
use local_aws::gate::{Held, Release};
use serde_json::{Value, json};
use tests::client::REQUEST;
use tests::deployment::wrong;
use tests::{Answer, Asked, Client, Deployment};

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";
const DAY: u64 = 86_400;

/// The limits of networks are out of the way.
async fn deployment() -> Deployment {
    Deployment::with(&tests::operations::SETTINGS).await
}

/// Holds a call of a request while something else happens, and then lets it go.
pub(crate) async fn held(
    auth: &Deployment,
    is_held: impl Fn(&Held) -> bool,
    asking: impl Future<Output = Answer>,
    meanwhile: impl Future<Output = ()>,
) -> Answer {
    let gate = auth.stack.services().gate();
    gate.close();
    let release_all = |except: Option<usize>| {
        for call in gate.held().into_iter().filter(|call| Some(call.number) != except) {
            gate.release(call.number, Release::Answered);
        }
    };
    let steering = async {
        let kept = loop {
            match gate.held().iter().find(|call| is_held(call)) {
                Some(kept) => break kept.number,
                None => release_all(None),
            }
            tokio::task::yield_now().await;
        };
        let others = async {
            loop {
                release_all(Some(kept));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = meanwhile => {}
            () = others => {}
        }
        gate.open();
    };
    tokio::join!(asking, steering).0
}

/// Holds the message of a request while something else happens, and then has it refused.
async fn refused_after(auth: &Deployment, asking: impl Future<Output = Answer>, meanwhile: impl Future<Output = ()>) {
    let is_message = |call: &Held| matches!(call.service, Service::Ses | Service::Sns);
    let meanwhile = async {
        meanwhile.await;
        auth.faults(json!({ "delivery": "refused" }));
    };
    let answer = held(auth, is_message, asking, meanwhile).await;
    auth.faults(json!({}));
    assert_eq!(answer.status, 502, "{}", answer.body);
}

async fn ask_by_alias(client: Client<'_>) -> Answer {
    client.post("/accounts/otp/request/", json!({ "identifier": ADA })).await
}

fn number(auth: &Deployment, who: &str, attribute: &str) -> u64 {
    let item = auth.identifier(who).unwrap_or_default();
    item[attribute]["N"].as_str().map_or(0, |number| number.parse().unwrap())
}

/// The code that was sent again meanwhile is another one. It stays.
#[tokio::test]
async fn a_code_that_was_sent_again_outlives_the_refused_one() {
    let auth = deployment().await;
    let client = auth.client_at("198.51.100.1");
    refused_after(&auth, ask_by_alias(client), async { drop(ask_by_alias(client).await.ok()) }).await;
    client.answer_unbound(ADA, &auth.newest_code(ADA)).await.ok();
}

/// An attempt that was spent meanwhile stays charged.
#[tokio::test]
async fn an_attempt_at_a_refused_code_stays_charged() {
    let auth = deployment().await;
    let client = auth.client_at("198.51.100.1");
    let guessing = async { client.answer_unbound(ADA, "000000").await.refused(400, "invalid_otp") };
    refused_after(&auth, client.post(REQUEST, json!({ "identifier": ADA })), guessing).await;
    assert_eq!(auth.charged(ADA), 3);
}

/// The attempts and texts of a new day are not given back for a message of yesterday.
#[tokio::test]
async fn a_refused_message_of_yesterday_gives_back_nothing_of_today() {
    let auth = deployment().await;
    auth.wait(DAY - 1);
    let today = async {
        auth.wait(1);
        auth.client_at("198.51.100.2").ask(ADA).await;
    };
    refused_after(&auth, auth.client().post(REQUEST, json!({ "identifier": ADA })), today).await;
    assert_eq!(number(&auth, ADA, "d6"), 3);

    // A long code costs a text and no attempts.
    for number in 0..3 {
        auth.client_at(&format!("203.0.113.{number}")).ask(PHONE).await;
    }
    auth.wait(DAY - 1 - 3_600);
    for number in 0..3 {
        auth.client_at(&format!("203.0.113.{number}")).ask(PHONE).await;
    }
    let today = async {
        auth.wait(3_600 + 600);
        auth.client_at("198.51.100.2").ask(PHONE).await;
    };
    refused_after(&auth, auth.client().post(REQUEST, json!({ "identifier": PHONE })), today).await;
    assert_eq!(number(&auth, PHONE, "dt"), 1);
}

/// A challenge that is sent again: the attempts that were spent meanwhile stay spent, and the code that was sent last is right.
#[tokio::test]
async fn two_parallel_resends_leave_the_newest_code() {
    let auth = deployment().await;
    let client = auth.client_at("198.51.100.1");
    let asked = client.ask(ADA).await;
    auth.wait(30);
    let again = || client.post(REQUEST, json!({ "identifier": ADA, "challenge_id": asked.challenge }));
    let meanwhile = async {
        again().await.ok();
        let guess = Asked { code: wrong(&auth.newest_code(ADA)), ..asked.clone() };
        client.answer(ADA, &guess).await.refused(400, "invalid_otp");
    };
    refused_after(&auth, again(), meanwhile).await;
    let entry = |name: &str| -> Value {
        let item = auth.identifier(ADA).unwrap();
        let entries = item["co"]["M"].as_object().unwrap().clone();
        entries.values().next().unwrap()["M"][name]["N"].clone()
    };
    assert_eq!((entry("t"), entry("c")), (json!("2"), json!("3")));
    client.answer(ADA, &Asked { code: auth.newest_code(ADA), ..asked.clone() }).await.ok();
}

/// The last attempt is spent between the decision to send a challenge again and its write. The client gets another challenge, whose
/// code it can answer.
#[tokio::test]
async fn a_challenge_without_attempts_is_not_sent_again() {
    let auth = deployment().await;
    let client = auth.client_at("198.51.100.1");
    let asked = client.ask(ADA).await;
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    for _ in 0..2 {
        client.answer(ADA, &guess).await.refused(400, "invalid_otp");
    }
    auth.wait(30);
    let is_write = |call: &Held| call.operation == "UpdateItem" && call.keys[0].starts_with("I#");
    let last_guess = async { client.answer(ADA, &guess).await.refused(400, "invalid_otp") };
    let again = client.post(REQUEST, json!({ "identifier": ADA, "challenge_id": asked.challenge }));
    // On the heap, because the future exceeds a test's stack.
    let answer = Box::pin(held(&auth, is_write, again, last_guess)).await.ok();
    let challenge = answer["challenge_id"].as_str().unwrap().to_owned();
    client.answer(ADA, &Asked { challenge, code: auth.newest_code(ADA) }).await.ok();
}

/// V01: the code is sent again between the comparison of the old one and its use. Only the newest code opens a session.
#[tokio::test]
async fn a_code_that_was_sent_again_meanwhile_opens_no_session() {
    let auth = deployment().await;
    let client = auth.client_at("198.51.100.1");
    client.sign_in(ADA).await;
    let asked = client.ask(ADA).await;
    auth.wait(30);
    let is_use = |call: &Held| call.body["UpdateExpression"].as_str().is_some_and(|text| text.contains("REMOVE"));
    let again =
        async { drop(client.post(REQUEST, json!({ "identifier": ADA, "challenge_id": asked.challenge })).await.ok()) };
    Box::pin(held(&auth, is_use, client.answer(ADA, &asked), again)).await.refused(400, "invalid_otp");
    client.answer(ADA, &Asked { code: auth.newest_code(ADA), ..asked.clone() }).await.ok();
}
