//! The expected round trips and costs of every operation. A round is a set of calls in flight together.

use local_aws::MailEvent;
use serde_json::json;
use tests::authenticator::{CONFIRM, FACTORS, SECOND_FACTOR, STEP_UP, STEP_UP_OPTIONS, TOTP};
use tests::client::{ACTIVITY, LOGOUT, PROFILE, REFRESH, REQUEST, SESSIONS, SOURCES, STATUS, VERIFY};
use tests::deployment::{session_of, wrong};
use tests::operations::SETTINGS;
use tests::{Answer, Authenticator, Deployment};

use crate::sms::EUM;

const ADA: &str = "ada@example.com";
/// Somebody whose bucket is empty.
const PERSON: &str = "person@example.com";
const PHONE: &str = "+447400123456";

/// The answer to one request, and the write and read units of its calls.
async fn measured(auth: &Deployment, rounds: &[usize], path: &str, body: serde_json::Value) -> (Answer, f64, f64) {
    measure(auth, rounds, auth.client().post(path, body)).await
}

async fn measure(auth: &Deployment, rounds: &[usize], asking: impl Future<Output = Answer>) -> (Answer, f64, f64) {
    auth.stack.services().calls().take();
    auth.stack.services().rounds().expect(rounds);
    let answer = asking.await;
    auth.stack.services().rounds().finish().unwrap();
    let calls = auth.stack.services().calls().take();
    let write = calls.iter().map(|call| call.capacity.write).sum();
    let read = calls.iter().map(|call| call.capacity.read).sum();
    (answer, write, read)
}

#[tokio::test]
async fn each_operation_makes_the_expected_round_trips() {
    let auth = Deployment::start().await;
    let body = json!({ "identifier": ADA });
    // It also leases 16 mails.
    let (first, write, read) = measured(&auth, &[3, 1, 1], REQUEST, body.clone()).await;
    assert_eq!((first.code(), write, read), ("ok", 3.0, 1.0), "request, first of an instance");
    let challenge = first.body["challenge_id"].clone();
    let (later, write, read) = measured(&auth, &[2, 1, 1], REQUEST, body).await;
    assert_eq!((later.code(), write, read), ("ok", 2.0, 1.0), "request, later");
    let named = json!({ "identifier": ADA, "challenge_id": challenge });
    let (soon, write, read) = measured(&auth, &[2], REQUEST, named.clone()).await;
    assert_eq!((soon.code(), write, read), ("ok", 1.0, 1.0), "request, repeated too soon");
    let (told, write, read) = measured(&auth, &[1, 2], STATUS, named.clone()).await;
    assert_eq!((told.code(), write, read), ("ok", 1.0, 1.0), "status, first of an instance");
    let (told, write, read) = measured(&auth, &[2], STATUS, named.clone()).await;
    assert_eq!((told.code(), write, read), ("ok", 1.0, 1.0), "status");
    let nobodys = json!({ "identifier": "nobody@example.com", "challenge_id": "A".repeat(72) });
    let (over, write, read) = measured(&auth, &[2], STATUS, nobodys).await;
    assert_eq!((over.code(), write, read), ("ok", 1.0, 1.0), "status, a challenge that never was");
    auth.wait(30);
    // It also reads the brake, as one request of an instance does in 30 seconds.
    let (again, write, read) = measured(&auth, &[3, 1, 1], REQUEST, named).await;
    assert_eq!((again.code(), write, read), ("ok", 2.0, 1.5), "resend");

    let code = auth.newest_code(ADA);
    let answer = |code: &str, challenge: &serde_json::Value| json!({ "identifier": ADA, "otp_code": code, "challenge_id": challenge });
    let (wrong_code, write, _) = measured(&auth, &[2], VERIFY, answer(&wrong(&code), &challenge)).await;
    assert_eq!((wrong_code.code(), write), ("invalid_otp", 1.0), "verify, wrong code");
    let (unknown, write, _) = measured(&auth, &[], VERIFY, answer(&code, &json!("A".repeat(72)))).await;
    assert_eq!((unknown.code(), write), ("invalid_otp", 0.0), "verify, an id that is not ours");

    let keyed = |code: &str| {
        let mut body = answer(code, &challenge);
        body["retry"] = json!("retry-key-of-the-tests");
        body
    };
    let (wrong_code, write, read) = measured(&auth, &[2, 1], VERIFY, keyed(&wrong(&code))).await;
    assert_eq!((wrong_code.code(), write, read), ("invalid_otp", 1.0, 2.0), "verify, wrong code with a retry key");

    let (new, write, _) = measured(&auth, &[2, 1, 1], VERIFY, keyed(&code)).await;
    assert_eq!((new.code(), write), ("ok", 10.0), "verify, new user");
    let (again, write, read) = measured(&auth, &[2, 1, 2], VERIFY, keyed(&code)).await;
    assert_eq!((again.code(), write, read), ("ok", 1.0, 4.0), "verify, the same answer again");
    let (used, write, _) = measured(&auth, &[2], VERIFY, answer(&code, &challenge)).await;
    assert_eq!((used.code(), write), ("invalid_otp", 1.0), "verify, used code");

    let asked = auth.client().ask(ADA).await;
    let unbound = |code: &str| json!({ "identifier": ADA, "otp_code": code });
    let (wrong_code, write, _) = measured(&auth, &[3, 1, 1], VERIFY, unbound(&wrong(&asked.code))).await;
    assert_eq!((wrong_code.code(), write), ("invalid_otp", 2.0), "verify without an id, wrong code");
    let (nobody, write, _) =
        measured(&auth, &[3, 1, 1], VERIFY, json!({ "identifier": "nobody@example.com", "otp_code": "000000" })).await;
    assert_eq!((nobody.code(), write), ("invalid_otp", 2.0), "verify without an id, nothing to compare with");
    let (known, write, read) = measured(&auth, &[2, 2, 3], VERIFY, answer(&asked.code, &json!(asked.challenge))).await;
    assert_eq!((known.code(), write, read), ("ok", 5.0, 2.0), "verify, known user");

    shared(&auth).await;
    by_sms(&auth).await;
    tagged(&auth).await;

    let refresh = known.tokens().refresh;
    let (refreshed, write, read) = measured(&auth, &[2], REFRESH, json!({ "refresh": refresh })).await;
    assert_eq!((refreshed.code(), write, read), ("ok", 1.0, 1.0), "refresh");
    let (repeated, write, read) = measured(&auth, &[2], REFRESH, json!({ "refresh": refresh })).await;
    assert_eq!((repeated.code(), write, read), ("ok", 1.0, 1.0), "refresh, repeated");
    let refresh = refreshed.tokens().refresh;
    let keyed = json!({ "refresh": refresh, "retry": "retry-key-of-the-tests" });
    for time in ["refresh with a retry key", "the same again"] {
        let (refreshed, write, read) = measured(&auth, &[2], REFRESH, keyed.clone()).await;
        assert_eq!((refreshed.code(), write, read), ("ok", 1.0, 1.0), "{time}");
    }
    let refresh = measured(&auth, &[2], REFRESH, keyed).await.0.tokens().refresh;
    let (_, write, _) = measured(&auth, &[1], LOGOUT, json!({ "refresh": refresh })).await;
    assert_eq!(write, 1.0, "logout");
    let refresh = auth.client().sign_in(ADA).await.refresh;
    let (_, write, _) = measured(&auth, &[1, 1], LOGOUT, json!({ "refresh": refresh, "all": true })).await;
    assert_eq!(write, 2.0, "logout everywhere, of a user with one identifier");
}

/// It notes the last activity. No other refresh writes more than it did without.
#[tokio::test]
async fn only_the_first_refresh_of_a_users_day_costs_a_trip_and_a_unit_more() {
    let auth = &Deployment::start().await;
    let refresh = auth.client().sign_in(ADA).await.refresh;
    auth.wait(86_400);
    // Somebody else's refresh loads the keys.
    let other = auth.client().sign_in("somebody@example.com").await;
    auth.client().refresh(&other.refresh).await.ok();
    let other = auth.client().sign_in("somebody@example.com").await;
    let (first, write, _) = measured(auth, &[2], REFRESH, json!({ "refresh": other.refresh })).await;
    assert_eq!((first.code(), write), ("ok", 1.0), "refresh, first after a sign-in of the same day");
    let (first, write, read) = measured(auth, &[2, 1], REFRESH, json!({ "refresh": refresh })).await;
    assert_eq!((first.code(), write, read), ("ok", 2.0, 1.0), "refresh, first of the user's day");
    let (repeated, write, read) = measured(auth, &[2], REFRESH, json!({ "refresh": refresh })).await;
    assert_eq!((repeated.code(), write, read), ("ok", 1.0, 1.0), "the same again");
    let refresh = first.tokens().refresh;
    let (later, write, read) = measured(auth, &[2], REFRESH, json!({ "refresh": refresh })).await;
    assert_eq!((later.code(), write, read), ("ok", 1.0, 1.0), "refresh, later on the day");
}

/// One read checks that the session is active. A list reads all sessions together. Ending a session checks it in the same write, and
/// ending all others reads first how the user must prove it.
#[tokio::test]
async fn routes_with_an_access_token_cost_one_or_two_round_trips() {
    let auth = Deployment::start().await;
    let mine = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    let (access, other) = (&mine[0].access, format!("{SESSIONS}{}", session_of(&mine[1].access)));
    for (rounds, method, path, units) in [
        (&[1_usize][..], "GET", PROFILE, (0.0, 1.0)),
        (&[2], "GET", ACTIVITY, (0.0, 1.5)),
        (&[2], "GET", SOURCES, (0.0, 1.5)),
        (&[1, 3], "GET", SESSIONS, (0.0, 4.0)),
        (&[1], "DELETE", &other, (1.0, 0.0)),
        (&[1, 1], "DELETE", SESSIONS, (1.0, 1.0)),
    ] {
        let (answer, write, read) = measure(&auth, rounds, auth.client().with_token(method, path, access)).await;
        assert_eq!((answer.code(), (write, read)), ("ok", units), "{method} {path}");
    }
}

/// The first step reads the factors and opens no session. The second one counts, uses the factor up, and opens the session. A sign-in
/// without a factor costs nothing more.
#[tokio::test]
async fn second_factors_cost_the_expected_round_trips() {
    let auth = Deployment::start().await;
    let client = auth.client();
    let access = &client.sign_in(ADA).await.access;
    let (begun, write, read) = measure(&auth, &[2, 1], client.post_as(access, TOTP, json!({}))).await;
    assert_eq!((begun.code(), write, read), ("ok", 1.0, 2.0), "a new app");
    let app = Authenticator::of(begun.body["secret"].as_str().unwrap());
    let confirmation = json!({ "factor_id": begun.body["factor_id"], "code": app.code(&auth) });
    // The transaction of both items, and then the notice.
    let confirming = client.post_as(access, CONFIRM, confirmation);
    let (added, write, read) = measure(&auth, &[2, 1, 1, 1, 1], confirming).await;
    assert_eq!((added.code(), write, read), ("ok", 6.0, 2.0), "its confirmation");
    let (listed, write, read) = measure(&auth, &[2], client.with_token("GET", FACTORS, access)).await;
    assert_eq!((listed.code(), write, read), ("ok", 0.0, 2.0), "the list of factors");

    auth.wait(30);
    let asked = client.ask(ADA).await;
    let (due, write, read) = measure(&auth, &[2, 2, 2], client.answer(ADA, &asked)).await;
    assert_eq!((due.code(), write, read), ("ok", 3.0, 3.0), "verify, a second factor is due");
    let factor = |method: &str, code: &str| json!({ "challenge_id": due.body["challenge_id"], "method": method, "code": code, "trust_device": true });
    let (refused, write, read) = measured(&auth, &[2], SECOND_FACTOR, factor("totp", &app.wrong(&auth))).await;
    assert_eq!((refused.code(), write, read), ("invalid_otp", 1.0, 1.0), "a wrong code of an app");
    let mut forged = factor("totp", &app.code(&auth));
    forged["challenge_id"] = json!("A".repeat(200));
    let (refused, write, read) = measured(&auth, &[], SECOND_FACTOR, forged).await;
    assert_eq!((refused.code(), write, read), ("invalid_otp", 0.0, 0.0), "a forged challenge");
    let (signed_in, write, read) = measured(&auth, &[2, 1, 3], SECOND_FACTOR, factor("totp", &app.code(&auth))).await;
    assert_eq!((signed_in.code(), write, read), ("ok", 4.0, 2.0), "a code of an app");

    let asked = client.ask(ADA).await;
    let answer = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge,
        "trusted_device": signed_in.body["trusted_device"] });
    let (trusted, write, read) = measured(&auth, &[2, 2, 1, 3], VERIFY, answer).await;
    assert_eq!((trusted.code(), write, read), ("ok", 5.0, 3.0), "verify, on a trusted device");

    let challenge = client.first_step(ADA).await;
    let backup = json!({ "challenge_id": challenge, "method": "backup_code", "code": added.body["backup_codes"][0] });
    let (signed_in, write, read) = measured(&auth, &[2, 1, 3], SECOND_FACTOR, backup).await;
    assert_eq!((signed_in.code(), write, read), ("ok", 3.0, 3.0), "a backup code");

    auth.wait(30);
    let access = &signed_in.tokens().access;
    let (options, write, read) = measure(&auth, &[1, 1], client.post_as(access, STEP_UP_OPTIONS, json!({}))).await;
    assert_eq!((options.code(), write, read), ("ok", 0.0, 2.0), "the options of a step-up");
    let proof = json!({ "challenge_id": options.body["challenge_id"], "method": "totp", "code": app.code(&auth) });
    let (stepped, write, read) = measure(&auth, &[2, 2, 1, 1], client.post_as(access, STEP_UP, proof)).await;
    assert_eq!((stepped.code(), write, read), ("ok", 3.0, 3.0), "a step-up");
}

/// The budget takes one round trip and two units, for the country and the range. The network's daily limit takes one unit, in
/// parallel with the challenge. A used code is counted together with the session, and after the transaction for a new user.
async fn by_sms(auth: &Deployment) {
    // A day on which users have answered.
    for number in 0..3 {
        auth.client_at(&format!("198.51.100.{number}")).sign_in(&format!("+44740012345{number}")).await;
    }
    let ask = || json!({ "identifier": PHONE });
    let answer = |asked: &Answer| json!({ "identifier": PHONE, "otp_code": auth.newest_code(PHONE), "challenge_id": asked.body["challenge_id"] });
    let (first, write, read) = measured(auth, &[3, 2, 2, 1], REQUEST, ask()).await;
    assert_eq!((first.code(), write, read), ("ok", 5.0, 2.5), "request by SMS, first in its hour");
    let (new, write, _) = measured(auth, &[2, 1, 2], VERIFY, answer(&first)).await;
    assert_eq!((new.code(), write), ("ok", 11.0), "verify by SMS, new user");
    let (later, write, _) = measured(auth, &[3, 2, 2, 1], REQUEST, ask()).await;
    assert_eq!((later.code(), write), ("ok", 5.0), "request by SMS, later in its hour");
    let (known, write, _) = measured(auth, &[2, 2, 4], VERIFY, answer(&later)).await;
    assert_eq!((known.code(), write), ("ok", 6.0), "verify by SMS, known user");
}

/// A tagged address costs one write and one read more for a request, beside others, and one write for a right answer.
async fn tagged(auth: &Deployment) {
    const TAGGED: &str = "person+tag@example.com";
    let ask = || json!({ "identifier": TAGGED });
    let answer = |asked: &Answer| json!({ "identifier": TAGGED, "otp_code": auth.newest_code(TAGGED), "challenge_id": asked.body["challenge_id"] });
    let (first, write, read) = measured(auth, &[3, 2, 1], REQUEST, ask()).await;
    assert_eq!((first.code(), write, read), ("ok", 3.0, 2.0), "request, tagged");
    let (new, write, _) = measured(auth, &[2, 1, 2], VERIFY, answer(&first)).await;
    assert_eq!((new.code(), write), ("ok", 11.0), "verify, tagged, new user");
    let (later, write, _) = measured(auth, &[3, 2, 1], REQUEST, ask()).await;
    assert_eq!((later.code(), write), ("ok", 3.0), "request, tagged, later");
    let (known, write, _) = measured(auth, &[2, 2, 4], VERIFY, answer(&later)).await;
    assert_eq!((known.code(), write), ("ok", 6.0), "verify, tagged, known user");
    for number in 0..4 {
        auth.client_at(&format!("198.51.100.{number}")).ask(TAGGED).await;
    }
    let (refused, write, read) = measured(auth, &[3], REQUEST, ask()).await;
    assert_eq!((refused.code(), write, read), ("rate_limited", 1.0, 2.0), "request, tagged, the mailbox is full");
}

/// A request that shares a long code writes only its count, and an answer with a long code reads instead of counting.
async fn shared(auth: &Deployment) {
    for number in 0..5 {
        auth.client_at(&format!("198.51.100.{number}")).ask(PERSON).await;
    }
    let (shared, write, read) = measured(auth, &[2], REQUEST, json!({ "identifier": PERSON })).await;
    assert_eq!((shared.code(), write, read), ("ok", 1.0, 1.0), "request, shared");
    let code = auth.newest_code(PERSON);
    let answer =
        |code: &str| json!({ "identifier": PERSON, "otp_code": code, "challenge_id": shared.body["challenge_id"] });
    let (refused, write, _) = measured(auth, &[2], VERIFY, answer("123456")).await;
    assert_eq!((refused.code(), write), ("invalid_otp", 1.0), "verify, digits where a long code was shared");
    let (refused, write, _) = measured(auth, &[2], VERIFY, answer(&wrong(&code))).await;
    assert_eq!((refused.code(), write), ("invalid_otp", 0.0), "verify, wrong long code");
    let (new, write, _) = measured(auth, &[2, 1, 1], VERIFY, answer(&code)).await;
    assert_eq!((new.code(), write), ("ok", 9.0), "verify, long code");
}

/// A receipt is one write. One that changes a hold is two.
#[tokio::test]
async fn a_receipt_costs_one_unit() {
    let auth = Deployment::start().await;
    auth.client().ask(ADA).await;
    let sending = auth.sendings(ADA).pop().unwrap();
    for (what, units) in [
        (MailEvent::Delay, 1.0),
        (MailEvent::Delivery, 1.0),
        (MailEvent::TransientBounce, 1.0),
        (MailEvent::PermanentBounce, 2.0),
        (MailEvent::PermanentBounce, 1.0),
        (MailEvent::Complaint, 1.0),
    ] {
        auth.stack.services().calls().take();
        auth.tell(&sending.event(what, auth.stack.clock().now())).await;
        let calls = auth.stack.services().calls().take();
        assert_eq!(calls.iter().map(|call| call.capacity.write).sum::<f64>(), units, "{what:?}");
        assert_eq!(calls.iter().map(|call| call.capacity.read).sum::<f64>(), 0.0, "{what:?}");
    }
}

/// The identifier's item stays within one write unit, however full it is: by mail, and by texts whose provider's ids are kept.
#[tokio::test]
async fn the_fullest_identifier_costs_one_unit() {
    fullest(ADA, (8, 74), &[("OTP_REQUESTS_PER_IP", "1000")]).await;
    fullest(PHONE, (4, 1), &[&SETTINGS[..], &EUM].concat()).await;
}

async fn fullest(to: &str, (strangers, pause): (u8, u64), settings: &[(&str, &str)]) {
    let auth = Deployment::with(settings).await;
    let signed_in = auth.client().ask(to).await;
    let device = auth.client().answer(to, &signed_in).await.ok()["device"].clone();
    for number in 0..strangers {
        auth.client_at(&format!("198.51.100.{number}")).post(REQUEST, json!({ "identifier": to })).await.ok();
        auth.wait(pause);
        auth.stack.deliver().await;
    }
    auth.stack.services().calls().take();
    for _ in 0..3 {
        auth.client().post(REQUEST, json!({ "identifier": to, "device": device })).await.ok();
        auth.stack.deliver().await;
    }
    let most = auth.stack.services().calls().take().iter().map(|call| call.capacity.write).fold(0.0, f64::max);
    assert_eq!(most, 1.0);
}
