use super::*;
use crate::codes::{MOST_CALLS, MOST_SENDS};
use crate::words::{Entropy, short_id};

mod lemma;

/// Noon of a day.
pub(super) const NOW: u64 = 1_767_268_800;

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

pub(crate) fn policy() -> ChallengePolicy {
    let sms = crate::codes::sms_policy::tests::policy();
    ChallengePolicy { sms, ..crate::config::read(|_| None, ChallengePolicy::read).unwrap() }
}

pub(crate) fn own(expires: u64) -> OwnCode {
    OwnCode {
        digest: CodeDigest::from_table([0; 16]),
        pepper_id: "p".to_owned(),
        expires: ExpiresAt::at(at(expires)),
        attempts_left: 3,
        sends: 1,
        network: "AAAAAAAA".to_owned(),
        day: NOW / 86_400,
        is_eight: false,
        by_alias: false,
        purpose: Purpose::SignIn,
        receipts: Default::default(),
    }
}

fn long(expires: u64, network: &str) -> LongCode {
    let (digest, pepper_id) = (CodeDigest::from_table([0; 16]), "p".to_owned());
    let (expires, network, purpose) = (ExpiresAt::at(at(expires)), network.to_owned(), Purpose::SignIn);
    LongCode { digest, pepper_id, expires, network, purpose }
}

/// An identifier with so many tokens left.
pub(crate) fn state(tokens: u64) -> IdentifierState {
    let open = Supply { full_at: at(NOW + (5 - tokens) * 240), ..Supply::default() };
    IdentifierState { is_kept: true, open, day: NOW / 86_400, ..IdentifierState::default() }
}

fn asked(policy: &ChallengePolicy) -> Asked<'_> {
    let (lane, channel, purpose) = (Lane::Open, Channel::Email, Purpose::SignIn);
    Asked { lane, network: "AAAAAAAA", named: None, by_alias: false, channel, purpose, policy, now: at(NOW) }
}

fn sends(state: &IdentifierState, asked: Asked<'_>) -> Option<(Lane, Strength, Option<String>)> {
    match state.decide(asked) {
        Decision::Send(Plan { lane, strength, again, .. }) => Some((lane, strength, again)),
        Decision::Share
        | Decision::Wait(_)
        | Decision::NoneToSpare
        | Decision::TooSoon(_)
        | Decision::MailboxFull
        | Decision::Held => None,
    }
}

fn strength(state: &IdentifierState) -> Strength {
    let policy = policy();
    sends(state, asked(&policy)).unwrap().1
}

/// S140: the four cases, in their order.
#[test]
fn a_request_gets_its_own_code_or_a_share_or_a_long_code() {
    let policy = policy();
    let (own_code, long_code) = ((Lane::Open, Strength::Short, None), (Lane::Open, Strength::Long, None));
    assert_eq!(sends(&IdentifierState::default(), asked(&policy)), Some(own_code.clone()));
    assert_eq!(sends(&state(2), asked(&policy)), Some(own_code.clone()));
    // The last token is always spent on a long code.
    assert_eq!(sends(&state(1), asked(&policy)), Some(long_code.clone()));
    let mut with_long = state(1);
    with_long.long.insert("l".to_owned(), long(NOW + 361, "BBBBBBBB"));
    assert_eq!(with_long.decide(asked(&policy)), Decision::Share);
    // A code of digits in a newer message: while a token is left, it buys a newer long code.
    for lane in [Lane::Open, Lane::Known] {
        let newer = |tokens: u64, sent: u64| {
            let mut state = IdentifierState { open: state(tokens).open, ..with_long.clone() };
            let codes = if lane == Lane::Open { &mut state.open.codes } else { &mut state.known.codes };
            codes.insert("o".to_owned(), own(sent + 600));
            state
        };
        assert_eq!(newer(1, NOW - 240).decide(asked(&policy)), Decision::Share);
        assert_eq!(sends(&newer(1, NOW - 239), asked(&policy)), Some(long_code.clone()));
        assert_eq!(newer(0, NOW - 239).decide(asked(&policy)), Decision::Share);
    }
    // Of one second and one network, the long code is the newer one.
    let mut both = with_long.clone();
    both.open.codes.insert("o".to_owned(), OwnCode { network: "BBBBBBBB".to_owned(), ..own(NOW + 361) });
    assert_eq!(both.decide(asked(&policy)), Decision::Share);
    assert_eq!(IdentifierState { open: state(0).open, ..with_long.clone() }.decide(asked(&policy)), Decision::Share);
    assert_eq!(
        sends(&IdentifierState { open: state(2).open, ..with_long.clone() }, asked(&policy)),
        Some(own_code.clone())
    );
    // A code is shared for 240 seconds.
    with_long.long.insert("l".to_owned(), long(NOW + 360, "BBBBBBBB"));
    assert_eq!(sends(&with_long, asked(&policy)), Some(long_code.clone()));

    // A network with two codes under way gets no third one of its own.
    let mut busy = state(5);
    busy.open.codes.insert("a".to_owned(), own(NOW + 1));
    assert_eq!(sends(&busy, asked(&policy)), Some(own_code.clone()));
    busy.long.insert("l".to_owned(), long(NOW + 1, "AAAAAAAA"));
    assert_eq!(sends(&busy, asked(&policy)), Some(long_code));
    assert_eq!(sends(&busy, Asked { network: "BBBBBBBB", ..asked(&policy) }), Some(own_code.clone()));
    busy.long.insert("l".to_owned(), long(NOW, "AAAAAAAA"));
    assert_eq!(sends(&busy, asked(&policy)), Some(own_code.clone()), "an expired code counts no more");
    busy.open.codes.insert("b".to_owned(), own(NOW));
    assert_eq!(sends(&busy, asked(&policy)), Some(own_code.clone()), "an expired code counts no more");
    // Those of other networks do not count, with digits and long.
    let mut others = state(5);
    for key in ["a", "b"] {
        others.open.codes.insert(key.to_owned(), OwnCode { network: "BBBBBBBB".to_owned(), ..own(NOW + 1) });
    }
    assert_eq!(sends(&others, asked(&policy)), Some(own_code.clone()));
    others.open.codes.clear();
    for key in ["a", "b"] {
        others.long.insert(key.to_owned(), long(NOW + 1, "BBBBBBBB"));
    }
    assert_eq!(sends(&others, asked(&policy)), Some(own_code));
}

/// S141: 12 attempts a day with the usual digits, then 120 with eight, then long codes.
#[test]
fn codes_get_longer_with_the_attempts_charged_to_the_day() {
    let charged = |charged, charged_in_a_row| IdentifierState {
        open: Supply { charged, ..state(5).open },
        charged_in_a_row,
        ..state(5)
    };
    assert_eq!(strength(&charged([9, 0], 9)), Strength::Short);
    assert_eq!(strength(&charged([10, 0], 10)), Strength::Eight);
    assert_eq!(strength(&charged([12, 117], 0)), Strength::Eight);
    assert_eq!(strength(&charged([12, 118], 0)), Strength::Long);
    assert_eq!(strength(&IdentifierState { day: NOW / 86_400 - 1, ..charged([12, 120], 0) }), Strength::Short);
    // S04: fewer than a hundred in a row.
    assert_eq!(strength(&charged([0, 0], 96)), Strength::Short);
    assert_eq!(strength(&charged([0, 0], 97)), Strength::Long);
    // Answers from elsewhere have used up the day's two comparisons.
    let policy = policy();
    for (elsewhere, by_alias, strength) in
        [(1, true, Strength::Short), (2, true, Strength::Long), (2, false, Strength::Short)]
    {
        let state = IdentifierState { elsewhere, ..state(5) };
        assert_eq!(sends(&state, Asked { by_alias, ..asked(&policy) }).unwrap().1, strength);
        let yesterday = IdentifierState { day: NOW / 86_400 - 1, ..state };
        assert_eq!(sends(&yesterday, Asked { by_alias, ..asked(&policy) }).unwrap().1, Strength::Short);
    }
}

/// V38: strangers use up the common bucket, and a known browser still has its own.
#[test]
fn a_known_browser_has_its_own_bucket() {
    let policy = policy();
    let known = Asked { lane: Lane::Known, ..asked(&policy) };
    let mut state = state(0);
    (state.open.charged, state.charged_in_a_row) = ([12, 120], 90);
    assert_eq!(sends(&state, known), Some((Lane::Known, Strength::Short, None)));
    state.known.charged = [6, 0];
    assert_eq!(sends(&state, known), Some((Lane::Known, Strength::Eight, None)));
    state.known.charged = [6, 60];
    assert_eq!(sends(&state, known), Some((Lane::Open, Strength::Long, None)));
    (state.known.charged, state.known.full_at) = ([0, 0], at(NOW + 3 * 1_800));
    assert_eq!(sends(&state, known), Some((Lane::Open, Strength::Long, None)), "and then it is like any other");
}

#[test]
fn a_clients_own_challenge_is_resent_until_it_expires() {
    let policy = policy();
    let again = |tokens, change: fn(&mut OwnCode)| {
        let (mut state, mut code) = (state(tokens), own(NOW + 570));
        change(&mut code);
        state.open.codes.insert("0".to_owned(), code);
        sends(&state, Asked { named: Some((Lane::Open, "0")), ..asked(&policy) }).unwrap()
    };
    let resent = (Lane::Open, Strength::Short, Some("0".to_owned()));
    let another = (Lane::Open, Strength::Short, None);
    assert_eq!(again(2, |_| {}), resent);
    assert_eq!(again(2, |code| code.is_eight = true), (Lane::Open, Strength::Eight, Some("0".to_owned())));
    assert_eq!(again(1, |_| {}), (Lane::Open, Strength::Long, None), "the last token is spent on a long code");
    assert_eq!(again(2, |code| code.attempts_left = 0), another);
    assert_eq!(again(2, |code| code.sends = 4), another);
    assert_eq!(again(2, |code| code.expires = ExpiresAt::at(at(NOW))), another);
    assert_eq!(again(2, |code| code.day -= 1), another, "its attempts stay with the day that they are charged to");
    // A challenge of a known device is sent again on its own lane only.
    let mut state = state(5);
    state.open.codes.insert("0".to_owned(), own(NOW + 570));
    assert_eq!(sends(&state, Asked { named: Some((Lane::Known, "0")), ..asked(&policy) }), Some(another));
}

/// An alias cannot name a challenge, so its network's newest one is meant.
#[test]
fn a_request_through_an_alias_is_a_resend_of_its_networks_newest_challenge() {
    let policy = policy();
    let mut state = state(5);
    for (key, expires, network) in [("old", 500, "AAAAAAAA"), ("new", 501, "AAAAAAAA"), ("other", 600, "BBBBBBBB")] {
        state.open.codes.insert(key.to_owned(), OwnCode { network: network.to_owned(), ..own(NOW + expires) });
    }
    let again = |by_alias, network| sends(&state, Asked { by_alias, network, ..asked(&policy) }).unwrap().2;
    assert_eq!(again(true, "AAAAAAAA").as_deref(), Some("new"));
    assert_eq!(again(true, "BBBBBBBB").as_deref(), Some("other"));
    assert_eq!(again(true, "CCCCCCCC"), None);
    assert_eq!(again(false, "BBBBBBBB"), None);
    // Known devices name their challenges, so their newest one is not meant.
    state.known.codes.insert("known".to_owned(), own(NOW + 600));
    let known = Asked { by_alias: true, lane: Lane::Known, ..asked(&policy) };
    assert_eq!(sends(&state, known), Some((Lane::Known, Strength::Short, None)));
}

/// A request for a number without texts left is refused, unlike one for mail.
#[test]
fn texts_to_a_number_wait_for_the_bucket() {
    let policy = policy();
    let asked = Asked { channel: Channel::Sms, ..asked(&policy) };
    let state = |tokens: u64| {
        let open = Supply { full_at: at(NOW + (4 - tokens) * 600), ..Supply::default() };
        IdentifierState { open, ..state(5) }
    };
    assert_eq!(sends(&state(2), asked).unwrap().1, Strength::Short);
    assert_eq!(sends(&state(1), asked).unwrap().1, Strength::Long);
    assert_eq!(state(0).decide(asked), Decision::Wait(Duration::from_secs(600)));
    let mut with_long = state(0);
    with_long.long.insert("l".to_owned(), long(NOW + 301, "BBBBBBBB"));
    assert_eq!(with_long.decide(asked), Decision::Share);
}

/// S260, S261, S262, S264: a call follows a message of the client's own challenge, with a code of its own, or is not made.
#[test]
fn a_call_follows_the_challenges_newest_message() {
    let policy = policy();
    let life = policy.sms.expiry.as_secs();
    let asked = Asked { channel: Channel::Voice, named: Some((Lane::Open, "1")), ..asked(&policy) };
    let sent = |seconds_ago: u64| {
        let open = Supply {
            full_at: at(NOW + 600),
            codes: [("1".to_owned(), own(NOW + life - seconds_ago))].into(),
            ..Supply::default()
        };
        IdentifierState { open, ..state(5) }
    };
    assert_eq!(sends(&sent(30), asked), Some((Lane::Open, Strength::Short, Some("1".to_owned()))));
    assert_eq!(sent(29).decide(asked), Decision::TooSoon(Duration::from_secs(1)));
    let wait = Decision::Wait(FOLLOWS_AFTER);
    // Nothing was sent to it, it was used, or it is a long code, of which a client knows no name.
    for named in [None, Some((Lane::Open, "2")), Some((Lane::Known, "1"))] {
        assert_eq!(sent(30).decide(Asked { named, ..asked }), wait);
    }
    // Its attempts or its sends are used up, or the last token is for a text.
    let with = |change: fn(&mut OwnCode), full_at| {
        let mut state = sent(30);
        state.open.full_at = at(full_at);
        state.open.codes.values_mut().for_each(change);
        state.decide(asked)
    };
    assert_eq!(with(|code| code.attempts_left = 0, NOW), wait);
    assert_eq!(with(|code| code.sends = MOST_SENDS, NOW), wait);
    assert_eq!(with(|_| {}, NOW + 3 * 600), wait);
    assert_eq!(with(|_| {}, NOW + 4 * 600), Decision::Wait(Duration::from_secs(600)));
    // The calls of this day are made.
    let called = |day, count| IdentifierState { calls: Calls { day, count }, ..sent(30) }.decide(asked);
    assert_eq!(called(NOW / 86_400, MOST_CALLS), Decision::Wait(Duration::from_secs(12 * 3_600)));
    for (day, calls) in [(NOW / 86_400, MOST_CALLS - 1), (NOW / 86_400 - 1, MOST_CALLS)] {
        assert!(matches!(called(day, calls), Decision::Send(_)));
    }
}

/// S222: a held address answers known devices too, whatever is left in its bucket.
#[test]
fn a_held_address_gets_no_message() {
    let policy = policy();
    let held = |from: u64, now: u64| {
        let hold = Some(Hold { by: String::new(), from: at(NOW + from), level: 1 });
        let asked = Asked { lane: Lane::Known, now: at(NOW + now), ..asked(&policy) };
        IdentifierState { hold, ..state(5) }.decide(asked) == Decision::Held
    };
    assert_eq!([held(0, 0), held(0, 899), held(0, 900), held(1, 0)], [true, true, false, false]);
}

/// S224: for a day, ten minutes lie between the newest code of strangers and the next.
#[test]
fn after_a_complaint_strangers_share_one_long_code_in_ten_minutes() {
    let policy = policy();
    let long_code = Some((Lane::Open, Strength::Long, None));
    let complained = |ago: u64| IdentifierState { complained: Some(at(NOW - ago)), ..state(5) };
    assert_eq!(sends(&complained(86_399), asked(&policy)), long_code.clone());
    assert_eq!(sends(&complained(86_400), asked(&policy)).unwrap().1, Strength::Short);
    assert_eq!(sends(&complained(0), Asked { lane: Lane::Known, ..asked(&policy) }).unwrap().0, Lane::Known);
    let wait = |seconds| Decision::Wait(Duration::from_secs(seconds));
    let mut with_own = complained(0);
    // The code has expired, and its message is younger than ten minutes.
    let short = ChallengePolicy { email_expiry: Duration::from_secs(60), ..policy.clone() };
    with_own.open.codes.insert("o".to_owned(), own(NOW));
    assert_eq!(with_own.decide(asked(&short)), wait(540));
    assert_eq!(sends(&with_own, asked(&policy)), long_code);
    let mut with_long = complained(0);
    with_long.long.insert("l".to_owned(), long(NOW + 361, "BBBBBBBB"));
    with_long.known.codes.insert("o".to_owned(), own(NOW + 600));
    assert_eq!(with_long.decide(asked(&policy)), Decision::Share);
    with_long.long.insert("l".to_owned(), long(NOW + 360, "BBBBBBBB"));
    assert_eq!(with_long.decide(asked(&policy)), wait(360));
}

/// S172: whoever asks, three texts have short codes, and the fourth is long.
#[test]
fn three_texts_of_one_network_have_short_codes() {
    let policy = policy();
    let asked = Asked { channel: Channel::Sms, ..asked(&policy) };
    let state = |tokens: u64, live: u64| {
        let mut open = Supply { full_at: at(NOW + (4 - tokens) * 600), ..Supply::default() };
        open.codes = (0..live).map(|key| (key.to_string(), own(NOW + 1))).collect();
        IdentifierState { open, ..state(5) }
    };
    assert_eq!(sends(&state(2, 2), asked).unwrap().1, Strength::Short);
    assert_eq!(sends(&state(2, 3), asked).unwrap().1, Strength::Long);
    assert_eq!(sends(&state(2, 2), Asked { channel: Channel::Email, ..asked }).unwrap().1, Strength::Long);
}

/// S172: after ten unanswered texts in a UTC day, a number gets no text of a stranger until midnight. A code under way is shared
/// still, and a known device is served.
#[test]
fn a_number_gets_ten_unanswered_texts_a_day() {
    let policy = policy();
    let asked = Asked { channel: Channel::Sms, ..asked(&policy) };
    let texted = |texts| IdentifierState { texts, ..state(5) };
    assert_eq!(sends(&texted(9), asked).unwrap().1, Strength::Short);
    let until_midnight = Decision::Wait(Duration::from_secs(12 * 3_600));
    assert_eq!(texted(10).decide(asked), until_midnight);
    // The last token would be spent on a long code.
    let at_the_last =
        IdentifierState { open: Supply { full_at: at(NOW + 3 * 600), ..Supply::default() }, ..texted(10) };
    assert_eq!(at_the_last.decide(asked), until_midnight);
    let empty_too = IdentifierState { open: Supply { full_at: at(NOW + 90_000), ..Supply::default() }, ..texted(10) };
    assert_eq!(empty_too.decide(asked), Decision::Wait(Duration::from_secs(90_000 - 3 * 600)));

    let mut with_long = texted(10);
    with_long.long.insert("l".to_owned(), long(NOW + 301, "BBBBBBBB"));
    assert_eq!(with_long.decide(asked), Decision::Share);
    let known = Asked { lane: Lane::Known, ..asked };
    assert_eq!(sends(&texted(10), known), Some((Lane::Known, Strength::Short, None)));
    assert_eq!(sends(&IdentifierState { day: NOW / 86_400 - 1, ..texted(10) }, asked).unwrap().1, Strength::Short);
    assert_eq!(sends(&texted(10), Asked { channel: Channel::Email, ..asked }).unwrap().1, Strength::Short);
}

/// S170: tagged addresses share the mails of their mailbox, before anything of the identifier counts. Strangers leave one to known
/// devices.
#[test]
fn a_tagged_address_needs_room_in_its_mailbox() {
    let policy = policy();
    let mailbox = |tokens: u64, state: IdentifierState| IdentifierState {
        mailbox_full_at: Some(at(NOW + (5 - tokens) * 600)),
        ..state
    };
    let (stranger, known) = (asked(&policy), Asked { lane: Lane::Known, ..asked(&policy) });
    assert!(sends(&mailbox(2, state(5)), stranger).is_some());
    assert_eq!(mailbox(1, state(5)).decide(stranger), Decision::MailboxFull);
    assert!(sends(&mailbox(1, state(5)), known).is_some());
    assert_eq!(mailbox(0, state(5)).decide(known), Decision::MailboxFull);
    // Whether a code is shared would tell what happened to the address.
    let mut with_long = state(1);
    with_long.long.insert("l".to_owned(), long(NOW + 361, "BBBBBBBB"));
    assert_eq!(mailbox(1, with_long.clone()).decide(stranger), Decision::MailboxFull);
    assert_eq!(mailbox(2, with_long).decide(stranger), Decision::Share);
    assert_eq!(MAILBOX_WAIT.as_secs(), 600);
}

/// S173: the brake makes short codes longer, of strangers only, and charges them like before.
#[test]
fn the_brake_adds_digits_to_codes_of_strangers() {
    let digits = |length| {
        let policy = ChallengePolicy { length, ..policy() };
        [(Lane::Open, false), (Lane::Open, true), (Lane::Known, true)]
            .map(|(lane, is_braked)| policy.digits(lane, is_braked))
    };
    assert_eq!(digits(6), [6, 8, 6]);
    assert_eq!(digits(10), [10, 10, 10]);
}

/// Codes are shared for 240 seconds, by SMS for 300, and accepted for 600. So each code lives as long as promised.
#[test]
fn a_promise_holds_for_every_code() {
    let promise = |text: &str, policy: &ChallengePolicy| {
        let to = Destination::of(text.parse().unwrap(), None).unwrap();
        (policy.promise(&to).as_secs(), policy.life_of(&to, Strength::Short).as_secs())
    };
    assert_eq!(promise("ada@example.com", &policy()), (360, 600));
    assert_eq!(promise("+447400123456", &policy()), (300, 300));
    let short = ChallengePolicy { email_expiry: Duration::from_secs(60), ..policy() };
    assert_eq!(promise("ada@example.com", &short), (60, 60));
}

#[test]
fn settings_that_are_gone_are_named() {
    let lookup = |name: &str| (name == "OTP_REQUESTS_PER_HOUR").then(|| "5".to_owned());
    let problem = crate::config::read(lookup, ChallengePolicy::read).unwrap_err().to_string();
    assert!(problem.contains("OTP_REQUESTS_PER_HOUR does not exist any more: an identifier has a bucket"), "{problem}");
}

#[test]
fn names_of_codes_have_one_length() {
    assert_eq!(short_id(&Entropy).unwrap().len(), 8);
}

const OTHERS: [Purpose; 2] = [Purpose::StepUp, Purpose::Contact];

/// So many tokens, and a long code for `purpose`.
fn with_long(tokens: u64, purpose: Purpose) -> IdentifierState {
    let mut state = state(tokens);
    state.long.insert("l".to_owned(), LongCode { purpose, ..long(NOW + 600, "BBBBBBBB") });
    state
}

/// S272: a code with another purpose leaves the last token to the long code that all clients share.
#[test]
fn a_code_with_another_purpose_leaves_the_last_token() {
    let policy = policy();
    for purpose in OTHERS {
        let confirming = Asked { purpose, ..asked(&policy) };
        assert_eq!(sends(&state(2), confirming), Some((Lane::Open, Strength::Short, None)));
        assert_eq!(state(1).decide(confirming), Decision::NoneToSpare);
        // Guessable codes have an end for every purpose, and known devices have their own bucket.
        let failed = |tokens| IdentifierState { charged_in_a_row: 97, ..state(tokens) };
        assert_eq!(sends(&failed(2), confirming), Some((Lane::Open, Strength::Long, None)));
        let known = Asked { lane: Lane::Known, ..confirming };
        assert_eq!(sends(&state(0), known), Some((Lane::Known, Strength::Short, None)));
        assert_eq!(failed(1).decide(known), Decision::NoneToSpare);
    }
}

/// S272: it shares no long code, and its own is not shared.
#[test]
fn a_code_with_another_purpose_is_never_shared() {
    let policy = policy();
    for purpose in OTHERS {
        for of in [Purpose::SignIn, purpose] {
            let confirming = Asked { purpose, ..asked(&policy) };
            assert_eq!(with_long(0, of).decide(confirming), Decision::NoneToSpare);
        }
        assert_eq!(sends(&with_long(1, purpose), asked(&policy)).unwrap().1, Strength::Long);
        assert_eq!(sends(&with_long(0, purpose), asked(&policy)).unwrap().1, Strength::Long);
    }
}

/// People type the newest code, also one with another purpose. So the last token buys a newer one.
#[test]
fn a_long_code_is_shared_until_a_newer_one_with_another_purpose() {
    let policy = policy();
    for purpose in OTHERS {
        let mut state = with_long(1, purpose);
        state.long.insert("m".to_owned(), long(NOW + 600, "BBBBBBBB"));
        assert_eq!(state.decide(asked(&policy)), Decision::Share);
        state.long.insert("m".to_owned(), long(NOW + 599, "BBBBBBBB"));
        assert_eq!(sends(&state, asked(&policy)).unwrap().1, Strength::Long);
        state.open.full_at = self::state(0).open.full_at;
        assert_eq!(state.decide(asked(&policy)), Decision::Share);
    }
}

/// After a complaint, strangers together get one mail in ten minutes, which is for a sign-in.
#[test]
fn a_code_with_another_purpose_waits_after_a_complaint() {
    let policy = policy();
    for purpose in OTHERS {
        let complained = IdentifierState { complained: Some(at(NOW)), ..state(5) };
        assert_eq!(complained.decide(Asked { purpose, ..asked(&policy) }), Decision::NoneToSpare);
    }
}

/// S172: a phone number has ten texts a day that nobody has answered, for all purposes together.
#[test]
fn a_code_with_another_purpose_is_one_of_the_days_texts() {
    let policy = policy();
    for purpose in OTHERS {
        let asked = Asked { channel: Channel::Sms, purpose, ..asked(&policy) };
        let texted = |texts| IdentifierState { texts, ..IdentifierState::default() };
        let today = |texts| IdentifierState { day: NOW / 86_400, ..texted(texts) };
        assert_eq!(today(10).decide(asked), Decision::NoneToSpare);
        assert!(sends(&today(9), asked).is_some());
    }
}

/// S270: only a request with the same purpose gets a new code for a challenge, by its name or by its network.
#[test]
fn a_challenge_keeps_its_purpose() {
    let policy = policy();
    for of in Purpose::ALL {
        let mut state = state(5);
        state.open.codes.insert("0".to_owned(), OwnCode { purpose: of, ..own(NOW + 600) });
        for purpose in Purpose::ALL {
            let again = (purpose == of).then(|| "0".to_owned());
            let named = Asked { purpose, named: Some((Lane::Open, "0")), ..asked(&policy) };
            assert_eq!(sends(&state, named).unwrap().2, again, "{of:?} {purpose:?}");
            let by_alias = Asked { purpose, by_alias: true, ..asked(&policy) };
            assert_eq!(sends(&state, by_alias).unwrap().2, again, "{of:?} {purpose:?}");
        }
    }

    // The newest of the network is one with another purpose.
    let mut state = state(5);
    state.open.codes.insert("0".to_owned(), own(NOW + 500));
    state.open.codes.insert("1".to_owned(), OwnCode { purpose: Purpose::StepUp, ..own(NOW + 600) });
    let by_alias = Asked { by_alias: true, ..asked(&policy) };
    assert_eq!(sends(&state, by_alias).unwrap().2, Some("0".to_owned()));
}
