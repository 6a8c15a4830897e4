//! Strangers at somebody else's identifier: the owner still signs in, the mailbox stays usable, and few codes are guessed.

use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::deployment::{START, wrong};
use tests::{Answer, Asked, Client, Deployment};

const ADA: &str = "ada@example.com";
const DAY: u64 = 86_400;

/// The limits of networks are out of the way.
async fn deployment() -> Deployment {
    Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000000"), ("OTP_FAILURES_PER_IP", "1000000")]).await
}

/// The number in an attribute of the identifier's item.
fn number(auth: &Deployment, attribute: &str) -> u64 {
    let item = auth.identifier(ADA).unwrap_or_default();
    item[attribute]["N"].as_str().map_or(0, |number| number.parse().unwrap())
}

fn body(asked: &Asked) -> Value {
    json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge })
}

/// A request whose code the client cannot read.
async fn ask_blind(client: Client<'_>) -> String {
    let answer = client.post(REQUEST, json!({ "identifier": ADA })).await.ok();
    answer["challenge_id"].as_str().unwrap().to_owned()
}

/// Asks and guesses with a code of the usual form.
async fn attack(client: Client<'_>) {
    let challenge = ask_blind(client).await;
    for _ in 0..3 {
        client.answer(ADA, &Asked { challenge: challenge.clone(), code: "000000".to_owned() }).await;
    }
}

/// Empties the bucket from networks of its own.
async fn empty_the_bucket(auth: &Deployment) {
    for number in 0..5 {
        attack(auth.client_at(&format!("203.0.113.{number}"))).await;
    }
}

/// V50, S140: while 2, 10 or 50 networks ask and guess, an owner on a fresh network and without any cookie signs in with the first
/// code that they ask for. No request is refused for its identifier's sake, and the mailbox gets at most 20 mails an hour.
#[tokio::test]
async fn v50_an_owner_gets_in_with_the_first_code_that_they_ask_for() {
    for networks in [2, 10, 50] {
        let auth = deployment().await;
        let (mut hours, mut answered) = (Vec::new(), 0);
        for minute in 0..75_u64 {
            if minute % 60 == 0 {
                hours.push(auth.messages_to(ADA) - answered);
            }
            for number in 0..3 {
                attack(auth.client_at(&format!("203.0.113.{}", (minute * 3 + number) % networks))).await;
            }
            if minute % 7 == 3 {
                let owner = auth.client_at(&format!("198.51.100.{minute}"));
                let asked = owner.ask(ADA).await;
                auth.wait(17);
                attack(auth.client_at("203.0.113.1")).await;
                owner.answer(ADA, &asked).await.ok();
                answered += 1;
                auth.wait(43);
            } else {
                auth.wait(60);
            }
        }
        hours.push(auth.messages_to(ADA) - answered);
        assert!(hours.windows(2).all(|two| two[1] - two[0] <= 20), "{networks}: {hours:?}");
        assert!(number(&auth, "d6") <= 12, "{networks}: attempts with six digits");
    }
}

/// S140: five messages at once, of which the last is long; then one every 240 seconds. All others share the newest long code.
#[tokio::test]
async fn a_mailbox_gets_five_mails_at_once_and_then_one_every_four_minutes() {
    let auth = deployment().await;
    let mut lengths = Vec::new();
    for number in 0..12 {
        auth.client_at(&format!("203.0.113.{number}")).ask(ADA).await;
        lengths.push(auth.newest_code(ADA).len());
    }
    assert_eq!(auth.messages_to(ADA), 5);
    assert_eq!(lengths[..5], [6, 6, 6, 6, 13]);
    for messages in 6..10 {
        auth.wait(239);
        ask_blind(auth.client()).await;
        assert_eq!(auth.messages_to(ADA), messages - 1);
        auth.wait(1);
        ask_blind(auth.client()).await;
        ask_blind(auth.client()).await;
        assert_eq!(auth.messages_to(ADA), messages);
    }
}

/// S140: in any hour, at most 20 mails go to one address, however many ask.
#[tokio::test]
async fn a_mailbox_gets_at_most_twenty_unanswered_mails_an_hour() {
    let auth = deployment().await;
    let mut sent = Vec::new();
    for minute in 0..150_usize {
        for number in 0..2 {
            ask_blind(auth.client_at(&format!("203.0.113.{}", (minute * 2 + number) % 200))).await;
        }
        sent.push(auth.messages_to(ADA));
        auth.wait(60);
    }
    let most = (60..sent.len()).map(|minute| sent[minute] - sent[minute - 60]).max().unwrap();
    assert!((15..=20).contains(&most), "{most}");
}

/// S143: a long code is one code for everybody who shares it. It works once, with the challenge id of any of them.
#[tokio::test]
async fn a_shared_code_signs_in_its_first_reader_only() {
    let auth = deployment().await;
    empty_the_bucket(&auth).await;
    let owner = auth.client_at("198.51.100.1").ask(ADA).await;
    let other = auth.client_at("198.51.100.2").ask(ADA).await;
    assert_eq!((owner.code.len(), &owner.code), (13, &other.code));
    assert_eq!(auth.messages_to(ADA), 5);
    // Guesses with another challenge spend nothing of it.
    for _ in 0..20 {
        let guess = Asked { code: wrong(&other.code), ..other.clone() };
        auth.client_at("203.0.113.9").answer(ADA, &guess).await.refused(400, "invalid_otp");
    }
    auth.client_at("198.51.100.1").answer(ADA, &owner).await.ok();
    auth.client_at("198.51.100.2").answer(ADA, &other).await.refused(400, "invalid_otp");
    auth.client_at("198.51.100.1").answer(ADA, &owner).await.refused(400, "invalid_otp");
    // Its token is back.
    ask_blind(auth.client_at("198.51.100.3")).await;
    assert_eq!(auth.messages_to(ADA), 6);
}

/// S143: 64 parallel answers to one long code open one session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_code_opens_one_session() {
    let auth = deployment().await;
    auth.client().sign_in(ADA).await;
    empty_the_bucket(&auth).await;
    let asked = auth.client_at("198.51.100.1").ask(ADA).await;
    let answers = futures_util::future::join_all((0..16).map(|_| auth.client().answer(ADA, &asked))).await;
    assert_eq!(answers.iter().filter(|answer| answer.code() == "ok").count(), 1);
}

/// S02: a long code is accepted for ten minutes, whatever challenge it is answered with, and shared for four.
#[tokio::test]
async fn a_long_code_is_accepted_for_ten_minutes() {
    let auth = deployment().await;
    empty_the_bucket(&auth).await;
    let first = Asked { challenge: ask_blind(auth.client_at("198.51.100.1")).await, code: auth.newest_code(ADA) };
    auth.wait(239);
    let shared = ask_blind(auth.client_at("198.51.100.2")).await;
    assert_eq!(auth.messages_to(ADA), 5);
    auth.wait(360);
    for challenge in [&shared, &first.challenge] {
        let asked = Asked { challenge: challenge.clone(), code: wrong(&first.code) };
        auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
    }
    let asked = Asked { challenge: shared, ..first.clone() };
    let in_time = auth.client().answer(ADA, &asked).await;
    in_time.ok();

    let auth = deployment().await;
    empty_the_bucket(&auth).await;
    let first = Asked { challenge: ask_blind(auth.client_at("198.51.100.1")).await, code: auth.newest_code(ADA) };
    auth.wait(600);
    auth.client().answer(ADA, &first).await.refused(400, "invalid_otp");
}

/// S141: 12 attempts a day with six digits, then eight digits, and fewer than a hundred in a row at digits (S04).
#[tokio::test]
async fn codes_get_longer_while_strangers_guess_and_short_again_after_a_success() {
    let auth = deployment().await;
    let (mut charged, mut lengths) = (0, Vec::new());
    for round in 0..60_u64 {
        attack(auth.client_at(&format!("203.0.{}.{round}", 113 + round % 3))).await;
        let code = auth.newest_code(ADA);
        lengths.push(code.len());
        charged += if code.len() < 13 { 3 } else { 0 };
        auth.wait(480);
    }
    assert_eq!(lengths[..4], [6; 4]);
    assert!(lengths[4..].iter().all(|length| *length >= 8), "{lengths:?}");
    assert!(charged < 100 && number(&auth, "f") < 100, "{charged} attempts at digits in a row");
    assert_eq!(lengths.last(), Some(&13), "from 97 on every code is long");
    assert_eq!(number(&auth, "d6"), 12);
    let owner = auth.client_at("198.51.100.1");
    owner.sign_in(ADA).await;
    assert_eq!(number(&auth, "f"), 0);
    auth.wait(DAY);
    assert_eq!(owner.ask(ADA).await.code.len(), 6);
}

/// S05: a new code leaves the charged attempts as they are, and they are kept for a year.
#[tokio::test]
async fn charged_attempts_are_kept_for_a_year() {
    let auth = deployment().await;
    attack(auth.client()).await;
    assert_eq!(number(&auth, "f"), 3);
    auth.wait(7_200);
    ask_blind(auth.client()).await;
    assert_eq!((number(&auth, "f"), number(&auth, "ttl")), (6, START + 7_200 + 365 * DAY));
}

/// S06: a right answer gives back its token and its unspent attempts, of its own identifier only.
#[tokio::test]
async fn a_right_answer_gives_back_its_token_and_its_attempts() {
    let auth = deployment().await;
    for _ in 0..10 {
        auth.client().sign_in(ADA).await;
        auth.client().ask("mallory@example.com").await;
        auth.client().sign_in(ADA).await;
        assert_eq!((number(&auth, "d6"), number(&auth, "f")), (0, 0));
    }
    assert!(auth.messages_to(ADA) == 20, "nobody is slowed who answers");
    let asked = auth.client().ask(ADA).await;
    assert_eq!(asked.code.len(), 6);
    auth.client().answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await.refused(400, "invalid_otp");
    auth.client().answer(ADA, &asked).await.ok();
    assert_eq!(number(&auth, "d6"), 1, "the wrong one stays charged");
}

/// A success starts the count of failures again, except for the codes under way.
#[tokio::test]
async fn a_success_forgets_no_attempt_that_is_still_under_way() {
    let auth = deployment().await;
    attack(auth.client_at("203.0.113.1")).await;
    ask_blind(auth.client_at("203.0.113.2")).await;
    auth.client().sign_in(ADA).await;
    assert_eq!(number(&auth, "f"), 3);
}

/// V38: the owner's code is out of a stranger's reach.
#[tokio::test]
async fn a_stranger_leaves_the_owners_code_alone() {
    for before in [0, 3, 4, 8] {
        let auth = deployment().await;
        for number in 0..before {
            attack(auth.client_at(&format!("203.0.113.{number}"))).await;
        }
        let owner = auth.client_at("198.51.100.1").ask(ADA).await;
        let stranger = auth.client_at("203.0.113.66");
        for _ in 0..8 {
            attack(stranger).await;
            let guessed = Asked { challenge: "A".repeat(72), code: wrong(&owner.code) };
            stranger.answer(ADA, &guessed).await.refused(400, "invalid_otp");
            stranger.answer_unbound(ADA, &wrong(&owner.code)).await.refused(400, "invalid_otp");
            stranger.post(REQUEST, json!({ "identifier": ADA, "challenge_id": guessed.challenge })).await.ok();
        }
        auth.client_at("198.51.100.1").answer(ADA, &owner).await.ok();
    }
}

/// S142: every answer has a fresh id, and older ids of the same challenge work until it ends.
#[tokio::test]
async fn every_answer_has_a_fresh_id_and_older_ones_work() {
    let auth = deployment().await;
    let first = auth.client().ask(ADA).await;
    auth.wait(29);
    let soon = auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": first.challenge })).await.ok();
    assert_eq!((&soon["retry_after"], &soon["expires_in"]), (&json!(1), &json!(331)));
    assert_ne!(soon["challenge_id"], json!(first.challenge));
    assert_eq!(auth.messages_to(ADA), 1, "a repeated request sends nothing");
    auth.wait(1);
    let again = json!({ "identifier": ADA, "challenge_id": soon["challenge_id"] });
    auth.client().post(REQUEST, again).await.ok();
    assert_eq!(auth.messages_to(ADA), 2);
    let asked = Asked { code: auth.newest_code(ADA), ..first };
    auth.client().answer(ADA, &asked).await.ok();
}

/// S142: a forged id, and one of another identifier, are refused without a call.
#[tokio::test]
async fn an_id_that_we_did_not_make_costs_no_call() {
    let auth = deployment().await;
    let (ada, bob) = (auth.client().ask(ADA).await, auth.client().ask("bob@example.com").await);
    auth.stack.services().calls().take();
    let changed = format!("{}{}", &ada.challenge[..71], if ada.challenge.ends_with('A') { "Q" } else { "A" });
    for challenge in ["A", &"A".repeat(22), &"A".repeat(72), &changed, &bob.challenge] {
        let answer = Asked { challenge: challenge.to_owned(), code: ada.code.clone() };
        auth.client().answer(ADA, &answer).await.refused(400, "invalid_otp");
    }
    assert!(auth.stack.services().calls().take().is_empty());
    auth.client().answer(ADA, &ada).await.ok();
}

/// S146: a network's failures leave answers with a challenge id alone.
#[tokio::test]
async fn v51_a_neighbour_cannot_have_a_bound_answer_refused() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    for number in 0..40 {
        auth.client().answer_unbound(&format!("user{number}@example.com"), "123456").await;
        let junk = Asked { challenge: "A".repeat(72), code: "123456".to_owned() };
        auth.client().answer(ADA, &junk).await.refused(400, "invalid_otp");
    }
    auth.client().answer(ADA, &asked).await.ok();
}

async fn ask_by_alias(client: Client<'_>) -> Answer {
    client.post("/accounts/otp/request/", json!({ "identifier": ADA })).await
}

async fn answer_by_alias(client: Client<'_>, code: &str) -> Answer {
    client.post("/accounts/otp/verify/", json!({ "identifier": ADA, "otp": code })).await
}

/// S145: an answer without an id is compared with the codes of its own network, and spends their attempts.
#[tokio::test]
async fn an_answer_without_an_id_is_compared_with_the_codes_of_its_network() {
    let auth = deployment().await;
    let (here, elsewhere) = (auth.client_at("198.51.100.1"), auth.client_at("203.0.113.1"));
    let asked = here.ask(ADA).await;
    elsewhere.answer_unbound(ADA, &asked.code).await.refused(400, "invalid_otp");
    for _ in 0..2 {
        here.answer_unbound(ADA, &wrong(&asked.code)).await.refused(400, "invalid_otp");
    }
    here.answer_unbound(ADA, &asked.code).await.ok();

    let asked = here.ask(ADA).await;
    for _ in 0..3 {
        here.answer_unbound(ADA, &wrong(&asked.code)).await.refused(400, "invalid_otp");
    }
    here.answer_unbound(ADA, &asked.code).await.refused(400, "invalid_otp");
    here.answer(ADA, &asked).await.refused(400, "invalid_otp");
}

/// S145: from elsewhere, the newest code asked for through an alias is compared twice a day for all strangers together. After that,
/// alias codes are long, and long codes need no id.
#[tokio::test]
async fn answers_from_elsewhere_are_compared_twice_a_day() {
    let auth = deployment().await;
    let (owner, server) = (auth.client_at("198.51.100.1"), auth.client_at("192.0.2.77"));
    // A frontend whose own server answers: each right answer gives its comparison back.
    for _ in 0..4 {
        ask_by_alias(owner).await.ok();
        answer_by_alias(server, &auth.newest_code(ADA)).await.ok();
    }
    ask_by_alias(owner).await.ok();
    let code = auth.newest_code(ADA);
    for number in 0..2 {
        answer_by_alias(auth.client_at(&format!("203.0.113.{number}")), &wrong(&code)).await;
    }
    assert_eq!(number(&auth, "du"), 2);
    assert_eq!(answer_by_alias(server, &code).await.status, 400);
    assert_eq!(answer_by_alias(owner, &code).await.status, 200, "its own network has attempts of its own");

    ask_by_alias(owner).await.ok();
    let long = auth.newest_code(ADA);
    assert_eq!(long.len(), 13);
    answer_by_alias(server, &long).await.ok();
    auth.wait(DAY);
    ask_by_alias(owner).await.ok();
    assert_eq!(auth.newest_code(ADA).len(), 6);
}

/// An answer from the network that asked spends the code's attempts, and none of the day's comparisons from elsewhere.
#[tokio::test]
async fn an_answer_of_its_own_network_is_not_from_elsewhere() {
    let auth = deployment().await;
    let owner = auth.client_at("198.51.100.1");
    ask_by_alias(owner).await.ok();
    let code = auth.newest_code(ADA);
    for _ in 0..2 {
        assert_eq!(answer_by_alias(owner, &wrong(&code)).await.status, 400);
    }
    assert_eq!(number(&auth, "du"), 0);
    assert_eq!(answer_by_alias(owner, &code).await.status, 200);
}

/// A code of yesterday is not compared with answers from elsewhere, because its comparisons would count on a day that is over.
#[tokio::test]
async fn a_code_of_yesterday_is_not_compared_from_elsewhere() {
    let auth = deployment().await;
    let (owner, server) = (auth.client_at("198.51.100.1"), auth.client_at("192.0.2.77"));
    auth.wait(DAY - 60);
    ask_by_alias(owner).await.ok();
    let code = auth.newest_code(ADA);
    auth.wait(60);
    ask_blind(auth.client_at("203.0.113.1")).await;
    assert_eq!(answer_by_alias(server, &code).await.status, 400);
    assert_eq!(number(&auth, "du"), 0);
    assert_eq!(answer_by_alias(owner, &code).await.status, 200);
}

/// A code asked for at our own path is not an alias code.
#[tokio::test]
async fn answers_from_elsewhere_match_alias_codes_only() {
    let auth = deployment().await;
    auth.client_at("198.51.100.1").ask(ADA).await;
    assert_eq!(answer_by_alias(auth.client(), &auth.newest_code(ADA)).await.status, 400);
    assert_eq!(number(&auth, "du"), 0);
}

/// A person who presses "send again" in an old frontend keeps getting short codes, and the newest one counts.
#[tokio::test]
async fn a_request_through_an_alias_is_a_resend() {
    let auth = deployment().await;
    let client = auth.client_at("198.51.100.1");
    let mut codes = Vec::new();
    for _ in 0..4 {
        ask_by_alias(client).await.ok();
        codes.push(auth.newest_code(ADA));
    }
    assert!(codes.iter().all(|code| code.len() == 6), "{codes:?}");
    assert_eq!(number(&auth, "d6"), 3, "one challenge, charged once");
    if codes[2] != codes[3] {
        assert_eq!(answer_by_alias(client, &codes[2]).await.status, 400);
    }
    answer_by_alias(client, &codes[3]).await.ok();
}

/// A challenge that its client names is sent again three times. It keeps its entry and its attempts, and its old codes end.
#[tokio::test]
async fn a_named_challenge_is_sent_again_three_times_with_its_attempts() {
    let auth = deployment().await;
    let client = auth.client_at("198.51.100.1");
    let first = client.ask(ADA).await;
    client.answer(ADA, &Asked { code: wrong(&first.code), ..first.clone() }).await.refused(400, "invalid_otp");
    let mut codes = vec![first.code.clone()];
    for sends in 2..=4 {
        auth.wait(240);
        client.post(REQUEST, json!({ "identifier": ADA, "challenge_id": first.challenge })).await.ok();
        codes.push(auth.newest_code(ADA));
        assert_eq!((auth.messages_to(ADA), number(&auth, "d6"), number(&auth, "f")), (sends, 3, 3), "charged once");
    }
    let entries = auth.identifier(ADA).unwrap()["co"]["M"].as_object().unwrap().clone();
    let entry = entries.values().next().unwrap()["M"].clone();
    assert_eq!((entries.len(), &entry["t"]["N"], &entry["c"]["N"]), (1, &json!("2"), &json!("4")));
    // The fourth begins another challenge.
    auth.wait(240);
    let other = client.post(REQUEST, json!({ "identifier": ADA, "challenge_id": first.challenge })).await.ok();
    assert_eq!((number(&auth, "d6"), auth.identifier(ADA).unwrap()["co"]["M"].as_object().unwrap().len()), (6, 2));
    let newest = Asked { challenge: other["challenge_id"].as_str().unwrap().to_owned(), code: auth.newest_code(ADA) };
    if codes[2] != codes[3] {
        client.answer(ADA, &Asked { code: codes[2].clone(), ..first.clone() }).await.refused(400, "invalid_otp");
    }
    client.answer(ADA, &Asked { code: codes[3].clone(), ..first.clone() }).await.ok();
    client.answer(ADA, &newest).await.ok();
}

/// A resend that is answered with a shared or a rationed code leaves the client's old code alive.
#[tokio::test]
async fn a_shared_or_rationed_answer_leaves_the_old_code_alive() {
    for strangers in [3, 4] {
        let auth = deployment().await;
        let owner = auth.client_at("198.51.100.1");
        let asked = owner.ask(ADA).await;
        for number in 0..strangers {
            ask_blind(auth.client_at(&format!("203.0.113.{number}"))).await;
        }
        let before = auth.messages_to(ADA);
        auth.wait(30);
        owner.post(REQUEST, json!({ "identifier": ADA, "challenge_id": asked.challenge })).await.ok();
        assert_eq!(auth.messages_to(ADA) - before, if strangers == 3 { 1 } else { 0 });
        assert_eq!(auth.newest_code(ADA).len(), 13);
        owner.answer(ADA, &asked).await.ok();
    }
}

/// `expires_in` is what every answer can promise: the setting, and at most 360 seconds by mail.
#[tokio::test]
async fn an_answer_promises_the_expiry_and_at_most_six_minutes() {
    for (setting, promised) in [("60", 60), ("359", 359), ("360", 360), ("361", 360), ("600", 360)] {
        let auth = Deployment::with(&[("OTP_EMAIL_EXPIRY_SECONDS", setting)]).await;
        for number in 0..7 {
            let client = auth.client_at(&format!("203.0.113.{number}"));
            let answer = client.post(REQUEST, json!({ "identifier": ADA })).await.ok();
            assert_eq!(answer["expires_in"], promised, "{setting}, answer {number}");
        }
    }
}

/// `OTP_BINDING` is about our own path; without aliases, no answer may lack an id.
#[tokio::test]
async fn answers_without_an_id_can_be_refused() {
    for (setting, value, by_alias) in [("OTP_BINDING", "required", 200), ("ALIASES", "off", 404)] {
        let auth = Deployment::with(&[(setting, value)]).await;
        let asked = auth.client().ask(ADA).await;
        auth.client().answer_unbound(ADA, &asked.code).await.refused(400, "invalid_request");
        assert_eq!(answer_by_alias(auth.client(), &asked.code).await.status, by_alias, "{setting}");
        if by_alias != 200 {
            auth.client().answer(ADA, &asked).await.ok();
        }
    }
}

/// S147: a message that was certainly not sent gives back its token and attempts, and can be repeated at once.
#[tokio::test]
async fn a_message_that_was_not_sent_is_not_counted() {
    let auth = deployment().await;
    auth.faults(json!({ "delivery": "refused" }));
    for _ in 0..8 {
        auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(502, "email_send_failed");
    }
    auth.faults(json!({}));
    assert_eq!((number(&auth, "d6"), number(&auth, "f")), (0, 0));
    for length in [6, 6, 6, 6, 13] {
        let client = auth.client_at(&format!("203.0.113.{}", auth.messages_to(ADA)));
        assert_eq!(client.ask(ADA).await.code.len(), length);
    }
    // A long code that was not sent is not shared either.
    auth.wait(240);
    auth.faults(json!({ "delivery": "refused" }));
    auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(502, "email_send_failed");
    auth.faults(json!({}));
    auth.client().sign_in(ADA).await;
}

/// Answers of verify take the device token, too: clients send it with every request.
#[tokio::test]
async fn an_answer_may_have_the_device_token() {
    let auth = deployment().await;
    let asked = auth.client().ask(ADA).await;
    let mut with_device = body(&asked);
    with_device["device"] = json!("v1.1.AAAA");
    auth.client().post(VERIFY, with_device).await.ok();
}

/// V50: the code that a request shares is in the newest message. Otherwise the owner types the code of a message that came later.
#[tokio::test]
async fn a_request_that_shares_a_code_finds_it_in_the_newest_message() {
    let auth = Deployment::start().await;
    // The third request of a network gets a long code, and the bucket keeps two tokens for the next one.
    for network in ["203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2"] {
        auth.client_at(network).post(REQUEST, json!({ "identifier": ADA })).await.ok();
    }
    let asked = auth.client().ask(ADA).await;
    assert_eq!(auth.messages_to(ADA), 5, "the third message has a long code, but the fourth is newer");
    auth.client().answer(ADA, &asked).await.ok();
}
