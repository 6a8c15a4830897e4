//! Log lines: an operator finds all requests about one account and from one network, without seeing an address.

use serde_json::{Value, json};
use tests::client::{REQUEST, SESSIONS};
use tests::deployment::{session_of, unverified, wrong};
use tests::{Asked, Deployment};

const ADA: &str = "ada@example.com";

/// The last line of a request to `function`.
fn line(auth: &Deployment, function: &str) -> Value {
    let lines = auth.stack.logs().into_iter().rev().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    lines.into_iter().find(|line| line["function"] == function && line["steps"].is_array()).unwrap()
}

/// The keys of an item without its kind and its window.
fn digest(auth: &Deployment, kind: &str, part: usize) -> Value {
    let item = auth.items_of("OTP_TABLE", kind).pop().unwrap();
    json!(item["pk"]["S"].as_str().unwrap().split('#').nth(part).unwrap())
}

/// S157: each decision's line has the pseudonyms of the tables, on success and on refusal.
#[tokio::test]
async fn each_decision_names_its_account_and_network_by_pseudonyms() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "3")]).await;
    let asked = auth.client().ask(ADA).await;
    let (identifier, network) = (digest(&auth, "I#", 1), digest(&auth, "R#request#", 2));
    let is_about = |function: &str| {
        let line = line(&auth, function);
        assert_eq!((&line["identifier"], &line["network"]), (&identifier, &network), "{line}");
        line
    };
    assert!(is_about("request-otp").get("user").is_none());
    auth.client().answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await.refused(400, "invalid_otp");
    assert!(is_about("verify-otp").get("user").is_none());
    let tokens = auth.client().answer(ADA, &asked).await.tokens();
    let (user, session) = (unverified(&tokens.access).1["sub"].clone(), json!(session_of(&tokens.access)));
    let signed_in = is_about("verify-otp");
    assert_eq!((&signed_in["user"], &signed_in["session"]), (&user, &session));

    let is_by_user = |function: &str| {
        let line = line(&auth, function);
        assert_eq!((&line["user"], &line["session"]), (&user, &session), "{line}");
    };
    auth.client().with_token("GET", "/api/profile/", &tokens.access).await.ok();
    is_by_user("profile");
    auth.client().with_token("GET", SESSIONS, &tokens.access).await.ok();
    is_by_user("sessions");
    let next = auth.client().refresh(&tokens.refresh).await.tokens();
    is_by_user("refresh");
    auth.client().logout(&next.refresh).await.ok();
    is_by_user("logout");
    auth.client().refresh(&next.refresh).await.refused(401, "invalid_token");
    is_by_user("refresh");

    // Over a limit, too. A request without a valid identifier has no pseudonym of one.
    for _ in 0..3 {
        auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    }
    assert_eq!(is_about("request-otp")["outcome"], "rate_limited");
    auth.client().post(REQUEST, json!({ "identifier": "nobody" })).await.refused(400, "invalid_email");
    assert!(line(&auth, "request-otp").get("identifier").is_none());
}
