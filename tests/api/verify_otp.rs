//! The function `verify-otp`: each code opens one session of one user.

use futures_util::future::join_all;
use local_aws::Service;
use serde_json::json;
use tests::client::VERIFY;
use tests::deployment::wrong;
use tests::{Answer, Asked, Deployment};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn a_right_code_creates_a_user_once_and_later_signs_in() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let first = auth.client().answer(ADA, &asked).await.ok();
    assert_eq!((&first["success"], &first["is_new_user"]), (&json!(true), &json!(true)));
    assert_eq!(first["expires_in"], json!(3_600));
    let expected = json!({
        "id": first["user"]["id"], "email": ADA, "phone": null, "email_verified": true, "phone_verified": false,
        "first_name": "", "last_name": "", "full_name": "",
        "date_joined": "2026-01-01T00:00:00Z", "last_login": "2026-01-01T00:00:00Z", "is_new_user": true,
    });
    assert_eq!(first["user"], expected);

    auth.wait(60);
    let asked = auth.client().ask(ADA).await;
    let second = auth.client().post(VERIFY, json!({ "email": ADA, "otp": asked.code })).await.ok();
    assert_eq!(second["is_new_user"], json!(false));
    assert_eq!(second["user"]["id"], first["user"]["id"]);
    assert_eq!(second["user"]["last_login"], json!("2026-01-01T00:01:00Z"));
    assert_eq!(second["user"]["date_joined"], json!("2026-01-01T00:00:00Z"));
}

/// The code has two field names. Different values in both are an error.
#[tokio::test]
async fn a_code_has_two_names_and_one_value() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    for body in [
        json!({ "identifier": ADA, "otp_code": asked.code, "otp": wrong(&asked.code) }),
        json!({ "identifier": ADA }),
        json!({ "identifier": ADA, "otp_code": 123456 }),
    ] {
        auth.client().post(VERIFY, body).await.refused(400, "invalid_request");
    }
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "otp": asked.code, "challenge_id": asked.challenge });
    auth.client().post(VERIFY, body).await.ok();
}

#[tokio::test]
async fn a_code_is_read_leniently() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let (start, end) = asked.code.split_at(3);
    auth.client().answer(ADA, &Asked { code: format!(" {start}-{end} "), ..asked }).await.ok();

    let asked = auth.client().ask(ADA).await;
    let full_width =
        asked.code.bytes().map(|digit| char::from_u32(0xFF10 + u32::from(digit - b'0')).unwrap()).collect();
    auth.client().answer(ADA, &Asked { code: full_width, ..asked }).await.ok();
}

/// S11: wrong, expired, used, used-up and unknown codes get the same bytes.
#[tokio::test]
async fn every_refused_code_gets_the_same_answer() {
    let auth = Deployment::start().await;
    let used = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &used).await.ok();
    let live = auth.client().ask(ADA).await;
    let unknown = Asked { challenge: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(), code: live.code.clone() };
    let refusals = [
        auth.client().answer(ADA, &used).await,
        auth.client().answer(ADA, &Asked { code: wrong(&live.code), ..live.clone() }).await,
        auth.client().answer(ADA, &unknown).await,
        auth.client().answer("nobody@example.com", &live).await,
        auth.client().answer_unbound("nobody@example.com", "123456").await,
        auth.client().answer(ADA, &Asked { code: "no code".to_owned(), ..live.clone() }).await,
    ];
    for refusal in &refusals {
        refusal.refused(400, "invalid_otp");
        assert_eq!(refusal.body, refusals[0].body);
    }
}

/// S02: ten minutes by the clock, even while the item is still in the table.
#[tokio::test]
async fn a_right_code_is_refused_after_ten_minutes() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    auth.wait(599);
    let other = auth.client().ask("bob@example.com").await;
    auth.wait(1);
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
    auth.client().answer_unbound(ADA, &asked.code).await.refused(400, "invalid_otp");
    auth.client().answer("bob@example.com", &other).await.ok();
}

/// V03.
#[tokio::test]
async fn a_code_works_once() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &asked).await.ok();
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
    auth.client().answer_unbound(ADA, &asked.code).await.refused(400, "invalid_otp");
}

/// S08, V07: a code works only for its own identifier and challenge.
#[tokio::test]
async fn a_code_serves_its_own_challenge_only() {
    let auth = Deployment::start().await;
    let ada = auth.client().ask(ADA).await;
    let bob = auth.client().ask("bob@example.com").await;
    let mixed = Asked { challenge: bob.challenge.clone(), code: ada.code.clone() };
    if ada.code != bob.code {
        auth.client().answer("bob@example.com", &mixed).await.refused(400, "invalid_otp");
    }
    auth.client().answer(ADA, &mixed).await.refused(400, "invalid_otp");
    let second = auth.client().ask(ADA).await;
    if second.code != ada.code {
        let swapped = Asked { challenge: second.challenge.clone(), code: ada.code.clone() };
        auth.client().answer(ADA, &swapped).await.refused(400, "invalid_otp");
    }
    auth.client().answer(ADA, &ada).await.ok();
}

/// S03, V02: 64 parallel right answers open one session, for a new and for a known user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_parallel_right_answers_open_one_session() {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "1000"), ("OTP_MAX_ATTEMPTS", "6")]).await;
    for round in ["new", "known"] {
        let asked = auth.client().ask(ADA).await;
        let answers = join_all((0..64).map(|_| auth.client().answer(ADA, &asked))).await;
        let opened: Vec<_> = answers.into_iter().filter(|answer| answer.code() == "ok").collect();
        assert_eq!(opened.len(), 1, "{round}");
        assert_eq!(opened[0].body["is_new_user"], json!(round == "new"));
        auth.wait(60);
    }
    assert_eq!(auth.items("S#").len(), 2);
}

/// V01: under parallel guesses, a code is compared at most `OTP_MAX_ATTEMPTS` times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_parallel_guesses_get_three_attempts() {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "1000")]).await;
    for bound in [true, false] {
        let asked = auth.client().ask(ADA).await;
        let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
        let guesses = (0..64).map(|_| async {
            match bound {
                true => auth.client().answer(ADA, &guess).await,
                false => auth.client().answer_unbound(ADA, &guess.code).await,
            }
        });
        for answer in join_all(guesses).await {
            answer.refused(400, "invalid_otp");
        }
        // Three attempts were charged with each code.
        assert_eq!(auth.charged(ADA), if bound { 3 } else { 6 }, "bound: {bound}");
        match bound {
            true => auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp"),
            false => auth.client().answer_unbound(ADA, &asked.code).await.refused(400, "invalid_otp"),
        }
    }
}

/// V18: one user per identifier, whichever of five challenges is answered first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_parallel_sign_ups_of_one_address_make_one_user() {
    let auth = Deployment::start().await;
    let mut challenges = Vec::new();
    for number in 0..5 {
        challenges.push(auth.client_at(&format!("198.51.100.{number}")).ask(ADA).await);
    }
    let answers = join_all(challenges.iter().map(|asked| auth.client().answer(ADA, asked))).await;
    let bodies: Vec<_> = answers.into_iter().map(Answer::ok).collect();
    assert!(bodies.iter().all(|body| body["user"]["id"] == bodies[0]["user"]["id"]));
    assert_eq!(bodies.iter().filter(|body| body["is_new_user"] == json!(true)).count(), 1);
    assert_eq!(auth.items("U#").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_rounds_of_five_parallel_sign_ins_never_leave_more_than_three_sessions() {
    let auth = Deployment::with(&[("SESSIONS_PER_USER", "3"), ("OTP_REQUESTS_PER_IP", "1000")]).await;
    let mut sessions = Vec::new();
    for _ in 0..6 {
        let mut challenges = Vec::new();
        for number in 0..5 {
            challenges.push(auth.client_at(&format!("198.51.100.{number}")).ask(ADA).await);
        }
        let answers = join_all(challenges.iter().map(|asked| auth.client().answer(ADA, asked))).await;
        sessions.extend(answers.into_iter().map(Answer::tokens));
        assert_eq!(auth.live(&mut sessions).await, 3);
        auth.wait(1);
    }
}

/// The oldest session ends, and the others stay.
#[tokio::test]
async fn one_session_too_many_ends_the_oldest() {
    let auth = Deployment::with(&[("SESSIONS_PER_USER", "2")]).await;
    let oldest = auth.client().sign_in(ADA).await;
    auth.wait(1);
    let older = auth.client().sign_in(ADA).await;
    auth.wait(1);
    let newest = auth.client().sign_in(ADA).await;
    auth.client().refresh(&oldest.refresh).await.refused(401, "invalid_token");
    auth.client().refresh(&older.refresh).await.ok();
    auth.client().refresh(&newest.refresh).await.ok();
}

/// Only a right code reveals that sign-up is closed, so guesses reveal nothing about accounts.
#[tokio::test]
async fn closed_sign_up_creates_no_user() {
    let auth = Deployment::with(&[("SIGN_UP", "closed")]).await;
    let asked = auth.client().ask(ADA).await;
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    auth.client().answer(ADA, &guess).await.refused(400, "invalid_otp");
    auth.client().answer(ADA, &asked).await.refused(403, "forbidden");
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
    assert!(auth.items("U#").is_empty() && auth.items("ID#").is_empty());
}

/// The source of a user is stored once, when the user is created.
#[tokio::test]
async fn the_source_is_stored_only_at_sign_up() {
    let auth = Deployment::start().await;
    for source in ["https://example.com/?utm_source=first", "https://example.com/?utm_source=second"] {
        let asked = auth.client().ask(ADA).await;
        let body = json!({ "identifier": ADA, "otp_code": asked.code, "source_url": source });
        auth.client().post(VERIFY, body).await.ok();
    }
    let owners = auth.items("ID#");
    assert_eq!(owners.len(), 1);
    assert_eq!(owners[0]["source_url"]["S"], json!("https://example.com/?utm_source=first"));
}

/// S153: a person signs up whatever the source says, and only the address of a web page is kept.
#[tokio::test]
async fn only_the_address_of_a_web_page_is_stored_as_source() {
    let auth = Deployment::start().await;
    let long = format!("https://example.com/?x={}", "x".repeat(3_000));
    let mut kept = Vec::new();
    for source in ["javascript:alert(1)", "https://example.com/\u{202e}x", &long] {
        let who = format!("user{}@example.com", kept.len());
        let asked = auth.client().ask(&who).await;
        let body = json!({ "identifier": who, "otp_code": asked.code, "source_url": source });
        auth.client().post(VERIFY, body).await.ok();
        let stored = auth
            .items("ID#")
            .iter()
            .filter_map(|owner| owner.get("source_url")?["S"].as_str().map(str::len))
            .sum::<usize>();
        kept.push(stored);
    }
    assert_eq!(kept, [0, 0, 2_048]);
}

/// The transaction retries for up to a second. After that the client can retry, because the code is still valid.
#[tokio::test]
async fn a_conflict_does_not_use_up_the_code() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let conflict = |times: u32| {
        json!({ "aws": [
        { "service": "dynamodb", "operation": "TransactWriteItems", "error": "TransactionConflict", "times": times }
    ] })
    };
    auth.faults(conflict(1_000));
    let refused = auth.client().answer(ADA, &asked).await;
    refused.refused(503, "unavailable");
    assert_eq!(refused.retry_after(), 1);
    auth.faults(conflict(2));
    auth.client().answer(ADA, &asked).await.ok();
}

/// Single use takes precedence over a lost answer. A retried transaction with a lost answer takes effect once.
#[tokio::test]
async fn a_lost_answer_opens_no_second_session() {
    let auth = Deployment::start().await;
    let lost = json!({ "aws": [
        { "service": "dynamodb", "operation": "TransactWriteItems", "error": "InternalServerError", "when": "after", "times": 1 }
    ] });
    let asked = auth.client().ask(ADA).await;
    auth.faults(lost);
    assert_eq!(auth.client().answer(ADA, &asked).await.ok()["is_new_user"], json!(true));
    assert_eq!((auth.items("U#").len(), auth.items("S#").len()), (1, 1));
}

/// A cached keyring is used for 15 minutes if it cannot be read again. After that, answers fail without using up an attempt or a
/// code.
#[tokio::test]
async fn a_function_without_keys_uses_up_no_attempts() {
    let auth = Deployment::start().await;
    auth.wait(500);
    let asked = auth.client().ask(ADA).await;
    auth.faults(json!({ "aws": [{ "service": "secretsmanager", "error": "AccessDeniedException", "times": 100 }] }));
    auth.wait(399);
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    auth.client().answer(ADA, &guess).await.refused(400, "invalid_otp");
    auth.stack.services().calls().take();
    auth.client().answer(ADA, &guess).await.refused(400, "invalid_otp");
    let calls = auth.stack.services().calls().take();
    assert!(calls.iter().all(|call| call.service != Service::SecretsManager), "every request waits for the fault");
    auth.wait(1);
    for _ in 0..5 {
        auth.client().answer(ADA, &asked).await.refused(500, "internal_error");
    }
    auth.faults(json!({ "aws": [{ "service": "secretsmanager", "error": "InternalServerError", "times": 100 }] }));
    auth.client().answer(ADA, &asked).await.refused(503, "unavailable");
    auth.faults(json!({}));
    auth.client().answer(ADA, &asked).await.ok();
}
