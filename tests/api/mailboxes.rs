//! One mailbox with many spellings: addresses with a tag share its mails (S170, V58), and at Gmail dots and the two domains make no
//! other identifier (S171, V59).

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::client::REQUEST;
use tests::deployment::wrong;
use tests::{Answer, Asked, Deployment};

const ADA: &str = "ada@example.com";

/// The limits of networks are out of the way.
async fn deployment() -> Deployment {
    Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000000"), ("OTP_FAILURES_PER_IP", "1000000")]).await
}

fn tagged(number: usize) -> String {
    format!("ada+{number}@example.com")
}

/// A request of another network each time.
async fn ask(auth: &Deployment, number: usize, address: &str) -> Answer {
    let client = auth.client_at(&format!("203.0.{}.{}", number / 250, number % 250));
    client.post(REQUEST, json!({ "identifier": address })).await
}

/// The mailbox is full: the wait is the same whenever the next mail is due.
fn is_full(answer: &Answer) {
    answer.refused(429, "rate_limited");
    assert_eq!(answer.retry_after(), 600);
}

fn mails(auth: &Deployment) -> usize {
    auth.stack.inbox().messages(None).len()
}

/// S170, V58: four mails at once to all tagged addresses of a mailbox, then one every ten minutes. The plain address keeps its own.
#[tokio::test]
async fn v58_tagged_addresses_of_a_mailbox_share_its_mails() {
    let auth = deployment().await;
    for number in 0..4 {
        ask(&auth, number, &tagged(number)).await.ok();
    }
    for number in 0..8 {
        is_full(&ask(&auth, number, &tagged(number)).await);
    }
    assert_eq!(mails(&auth), 4);
    ask(&auth, 0, "grace+1@example.com").await.ok();
    ask(&auth, 0, "ada+1@example.org").await.ok();
    for _ in 0..3 {
        auth.wait(599);
        is_full(&ask(&auth, 9, &tagged(9)).await);
        auth.wait(1);
        let before = mails(&auth);
        ask(&auth, 9, &tagged(9)).await.ok();
        is_full(&ask(&auth, 10, &tagged(10)).await);
        assert_eq!(mails(&auth), before + 1);
    }
    // The plain address has five mails at once, whatever happened to the tagged ones.
    for number in 0..6 {
        ask(&auth, number, ADA).await.ok();
    }
    assert_eq!(auth.messages_to(ADA), 5);
}

/// S170: in any hour, ten mails at most.
#[tokio::test]
async fn a_mailbox_gets_at_most_ten_mails_to_tagged_addresses_an_hour() {
    let auth = deployment().await;
    let mut sent = Vec::new();
    for minute in 0..130 {
        for number in 0..2 {
            ask(&auth, minute, &tagged(minute * 2 + number)).await;
        }
        sent.push(mails(&auth));
        auth.wait(60);
    }
    let most = (60..sent.len()).map(|minute| sent[minute] - sent[minute - 60]).max().unwrap();
    assert!((6..=10).contains(&most) && sent[59] <= 10, "{most} {sent:?}");
}

/// S170: 32 parallel requests for as many addresses get four mails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_for_tagged_addresses_share_the_mails() {
    let auth = deployment().await;
    let addresses: Vec<_> = (0..32).map(tagged).collect();
    let answers = join_all(addresses.iter().enumerate().map(|(number, address)| ask(&auth, number, address))).await;
    assert_eq!(answers.iter().filter(|answer| answer.code() == "ok").count(), 4);
    answers.iter().filter(|answer| answer.code() != "ok").for_each(is_full);
    assert_eq!(mails(&auth), 4);
}

/// A refused request leaves nothing behind at its address: its codes and attempts are as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_charges_its_address_nothing() {
    let auth = deployment().await;
    let addresses: Vec<_> = (0..32).map(tagged).collect();
    join_all(addresses.iter().enumerate().map(|(number, address)| ask(&auth, number, address))).await;
    let charged: u32 = addresses.iter().map(|address| auth.charged(address)).sum();
    assert_eq!(charged, 4 * 3);
}

/// S170: a right answer gives the mailbox its mail back, for a new user, for a known one, and where sign-up is closed.
#[tokio::test]
async fn an_answered_mail_to_a_tagged_address_does_not_count() {
    for sign_up in ["open", "closed"] {
        let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000000"), ("SIGN_UP", sign_up)]).await;
        for number in 0..9 {
            let address = tagged(number % 2);
            let asked = auth.client().ask(&address).await;
            let wrong = Asked { code: wrong(&asked.code), ..asked.clone() };
            auth.client().answer(&address, &wrong).await.refused(400, "invalid_otp");
            let answer = auth.client().answer(&address, &asked).await;
            assert_eq!(answer.code(), if sign_up == "open" { "ok" } else { "forbidden" });
            auth.client().answer(&address, &asked).await.refused(400, "invalid_otp");
        }
        for number in 0..4 {
            ask(&auth, number, &tagged(number + 10)).await.ok();
        }
        is_full(&ask(&auth, 9, &tagged(9)).await);
    }
}

/// S170: what was certainly not sent does not count, nor what failed before.
#[tokio::test]
async fn a_mail_to_a_tagged_address_that_was_not_sent_does_not_count() {
    let auth = deployment().await;
    auth.faults(json!({ "delivery": "refused" }));
    for number in 0..8 {
        ask(&auth, number, &tagged(number)).await.refused(502, "email_send_failed");
    }
    let fault = |key: &str| json!({ "aws": [{ "service": "dynamodb", "operation": "UpdateItem", "key": key, "error": "ThrottlingException", "times": 100 }] });
    for key in ["I#", "TAG#"] {
        auth.faults(fault(key));
        for number in 0..2 {
            ask(&auth, number, &tagged(number)).await.refused(503, "unavailable");
        }
    }
    auth.faults(json!({}));
    assert_eq!(mails(&auth), 0);
    for number in 0..4 {
        ask(&auth, number, &tagged(number)).await.ok();
    }
    is_full(&ask(&auth, 9, &tagged(9)).await);
    assert_eq!(auth.charged(&tagged(9)), 0);
}

/// S88: without the mailbox's item, nothing is sent.
#[tokio::test]
async fn nothing_is_sent_when_the_mailbox_is_unreachable() {
    let auth = deployment().await;
    for operation in ["GetItem", "UpdateItem"] {
        let fault = json!({ "service": "dynamodb", "operation": operation, "key": "TAG#", "error": "ThrottlingException", "times": 100 });
        auth.faults(json!({ "aws": [fault] }));
        ask(&auth, 0, &tagged(0)).await.refused(503, "unavailable");
    }
    assert_eq!(mails(&auth), 0);
    ask(&auth, 0, ADA).await.ok();
}

/// The refusal is the same whatever happened to the address: one that signed in, one under attack with a code to share, and one
/// that nobody has used.
#[tokio::test]
async fn a_full_mailbox_tells_nothing_about_its_addresses() {
    let auth = deployment().await;
    auth.client().sign_in(&tagged(1)).await;
    for number in 0..4 {
        ask(&auth, number, &tagged(2)).await.ok();
    }
    let mut told = Vec::new();
    for number in 1..4 {
        let answer = auth.client_at("198.51.100.9").post(REQUEST, json!({ "identifier": tagged(number) })).await;
        is_full(&answer);
        told.push((answer.status, answer.body.to_string()));
    }
    assert!(told.iter().all(|answer| *answer == told[0]), "{told:?}");
}

/// S170: strangers leave a mail to the owner's known devices, within the ten.
#[tokio::test]
async fn a_known_device_of_a_tagged_address_gets_the_mail_that_is_left() {
    let auth = deployment().await;
    let address = tagged(0);
    let asked = auth.client().ask(&address).await;
    let device = auth.client().answer(&address, &asked).await.ok()["device"].clone();
    let at_home = || auth.client().post(REQUEST, json!({ "identifier": address, "device": device }));
    for number in 1..6 {
        ask(&auth, number, &tagged(number)).await;
    }
    let before = mails(&auth);
    is_full(&ask(&auth, 1, &address).await);
    at_home().await.ok();
    assert_eq!(mails(&auth), before + 1);
    assert!(auth.newest_code(&address).len() < 13);
    is_full(&at_home().await);
    // Strangers cannot take it: after ten minutes, it is the device's again.
    auth.wait(600);
    is_full(&ask(&auth, 1, &tagged(1)).await);
    at_home().await.ok();
    let asked = Asked { challenge: String::new(), code: auth.newest_code(&address) };
    assert!(asked.code.len() < 13);
}

async fn user_of(auth: &Deployment, address: &str) -> Value {
    let asked = auth.client().ask(address).await;
    auth.client().answer(address, &asked).await.ok()["user"].clone()
}

/// S171, V59: whatever spelling of a Gmail address a person types, they sign in to the same account. The code goes to the address
/// as typed, and the account keeps the one that it began with.
#[tokio::test]
async fn v59_a_gmail_mailbox_has_one_account() {
    let auth = deployment().await;
    let first = user_of(&auth, "A.Lice@gmail.com").await;
    assert_eq!(first["email"], "a.lice@gmail.com");
    for typed in ["alice@googlemail.com", "a.l.i.c.e@gmail.com", "alice@gmail.com"] {
        let user = user_of(&auth, typed).await;
        assert_eq!((&user["id"], &user["email"]), (&first["id"], &first["email"]), "{typed}");
        assert_eq!(auth.messages_to(typed), 1, "V20: the address as typed");
    }
    assert_eq!(auth.messages_to("a.lice@gmail.com"), 1);
    assert_eq!(auth.items("U#").len(), 1);
    // A tag makes another identifier, and so do dots elsewhere.
    let others = ["alice+work@gmail.com", "alice@example.com", "a.lice@example.com"];
    let mut ids = vec![first["id"].clone()];
    for other in others {
        ids.push(user_of(&auth, other).await["id"].clone());
    }
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(user_of(&auth, "al.ice+work@googlemail.com").await["email"], "alice+work@gmail.com");
}

/// S171: the code proves the mailbox, so its owner may answer with another spelling, with and without an id, short or long.
#[tokio::test]
async fn a_code_is_right_with_any_spelling_of_its_gmail_mailbox() {
    let auth = deployment().await;
    let (dotted, plain) = ("a.lice@gmail.com", "alice@googlemail.com");
    let asked = auth.client().ask(dotted).await;
    auth.client().answer("alice@example.com", &asked).await.refused(400, "invalid_otp");
    auth.client().answer(plain, &asked).await.ok();
    let asked = auth.client().ask(plain).await;
    auth.client().answer_unbound(dotted, &asked.code).await.ok();
    // Their messages come out of one bucket, and a long code is shared.
    for number in 0..5 {
        ask(&auth, number, if number % 2 == 0 { dotted } else { plain }).await.ok();
    }
    let code = auth.newest_code(dotted);
    assert_eq!((code.len(), mails(&auth)), (13, 7));
    let shared = ask(&auth, 9, plain).await.ok();
    assert_eq!(mails(&auth), 7);
    let asked = Asked { challenge: shared["challenge_id"].as_str().unwrap().to_owned(), code };
    auth.client().answer(plain, &asked).await.ok();
}

/// S171: a device token is for the mailbox, too.
#[tokio::test]
async fn a_device_is_known_with_any_spelling_of_its_gmail_mailbox() {
    let auth = deployment().await;
    let asked = auth.client().ask("a.lice@gmail.com").await;
    let device = auth.client().answer("a.lice@gmail.com", &asked).await.ok()["device"].clone();
    for number in 0..5 {
        ask(&auth, number, "alice@gmail.com").await.ok();
    }
    let before = mails(&auth);
    let body = json!({ "identifier": "alice@googlemail.com", "device": device });
    auth.client().post(REQUEST, body).await.ok();
    assert_eq!(mails(&auth), before + 1);
    assert!(auth.newest_code("alice@googlemail.com").len() < 13);
}
