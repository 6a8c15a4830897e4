//! Any sequence of what people and strangers do, with the clock moved between and wrong by some seconds in each function, does what a
//! small model of the rules says. More of them: `PROPTEST_CASES=10000 cargo test -p tests --test api sequences`.

mod model;

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use shared::clock::Timestamp;
use tests::client::{LOGOUT, REQUEST, VERIFY};
use tests::deployment::{START, wrong};
use tests::operations::SETTINGS;
use tests::{Answer, Deployment};

use self::model::{Challenge, Known, Model, Session};

const ADA: &str = "ada@example.com";
/// How far a machine's clock may be off.
const SKEW: i64 = 5;

/// What happens. Numbers choose among what there is by then.
#[derive(Clone, Debug)]
enum Act {
    Ask,
    Answer {
        challenge: usize,
        is_right: bool,
    },
    AnswerUnbound {
        challenge: usize,
        is_right: bool,
    },
    Refresh {
        session: usize,
        age: usize,
    },
    Logout {
        session: usize,
        everywhere: bool,
    },
    Wait(u64),
    /// TTL deletes what is over, now or hours later.
    Sweep,
}

fn act() -> impl Strategy<Value = Act> {
    // Around every boundary: grace, a code's life, the idle end, the absolute end.
    let wait = prop_oneof![
        4 => 0..=15_u64,
        2 => 590..=610_u64,
        1 => (30 * 86_400 - 6)..=(30 * 86_400 + 6_u64),
        1 => Just(20 * 86_400_u64),
    ];
    prop_oneof![
        3 => Just(Act::Ask),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(challenge, is_right)| Act::Answer { challenge, is_right }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(challenge, is_right)| Act::AnswerUnbound { challenge, is_right }),
        6 => (any::<usize>(), 0..4_usize).prop_map(|(session, age)| Act::Refresh { session, age: age.saturating_sub(1) }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(session, everywhere)| Act::Logout { session, everywhere }),
        4 => wait.prop_map(Act::Wait),
        1 => Just(Act::Sweep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sequence_does_what_the_rules_say(acts in vec((act(), -SKEW..=SKEW), 1..40)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(play(&acts));
    }
}

async fn play(acts: &[(Act, i64)]) {
    let own = [("JWT_ALGORITHM", "ES256"), ("REFRESH_IDLE_DAYS", "30"), ("REFRESH_ABSOLUTE_DAYS", "90")];
    let auth = Deployment::with(&[&SETTINGS[..], &own].concat()).await;
    // A deployment's first keys are as old as itself: nobody comes before them by his clock.
    auth.wait(60);
    let (mut model, mut now) = (Model::default(), START + 60);
    for (act, skew) in acts {
        auth.stack.clock().skew(*skew);
        let seen = Timestamp::from_unix(now.saturating_add_signed(*skew));
        match act {
            Act::Wait(seconds) => {
                auth.wait(*seconds);
                now += seconds;
            }
            Act::Sweep => {
                auth.stack.clock().skew(0);
                auth.stack.services().sweep_expired().unwrap();
            }
            _ => step(&auth, &mut model, act, seen).await,
        }
    }
}

async fn step(auth: &Deployment, model: &mut Model, act: &Act, now: Timestamp) {
    let client = auth.client();
    match *act {
        Act::Ask => {
            let answer = client.post(REQUEST, json!({ "identifier": ADA })).await;
            if (model.may_wait() || model.is_full(now)) && answer.code() == "rate_limited" {
                return;
            }
            let body = answer.ok();
            let life = Duration::from_secs(body["expires_in"].as_u64().unwrap());
            let id = body["challenge_id"].as_str().unwrap().to_owned();
            model.challenges.push(Challenge::new(id, auth.newest_code(ADA), now, life));
        }
        Act::Answer { challenge, is_right } => {
            let Some(at) = model.pick(challenge).filter(|_| model.has_room()) else { return };
            let (id, code) = (model.challenges[at].id.clone(), typed(&model.challenges[at].code, is_right));
            let answer = client.post(VERIFY, json!({ "identifier": ADA, "otp_code": code, "challenge_id": id })).await;
            let expected = model.answer(at, is_right, now);
            hold(&answer, expected, "invalid_otp", act);
            model.answered(at, is_right, answer.code() == "ok", now);
            sign_in(model, answer, now);
        }
        Act::AnswerUnbound { challenge, is_right } => {
            let Some(at) = model.pick(challenge).filter(|_| model.has_room()) else { return };
            let code = typed(&model.challenges[at].code, is_right);
            let answer = client.answer_unbound(ADA, &code).await;
            // What others may do with their tries is not counted here; that nothing dead is revived is.
            let expected = if model.lives(&code, now) { Known::Unsure } else { Known::No };
            hold(&answer, expected, "invalid_otp", act);
            model.answered_unbound(&code, answer.code() == "ok");
            sign_in(model, answer, now);
        }
        Act::Refresh { session, age } => {
            let Some(session) = model.session(session) else { return };
            let (expected, token) = (session.refresh(age, now), session.token(age));
            let answer = client.refresh(&token).await;
            hold(&answer, expected, "invalid_token", act);
            let refresh = (answer.code() == "ok").then(|| answer.tokens().refresh);
            session.refreshed(age, refresh, now);
        }
        Act::Logout { session, everywhere } => {
            let Some(session) = model.session(session).filter(|session| session.lives_surely(now)) else { return };
            let token = session.token(0);
            client.post(LOGOUT, json!({ "refresh": token, "all": everywhere })).await.ok();
            session.end();
            model.sessions.iter_mut().filter(|_| everywhere).for_each(Session::end);
        }
        Act::Wait(_) | Act::Sweep => unreachable!("{act:?} asks nobody"),
    }
}

fn typed(code: &str, is_right: bool) -> String {
    if is_right { code.to_owned() } else { wrong(code) }
}

#[track_caller]
fn hold(answer: &Answer, expected: Known, refusal: &str, act: &Act) {
    let as_expected = match expected {
        Known::Yes => answer.code() == "ok",
        Known::No => answer.code() == refusal || answer.code() == "rate_limited",
        Known::Unsure => ["ok", refusal, "rate_limited"].contains(&answer.code()),
    };
    assert!(as_expected, "{act:?}: expected {expected:?}, and got {}", answer.code());
}

fn sign_in(model: &mut Model, answer: Answer, now: Timestamp) {
    if answer.code() == "ok" {
        model.sessions.push(Session::new(answer.tokens().refresh, now));
    }
}
