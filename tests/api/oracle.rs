//! S11, V08, V09: neither the answer nor the work for it reveals secrets to a stranger. The response time is measured separately
//! (`docs/security.md`).

use std::collections::BTreeMap;

use tests::Deployment;
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
