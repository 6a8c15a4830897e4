//! Each request by itself, with a fault in each of its calls. The client must get a documented answer, the state must be
//! consistent, and the user must be able to sign in afterwards.

use std::collections::BTreeSet;

use local_aws::faults::{AwsError, When};
use serde_json::json;
use tests::Asked;
use tests::orders::{Action, FAULTS, Fault, FaultPlan, Played, Scenario, World, play};

use crate::requests;
use crate::scenarios::{ADA, PHONE};

/// The documented errors, as status and code.
fn documented() -> BTreeSet<(u16, String)> {
    let page = local_aws::template::find_root().unwrap().join("docs/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let (code, status) = (cells.next()?.strip_suffix('`')?, cells.next()?.parse().ok()?);
        Some((status, code.to_owned()))
    });
    rows.collect()
}

/// A fault in one call of a request.
struct Case<'a> {
    of: &'a str,
    fault: Fault,
    call: &'a str,
    /// The code of the answer without a fault.
    calm: &'a str,
}

async fn every_fault_of(scenario: Scenario, calm: &str) {
    let documented = documented();
    assert!(documented.len() > 12, "{documented:?}");
    let world = World::start(scenario.settings, 1).await;
    let mut faults = FaultPlan::set(None);
    let played = play(&world, &scenario, &mut faults).await.unwrap();
    assert_eq!(played.answers[0].code(), calm);
    let calls = faults.labels;
    for (at, call) in calls.iter().enumerate() {
        for fault in FAULTS.into_iter().filter(|fault| fault.may_meet(call)) {
            let mut faults = FaultPlan::set(Some((at, fault)));
            let played = play(&world, &scenario, &mut faults).await.unwrap();
            assert_eq!(
                faults.labels.get(at),
                Some(call),
                "{}: {fault:?}: the calls differ from {calls:?}",
                scenario.name
            );
            let mut problems: Vec<_> =
                Case { of: scenario.name, fault, call, calm }.problem(&played, &documented).into_iter().collect();
            problems.extend(goes_on(&world, &played).await);
            let is_well = problems.is_empty() && played.broken.is_empty();
            assert!(is_well, "{}: {fault:?} at {call}: {problems:?}{}", scenario.name, played.report());
        }
    }
    println!("{}: {} calls, {} faults each: {calls:?}", scenario.name, calls.len(), FAULTS.len());
}

/// After a minute the user can sign in, and a rotation can continue.
async fn goes_on(world: &World, played: &Played) -> Option<String> {
    world.auth.wait(61);
    let tokens = world.sign_in_after(&played.scene).await;
    world.client(252).refresh(&tokens.refresh).await.ok();
    if !matches!(played.scene.actors[0].action, Action::Rotate) {
        return None;
    }
    let again = Action::Rotate.perform(world, world.client(252)).await;
    (again.code() != "ok").then(|| format!("the rotation cannot continue: {}", again.body))
}

/// Calls with an unchanged answer despite their failure, by the prefixes of the request and of the call.
const MAY_FAIL: [(&str, &str); 12] = [
    // Cached keys remain usable for a while.
    ("", "GetSecretValue"),
    ("", "GetItem JWKS"),
    // The message may have been sent.
    ("", "SendEmail"),
    ("", "Publish"),
    // Only a right code needs the user.
    ("a wrong answer", "GetItem ID#"),
    // The sessions have ended, even if their devices stay known.
    ("a logout everywhere", "UpdateItem I#"),
    ("the same answer again", "GetItem ID#"),
    // The session has moved on, even if the day of the last activity stays an older one.
    ("a refresh, first of the day", "UpdateItem U#"),
    // The code was used, even if its payment fails.
    ("an answer", "UpdateItem R#"),
    ("a first answer", "UpdateItem R#"),
    ("an answer to an SMS", "UpdateItem SMS#"),
    // The app was added, even if its notice fails.
    ("a new app", "UpdateItem A#"),
];

impl Case<'_> {
    fn problem(&self, played: &Played, documented: &BTreeSet<(u16, String)>) -> Option<String> {
        if matches!(self.fault, Fault::Crashes(_)) {
            return None;
        }
        let (status, code) = (played.answers[0].status.as_u16(), played.answers[0].code());
        let is_rotation = matches!(played.scene.actors[0].action, Action::Rotate);
        let is_known = code == "ok" || is_rotation || documented.contains(&(status, code.to_owned()));
        let may_be = if is_rotation { self.may_tell_rotation(code) } else { self.may_tell(code) };
        (!is_known || !may_be).then(|| format!("got {status} {code}"))
    }

    fn may_tell_rotation(&self, code: &str) -> bool {
        code == "not_rotated" || (code == self.calm && !matches!(self.fault, Fault::Fails(..)))
    }

    fn may_tell(&self, code: &str) -> bool {
        if let Some(told) = self.broken_send() {
            return code == told;
        }
        match self.fault {
            // The call is retried.
            Fault::FailsOnce(_, When::Before) => code == self.calm,
            // A code is used up even if the confirmation was lost, because single use takes precedence. Likewise, a session that
            // ended itself is over.
            Fault::FailsOnce(_, When::After) => {
                code == self.calm
                    || [("UpdateItem I#", "invalid_otp"), ("UpdateItem U#", "invalid_token")]
                        .contains(&(self.call, code))
            }
            // A request is refused if it cannot be counted or looked up (S88).
            Fault::Fails(_, When::Before) if code == self.calm => {
                MAY_FAIL.iter().any(|(of, call)| self.of.starts_with(of) && self.call.starts_with(call))
            }
            Fault::Fails(..) => {
                [self.calm, "unavailable", "internal_error", "email_send_failed", "sms_send_failed"].contains(&code)
                    || (self.call.ends_with(" I#") && code == "invalid_otp")
            }
            Fault::Crashes(_) => true,
        }
    }
}

impl Case<'_> {
    /// The answer when the connection breaks during a send. An email is sent once more. An SMS fails, because only the client
    /// decides about another one.
    fn broken_send(&self) -> Option<&str> {
        // A notice changes no answer.
        if self.of == requests::NEW_APP.name {
            return None;
        }
        match self.fault {
            Fault::FailsOnce(AwsError::ConnectionReset, _) | Fault::Fails(AwsError::ConnectionReset, _)
                if self.call == "Publish" =>
            {
                Some("sms_send_failed")
            }
            Fault::FailsOnce(AwsError::ConnectionReset, _) if self.call == "SendEmail" => Some(self.calm),
            Fault::Fails(AwsError::ConnectionReset, _) if self.call == "SendEmail" => Some("email_send_failed"),
            _ => None,
        }
    }
}

/// The result of a message that is refused, throttled, slow, or accepted without confirmation.
async fn delivery(world: &World, who: &str, (delivery, code, arrived): (&str, &str, usize)) {
    world.auth.wait(86_400);
    let before = world.auth.messages_to(who);
    world.auth.faults(json!({ "delivery": delivery }));
    let answer = Action::Ask { who: who.to_owned(), again: None }.perform(world, world.client(1)).await;
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

/// A refused send is reported. A send without an answer is not retried, and its code works.
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

#[tokio::test(start_paused = true)]
async fn first_request() {
    every_fault_of(requests::FIRST_REQUEST, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn resend() {
    every_fault_of(requests::RESEND, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn sms() {
    every_fault_of(requests::SMS, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn known() {
    every_fault_of(requests::KNOWN, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn at_the_limit() {
    every_fault_of(requests::AT_THE_LIMIT, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn new() {
    every_fault_of(requests::NEW, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn wrong() {
    every_fault_of(requests::WRONG, "invalid_otp").await;
}

#[tokio::test(start_paused = true)]
async fn by_sms() {
    every_fault_of(requests::BY_SMS, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn refresh() {
    every_fault_of(requests::REFRESH, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn first_of_day() {
    every_fault_of(requests::FIRST_OF_DAY, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn retry() {
    every_fault_of(requests::RETRY, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn same() {
    every_fault_of(requests::SAME, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn logout() {
    every_fault_of(requests::LOGOUT, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn everywhere() {
    every_fault_of(requests::EVERYWHERE, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn others() {
    every_fault_of(requests::OTHERS, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn end() {
    every_fault_of(requests::END, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn second_factor() {
    every_fault_of(requests::SECOND_FACTOR, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn backup_code() {
    every_fault_of(requests::BACKUP_CODE, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn step_up() {
    every_fault_of(requests::STEP_UP, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn new_app() {
    every_fault_of(requests::NEW_APP, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn list() {
    every_fault_of(requests::LIST, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn profile() {
    every_fault_of(requests::PROFILE, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn rotation() {
    every_fault_of(requests::ROTATION, "ok").await;
}
