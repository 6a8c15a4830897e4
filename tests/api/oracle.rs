//! S11, V08, V09: the answer and the work for it hide secrets from a stranger. The response time is measured separately
//! (`docs/security.md`).

use std::collections::BTreeMap;

use tests::Deployment;
use tests::client::{REQUEST, VERIFY};
use tests::operations::SETTINGS;
use tests::pairs::{PAIRS, Side};

/// The visible answer without its random parts, and the calls made.
async fn seen(auth: &Deployment, side: Side) -> ((u16, BTreeMap<String, String>, String), Vec<String>) {
    // The first request after hours makes the function read its keys again.
    let first = side.request(auth, 0).await;
    auth.client().send(first).await;
    let request = side.request(auth, 1).await;
    auth.stack.services().calls().take();
    let answer = auth.client().send(request).await;
    let calls = auth.stack.services().calls().take();
    let mut body = answer.body;
    if let Some(id) = body.get_mut("challenge_id") {
        *id = id.as_str().unwrap().len().into();
    }
    let mut headers: BTreeMap<_, _> = answer.headers.iter().map(told).collect();
    for drawn in ["x-request-id", "apigw-requestid"] {
        assert!(headers.remove(drawn).is_some(), "{drawn}");
    }
    // Calls of one round may come in any order.
    let mut calls: Vec<_> = calls.iter().map(|call| format!("{} {:?}", call.operation, call.tables)).collect();
    calls.sort();
    ((answer.status.as_u16(), headers, body.to_string()), calls)
}

fn told((name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)) -> (String, String) {
    (name.to_string(), value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn s11_v08_v09_answers_reveal_nothing_to_a_stranger() {
    for pair in PAIRS {
        let auth = Deployment::with(&SETTINGS).await;
        for side in pair.sides {
            side.settle(&auth, 2).await;
        }
        let [left, right] = pair.sides;
        let ((left, left_calls), (right, right_calls)) = (seen(&auth, left).await, seen(&auth, right).await);
        assert_eq!(left, right, "{}", pair.name);
        if pair.is_same_work {
            assert_eq!(left_calls, right_calls, "{}", pair.name);
        }
    }
}

/// Earlier actions of the owner of an identifier, and of other strangers.
#[derive(Clone, Copy, Debug)]
enum History {
    NeverAsked,
    AskedAMinuteAgo,
    SignedInAnHourAgo,
    UnderAttack,
    /// And the owner uses the code that the stranger's challenge shares, in the middle.
    UsedMeanwhile,
    ChargedForTheDay,
    Deleted,
}

const HISTORIES: [History; 7] = [
    History::NeverAsked,
    History::AskedAMinuteAgo,
    History::SignedInAnHourAgo,
    History::UnderAttack,
    History::UsedMeanwhile,
    History::ChargedForTheDay,
    History::Deleted,
];

const WHO: &str = "ada@example.com";

impl History {
    async fn happen(self, auth: &Deployment) {
        let owner = auth.client_at("198.51.100.1");
        // Every history takes two days.
        auth.wait(2 * 86_400 - 3_600);
        match self {
            History::NeverAsked => auth.wait(3_600),
            History::AskedAMinuteAgo => {
                auth.wait(3_540);
                owner.ask(WHO).await;
                auth.wait(60);
            }
            History::SignedInAnHourAgo => {
                owner.sign_in(WHO).await;
                auth.wait(3_600);
            }
            History::UnderAttack | History::UsedMeanwhile => {
                auth.wait(3_600);
                for number in 0..7 {
                    auth.client_at(&format!("203.0.113.{number}")).ask(WHO).await;
                }
            }
            History::ChargedForTheDay => {
                for number in 0..6 {
                    auth.client_at(&format!("203.0.113.{number}")).ask(WHO).await;
                    auth.wait(600);
                }
            }
            History::Deleted => {
                owner.sign_in(WHO).await;
                for table in ["OTP_TABLE", "USER_TABLE"] {
                    auth.empty(table, "JWKS");
                }
                auth.wait(3_600);
            }
        }
    }

    async fn meanwhile(self, auth: &Deployment) {
        if matches!(self, History::UsedMeanwhile) {
            let owner = auth.client_at("198.51.100.1");
            let asked = owner.ask(WHO).await;
            owner.answer(WHO, &asked).await.ok();
        }
    }
}

/// Everything a stranger sees of an answer, without the values that are random in each.
fn shown(answer: &tests::Answer) -> String {
    let mut body = answer.body.clone();
    if let Some(id) = body.get_mut("challenge_id") {
        *id = id.as_str().unwrap().len().into();
    }
    let headers = answer.headers.iter().filter(|(name, _)| !name.as_str().ends_with("id"));
    let headers: BTreeMap<_, _> = headers.map(shown_header).collect();
    format!("{} {headers:?} {body}", answer.status)
}

fn shown_header((name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)) -> (String, String) {
    (name.to_string(), value.to_str().unwrap().to_owned())
}

/// S148, V52: a stranger's requests, answers and resends get the same bytes after all actions of the owner.
#[tokio::test]
async fn s148_v52_answers_do_not_tell_what_the_owner_did() {
    let mut told = Vec::new();
    for history in HISTORIES {
        let auth = Deployment::start().await;
        history.happen(&auth).await;
        let stranger = auth.client_at("192.0.2.66");
        let mut seen = Vec::new();
        let mut named = serde_json::Value::Null;
        for (wait, step) in [
            (0, "ask"),
            (5, "ask"),
            (25, "ask"),
            (1, "guess"),
            (0, "long guess"),
            (0, "unbound"),
            (40, "ask"),
            (0, "new"),
        ] {
            auth.wait(wait);
            let id = if step == "new" { serde_json::Value::Null } else { named.clone() };
            let request = |code: &str| serde_json::json!({ "identifier": WHO, "otp_code": code, "challenge_id": id });
            let answer = match step {
                "guess" => stranger.post(VERIFY, request("00000000")).await,
                "long guess" => stranger.post(VERIFY, request("AAAAAAAAAAAAA")).await,
                "unbound" => stranger.answer_unbound(WHO, "00000000").await,
                _ => stranger.post(REQUEST, serde_json::json!({ "identifier": WHO, "challenge_id": id })).await,
            };
            if let Some(id) = answer.body.get("challenge_id") {
                named = id.clone();
            }
            seen.push(format!("{step}: {}", shown(&answer)));
            history.meanwhile(&auth).await;
        }
        told.push((history, seen));
    }
    for (history, seen) in &told[1..] {
        assert_eq!(seen, &told[0].1, "{history:?}");
    }
}
