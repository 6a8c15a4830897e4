//! The function `sessions`: a user lists the active sessions and ends unknown ones.

use std::collections::BTreeSet;

use axum::http::header::USER_AGENT;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use local_aws::Service;
use serde_json::{Value, json};
use tests::client::{PROFILE, REFRESH, SESSIONS, VERIFY};
use tests::deployment::session_of;
use tests::operations::SETTINGS;
use tests::{Client, Deployment, Tokens};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const DAY: u64 = 86_400;
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const PHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";

async fn sign_in_with(client: Client<'_>, address: &str, user_agent: &str) -> Tokens {
    let asked = client.ask(address).await;
    let body = json!({ "identifier": address, "otp_code": asked.code, "challenge_id": asked.challenge });
    client.post_with(USER_AGENT.as_str(), user_agent, VERIFY, body).await.tokens()
}

async fn listed(auth: &Deployment, tokens: &Tokens) -> Vec<Value> {
    let answer = auth.client().with_token("GET", SESSIONS, &tokens.access).await.ok();
    assert_eq!(answer["success"], json!(true));
    answer["sessions"].as_array().unwrap().clone()
}

fn path_of(tokens: &Tokens) -> String {
    format!("{SESSIONS}{}/", session_of(&tokens.access))
}

/// S37: all sessions of the user with details to recognise them, the newest first, and only those.
#[tokio::test]
async fn a_user_sees_all_active_sessions() {
    let auth = Deployment::start().await;
    let desk = sign_in_with(auth.client_at("203.0.113.66"), ADA, FIREFOX).await;
    auth.client().sign_in(BOB).await;
    auth.wait(60);
    let pocket = sign_in_with(auth.client_at("2001:db8:7:8::9"), ADA, PHONE).await;
    let desk_seen = json!({
        "id": session_of(&desk.access), "created": "2026-01-01T00:00:00Z", "last_used": "2026-01-01T00:00:00Z",
        "device": "Firefox on Linux", "ip_prefix": "203.0.0.0/16", "current": true,
    });
    let pocket_seen = json!({
        "id": session_of(&pocket.access), "created": "2026-01-01T00:01:00Z", "last_used": "2026-01-01T00:00:00Z",
        "device": "Safari on iPhone", "ip_prefix": "2001:db8::/32", "current": false,
    });
    assert_eq!(listed(&auth, &desk).await, [pocket_seen, desk_seen]);

    let table = serde_json::to_string(&auth.items("")).unwrap();
    for kept in ["Mozilla", "Gecko", "140.0", "203.0.113", "2001:db8:7"] {
        assert!(!table.contains(kept), "{kept} is in the table");
    }
}

/// Shows the device and network of the last refresh, even if an attacker has made it.
#[tokio::test]
async fn a_refresh_updates_the_sessions_device() {
    for rotation in ["on", "off"] {
        let auth = Deployment::with(&[("REFRESH_ROTATION", rotation)]).await;
        let tokens = sign_in_with(auth.client_at("203.0.113.66"), ADA, FIREFOX).await;
        auth.wait(3_660);
        let body = json!({ "refresh": tokens.refresh });
        let elsewhere = auth.client_at("198.51.100.7");
        let tokens = elsewhere.post_with(USER_AGENT.as_str(), PHONE, REFRESH, body).await.tokens();
        let seen = listed(&auth, &tokens).await;
        let of = |name: &str| seen[0][name].as_str().unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!((of("created"), of("last_used")), ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"), "{rotation}");
        assert_eq!((of("device"), of("ip_prefix")), ("Safari on iPhone", "198.51.0.0/16"), "{rotation}");
    }
}

/// An expired session stays in the user's list until a sign-in needs its place. TTL may have deleted it already.
#[tokio::test]
async fn an_expired_session_is_not_shown() {
    let auth = Deployment::with(&[("REFRESH_IDLE_DAYS", "7"), ("REFRESH_ABSOLUTE_DAYS", "20")]).await;
    let over = auth.client().sign_in(ADA).await;
    auth.wait(7 * DAY - 1);
    let live = auth.client().sign_in(ADA).await;
    assert_eq!(listed(&auth, &live).await.len(), 2);
    auth.wait(1);
    assert_eq!(listed(&auth, &live).await.len(), 1);
    auth.delete_item(&format!("S#{}", session_of(&over.access)));
    assert_eq!(listed(&auth, &live).await.len(), 1);
}

#[tokio::test]
async fn an_ended_session_gets_no_more_tokens() {
    let auth = Deployment::start().await;
    let [here, there] = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    let answer = auth.client().with_token("DELETE", &path_of(&there), &here.access).await.ok();
    assert_eq!(answer, json!({ "success": true, "message": "The session has ended." }));
    auth.client().refresh(&there.refresh).await.refused(401, "invalid_token");
    auth.client().with_token("GET", PROFILE, &there.access).await.needs_a_token();
    let ids: Vec<_> = listed(&auth, &here).await.iter().map(|session| session["id"].clone()).collect();
    assert_eq!(ids, [json!(session_of(&here.access))]);
    auth.client().refresh(&here.refresh).await.ok();

    // The current session can be ended like the others.
    auth.client().with_token("DELETE", &path_of(&here), &here.access).await.ok();
    auth.client().refresh(&here.refresh).await.refused(401, "invalid_token");
    auth.client().with_token("GET", SESSIONS, &here.access).await.needs_a_token();
}

/// The answer is the same for active, ended, unknown and foreign sessions. Foreign sessions stay active.
#[tokio::test]
async fn the_answer_reveals_nothing_about_other_users_sessions() {
    let auth = Deployment::start().await;
    let [ada, bob] = [auth.client().sign_in(ADA).await, auth.client().sign_in(BOB).await];
    let other = auth.client().sign_in(ADA).await;
    let unknown = format!("{SESSIONS}AAAAAAAAAAAAAAAAAAAAAA");
    let mut answers = Vec::new();
    for path in [path_of(&other), path_of(&other), path_of(&bob), unknown] {
        answers.push(auth.client().with_token("DELETE", &path, &ada.access).await.ok());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(auth.live(&mut [ada.clone(), bob]).await, 2);
    for id in
        ["x", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAA.AAAAAAAAAAA", "a/b", "%2e%2e", "a%0ab"]
    {
        let answer = auth.client().with_token("DELETE", &format!("{SESSIONS}{id}"), &ada.access).await;
        answer.refused(404, "not_found");
    }
}

#[tokio::test]
async fn all_others_end_in_one_write() {
    let auth = Deployment::start().await;
    let mine = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    let bob = auth.client().sign_in(BOB).await;
    auth.wait(60);
    let here = auth.client().refresh(&mine[1].refresh).await.tokens();
    auth.stack.services().calls().take();
    for _ in 0..2 {
        let answer = auth.client().with_token("DELETE", SESSIONS, &here.access).await.ok();
        assert_eq!(answer, json!({ "success": true, "message": "All other sessions have ended." }));
        let calls = auth.stack.services().calls().take();
        let calls = calls.iter().filter(|call| call.service == Service::DynamoDb);
        assert_eq!(calls.map(|call| call.operation.as_str()).collect::<Vec<_>>(), ["GetItem", "UpdateItem"]);
    }
    for gone in [&mine[0], &mine[2]] {
        auth.client().refresh(&gone.refresh).await.refused(401, "invalid_token");
    }
    let seen = listed(&auth, &here).await;
    assert_eq!((seen.len(), &seen[0]["created"]), (1, &json!("2026-01-01T00:00:00Z")));
    assert_eq!(auth.live(&mut [here, bob]).await, 2);
    // There is room again, and the oldest session is still the oldest.
    auth.client().sign_in(ADA).await;
}

/// A signed-out client, perhaps an attacker, cannot end other sessions. The write itself checks this.
#[tokio::test]
async fn an_ended_session_ends_no_other() {
    let auth = Deployment::start().await;
    let [over, live] = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    auth.client().logout(&over.refresh).await.ok();
    auth.client().with_token("DELETE", &path_of(&live), &over.access).await.needs_a_token();
    auth.client().with_token("DELETE", &path_of(&over), &over.access).await.needs_a_token();
    auth.client().with_token("DELETE", SESSIONS, &over.access).await.needs_a_token();
    assert_eq!(auth.live(&mut [live]).await, 1);
    assert_eq!(auth.items("U#").len(), 1);
}

/// A deleted user stays deleted when a session ends.
#[tokio::test]
async fn ending_a_session_recreates_nothing() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let key = auth.items("U#")[0]["pk"]["S"].as_str().unwrap().to_owned();
    auth.delete_item(&key);
    for path in [SESSIONS.to_owned(), path_of(&tokens)] {
        auth.client().with_token("DELETE", &path, &tokens.access).await.needs_a_token();
    }
    auth.client().with_token("GET", SESSIONS, &tokens.access).await.needs_a_token();
    assert!(auth.items("U#").is_empty());
}

/// If two sessions end each other at the same time, the first one stays active.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_sessions_that_end_each_other_survives() {
    let auth = Deployment::start().await;
    for round in 0..8 {
        let mut both = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
        let paths = if round % 2 == 0 {
            [SESSIONS.to_owned(), SESSIONS.to_owned()]
        } else {
            [path_of(&both[1]), path_of(&both[0])]
        };
        let (first, second) = tokio::join!(
            auth.client().with_token("DELETE", &paths[0], &both[0].access),
            auth.client().with_token("DELETE", &paths[1], &both[1].access),
        );
        let mut codes = [first.code(), second.code()];
        codes.sort_unstable();
        assert_eq!(codes, ["invalid_token", "ok"]);
        assert_eq!(auth.live(&mut both).await, 1);
        auth.wait(3_600);
    }
}

/// In any order of a refresh and an end, the session ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_refreshed_while_it_ends_is_over() {
    let auth = Deployment::start().await;
    for _ in 0..8 {
        let [here, there] = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
        let (refreshed, _) = tokio::join!(
            auth.client().refresh(&there.refresh),
            auth.client().with_token("DELETE", SESSIONS, &here.access),
        );
        let mut left = vec![there];
        if refreshed.code() == "ok" {
            left.push(refreshed.tokens());
        }
        assert_eq!(auth.live(&mut left).await, 0);
        auth.wait(3_600);
    }
}

/// The SDK retries a write with a lost answer, and the client sees a success.
#[tokio::test]
async fn a_lost_answer_of_the_table_changes_nothing() {
    let auth = Deployment::start().await;
    let [here, there] = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    for path in [path_of(&there), SESSIONS.to_owned()] {
        auth.faults(json!({ "aws": [
            { "service": "dynamodb", "operation": "UpdateItem", "error": "InternalServerError", "when": "after", "times": 1 }
        ] }));
        auth.client().with_token("DELETE", &path, &here.access).await.ok();
    }
    assert_eq!(auth.live(&mut [here, there]).await, 1);
}

/// S30: ids of sessions and seeds have 128 random bits and are unique. So are the sealed ids of challenges.
#[tokio::test]
async fn ids_and_seeds_are_128_bits_that_vary() {
    let auth = Deployment::with(&SETTINGS).await;
    let (mut sessions, mut challenges) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let address = format!("p{number}@example.com");
        let asked = auth.client().ask(&address).await;
        let tokens = auth.client().answer(&address, &asked).await.tokens();
        sessions.push(BASE64URL_NOPAD.decode(session_of(&tokens.access).as_bytes()).unwrap());
        challenges.push(BASE64URL_NOPAD.decode(asked.challenge.as_bytes()).unwrap());
    }
    let seed = |item: &Value| BASE64.decode(item["sd"]["B"].as_str().unwrap().as_bytes()).unwrap();
    let seeds = auth.items("S#").iter().map(seed).collect();
    for drawn in [sessions, challenges, seeds] {
        let different: BTreeSet<_> = drawn.iter().collect();
        assert_eq!((drawn.len(), different.len()), (40, 40));
        assert!(drawn.iter().all(|bytes| bytes.len() * 8 >= 128));
        // By chance a bit has the same value forty times in one of 5·10¹¹ runs.
        for bit in 0..128 {
            let ones = drawn.iter().filter(|bytes| bytes[bit / 8] >> (bit % 8) & 1 == 1).count();
            assert!((1..40).contains(&ones), "bit {bit} is always the same");
        }
    }
}

/// S36, S81, ASVS 7.4.2: a deleted user is signed out and stays deleted when signing out.
#[tokio::test]
async fn a_deleted_user_has_no_session_and_is_not_recreated() {
    let auth = Deployment::start().await;
    let (ada, other, bob) =
        (auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await, auth.client().sign_in(BOB).await);
    let user = auth.client().with_token("GET", PROFILE, &ada.access).await.ok()["id"].take();
    let key = format!("U#{}", user.as_str().unwrap());
    auth.delete_item(&key);
    auth.client().refresh(&ada.refresh).await.refused(401, "invalid_token");
    // Reuse of a token, which ends an active session, and every request that ends sessions.
    auth.wait(60);
    auth.client().refresh(&ada.refresh).await.refused(401, "invalid_token");
    auth.client().logout(&other.refresh).await.ok();
    auth.client().logout_everywhere(&other.refresh).await.ok();
    for (method, path) in [("DELETE", SESSIONS), ("DELETE", &path_of(&ada)), ("GET", SESSIONS), ("GET", PROFILE)] {
        auth.client().with_token(method, path, &other.access).await.needs_a_token();
    }
    auth.client().refresh(&other.refresh).await.refused(401, "invalid_token");
    assert!(auth.items(&key).is_empty(), "the user was recreated");
    assert_eq!(auth.live(&mut [bob]).await, 1);
}

/// A person whose `U#` item was deleted by hand signs in as a new user, whatever else is left in the tables.
#[tokio::test]
async fn a_person_deleted_by_hand_signs_in_as_a_new_user() {
    let auth = Deployment::start().await;
    let old = auth.client().sign_in(ADA).await;
    let user = async |tokens: &Tokens| auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
    let before = user(&old).await;
    auth.delete_item(&format!("U#{}", before["id"].as_str().unwrap()));
    let asked = auth.client().ask(ADA).await;
    let answer = auth.client().answer(ADA, &asked).await.ok();
    assert_eq!(answer["is_new_user"], json!(true), "{answer}");
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
    auth.client().refresh(&old.refresh).await.refused(401, "invalid_token");
    // The next sign-in finds the new user.
    let mut sessions = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    for session in &sessions {
        let after = user(session).await;
        assert_eq!(after["id"], answer["user"]["id"]);
        assert_ne!(after["id"], before["id"]);
        assert_eq!(after["email"], before["email"]);
    }
    assert_eq!(auth.live(&mut sessions).await, 2);
    assert_eq!((auth.items("U#").len(), auth.items("ID#").len()), (1, 1));
}

/// Deleting somebody by hand keeps them out while sign-up is closed.
#[tokio::test]
async fn a_person_deleted_by_hand_cannot_sign_up_where_sign_up_is_closed() {
    let auth = Deployment::with(&[("SIGN_UP", "closed")]).await;
    let asked = auth.client().ask(ADA).await;
    let identifier = auth.identifier(ADA).unwrap()["pk"]["S"].as_str().unwrap().replacen("I#", "ID#", 1);
    let user = shared::words::UserId::draw(&shared::words::Entropy, auth.stack.clock().now()).unwrap().to_string();
    let named = json!({ "pk": { "S": identifier }, "uid": { "S": user }, "at": { "N": "1" } });
    auth.restore("USER_TABLE", &[auth.items(""), vec![named]].concat());
    auth.client().answer(ADA, &asked).await.refused(403, "forbidden");
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
    assert!(auth.items("U#").is_empty() && auth.items("S#").is_empty());
}
