use super::*;
use crate::codes::challenge::tests::{at, own, state};
use crate::codes::challenge::{LongCode, OwnCode};
use crate::words::{ExpiresAt, Index, Tenant};

const NOW: u64 = 1_767_268_800;
const PEPPER: [u8; 32] = [1; 32];

fn ada() -> (Destination, IdentifierDigest) {
    let to = Destination::of("ada@example.com".parse().unwrap(), None).unwrap();
    let digest = Index::new(MacKey::new([2; 32]), &Tenant::default()).identifier(&to.identifier());
    (to, digest)
}

fn digest(key: &str, code: &str) -> CodeDigest {
    let binding = Binding { tenant: &Tenant::default(), to: &ada().0, purpose: Purpose::SignIn, challenge: key };
    CodeDigest::of(&Code::read(code).unwrap(), binding, &MacKey::new(PEPPER))
}

/// Two live codes, an expired one, one of a known browser, and two long ones, of which one has expired.
fn living() -> IdentifierState {
    let mut state = state(3);
    let with = |key: &str, code, expires| (key.to_owned(), OwnCode { digest: digest(key, code), ..own(expires) });
    let long = |key: &str, code, expires| {
        let expires = ExpiresAt::at(at(expires));
        (
            key.to_owned(),
            LongCode {
                digest: digest(key, code),
                pepper_id: "p".to_owned(),
                expires,
                network: String::new(),
                purpose: Purpose::SignIn,
            },
        )
    };
    state.open.codes =
        [with("0", "012345", NOW + 600), with("1", "012346", NOW + 600), with("2", "012347", NOW)].into();
    state.known.codes = [with("d", "012348", NOW + 600)].into();
    state.long = [long("l", "AAAAAAAAAAAAA", NOW + 600), long("m", "BBBBBBBBBBBBB", NOW)].into();
    state
}

fn proven_by(attempt: &Attempt, code: &str, now: u64) -> Option<ProvenCode> {
    attempt.prove(&Code::read(code).unwrap(), (&ada().0, Purpose::SignIn), |_| Some(MacKey::new(PEPPER)), at(now))
}

fn proved(attempt: &Attempt, code: &str, now: u64) -> Option<String> {
    let proven = proven_by(attempt, code, now)?;
    assert!(proven.digest().matches(&digest(proven.entry().1, code)));
    assert_eq!((proven.to(), proven.identifier()), (&ada().0, &ada().1));
    Some(proven.entry().1.to_owned())
}

fn bound(lane: Lane, key: &str) -> Attempt {
    Attempt::bound(&ada().1, living(), lane, key)
}

/// S172: a used code gives its text back, on the day that it was counted.
#[test]
fn a_used_code_gives_its_text_back() {
    let to = Destination::of("+447400123456".parse().unwrap(), None).unwrap();
    let identifier = Index::new(MacKey::new([2; 32]), &Tenant::default()).identifier(&to.identifier());
    let digest = |key: &str, code: &str| {
        let binding = Binding { tenant: &Tenant::default(), to: &to, purpose: Purpose::SignIn, challenge: key };
        CodeDigest::of(&Code::read(code).unwrap(), binding, &MacKey::new(PEPPER))
    };
    let mut state = IdentifierState { texts: 2, ..living() };
    for (lane, key) in [(Lane::Open, "0"), (Lane::Known, "d")] {
        let supply = if lane == Lane::Open { &mut state.open } else { &mut state.known };
        supply.codes.get_mut(key).unwrap().digest = digest(key, "012345");
    }
    state.long.get_mut("l").unwrap().digest = digest("l", "AAAAAAAAAAAAA");
    let used = |attempt: Attempt, code: &str, state: &IdentifierState| {
        let code = Code::read(code).unwrap();
        let proven = attempt.prove(&code, (&to, Purpose::SignIn), |_| Some(MacKey::new(PEPPER)), at(NOW)).unwrap();
        let settled = state.settle(&proven, at(NOW));
        (settled.text, settled.day)
    };
    let bound = |lane, key| Attempt::bound(&identifier, state.clone(), lane, key);
    let long = || Attempt::long(&identifier, state.clone());
    let today = Some(NOW / 86_400);
    assert_eq!(used(bound(Lane::Open, "0"), "012345", &state), (true, today));
    assert_eq!(used(long(), "AAAAAAAAAAAAA", &state), (true, today));
    assert!(!used(bound(Lane::Known, "d"), "012345", &state).0, "texts to known devices are not counted");
    let none = IdentifierState { texts: 0, ..state.clone() };
    assert!(!used(bound(Lane::Open, "0"), "012345", &none).0);
    let tomorrow = IdentifierState { day: NOW / 86_400 + 1, ..state.clone() };
    assert_eq!(used(bound(Lane::Open, "0"), "012345", &tomorrow), (false, None));
    assert_eq!(used(long(), "AAAAAAAAAAAAA", &tomorrow), (false, None));
    // By mail, no text is counted.
    let by_mail = IdentifierState { texts: 2, ..living() };
    assert!(!by_mail.settle(&proven(), at(NOW)).text);
}

/// A proof, for tests of functions with a proof as parameter.
pub(crate) fn proven() -> ProvenCode {
    proven_by(&bound(Lane::Open, "0"), "012345", NOW).unwrap()
}

#[test]
fn a_bound_attempt_is_compared_with_its_own_challenge_until_it_ends() {
    let attempt = bound(Lane::Open, "0");
    assert_eq!(proved(&attempt, "012345", NOW), Some("0".to_owned()));
    assert_eq!(proved(&attempt, "012345", NOW + 599), Some("0".to_owned()));
    assert_eq!(proved(&attempt, "012345", NOW + 600), None);
    for other in ["012346", "012347", "012348", "999999", "AAAAAAAAAAAAA"] {
        assert_eq!(proved(&attempt, other, NOW), None, "{other}");
    }
    assert_eq!(proved(&bound(Lane::Known, "0"), "012345", NOW), None);
    assert_eq!(proved(&bound(Lane::Known, "d"), "012348", NOW), Some("d".to_owned()));
}

#[test]
fn a_long_code_is_compared_with_every_long_code_until_it_ends() {
    let attempt = Attempt::long(&ada().1, living());
    assert_eq!(proved(&attempt, "AAAAAAAAAAAAA", NOW + 599), Some("l".to_owned()));
    assert_eq!(proved(&attempt, "AAAAAAAAAAAAA", NOW + 600), None);
    assert_eq!(proved(&attempt, "BBBBBBBBBBBBB", NOW), None);
    assert_eq!(proved(&attempt, "012345", NOW), None, "digits are counted before they are compared");
}

#[test]
fn an_unbound_attempt_is_compared_with_what_was_counted_and_nothing_else() {
    let attempt = Attempt::unbound(&ada().1, living(), &["0".to_owned()], Some(&"1".to_owned()));
    assert_eq!(proved(&attempt, "012345", NOW), Some("0".to_owned()));
    assert_eq!(proved(&attempt, "012346", NOW), Some("1".to_owned()));
    for other in ["012347", "012348", "AAAAAAAAAAAAA"] {
        assert_eq!(proved(&attempt, other, NOW), None, "{other}");
    }
    let none = Attempt::unbound(&ada().1, living(), &[], None);
    assert!(attempt.compares(at(NOW)) && !attempt.compares(at(NOW + 600)) && !none.compares(at(NOW)));
    assert_eq!(proved(&none, "012345", NOW), None);
}

/// A pepper is deleted some time after its rotation.
#[test]
fn a_code_without_its_pepper_proves_nothing() {
    let code = Code::read("012345").unwrap();
    assert!(bound(Lane::Open, "0").prove(&code, (&ada().0, Purpose::SignIn), |_| None, at(NOW)).is_none());
}

/// V07: a code for one identifier proves nothing about another.
#[test]
fn a_code_proves_no_other_destination() {
    let bob = Destination::of("bob@example.com".parse().unwrap(), None).unwrap();
    let code = Code::read("012345").unwrap();
    assert!(
        bound(Lane::Open, "0").prove(&code, (&bob, Purpose::SignIn), |_| Some(MacKey::new(PEPPER)), at(NOW)).is_none()
    );
}

/// S270, S274: a code proves nothing for another purpose, and only a sign-in code is a reason for a session.
#[test]
fn a_code_proves_its_own_purpose_only() {
    for asked in Purpose::ALL {
        let mut state = living();
        for (kept, key, code) in [(false, "0", "012345"), (true, "l", "AAAAAAAAAAAAA")] {
            let binding = Binding { tenant: &Tenant::default(), to: &ada().0, purpose: asked, challenge: key };
            let digest = CodeDigest::of(&Code::read(code).unwrap(), binding, &MacKey::new(PEPPER));
            match kept {
                true => state.long.get_mut(key).unwrap().digest = digest,
                false => state.open.codes.get_mut(key).unwrap().digest = digest,
            }
        }
        let bound = Attempt::bound(&ada().1, state.clone(), Lane::Open, "0");
        let unbound = Attempt::unbound(&ada().1, state.clone(), &["0".to_owned()], None);
        let long = Attempt::long(&ada().1, state);
        for (attempt, code) in [(bound, "012345"), (unbound, "012345"), (long, "AAAAAAAAAAAAA")] {
            for used in Purpose::ALL {
                let pepper = |_: &str| Some(MacKey::new(PEPPER));
                let proven = attempt.prove(&Code::read(code).unwrap(), (&ada().0, used), pepper, at(NOW));
                assert_eq!(
                    proven.as_ref().map(ProvenCode::purpose),
                    (used == asked).then_some(asked),
                    "{code} {used:?}"
                );
                let opens = proven.is_some_and(|proven| proven.for_sign_in().is_ok());
                assert_eq!(opens, used == asked && used == Purpose::SignIn, "{code} {used:?}");
            }
        }
    }
}

/// S06: a right answer gives back its unspent attempts and this one. The charges of codes under way stay.
#[test]
fn a_right_answer_gives_back_what_it_did_not_need() {
    let mut state = living();
    state.charged_in_a_row = 40;
    // One attempt was spent by this answer.
    state.open.codes.get_mut("0").unwrap().attempts_left = 2;
    let code = proven();
    let settled = state.settle(&code, at(NOW));
    assert_eq!((settled.charged_in_a_row, settled.attempts, settled.day), ([40, 6], 3, Some(NOW / 86_400)));
    // Attempts of another day do not come back.
    let later = IdentifierState { day: state.day + 1, ..state.clone() };
    assert_eq!((later.settle(&code, at(NOW)).attempts, later.settle(&code, at(NOW)).day), (0, None));
    // An answer from elsewhere has spent a comparison of the day, and none of the code's attempts.
    let unbound = Attempt::unbound(&ada().1, IdentifierState { elsewhere: 1, ..living() }, &[], Some(&"1".to_owned()));
    let code = proven_by(&unbound, "012346", NOW).unwrap();
    let settled = code.state().settle(&code, at(NOW));
    assert_eq!((settled.attempts, settled.elsewhere), (3, true));
    // There is none of a new day to give back.
    assert!(!IdentifierState { elsewhere: 0, ..living() }.settle(&code, at(NOW)).elsewhere);
    // A long code was charged nothing.
    let long = proven_by(&Attempt::long(&ada().1, state.clone()), "AAAAAAAAAAAAA", NOW).unwrap();
    let settled = state.settle(&long, at(NOW));
    assert_eq!((settled.attempts, settled.charged_in_a_row), (0, [40, 8]));
}

/// An answer from elsewhere is not counted at its code, so a code that others used up is not its last attempt.
#[test]
fn the_last_attempt_leaves_its_code_none() {
    let left = |attempts_left| {
        let mut state = living();
        state.open.codes.get_mut("0").unwrap().attempts_left = attempts_left;
        state
    };
    let (own, none) = (["0".to_owned()], Vec::new());
    for (attempts_left, is_last) in [(2, false), (1, false), (0, true)] {
        let bound = Attempt::bound(&ada().1, left(attempts_left), Lane::Open, "0");
        let unbound = Attempt::unbound(&ada().1, left(attempts_left), &own, Some(&"1".to_owned()));
        assert_eq!([bound.is_last(), unbound.is_last()], [is_last; 2], "{attempts_left}");
        assert!(!Attempt::unbound(&ada().1, left(attempts_left), &none, Some(&own[0])).is_last());
        assert!(!Attempt::bound(&ada().1, left(attempts_left), Lane::Known, "d").is_last());
        assert!(!Attempt::long(&ada().1, left(attempts_left)).is_last());
    }
}
