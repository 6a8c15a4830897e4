use super::*;
use crate::words::ExpiresAt;

const NOW: u64 = 1_000_000;

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

pub(crate) fn policy() -> ChallengePolicy {
    let sms = crate::codes::sms_policy::tests::policy();
    ChallengePolicy { sms, ..crate::config::read(|_| None, ChallengePolicy::read).unwrap() }
}

pub(crate) fn challenge(expires: u64) -> Challenge {
    Challenge {
        digest: CodeDigest::from_table([0; 32]),
        pepper_id: "p".to_owned(),
        expires: ExpiresAt::at(at(expires)),
        sent: at(expires - 600),
        tries_left: 3,
        sends: 1,
        unbound_from: 0,
    }
}

/// An identifier whose challenges expire at these seconds from now.
pub(crate) fn state(ends: &[u64]) -> IdentifierState {
    IdentifierState {
        open: Counted {
            challenges: ends.iter().enumerate().map(|(at, end)| (at.to_string(), challenge(NOW + end))).collect(),
            started: 1,
            ..Counted::default()
        },
        known: Counted::default(),
        window_start: at(NOW - 100),
        newest: at(NOW - 10),
        started_by: [("AAAAAAAA".to_owned(), 1)].into(),
        unbound: 7,
    }
}

fn start(state: &IdentifierState) -> Result<Start> {
    state.start(Lane::Open, &NetworkDigest::new("A".repeat(22)), &policy(), at(NOW))
}

#[test]
fn a_new_challenge_joins_what_lives_and_clears_what_does_not() {
    let expected =
        Start::Join(Join { strength: Strength::Short, new_hour: false, expired: vec!["1".to_owned()], unbound: 7 });
    assert_eq!(start(&state(&[1, 0, 300])).unwrap(), expected);
}

#[test]
fn an_hour_in_which_nothing_lives_begins_anew() {
    let over = IdentifierState { window_start: at(NOW - 3_600), newest: at(NOW - 600), ..state(&[]) };
    assert_eq!(start(&over).unwrap(), Start::Fresh(Strength::Short));
    let living = IdentifierState { newest: at(NOW - 599), ..over };
    assert!(matches!(start(&living).unwrap(), Start::Join(Join { new_hour: true, .. })));
}

#[test]
fn each_limit_says_how_long_it_lasts() {
    let waits = |state: IdentifierState| start(&state).unwrap_err().retry_after().unwrap().as_secs();
    let failed = |failures, last_failure| {
        let open = Counted { failures, last_failure, ..state(&[]).open };
        IdentifierState { open, ..state(&[]) }
    };
    assert_eq!(waits(IdentifierState { open: Counted { started: 5, ..state(&[]).open }, ..state(&[]) }), 3_500);
    assert_eq!(waits(IdentifierState { started_by: [("AAAAAAAA".to_owned(), 3)].into(), ..state(&[]) }), 3_500);
    assert_eq!(waits(state(&[40, 50, 60, 70, 80])), 40);
    assert_eq!(waits(failed(10, at(NOW - 10))), 20);
    assert!(start(&failed(9, at(NOW + 5))).is_ok(), "seen by a slow clock");
    assert!(matches!(start(&failed(76, at(NOW))).unwrap(), Start::Join(Join { strength: Strength::Long, .. })));
}

/// V38: strangers use up the open lane, and a known browser still has its own.
#[test]
fn a_known_browser_has_its_own_limits() {
    let mut state = state(&[40, 50, 60, 70, 80]);
    state.open = Counted { started: 5, failures: 10, last_failure: at(NOW), ..state.open };
    state.started_by = [("AAAAAAAA".to_owned(), 3)].into();
    let known =
        |state: &IdentifierState| state.start(Lane::Known, &NetworkDigest::new("A".repeat(22)), &policy(), at(NOW));
    assert!(matches!(known(&state).unwrap(), Start::Join(Join { strength: Strength::Short, .. })));
    let waits = |known_lane: Counted| {
        known(&IdentifierState { known: known_lane, ..state.clone() }).unwrap_err().retry_after().unwrap().as_secs()
    };
    let living = || [("a".to_owned(), challenge(NOW + 30)), ("b".to_owned(), challenge(NOW + 20))].into();
    assert_eq!(waits(Counted { started: 5, ..Counted::default() }), 3_500);
    assert_eq!(waits(Counted { failures: 10, last_failure: at(NOW), ..Counted::default() }), 30);
    assert_eq!(waits(Counted { challenges: living(), ..Counted::default() }), 20);
}

/// Five challenges on one lane and two on the other, with three attempts each, and three unbound ones.
#[test]
fn codes_become_long_before_the_hundredth_failure() {
    assert_eq!(policy().lockout().long_from(), 76);
}

#[test]
fn a_code_lives_as_long_as_its_channel_says() {
    let life = |text: &str| {
        let to = Destination::of(text.parse().unwrap(), None).unwrap();
        policy().life_of_code(&to).map(|life| life.as_secs()).ok()
    };
    assert_eq!(life("ada@example.com"), Some(600));
    assert_eq!(life("+447400123456"), Some(300));
    assert_eq!(life("+4915123456789"), None, "where nothing is sent");
}

#[test]
fn a_challenge_is_sent_again_while_it_lives_and_has_tries() {
    let resend = |change: fn(&mut Challenge)| {
        let mut state = state(&[570]);
        change(state.open.challenges.get_mut("0").unwrap());
        state.resend(Lane::Open, "0", &policy(), at(NOW))
    };
    assert_eq!(resend(|_| {}).unwrap(), Some(Strength::Short));
    assert_eq!(resend(|challenge| challenge.sent = at(NOW - 29)).unwrap_err().retry_after().unwrap().as_secs(), 1);
    assert_eq!(resend(|challenge| challenge.tries_left = 0).unwrap(), None);
    assert_eq!(resend(|challenge| challenge.sends = 4).unwrap(), None);
    assert_eq!(resend(|challenge| challenge.expires = ExpiresAt::at(at(NOW))).unwrap(), None);
    assert_eq!(state(&[]).resend(Lane::Open, "0", &policy(), at(NOW)).unwrap(), None);
}
