//! Each request by itself, with each of its calls going wrong in each way: whoever asked is told something that the README
//! has, the state is whole, and the person can sign in afterwards.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, StatusCode};
use local::aws::faults::When;
use serde_json::json;
use tests::orders::play::tell;
use tests::orders::steering::settled;
use tests::orders::{Acted, Deed, Fate, MISHAPS, Mishap, Scenario, Scene, What, World, act, invariants};
use tests::{Answer, Asked};
use tokio::runtime::{Builder, Runtime};

use crate::requests;
use crate::scenarios::{ADA, PHONE};

/// One thread, whose clock moves on when nothing else can go on.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// A request with a mishap, up to its answer. Where its process dies with it, so does the runtime that it runs on.
fn with(mishap: Option<Mishap>, scenario: &Scenario, home: &Runtime, world: &World) -> (Scene, Acted, Vec<String>) {
    let scene = Scene { has_mishaps: mishap.is_some(), ..home.block_on(world.set(scenario)) };
    let mut fate = Fate::new(mishap);
    let acted = runtime().block_on(act(world, &scene, &mut fate));
    home.block_on(async {
        world.auth.stack.services().gate().open();
        settled().await;
    });
    (scene, acted, fate.labels)
}

/// What API Gateway says for a function that has died.
fn no_answer() -> Answer {
    let body = json!({ "message": "Internal Server Error" });
    Answer { status: StatusCode::INTERNAL_SERVER_ERROR, headers: HeaderMap::new(), body }
}

/// The README's errors, as status and code.
fn documented() -> BTreeSet<(u16, String)> {
    let readme = std::fs::read_to_string(local::template::find_root().unwrap().join("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let (code, status) = (cells.next()?.strip_suffix('`')?, cells.next()?.parse().ok()?);
        Some((status, code.to_owned()))
    });
    rows.collect()
}

fn every_mishap_of(scenario: Scenario, code: &str) {
    let (home, documented) = (runtime(), documented());
    assert!(documented.len() > 12, "{documented:?}");
    let world = home.block_on(World::start(scenario.settings, 1));
    let (_, calm, labels) = with(None, &scenario, &home, &world);
    assert_eq!(calm.answers.unwrap()[0].code(), code);
    for at in 0..labels.len() {
        for what in MISHAPS.into_iter().filter(|what| what.may_meet(&labels[at])) {
            let (scene, acted, met) = with(Some(Mishap { at, what }), &scenario, &home, &world);
            let (name, call) = (scenario.name, labels[at].as_str());
            let problems = home.block_on(problems(&world, &scene, &acted, &documented, (what, call, code)));
            assert!(met.get(at).is_none_or(|met| met == call), "{name}: {met:?} are other calls than {labels:?}");
            assert!(problems.is_empty(), "{name}: {what:?} at {call}: {problems:?}{}", tell(&acted.steps));
        }
    }
    println!("{}: {} calls, {} mishaps each: {labels:?}", scenario.name, labels.len(), MISHAPS.len());
}

async fn problems(
    world: &World,
    scene: &Scene,
    acted: &Acted,
    documented: &BTreeSet<(u16, String)>,
    (what, call, calm): (What, &str, &str),
) -> Vec<String> {
    let mut problems = Vec::new();
    let answers = acted.answers.clone().unwrap_or_else(|| vec![no_answer()]);
    let (status, code) = (answers[0].status.as_u16(), answers[0].code().to_owned());
    let is_rotation = matches!(scene.actors[0].deed, Deed::Rotate);
    if acted.answers.is_some() && !is_rotation && code != "ok" && !documented.contains(&(status, code.clone())) {
        problems.push(format!("{status} {code} is not documented"));
    }
    if acted.answers.is_some() && code != calm && !is_told(what, call, &code, is_rotation) {
        problems.push(format!("was told {status} {code}"));
    }
    let (before, after) = &acted.failures;
    let broken = invariants::broken(world, scene, &answers, (*before, after)).await;
    problems.extend(broken.iter().map(invariants::Broken::tell));
    world.auth.wait(61);
    let tokens = world.client(252).sign_in(&scene.who).await;
    world.client(252).refresh(&tokens.refresh).await.ok();
    if is_rotation {
        let again = Deed::Rotate.perform(world, world.client(252)).await;
        if again.code() != "ok" {
            problems.push(format!("the rotation cannot go on: {}", again.body));
        }
    }
    problems
}

/// What may be told instead of what is told on a calm day.
fn is_told(what: What, call: &str, code: &str, is_rotation: bool) -> bool {
    if is_rotation {
        return code == "not_rotated";
    }
    match what {
        // It is tried again.
        What::FailsOnce(_, When::Before) => false,
        // A code whose use was not confirmed is used: single use wins. So is a session over that has ended itself.
        What::FailsOnce(_, When::After) => {
            [("UpdateItem I#", "invalid_otp"), ("UpdateItem U#", "invalid_token")].contains(&(call, code))
        }
        What::Fails(..) => {
            ["unavailable", "internal_error", "invalid_otp", "email_send_failed", "sms_send_failed"].contains(&code)
        }
        What::Dies(_) => false,
    }
}

/// What becomes of a message that is refused, throttled, slow, or accepted and never confirmed.
async fn delivery(world: &World, who: &str, (delivery, code, arrived): (&str, &str, usize)) {
    world.auth.wait(86_400);
    let before = world.auth.messages_to(who);
    world.auth.faults(json!({ "delivery": delivery }));
    let answer = Deed::Ask { who: who.to_owned(), again: None }.perform(world, world.client(1)).await;
    world.auth.faults(json!({}));
    assert!(answer.code() == code || answer.code().ends_with(code), "{who} {delivery}: {}", answer.body);
    assert_eq!(world.auth.messages_to(who), before + arrived, "{who} {delivery}");
    if arrived == 1 {
        let challenge = answer.body["challenge_id"].as_str().unwrap().to_owned();
        let asked = Asked { challenge, code: world.auth.newest_code(who) };
        world.client(1).answer(who, &asked).await.ok();
    }
    world.auth.wait(61);
    world.client(1).sign_in(who).await;
}

/// A send that was surely refused is told; one that nobody knows of is not repeated, and its code works.
#[tokio::test(start_paused = true)]
async fn deliveries() {
    let world = World::start(&[], 1).await;
    let outcomes =
        [("throttled", "_send_failed", 0), ("refused", "_send_failed", 0), ("slow", "ok", 1), ("lost_answer", "ok", 1)];
    for outcome in outcomes {
        delivery(&world, ADA, outcome).await;
        delivery(&world, PHONE, outcome).await;
    }
}

#[test]
fn first_request() {
    every_mishap_of(requests::FIRST_REQUEST, "ok");
}

#[test]
fn resend() {
    every_mishap_of(requests::RESEND, "ok");
}

#[test]
fn sms() {
    every_mishap_of(requests::SMS, "ok");
}

#[test]
fn known() {
    every_mishap_of(requests::KNOWN, "ok");
}

#[test]
fn at_the_limit() {
    every_mishap_of(requests::AT_THE_LIMIT, "ok");
}

#[test]
fn new() {
    every_mishap_of(requests::NEW, "ok");
}

#[test]
fn wrong() {
    every_mishap_of(requests::WRONG, "invalid_otp");
}

#[test]
fn by_sms() {
    every_mishap_of(requests::BY_SMS, "ok");
}

#[test]
fn refresh() {
    every_mishap_of(requests::REFRESH, "ok");
}

#[test]
fn logout() {
    every_mishap_of(requests::LOGOUT, "ok");
}

#[test]
fn everywhere() {
    every_mishap_of(requests::EVERYWHERE, "ok");
}

#[test]
fn others() {
    every_mishap_of(requests::OTHERS, "ok");
}

#[test]
fn end() {
    every_mishap_of(requests::END, "ok");
}

#[test]
fn list() {
    every_mishap_of(requests::LIST, "ok");
}

#[test]
fn profile() {
    every_mishap_of(requests::PROFILE, "ok");
}

#[test]
fn rotation() {
    every_mishap_of(requests::ROTATION, "ok");
}
